{#-
    Whether a normalized value is what forms are filled with when there is none to give, or a mall's relay address: it links
    nobody. The values are `blocked` of identity.yml, passed as the var identity_blocked; its defaults let the project stand
    alone.
-#}
{% macro is_placeholder(kind, value) -%}
    {%- set defaults = {
        "email": {"patterns": [
            '^(no[-_.]?reply|do[-_.]?not[-_.]?reply|dummy|no[-_.]?mail|none|unknown|xxx+|aaa+)[-_.0-9]*@',
            '@marketplace[.]amazon[.](co[.]jp|com)$',
            '@([a-z]+[.])?fw[.]rakuten[.]ne[.]jp$',
        ]},
        "phone": {"exact": ["0123456789", "0312345678", "0612345678"], "patterns": [
            '^(\\d)\\1+$',
            '^0\\d{1,3}(\\d)\\1{5,}$',
        ]},
        "name_birth": {"patterns": ['[|](1900|1970)-01-01$']},
    } -%}
    {%- set passed = var("identity_blocked", defaults) -%}
    {%- set tests = [] -%}
    {%- for blocked_kind, blocked in (passed if passed is mapping else defaults).items() -%}
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
