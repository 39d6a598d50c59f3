"""What a brand's users may see: a schema and a role for each brand, and in it the brand's own knowledge of its people.

Nothing is granted but the views named here, and these show one brand's rows: what is not said stays closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from kizuna import warehouse
from kizuna.publishing.views import OWNER

if TYPE_CHECKING:
    from collections.abc import Collection

    from kizuna.publishing.views import Session

CREATE_ROLE = """
do $$
begin
    create role {role} nologin;
exception when duplicate_object or unique_violation then
    null;
end
$$
"""
# The rows are filtered before anything that a reader brings looks at them.
CREATE_VIEW = """
create view {view} with (security_barrier) as
select
    customer_id, household_id, first_seen_at, sources, record_count,
    email, phone, family_name, given_name, family_name_kana, given_name_kana
from core.dim_brand_customers
where brand = {brand}
"""
COMMENT = "The customers whom this brand knows, and what it knows itself. / このブランドが把握している顧客とその情報。"
FORMER = """
select nspname from pg_namespace
where nspname like 'brand\\_%%' and nspowner = {owner}::regrole and nspname <> all(%s)
"""


def role_of(brand: str) -> str:
    """The role whose members see a brand's customers; grant it to the brand's users."""
    return f"kizuna_brand_{brand}"


def schema_of(brand: str) -> str:
    """The schema of a brand's views."""
    return f"brand_{brand}"


def show_brands(warehouse_url: str, brands: Collection[str]) -> None:
    """Give each brand its schema `brand_<name>` with `customers`, and its role; close those that are none any more.

    In one transaction: a reader sees all of it before or all of it after.
    """
    with warehouse.connect(warehouse_url) as connection:
        connection.execute("select pg_advisory_xact_lock(hashtext('kizuna.brands'))")
        query = sql.SQL(FORMER).format(owner=sql.Literal(OWNER))
        for (schema,) in connection.execute(query, [[schema_of(brand) for brand in brands]]).fetchall():
            connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(str(schema))))
        for brand in brands:
            _show(connection, brand)


def _show(connection: Session, brand: str) -> None:
    role, schema = sql.Identifier(role_of(brand)), sql.Identifier(schema_of(brand))
    view, owner = sql.Identifier(schema_of(brand), "customers"), sql.Identifier(OWNER)
    for statement in (
        sql.SQL(CREATE_ROLE),
        sql.SQL("create schema if not exists {schema} authorization {owner}"),
        sql.SQL("drop view if exists {view}"),
        sql.SQL(CREATE_VIEW),
        sql.SQL("alter view {view} owner to {owner}"),
        sql.SQL("comment on view {view} is {comment}"),
        sql.SQL("grant usage on schema {schema} to {role}"),
        sql.SQL("grant select on {view} to {role}"),
    ):
        words = {"role": role, "schema": schema, "owner": owner, "view": view}
        connection.execute(statement.format(**words, brand=sql.Literal(brand), comment=sql.Literal(COMMENT)))
