"""A brand's users see the unified id and what their brand knows, and nothing of another brand by any way."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from kizuna import warehouse
from kizuna.publishing.brands import show_brands

KNOWN = """
create table core.dim_brand_customers (
    brand text, customer_id text, household_id text, first_seen_at timestamptz, sources jsonb, record_count int,
    email text, phone text, family_name text, given_name text, family_name_kana text, given_name_kana text
);
insert into core.dim_brand_customers (brand, customer_id, email) values
('main', 'c1', 'c1@main.example.jp'), ('main', 'c2', 'c2@main.example.jp'),
('second', 'c1', 'c1@second.example.jp'), ('unknown', 'c3', 'c3@unknown.example.jp')
"""
# Everything that a role could read: relations and columns of them, and functions that act as somebody else.
READABLE = """
select c.oid::regclass::text
from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid
where c.relkind in ('r', 'v', 'm', 'p', 'f') and n.nspname not in ('pg_catalog', 'information_schema')
    and has_schema_privilege(%(role)s, n.oid, 'usage') and has_any_column_privilege(%(role)s, c.oid, 'select')
union all
select p.oid::regprocedure::text
from pg_proc as p inner join pg_namespace as n on p.pronamespace = n.oid
where
    p.prosecdef and has_schema_privilege(%(role)s, n.oid, 'usage')
    and has_function_privilege(%(role)s, p.oid, 'execute')
"""


@pytest.fixture
def url(warehouse_url: str) -> str:
    with warehouse.connect(warehouse_url, "kizuna_transform") as connection:
        connection.execute(KNOWN)
    show_brands(warehouse_url, ["main", "second"])
    return warehouse_url


def as_role(url: str, role: str, query: str) -> list[tuple[Any, ...]]:
    with warehouse.connect(url, role) as connection:
        return connection.execute(query.encode()).fetchall()


def test_each_brand_sees_its_own_knowledge_under_one_id(url: str) -> None:
    query = "select customer_id, email from brand_{}.customers order by 1"
    assert as_role(url, "kizuna_brand_main", query.format("main")) == [
        ("c1", "c1@main.example.jp"),
        ("c2", "c2@main.example.jp"),
    ]
    assert as_role(url, "kizuna_brand_second", query.format("second")) == [("c1", "c1@second.example.jp")]


@pytest.mark.parametrize("brand", ["main", "second"])
def test_nothing_but_its_own_view_is_open_to_a_brand(url: str, brand: str) -> None:
    with warehouse.connect(url) as connection:
        open_to_it = connection.execute(READABLE.encode(), {"role": f"kizuna_brand_{brand}"}).fetchall()
    assert open_to_it == [(f"brand_{brand}.customers",)]
    other = "second" if brand == "main" else "main"
    for relation in (f"brand_{other}.customers", "core.dim_brand_customers", "identity.members", "identity.values"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_role(url, f"kizuna_brand_{brand}", f"select * from {relation}")


def test_a_condition_that_spies_sees_no_row_of_another_brand(url: str) -> None:
    spying = """
        create function pg_temp.spy(seen text) returns boolean cost 0.0000001 language plpgsql
        as $$ begin raise notice '%', seen; return true; end $$;
        select count(*) from brand_main.customers where pg_temp.spy(email)
    """
    heard: list[str] = []
    with warehouse.connect(url, "kizuna_brand_main") as connection:
        connection.execute(b"set client_min_messages = notice")
        connection.add_notice_handler(lambda notice: heard.append(str(notice.message_primary)))
        connection.execute(spying.encode())
    assert sorted(heard) == ["c1@main.example.jp", "c2@main.example.jp"]


def test_a_brand_that_is_none_any_more_is_closed(url: str) -> None:
    show_brands(url, ["main"])
    show_brands(url, ["main"])
    with pytest.raises(psycopg.errors.UndefinedTable):
        as_role(url, "kizuna_brand_second", "select * from brand_second.customers")
    assert as_role(url, "kizuna_brand_main", "select count(*) from brand_main.customers") == [(2,)]
