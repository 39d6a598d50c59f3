-- A small shop in which everything is right: what the gates must let pass, and what each test breaks in one place.
-- Day of the run: 2026-11-22, Asia/Tokyo. anna bought once five days ago, ben three times, carl never.
insert into ops.runs (run_id, as_of, strategy, started_at)
values (
    'run', '2026-11-22',
    '{"reporting_currency": "JPY", "business_timezone": "Asia/Tokyo", "f2_windows_days": [7, 30],
      "rfm_window_days": null, "dormant_after_days": 365, "at_risk_after_days": 180, "loyal_from_purchases": 3}',
    now()
);
insert into ops.watermarks (source, stream, upper_at, run_id)
values ('shopify', 'orders', '2026-11-22 12:00+09', 'landed');
insert into ops.landings (
    run_id, source, stream, read_count, vendor_count, landed_count, quarantined_count, page_count,
    window_lower, window_upper, seconds, at
)
values ('landed', 'shopify', 'orders', 4, 4, 4, 0, 1, '2000-01-01', '2026-11-22 12:00+09', 1, now() - interval '1 hour');

do $$
declare
    stream text;
begin
    foreach stream in array array[
        'shopify__customers', 'shopify__orders', 'shopify__products', 'line__followers', 'zendesk__tickets',
        'intercom__conversations', 'eccube__orders', 'eccube__customers',
        'line__webhooks', 'line__profiles', 'line__insight_followers', 'line__insight_messages',
        'line__insight_demographics', 'line__account_link_nonces', 'ga4__events', 'sendgrid__contacts',
        'sendgrid__webhooks', 'klaviyo__profiles', 'klaviyo__events'
    ] loop
        execute format(
            'create table raw.%I (
                _sequence bigint generated always as identity primary key, _record_id text not null,
                _source_updated_at timestamptz, _extracted_at timestamptz not null default now(),
                _run_id text not null default ''landed'', _payload_hash bytea not null default sha256(gen_random_uuid()::text::bytea),
                _is_deleted boolean not null default false, payload jsonb
            )', stream
        );
        execute format('alter table raw.%I owner to kizuna_ingest', stream);
        execute format('grant select on raw.%I to kizuna_transform', stream);
    end loop;
end
$$;

insert into raw.shopify__orders (_record_id, _source_updated_at, payload)
select
    id,
    ordered_at::timestamptz,
    -- Every field that staging reads is there; what this shop does not fill is null or empty.
    '{"name": "#1", "customer": null, "phone": null, "customAttributes": [], "cancelledAt": null, "cancelReason": null,
      "test": false, "sourceName": "web", "tags": [], "displayFinancialStatus": "PAID", "currencyCode": "JPY",
      "totalDiscountsSet": null, "totalTaxSet": null, "discountCodes": [], "refunds": [],
      "totalShippingPriceSet": {"shopMoney": {"amount": "0", "currencyCode": "JPY"}},
      "totalRefundedSet": {"shopMoney": {"amount": "0", "currencyCode": "JPY"}},
      "lineItems": {"nodes": [], "pageInfo": {"hasNextPage": false}}}'::jsonb
    || jsonb_build_object(
        'id', id, 'processedAt', ordered_at, 'createdAt', ordered_at, 'updatedAt', ordered_at,
        'email', 'anna.yamada@example.jp',
        'totalPriceSet', jsonb_build_object('shopMoney', jsonb_build_object('amount', amount, 'currencyCode', 'JPY'))
    )
from (
    values
    ('gid://shopify/Order/1', '2026-11-17T01:00:00Z', '1000'),
    ('gid://shopify/Order/2', '2026-10-01T01:00:00Z', '2000'),
    ('gid://shopify/Order/3', '2026-10-11T01:00:00Z', '3000'),
    ('gid://shopify/Order/4', '2026-11-01T01:00:00Z', '4000')
) as orders (id, ordered_at, amount);
insert into raw.shopify__customers (_record_id, _source_updated_at, payload)
values (
    'gid://shopify/Customer/1', '2026-11-17',
    '{"id": "gid://shopify/Customer/1", "createdAt": "2026-11-17T01:00:00Z", "updatedAt": "2026-11-17T01:00:00Z",
      "firstName": null, "lastName": "山田", "locale": "ja", "state": "ENABLED", "tags": [], "familyNameKana": null,
      "givenNameKana": null, "birthDate": null, "defaultPhoneNumber": null, "defaultAddress": null,
      "defaultEmailAddress": {"emailAddress": "anna.yamada@example.jp", "marketingState": "SUBSCRIBED"},
      "amountSpent": {"currencyCode": "JPY"}}'
);
insert into raw.shopify__products (_record_id, _source_updated_at, payload)
values ('gid://shopify/Product/1', '2026-11-17', '{
    "id": "gid://shopify/Product/1", "title": "お茶", "productType": "茶", "vendor": "茶園", "status": "ACTIVE", "tags": [],
    "createdAt": "2026-11-17T01:00:00Z", "updatedAt": "2026-11-17T01:00:00Z"
}');
insert into raw.line__webhooks (_record_id, payload)
values ('E1', jsonb_build_object('body', jsonb_build_object(
    'type', 'follow', 'timestamp', 1767225600000, 'source', jsonb_build_object('userId', 'U' || repeat('0', 32))
)));
insert into raw.line__insight_followers (_record_id, payload)
values
('2026-11-20', '{"date": "2026-11-20", "status": "ready", "followers": 3, "blocks": 1, "targetedReaches": 2}'),
('2026-11-21', '{"date": "2026-11-21", "status": "unready"}');
insert into raw.line__profiles (_record_id, payload)
select 'U' || repeat('0a', 16), jsonb_build_object(
    'userId', 'U' || repeat('0a', 16), 'isFound', true, 'askedAt', '2026-11-20T00:00:00+00:00', 'displayName', '花'
);
insert into raw.line__insight_messages (_record_id, payload)
values ('news/2026-11', '{"customAggregationUnit": "news", "month": "2026-11", "to": "2026-11-21", "askedOn": "2026-11-22",
    "overview": {"uniqueImpression": null}, "messages": [], "clicks": []}');
