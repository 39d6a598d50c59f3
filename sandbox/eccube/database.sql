-- The tables of an EC-CUBE 4.3 shop on PostgreSQL that the sandbox fills, with the columns it has something for.
create table mtb_customer_status (id smallint primary key, name varchar(255) not null, sort_no smallint not null);
create table mtb_order_status (
    id smallint primary key, name varchar(255) not null, sort_no smallint not null,
    display_order_count boolean not null default true
);
create table mtb_product_status (id smallint primary key, name varchar(255) not null, sort_no smallint not null);
create table mtb_sex (id smallint primary key, name varchar(255) not null, sort_no smallint not null);
create table mtb_pref (id smallint primary key, name varchar(255) not null, sort_no smallint not null);
create table mtb_device_type (id smallint primary key, name varchar(255) not null, sort_no smallint not null);
create table mtb_order_item_type (id smallint primary key, name varchar(255) not null, sort_no smallint not null);
create table mtb_tax_display_type (id smallint primary key, name varchar(255) not null, sort_no smallint not null);
create table dtb_class_category (id integer primary key, name varchar(255) not null);
create table dtb_payment (id integer primary key, payment_method varchar(255));

create table dtb_customer (
    id integer primary key,
    name01 varchar(255) not null, name02 varchar(255) not null, kana01 varchar(255), kana02 varchar(255),
    company_name varchar(255), postal_code varchar(8), addr01 varchar(255), addr02 varchar(255),
    email varchar(255) not null, phone_number varchar(14), birth timestamptz(0),
    password varchar(255) not null default 'x', secret_key varchar(255) not null default 'x',
    first_buy_date timestamptz(0), last_buy_date timestamptz(0), buy_times numeric(10, 0), buy_total numeric(12, 2),
    point numeric(12, 0) not null, create_date timestamptz(0) not null, update_date timestamptz(0) not null,
    customer_status_id smallint, sex_id smallint, pref_id smallint
);
create table dtb_order (
    id integer primary key, order_no varchar(255), pre_order_id varchar(255), customer_id integer,
    name01 varchar(255) not null, name02 varchar(255) not null, kana01 varchar(255), kana02 varchar(255),
    company_name varchar(255), postal_code varchar(8), addr01 varchar(255), addr02 varchar(255),
    email varchar(255), phone_number varchar(14), birth timestamptz(0),
    subtotal numeric(12, 2) not null, discount numeric(12, 2) not null, delivery_fee_total numeric(12, 2) not null,
    charge numeric(12, 2) not null, tax numeric(12, 2) not null, total numeric(12, 2) not null,
    payment_total numeric(12, 2) not null, payment_method varchar(255), currency_code varchar(255),
    add_point numeric(12, 0) not null, use_point numeric(12, 0) not null,
    create_date timestamptz(0) not null, update_date timestamptz(0) not null,
    order_date timestamptz(0), payment_date timestamptz(0),
    order_status_id smallint, sex_id smallint, pref_id smallint, device_type_id smallint, payment_id integer
);
create index on dtb_order (update_date);
create table dtb_order_item (
    id integer primary key, order_id integer not null references dtb_order (id),
    product_name varchar(255) not null, product_code varchar(255),
    class_name1 varchar(255), class_name2 varchar(255),
    class_category_name1 varchar(255), class_category_name2 varchar(255),
    price numeric(12, 2) not null, quantity numeric(10, 0) not null, tax numeric(10, 0) not null,
    tax_rate numeric(10, 0) not null, tax_adjust numeric(10, 0) not null, currency_code varchar(255),
    product_id integer, product_class_id integer, order_item_type_id smallint, rounding_type_id smallint,
    tax_type_id smallint, tax_display_type_id smallint
);
create table dtb_shipping (
    id integer primary key, order_id integer not null references dtb_order (id),
    name01 varchar(255) not null, name02 varchar(255) not null, kana01 varchar(255), kana02 varchar(255),
    company_name varchar(255), postal_code varchar(8), addr01 varchar(255), addr02 varchar(255),
    phone_number varchar(14), delivery_name varchar(255), delivery_time varchar(255), delivery_date timestamptz(0),
    shipping_date timestamptz(0), tracking_number varchar(255),
    create_date timestamptz(0) not null, update_date timestamptz(0) not null, pref_id smallint
);
create table dtb_product (
    id integer primary key, name varchar(255) not null, description_detail text,
    create_date timestamptz(0) not null, update_date timestamptz(0) not null, product_status_id smallint
);
create table dtb_product_class (
    id integer primary key, product_id integer not null references dtb_product (id), product_code varchar(255),
    stock numeric(10, 0), stock_unlimited boolean not null, price01 numeric(12, 2), price02 numeric(12, 2) not null,
    visible boolean not null, currency_code varchar(255), create_date timestamptz(0) not null,
    update_date timestamptz(0) not null, class_category_id1 integer, class_category_id2 integer
);
create table dtb_cart (
    id integer primary key, cart_key varchar(255), customer_id integer,
    total_price numeric(12, 2) not null, delivery_fee_total numeric(12, 2) not null, sort_no smallint,
    create_date timestamptz(0) not null, update_date timestamptz(0) not null,
    add_point numeric(12, 0) not null, use_point numeric(12, 0) not null
);
create table dtb_cart_item (
    id integer primary key, cart_id integer not null references dtb_cart (id), product_class_id integer,
    price numeric(12, 2) not null, quantity numeric(10, 0) not null
);
