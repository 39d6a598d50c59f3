{#- One policy of strategy.yml, by key. The defaults let the project parse alone; a run passes every key. -#}
{% macro strategy(key) %}
    {% set defaults = {
        "business_timezone": "Asia/Tokyo",
        "reporting_currency": "JPY",
        "same_day_orders": "merge",
        "purchase_rules": {},
        "refused_order_tags": ["受取拒否"],
        "f2_windows_days": [7, 30, 60, 90, 180, 365],
        "rfm_window_days": none,
        "rfm_method": "quantile",
        "rfm_thresholds": {},
        "dormant_after_days": 365,
        "at_risk_after_days": 180,
        "loyal_from_purchases": 3,
    } %}
    {% set nested_defaults = {
        "purchase_rules": {
            "exclude_test": true,
            "exclude_cancelled": true,
            "exclude_refused": true,
            "exclude_fully_refunded": true,
            "exclude_free": true,
        },
        "rfm_thresholds": {
            "recency_days": [30, 90, 180, 365],
            "frequency": [1, 2, 3, 5],
            "monetary": [3000, 10000, 30000, 100000],
        },
    } %}
    {% set passed = var("strategy", {}) %}
    {% set given = passed if passed is mapping else {} %}
    {% if key not in defaults %}
        {{ exceptions.raise_compiler_error("strategy key '" ~ key ~ "' is unknown: expected one of " ~ defaults | join(", ")) }}
    {% elif key in nested_defaults %}
        {{ return(dict(nested_defaults[key], **given.get(key, {}))) }}
    {% else %}
        {{ return(given.get(key, defaults[key])) }}
    {% endif %}
{% endmacro %}
