{{ config(materialized="ephemeral") }}

{{ evidence(
    source="sendgrid", name="contact", model="stg_sendgrid__contacts", key="sendgrid_contact_id",
    record_key="'sendgrid:contact:' || sendgrid_contact_id", first_seen_at="created_at",
    says={
        "email": "email",
        "other_email": "alternate_emails ->> 0",
        "phone": "phone",
        "login_id": shop_login("external_id"),
        "family_name": "family_name",
        "given_name": "given_name",
    },
) }}
{% for place in range(1, 5) %}
    union all
    -- The vendor keeps five alternate addresses of a contact; a row of evidence has place for one.
    {{ evidence(
        source="sendgrid", name="alternate_" ~ place, model="stg_sendgrid__contacts", key="sendgrid_contact_id",
        record_key="'sendgrid:contact:' || sendgrid_contact_id", first_seen_at="created_at",
        says={"email": "alternate_emails ->> " ~ place}, where="alternate_emails ->> " ~ place ~ " is not null",
    ) }}
{% endfor %}
