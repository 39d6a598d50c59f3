"""Staging: built on what changed it holds the same as built anew."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from kizuna import landing, layers, warehouse
from kizuna.strategy import Strategy
from tests.integration.marts.building import RUN, read
from tests.integration.marts.conftest import AS_OF
from tests.integration.marts.history import money

START = datetime(2026, 1, 1, tzinfo=UTC)
TABLES = {
    "stg_shopify__orders": "shopify_order_id",
    "stg_shopify__order_lines": "shopify_order_line_id",
    "stg_shopify__refunds": "shopify_refund_id",
    "stg_shopify__customers": "shopify_customer_id",
    "stg_shopify__products": "shopify_product_id",
    "stg_line__followers": "line_user_id",
}
Version = tuple[str, datetime | None, bool, dict[str, Any]]


def test_staging_built_on_changes_is_the_same_as_built_anew(warehouse_url: str) -> None:
    landing.ensure_tables(warehouse_url)
    chance, landed = random.Random(20), []  # a fixed history: the same versions every time
    for landing_number in range(4):
        versions = [order_version(chance, landing_number) for _ in range(60)]
        land(warehouse_url, "shopify__orders", versions)
        landed += versions
        for table in ("shopify__products", "shopify__customers", "line__followers"):
            land(warehouse_url, table, [(key, at, gone, {}) for key, at, gone, _ in versions[:30]])
        build(warehouse_url)
        assert kept_orders(warehouse_url) == latest(landed)
    on_changes = contents(warehouse_url)
    build(warehouse_url, full_refresh=True)
    assert contents(warehouse_url) == on_changes
    assert all(on_changes.values()), "each table must have rows, or nothing was compared"


def build(url: str, *, full_refresh: bool = False) -> None:
    """Build the staging of Shopify and LINE, also what no later layer reads."""
    layers.build(
        "staging.shopify staging.line",
        "transform",
        run_id=RUN,
        warehouse_url=url,
        strategy=Strategy(),
        as_of=AS_OF,
        full_refresh=full_refresh,
    )


def order_version(chance: random.Random, landing_number: int) -> Version:
    """A version of one of a few orders: newer or older than others, now and then a deletion or without a time."""
    updated_at = START + timedelta(hours=chance.randrange(24 * (landing_number + 1)))
    payload = {
        "name": f"#{chance.randrange(10_000)}",
        "processedAt": START.isoformat(),
        "totalPriceSet": money(100),  # type: ignore[arg-type]
        "lineItems": {"nodes": []},
        "refunds": [],
    }
    key = f"o{chance.randrange(40)}"
    payload["lineItems"]["nodes"] = [{"id": f"{key}-{number}", "quantity": 1} for number in range(chance.randrange(3))]  # type: ignore[call-overload,index]
    if chance.random() < 0.3:
        payload["refunds"] = [{"id": f"{key}-r", "createdAt": START.isoformat()}]
    return key, updated_at if chance.random() < 0.9 else None, chance.random() < 0.15, payload


def latest(landed: list[Version]) -> dict[str, str]:
    """What must be kept of the versions: the greatest by source time, none first, then by landing; not if deleted."""
    best: dict[str, tuple[tuple[bool, datetime, int], Version]] = {}
    for sequence, version in enumerate(landed):
        rank = (version[1] is not None, version[1] or START, sequence)
        if version[0] not in best or rank > best[version[0]][0]:
            best[version[0]] = (rank, version)
    return {key: version[3]["name"] for key, (_, version) in best.items() if not version[2]}


def kept_orders(url: str) -> dict[str, str]:
    kept = read(url, "select shopify_order_id, order_name from staging.stg_shopify__orders")
    return dict(kept.itertuples(index=False))


def contents(url: str) -> dict[str, list[str]]:
    """Every row of every staging table as text, in the order of its key."""
    return {
        table: list(read(url, f"select to_jsonb(kept)::text as row from staging.{table} as kept order by {key}").row)
        for table, key in TABLES.items()
    }


def land(url: str, table: str, versions: list[Version]) -> None:
    statement = f"""
        insert into raw.{table}
        (_record_id, _source_updated_at, _extracted_at, _run_id, _payload_hash, _is_deleted, payload)
        values (%s, %s, %s, 'test', '', %s, %s)
    """
    with warehouse.connect(url, "kizuna_ingest") as connection, connection.cursor() as cursor:
        rows = [(key, at, START, gone, json.dumps(payload)) for key, at, gone, payload in versions]
        cursor.executemany(statement, rows)  # type: ignore[arg-type]
