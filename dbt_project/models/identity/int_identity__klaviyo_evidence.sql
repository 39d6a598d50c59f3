{{ config(materialized="ephemeral") }}

{{ evidence(
    source="klaviyo", name="profile", model="stg_klaviyo__profiles", key="klaviyo_profile_id",
    record_key="'klaviyo:profile:' || klaviyo_profile_id", first_seen_at="created_at",
    says={
        "email": "email",
        "phone": "phone",
        "login_id": shop_login("external_id"),
        "family_name": "family_name",
        "given_name": "given_name",
        "postal_code": "postal_code",
        "address": "nullif(concat_ws(' ', prefecture, city, address), '')",
    },
) }}
