{{ config(materialized="ephemeral") }}

-- What a file has of a customer: the cards of a till, the accounts of a cart without an interface.
{{ evidence(
    source="files", name="customer", model="stg_files__customers", key="files_customer_id",
    first_seen_at="registered_at", brand="brand",
    says={
        "email": "email",
        "phone": "phone",
        "line_provider": "case when line_user_id is not null then " ~ line_provider() ~ " end",
        "line_user_id": "line_user_id",
        "family_name": "family_name",
        "given_name": "given_name",
        "full_name": "full_name",
        "family_name_kana": "family_name_kana",
        "given_name_kana": "given_name_kana",
        "full_name_kana": "full_name_kana",
        "birth": "birth_on",
        "postal_code": "postal_code",
        "address": "nullif(concat_ws(' ', prefecture, city, address), '')",
    },
) }}
{% for name, first_seen_at in [
    ("order", "ordered_at"),
    ("pos_sale", "sold_at"),
    ("review", "reviewed_at"),
    ("survey_response", "responded_at"),
    ("store_visit", "visited_at"),
    ("subscription_contract", "started_at"),
] %}
    union all
    {{ evidence(
        source="files", name=name, model="stg_files__" ~ name ~ "s", key="files_" ~ name ~ "_id",
        first_seen_at=first_seen_at, brand="brand",
        says={"email": "email", "phone": "phone"}, where="record_key is not null",
    ) }}
{% endfor %}