insert into raw.line__insight_demographics (_record_id, payload)
values ('2026-11-21', '{"askedOn": "2026-11-21", "genders": [{"gender": "female", "percentage": 100}]}');
insert into raw.line__account_link_nonces (_record_id, payload)
values ('n1', '{"nonce": "n1", "customerId": "c1", "issuedAt": "2026-11-20T00:00:00+00:00"}');
insert into raw.line__followers (_record_id, payload)
select 'U' || repeat('0a', 16), jsonb_build_object('userId', 'U' || repeat('0a', 16));
insert into raw.ga4__events (_record_id, payload)
values ('20261120/a', '{"event_date": "20261120"}');
insert into raw.zendesk__tickets (_record_id, _source_updated_at, payload)
values ('1001', '2026-11-17', '{"id": 1001, "requester_id": 9, "status": "open", "generated_timestamp": 1795305600}');
insert into raw.intercom__conversations (_record_id, _source_updated_at, payload)
values ('7', '2026-11-17', '{"id": "7", "created_at": 1795305600, "conversation_parts": {"conversation_parts": []}}');
insert into raw.eccube__orders (_record_id, _source_updated_at, payload)
values (
    '1', '2026-11-17',
    '{"id": "1", "order_no": "1", "name01": "山田", "name02": "アンナ", "kana01": null, "kana02": null, "postal_code": null,
      "addr01": null, "addr02": null, "email": "anna.yamada@example.jp", "phone_number": null, "payment_date": null,
      "order_date": "2026-11-17T10:00:00+09:00", "create_date": "2026-11-17T10:00:00+09:00",
      "update_date": "2026-11-17T10:00:00+09:00", "payment_method": null, "currency_code": "JPY", "payment_total": 1680,
      "subtotal": 1080, "discount": 0, "delivery_fee_total": 600, "charge": 0, "tax": 80, "use_point": 0, "add_point": 0,
      "Customer": null, "OrderStatus": {"id": "5", "name": "発送済み"}, "DeviceType": null, "Pref": null, "Shippings": [],
      "OrderItems": [
        {"id": "1", "product_name": "煎茶", "product_code": "T", "class_category_name1": null, "class_category_name2": null,
         "price": 1000, "tax": 80, "tax_rate": 8, "quantity": 1, "Product": null, "ProductClass": null,
         "OrderItemType": {"id": "1"}, "TaxDisplayType": {"id": "1"}},
        {"id": "2", "product_name": "送料", "product_code": null, "price": 600, "tax": 55, "tax_rate": 10, "quantity": 1,
         "Product": null, "ProductClass": null, "OrderItemType": {"id": "2"}, "TaxDisplayType": {"id": "2"}}
      ]}'
), ('2', '2026-11-18', '{"id": "2", "is_deleted": true, "update_date": "2026-11-18T00:00:00+00:00"}');
insert into raw.eccube__customers (_record_id, _source_updated_at, payload)
values (
    '1', '2026-11-17',
    '{"id": "1", "Status": {"id": "3"}, "email": "a1b2@dummy.dummy", "phone_number": null, "name01": "山田", "name02": "アンナ",
      "kana01": null, "kana02": null, "company_name": null, "birth": null, "postal_code": null, "addr01": null, "addr02": null,
      "point": 0, "buy_times": 1, "buy_total": 1680, "first_buy_date": null, "last_buy_date": null, "Sex": null, "Pref": null,
      "create_date": "2026-11-17T10:00:00+09:00", "update_date": "2026-11-17T10:00:00+09:00"}'
), ('2', '2026-11-18', '{"id": "2", "is_deleted": true, "update_date": "2026-11-18T00:00:00+00:00"}');

