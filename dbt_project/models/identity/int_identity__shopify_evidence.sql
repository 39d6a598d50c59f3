{{ config(materialized="ephemeral") }}

-- Only an account that can be logged into is a login; what a guest's checkout leaves behind is none, and may be many.
{{ evidence(
    source="shopify", name="customer", model="stg_shopify__customers", key="shopify_customer_id",
    first_seen_at="created_at",
    says={
        "email": "email",
        "phone": "phone",
        "other_phone": "address_phone",
        "login_id": "case when state = 'ENABLED' then " ~ shop_login("shopify_customer_id") ~ " end",
        "family_name": "family_name",
        "given_name": "given_name",
        "family_name_kana": "family_name_kana",
        "given_name_kana": "given_name_kana",
        "birth": "birth_on",
        "postal_code": "postal_code",
        "address": "nullif(concat_ws(' ', prefecture, city, address), '')",
    },
) }}
union all
-- An order speaks for whose it is, also for guests and for customers whom Shopify does not return any more.
{{ evidence(
    source="shopify", name="order", model="stg_shopify__orders", key="shopify_order_id", first_seen_at="ordered_at",
    says={
        "email": "email",
        "phone": "phone",
        "line_provider": "case when line_user_id is not null then " ~ line_provider() ~ " end",
        "line_user_id": "line_user_id",
    },
) }}
