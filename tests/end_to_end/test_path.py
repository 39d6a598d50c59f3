"""The whole path without Airflow, on an invented brand: what the second walk does, and what stops the first."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from kizuna import pipeline, publishing, settings, warehouse
from kizuna.destinations import DESTINATIONS
from kizuna.landing import ReconciliationError
from kizuna.layers import LayerError
from kizuna.local import system
from kizuna.local.world import World
from kizuna.quality import GateFailed

WORLD = World(customers=1200, seed=11, history=None, as_of=None, timezone="Asia/Tokyo", currency="JPY")
MEMBERS = "select count(*) from sync.sync_line__audiences"
IDS = "select record_key, customer_id from identity.members where valid_to is null order by record_key"


class Brand:
    """The path's steps on one warehouse and one sandbox, counted walk by walk."""

    def __init__(self, sandbox_url: str, warehouse_url: str) -> None:
        self.sandbox_url = sandbox_url
        self.warehouse_url = warehouse_url
        self.walks = 0

    def ingest(self, *names: str) -> dict[str, Any]:
        self.walks += 1
        landed = {}
        for name in names or pipeline.SOURCES_OF_MARTS:
            landings = pipeline.ingest(name, settings.connection(name), f"ingest_{name}/{self.walks}")
            landed |= {f"{name}.{landing.stream}": landing for landing in landings}
        return landed

    def transform(self) -> int:
        return pipeline.transform(pipeline.Run.open(f"transform/{self.walks}"))

    def activate(self) -> list[Any]:
        accounts = {name: settings.connection(name.split("__")[0]) for name in DESTINATIONS}
        return pipeline.activate(pipeline.Run.open_published(f"activate/{self.walks}"), accounts)

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        with warehouse.connect(self.warehouse_url) as connection:
            return connection.execute(query.encode()).fetchall()

    def line_requests(self) -> int:
        requests = httpx.get(f"{self.sandbox_url}/_sandbox/stats").json()["requests"]
        operations = requests.get("line", {}).get("operations", {})
        return sum(count for operation, count in operations.items() if "audience" in operation.lower())

    def line_audiences(self) -> list[dict[str, Any]]:
        return httpx.get(f"{self.sandbox_url}/_sandbox/stats").json()["line"]["audiences"]

    def fault(self, vendor: str, **fault: Any) -> None:
        httpx.post(f"{self.sandbox_url}/_sandbox/faults", json={"vendor": vendor, **fault}).raise_for_status()

    def advance(self, days: int) -> None:
        moved = httpx.post(f"{self.sandbox_url}/_sandbox/clock", json={"advance_seconds": days * 86_400})
        moved.raise_for_status()


@pytest.fixture(scope="module")
def brand():
    home = tempfile.TemporaryDirectory(prefix="kizuna-path-")
    Path(home.name).chmod(0o755)
    patch = pytest.MonkeyPatch()
    patch.setenv("KIZUNA_HOME", home.name)
    for name in ("WAREHOUSE_URL", "KIZUNA_AS_OF", "KIZUNA_STRATEGY"):
        patch.delenv(name, raising=False)
    with system.outside(WORLD, lambda text: None) as variables:
        for name, value in variables.items():
            patch.setenv(name, value)
        sandbox_url = settings.connection("line").base_url.removesuffix("/line")
        yield Brand(sandbox_url, os.environ["WAREHOUSE_URL"])
    patch.undo()
    home.cleanup()


@pytest.fixture(scope="module")
def first_walk(brand: Brand) -> dict[str, Any]:
    landed = brand.ingest()
    version = brand.transform()
    deliveries = brand.activate()
    return {"landed": landed, "version": version, "deliveries": deliveries}


def test_the_first_walk_lands_publishes_and_delivers(brand: Brand, first_walk: dict[str, Any]):
    streams_of_marts = ("shopify.customers", "shopify.orders", "shopify.products", "line.followers")
    assert all(first_walk["landed"][stream].landed_count > 0 for stream in streams_of_marts)
    assert first_walk["version"] == 1
    [(members,)] = brand.sql(MEMBERS)
    assert members > 0
    assert [delivery.acknowledged for delivery in first_walk["deliveries"]] == [members]
    assert [audience["member_count"] for audience in brand.line_audiences()] == [members]


def test_every_order_that_was_landed_is_in_core_or_ignored_for_a_reason(brand: Brand, first_walk: dict[str, Any]):
    [(raw, core)] = brand.sql(
        "select (select count(*) from raw.shopify__orders), (select count(*) from core.fct_orders)"
    )
    assert raw == core > 0


def test_a_second_walk_lands_nothing_and_sends_nothing(brand: Brand, first_walk: dict[str, Any]):
    ids, raw = brand.sql(IDS), brand.sql("select count(*), max(_sequence) from raw.shopify__orders")
    landed = brand.ingest()
    brand.transform()
    requests = brand.line_requests()
    [delivery] = brand.activate()
    assert {name: landing.landed_count for name, landing in landed.items()} == dict.fromkeys(landed, 0)
    assert brand.sql("select count(*), max(_sequence) from raw.shopify__orders") == raw
    assert (delivery.added, delivery.removed, delivery.requests) == (0, 0, 0)
    assert brand.line_requests() == requests
    assert brand.sql(IDS) == ids