set role kizuna_transform;
create table staging.stg_shopify__orders as select _sequence from raw.shopify__orders;
create table core.dim_customers as
select * from (values ('anna', 'anna.yamada@example.jp'), ('ben', 'ben@example.jp'), ('carl', null)) as people (customer_id, email);
create table core.dim_line_links as
select 'anna' as customer_id, 'U' || repeat('0a', 16) as line_user_id, 'linked by an order' as consent_evidence;
create table core.fct_orders as
select
    *, 'shopify' as source, 0::numeric as refunded_incl_tax, total_incl_tax as net_incl_tax, true as is_purchase
from (
    values ('anna', 1, date '2026-11-17', 1000::numeric), ('ben', 1, '2026-10-01', 2000), ('ben', 2, '2026-10-11', 3000),
    ('ben', 3, '2026-11-01', 4000)
) as orders (customer_id, purchase_number, ordered_on, total_incl_tax);
create table core.fct_purchases as
select customer_id, purchase_number, ordered_on as purchased_on from core.fct_orders;

create table marts_candidate.customers as
select
    date '2026-11-22' as as_of, people.*, net_spend_incl_tax as gross_spend_incl_tax, 0::numeric as refunded_incl_tax
from (
    values
    ('anna', date '2026-11-17', true, 'new', 1, 1, date '2026-11-17', date '2026-11-17', 5, 1, 1, 10, 1000::numeric),
    ('ben', '2026-10-01', false, 'loyal', 3, 3, '2026-10-01', '2026-11-01', 1, 5, 5, 1, 9000),
    ('carl', '2026-09-01', false, 'prospect', 0, 0, null, null, null, null, null, null, 0)
) as people (
    customer_id, first_seen_on, is_line_reachable, phase, order_count, purchase_count, first_purchase_on,
    last_purchase_on, r_score, f_score, m_score, spend_decile, net_spend_incl_tax
);
create table marts_candidate.rfm as
select date '2026-11-22' as as_of, people.*
from (
    values ('anna', 5, 1, 1000::numeric, 5, 1, 1, 2, 0.1::numeric), ('ben', 21, 3, 9000, 1, 5, 5, 1, 0.9)
) as people (
    customer_id, recency_days, frequency, monetary, r_score, f_score, m_score, spend_decile, decile_sales_share
);
create table marts_candidate.customer_phases as
select as_of, customer_id, phase, 'フェーズ' as phase_ja from marts_candidate.customers;
create table marts_candidate.f2_cohorts as
select date '2026-11-22' as as_of, cohorts.*
from (
    values
    (date '2026-10-01', '7', 7, 1, 0, 1, 0, 0::numeric, 'matured'), ('2026-10-01', '30', 30, 1, 1, 1, 1, 1, 'matured'),
    ('2026-11-01', '7', 7, 1, 0, 0, 0, null, 'immature'), ('2026-11-01', '30', 30, 1, 0, 0, 0, null, 'immature')
) as cohorts (
    first_purchase_month, window_label, window_days, customer_count, converted_count, matured_count,
    matured_converted_count, f2_rate, maturity
);
create table marts_candidate.kpi_summary as
select date '2026-11-22' as as_of, figures.*
from (
    values
    ('customers', 'all', 'customers', 3::numeric), ('buyers', 'all', 'customers', 2), ('orders', 'all', 'orders', 4),
    ('net_revenue', 'all', 'JPY', 10000), ('gross_revenue', 'all', 'JPY', 10000), ('refunds', 'all', 'JPY', 0),
    ('repeat_rate', 'all', 'rate', 0.5), ('f2_rate', '7', 'rate', 0), ('f2_rate', '30', 'rate', 1)
) as figures (metric, window_label, unit, value);
create table marts.customers as
select customer_id, is_line_reachable, purchase_count from marts_candidate.customers;
grant select on marts.customers, core.dim_line_links to kizuna_activate;

set role kizuna_activate;
create table sync.sync_line__audiences as
select 'seg_f2_first_seven_days' as audience, customer_id, line_user_id, consent_evidence from core.dim_line_links;
reset role;
-- What a quiet run of identity looks like.
insert into identity.quality (run_id, metric, kind, label, value, at)
values
('run', 'records', '', '', 3000, '2026-11-22'), ('run', 'customers', '', '', 2000, '2026-11-22'),
('run', 'unresolved', '', '', 0, '2026-11-22'), ('run', 'largest_customer', '', '', 50, '2026-11-22'),
('run', 'most_names', '', '', 3, '2026-11-22'), ('run', 'moved', '', '', 300, '2026-11-22'),
('run', 'moved_share', '', '', 0.1, '2026-11-22'), ('run', 'vanished', '', '', 0, '2026-11-22'),
('run', 'vanished_share', '', '', 0, '2026-11-22'), ('run', 'merged', '', '', 20, '2026-11-22'),
('run', 'merged_share', '', '', 0.01, '2026-11-22'), ('run', 'merged_share_usual', '', '', 0.001, '2026-11-22'),
('run', 'blocked_share', '', '', 0.05, '2026-11-22');
