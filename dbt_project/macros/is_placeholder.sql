{#-
    Whether a normalized value is what forms are filled with when there is none to give, or a mall's relay address: it links
    nobody. blocked_values says which.
-#}
{% macro is_placeholder(kind, value) -%}
    {%- set tests = [] -%}
    {%- for blocked_kind, blocked in blocked_values().items() -%}
        {#- One regular expression a kind where they can be joined: Postgres keeps no more than 32 compiled. -#}
        {%- set alone, joined = [], [] -%}
        {%- for pattern in blocked.get("patterns", []) -%}
            {%- do (alone if "\\1" in pattern else joined).append(pattern) -%}
        {%- endfor -%}
        {%- for pattern in alone + ([joined | join("|")] if joined else []) -%}
            {%- do tests.append(kind ~ " = '" ~ blocked_kind ~ "' and " ~ value ~ " ~ " ~ quoted([pattern])) -%}
        {%- endfor -%}
        {%- if blocked.get("exact") -%}
            {%- set exact = value ~ " in (" ~ quoted(blocked["exact"]) ~ ")" -%}
            {%- do tests.append(kind ~ " = '" ~ blocked_kind ~ "' and " ~ exact) -%}
        {%- endif -%}
    {%- endfor -%}
    ({{ tests | join(" or ") or "false" }})
{%- endmacro %}