def test_a_full_rebuild_keeps_every_customer_id(brand: Brand, first_walk: dict[str, Any]):
    ids, customers = brand.sql(IDS), brand.sql("select * from marts.customers order by customer_id")
    with warehouse.connect(brand.warehouse_url) as connection:
        for schema in ("staging", "core", "segments", "sync"):
            tables = connection.execute("select tablename from pg_tables where schemaname = %s", [schema]).fetchall()
            views = connection.execute("select viewname from pg_views where schemaname = %s", [schema]).fetchall()
            for name, kind in [*((row[0], "table") for row in tables), *((row[0], "view") for row in views)]:
                connection.execute(f'drop {kind} if exists {schema}."{name}" cascade'.encode())
        connection.execute(b"drop table identity.int_identity__changes cascade")
    brand.walks += 1
    brand.transform()
    assert brand.sql(IDS) == ids
    assert brand.sql("select * from marts.customers order by customer_id") == customers


def test_a_dropped_page_fails_with_both_counts_and_leaves_the_watermark(brand: Brand, first_walk: dict[str, Any]):
    brand.advance(30)
    before = brand.sql("select * from ops.watermarks order by source, stream")
    raw = brand.sql("select count(*) from raw.shopify__orders")
    brand.fault("shopify", kind="dropped_page", times=50)
    with pytest.raises(ReconciliationError, match=r"orders.*\d+.*\d+|customers.*\d+.*\d+"):
        brand.ingest("shopify")
    httpx.delete(f"{brand.sandbox_url}/_sandbox/faults").raise_for_status()
    after = {row[1]: row for row in brand.sql("select * from ops.watermarks order by source, stream")}
    assert [row for row in before if row[1] == "orders"] == [after["orders"]]
    assert brand.sql("select count(*) from raw.shopify__orders") == raw


def test_after_thirty_days_only_what_changed_is_landed_and_the_audience_follows(
    brand: Brand, first_walk: dict[str, Any]
):
    before = {row[0]: row[1] for row in brand.sql(IDS)}
    landed = brand.ingest()
    brand.transform()
    [delivery] = brand.activate()
    assert 0 < landed["shopify.orders"].landed_count < first_walk["landed"]["shopify.orders"].landed_count
    assert delivery.removed > 0
    [(members,)] = brand.sql(MEMBERS)
    assert [audience["member_count"] for audience in brand.line_audiences()] == [members]
    after = dict(brand.sql(IDS))
    assert {key for key in before if key not in after} == set()


def test_a_broken_mart_is_not_published_and_no_call_reaches_line(
    brand: Brand, first_walk: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    live = [version.version for version in publishing.versions(brand.warehouse_url) if version.state == "published"]
    requests = brand.line_requests()
    figures = brand.sql("select * from marts.kpi_summary order by position")
    build = pipeline.layers.build

    def build_with_a_mistake(select: str, *arguments: Any, **keywords: Any) -> Any:
        nodes = build(select, *arguments, **keywords)
        if select == "marts":
            with warehouse.connect(brand.warehouse_url) as connection:
                connection.execute(b"update marts_candidate.customers set net_spend_incl_tax = net_spend_incl_tax + 1")
        return nodes

    monkeypatch.setattr(pipeline.layers, "build", build_with_a_mistake)
    brand.walks += 1
    with pytest.raises(GateFailed, match="customers"):
        brand.transform()
    assert [
        version.version for version in publishing.versions(brand.warehouse_url) if version.state == "published"
    ] == live
    assert brand.sql("select * from marts.kpi_summary order by position") == figures
    assert brand.line_requests() == requests


def test_a_model_that_does_not_build_stops_the_path_and_is_named(
    brand: Brand, first_walk: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    with warehouse.connect(brand.warehouse_url) as connection:
        connection.execute(b"revoke select on identity.members from kizuna_transform")
    try:
        with pytest.raises(LayerError, match="customer_identities"):
            pipeline.Run.open("transform/revoked").build("customer_identities")
    finally:
        with warehouse.connect(brand.warehouse_url) as connection:
            connection.execute(b"grant select on identity.members to kizuna_transform")


def test_a_layer_that_selects_nothing_is_no_success(brand: Brand, first_walk: dict[str, Any]):
    with pytest.raises(LayerError, match="selected nothing"):
        pipeline.Run.open("transform/nothing").build("no_such_layer")


def test_rollback_shows_readers_the_version_before(brand: Brand, first_walk: dict[str, Any]):
    [live] = [version for version in publishing.versions(brand.warehouse_url) if version.state == "published"]
    [(as_of,)] = brand.sql("select distinct as_of from marts.customers")
    previous = publishing.rollback(brand.warehouse_url)
    assert previous < live.version
    [(earlier,)] = brand.sql("select distinct as_of from marts.customers")
    assert earlier < as_of


def test_no_personal_value_is_where_bi_or_an_operator_looks(brand: Brand, first_walk: dict[str, Any]):
    values = brand.sql(
        "select distinct payload #>> '{defaultEmailAddress,emailAddress}' from raw.shopify__customers"
        " where payload #>> '{defaultEmailAddress,emailAddress}' is not null"
    )
    emails = {value.lower() for (value,) in values}
    assert emails
    written = ""
    for table in ("quality_results", "landings", "dbt_nodes", "runs", "sync_ledger", "sync_jobs", "published_versions"):
        written += str(brand.sql(f"select * from ops.{table}")).lower()
    for table in ("customers", "rfm", "customer_phases", "f2_cohorts", "kpi_summary"):
        written += str(brand.sql(f"select * from marts.{table}")).lower()
    home = Path(os.environ["KIZUNA_HOME"])
    for page in [*home.glob("data_docs/**/*.html"), *home.glob("logs/*.log")]:
        written += page.read_text(errors="replace").lower()
    assert [email for email in emails if email in written] == []
