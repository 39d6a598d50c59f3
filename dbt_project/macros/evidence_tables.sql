{#- The staging models that are evidence: reading what is new of each by itself lets their indexes find it. -#}
{% macro evidence_tables() %}
    {{ return([
        "stg_shopify__customers", "stg_shopify__orders", "stg_line__followers", "stg_line__account_links",
        "stg_eccube__customers", "stg_eccube__orders", "stg_sendgrid__contacts", "stg_klaviyo__profiles",
        "stg_zendesk__users", "stg_intercom__contacts", "stg_files__customers", "stg_files__orders",
        "stg_files__pos_sales", "stg_files__reviews", "stg_files__survey_responses", "stg_files__store_visits",
        "stg_files__subscription_contracts",
    ]) }}
{% endmacro %}
