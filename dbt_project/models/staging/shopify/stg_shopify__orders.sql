{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="shopify_order_id",
    on_schema_change="fail",
    post_hook=[remove_deleted(), "{{ remove_told_gone('order', 'shopify_order_id') }}"],
    indexes=[{"columns": ["_sequence"]}],
) }}

with versions as (
    {{ latest_versions(source("shopify", "orders")) }}
)

select
    versions._record_id as shopify_order_id,
    fields.name as order_name,
    fields.customer ->> 'id' as shopify_customer_id,
    case
        when fields.customer ->> 'id' is null then 'shopify:guest:' || versions._record_id
        else 'shopify:customer:' || (fields.customer ->> 'id')
    end as record_key,
    fields.email,
    fields.phone,
    nullif(
        trim(jsonb_path_query_first(fields."customAttributes", '$[*] ? (@.key == "line_user_id").value') #>> '{}'), ''
    ) as line_user_id,
    fields."processedAt" as ordered_at,
    fields."createdAt" as created_at,
    fields."updatedAt" as updated_at,
    fields."cancelledAt" as cancelled_at,
    fields."cancelReason" as cancel_reason,
    coalesce(fields.test, false) as is_test,
    fields."sourceName" as source_channel,
    coalesce(nullif(fields.tags, 'null'), '[]') as tags,
    fields."displayFinancialStatus" as financial_status,
    coalesce(fields."totalPriceSet" -> 'shopMoney' ->> 'currencyCode', fields."currencyCode") as currency,
    (fields."totalPriceSet" -> 'shopMoney' ->> 'amount')::numeric as total_incl_tax,
    (fields."totalDiscountsSet" -> 'shopMoney' ->> 'amount')::numeric as discount_amount,
    (fields."totalTaxSet" -> 'shopMoney' ->> 'amount')::numeric as tax_amount,
    (fields."totalShippingPriceSet" -> 'shopMoney' ->> 'amount')::numeric as shipping_amount,
    coalesce(nullif(fields."discountCodes", 'null'), '[]') as discount_codes,
    coalesce(nullif(fields."lineItems" -> 'nodes', 'null'), '[]') as order_lines,
    coalesce(nullif(fields.refunds, 'null'), '[]') as refunds,
    coalesce(nullif(fields."discountApplications" -> 'nodes', 'null'), '[]') as discount_applications,
    coalesce(nullif(fields."shippingLines" -> 'nodes', 'null'), '[]') as shipping_lines,
    coalesce(nullif(fields.transactions, 'null'), '[]') as transactions,
    nullif(fields."customerJourneySummary", 'null') as customer_journey,
    versions._sequence,
    versions._source_updated_at,
    versions._extracted_at,
    versions._is_deleted
from versions
left join lateral jsonb_to_record(versions.payload) as fields (
    name text,
    customer jsonb,
    email text,
    phone text,
    "customAttributes" jsonb,
    "processedAt" timestamptz,
    "createdAt" timestamptz,
    "updatedAt" timestamptz,
    "cancelledAt" timestamptz,
    "cancelReason" text,
    test boolean,
    "sourceName" text,
    tags jsonb,
    "displayFinancialStatus" text,
    "currencyCode" text,
    "totalPriceSet" jsonb,
    "totalDiscountsSet" jsonb,
    "totalTaxSet" jsonb,
    "totalShippingPriceSet" jsonb,
    "discountCodes" jsonb,
    "lineItems" jsonb,
    refunds jsonb,
    "discountApplications" jsonb,
    "shippingLines" jsonb,
    transactions jsonb,
    "customerJourneySummary" jsonb
) on true
