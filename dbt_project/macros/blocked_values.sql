{#-
    Values that say nothing about a person, by kind: `blocked` of identity.yml, passed as the var identity_blocked. The
    defaults are those of identity.yml and let the project parse and be tested alone.
-#}
{% macro blocked_values() %}
    {% set defaults = {
        "email": {"patterns": [
            "^(no-?_?reply|do-?not-?reply|dummy|nomail|no-?mail|none|mailer-daemon|postmaster)[0-9]*@",
            "@marketplace\\.amazon\\.(co\\.jp|com)$",
            "@(pc|mb)\\.fw\\.rakuten\\.ne\\.jp$",
        ]},
        "phone": {
            "exact": ["0123456789", "1234567890", "12345678901", "0312345678", "0612345678"],
            "patterns": [
                "^(\\d)\\1+$",
                "^0\\d{1,3}(\\d)\\1{6,}$",
                "^0[5-9]0(12345678|98765432|87654321)$",
                "^(0120\\d{6}|0800\\d{7}|0570\\d{6})$",
            ],
        },
        "name_birth": {"patterns": ["\\|(0001|1900|1970)-01-01$"]},
    } %}
    {% set passed = var("identity_blocked", none) %}
    {{ return(passed if passed is mapping else defaults) }}
{% endmacro %}
