{{ config(materialized="ephemeral") }}

{% set person = {
    "email": "email",
    "phone": "phone",
    "family_name": "family_name",
    "given_name": "given_name",
    "family_name_kana": "family_name_kana",
    "given_name_kana": "given_name_kana",
    "postal_code": "postal_code",
    "address": "nullif(concat_ws(' ', prefecture, city, address), '')",
} %}

-- Who has left or has never confirmed may register again: only a member's number is a login.
{{ evidence(
    source="eccube", name="customer", model="stg_eccube__customers", key="eccube_customer_id",
    first_seen_at="created_at",
    says=dict(person, birth="birth_on", login_id="case when status = 'member' then eccube_customer_id end"),
) }}
union all
{{ evidence(
    source="eccube", name="order", model="stg_eccube__orders", key="eccube_order_id",
    first_seen_at="coalesce(ordered_at, created_at)",
    says=person,
) }}
