{{ config(materialized="ephemeral") }}

-- Agents are no customers. Who wrote by mail without a name is called by the address, which is no name.
{{ evidence(
    source="zendesk", name="user", model="stg_zendesk__users", key="zendesk_user_id", first_seen_at="created_at",
    says={
        "email": "email",
        "phone": "phone",
        "login_id": shop_login("external_id"),
        "full_name": "case when position('@' in name) = 0 then name end",
    },
    where="is_customer",
) }}
