{#- What a row of evidence can say of a person, as typed. -#}
{% macro evidence_columns() %}
    {{ return([
        "email", "other_email", "phone", "other_phone", "line_provider", "line_user_id", "login_id",
        "family_name", "given_name", "full_name", "family_name_kana", "given_name_kana", "full_name_kana", "birth",
        "postal_code", "address",
    ]) }}
{% endmacro %}
