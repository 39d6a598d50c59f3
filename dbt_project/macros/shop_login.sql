{#-
    The login at the brand's shop that an id names: the shop's own number of the account, without the path that Shopify's
    interface puts before it. Ids of any other form are another system's, and name no login.
-#}
{% macro shop_login(id) -%}
    substring({{ id }} from '^\s*(?:gid://shopify/Customer/)?([0-9]+)\s*$')
{%- endmacro %}
