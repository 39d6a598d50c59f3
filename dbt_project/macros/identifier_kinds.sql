{#-
    What identifies a person, a line each: the kind, and its value of the normalized parts in int_identity__changes;
    unsaid where one of them is. What each kind may join, and on what terms: identity.yml.
-#}
{% macro identifier_kinds() %}
    {{ return([
        ("login", "brand || ':' || login"),
        ("line", "line_provider || ':' || line_user_id"),
        ("email", "email"),
        ("email", "other_email"),
        ("phone", "phone"),
        ("phone", "other_phone"),
        ("name_birth", "whole_name || '|' || birth"),
        ("name_birth", "whole_kana || '|' || birth"),
        ("name_address", "whole_name || '|' || address"),
        ("name_address", "whole_kana || '|' || address"),
        ("address", "postal_code || '|' || address"),
        ("given_birth", "one_given_name || '|' || birth"),
        ("given_birth", "given_skeleton || '|' || birth"),
    ]) }}
{% endmacro %}
