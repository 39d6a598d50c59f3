{{ config(materialized="ephemeral") }}

-- A lead has no id of ours, a user has the shop's; both are persons.
{{ evidence(
    source="intercom", name="contact", model="stg_intercom__contacts", key="intercom_contact_id",
    first_seen_at="created_at",
    says={
        "email": "email",
        "phone": "phone",
        "login_id": shop_login("external_id"),
        "full_name": "case when position('@' in name) = 0 then name end",
    },
) }}
