{#-
    The simple figures of kpi_summary in reading order: name, English, Japanese, unit, value, customers it is taken over.
    The last two are columns of the model's totals.
-#}
{% macro kpi_metrics() %}
    {{ return([
        ("customers", "Customers", "顧客数", "customers", "customer_count", "customer_count"),
        ("buyers", "Customers with a purchase", "購入顧客数", "customers", "buyer_count", "customer_count"),
        ("orders", "Orders that count", "有効注文数", "orders", "order_count", "buyer_count"),
        ("purchases", "Purchase occasions", "購入回数", "purchases", "purchase_count", "buyer_count"),
        ("gross_revenue", "Gross revenue", "総売上", "money", "gross", "buyer_count"),
        ("refunds", "Refunds", "返金額", "money", "refunded", "buyer_count"),
        ("net_revenue", "Net revenue", "純売上", "money", "net", "buyer_count"),
        ("repeat_customers", "Repeat customers", "リピート顧客数", "customers", "repeat_count", "buyer_count"),
        ("repeat_rate", "Repeat rate", "リピート率", "rate", "repeat_count / buyers", "buyer_count"),
        ("average_order_value", "Average order value", "平均注文額", "money", "net / nullif(order_count, 0)", "buyer_count"),
        ("orders_per_customer", "Orders per customer", "顧客あたり注文数", "orders", "order_count / buyers", "buyer_count"),
        ("annual_frequency_observed", "Purchases a year, of the time observed", "年間購入頻度(観測期間)", "purchases",
            "purchase_count / (buyers * observed_years)", "buyer_count"),
        ("annual_frequency_tenure", "Purchases a year, of tenure", "年間購入頻度(在籍期間)", "purchases",
            "purchase_count / tenure_years", "buyer_count"),
        ("mean_lifespan_days", "First to last purchase, all", "平均継続日数(全体)", "days", "lifespan_days", "buyer_count"),
        ("mean_lifespan_days_repeat", "First to last purchase, repeat customers", "平均継続日数(リピート)", "days",
            "repeat_lifespan_days", "repeat_count"),
        ("historic_ltv", "Historic LTV", "実績LTV", "money", "net / buyers", "buyer_count"),
        ("one_year_ltv", "One-year LTV, customers a year old", "1年LTV(1年経過顧客)", "money",
            "first_year_net / nullif(year_old_count, 0)", "year_old_count"),
    ]) }}
{% endmacro %}
