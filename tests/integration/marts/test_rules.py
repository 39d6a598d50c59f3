"""The rules written beside the models (dbt's unit tests), and what the built warehouse promises as a whole."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from kizuna import layers, settings, warehouse
from kizuna.strategy import Strategy
from tests.integration.marts.building import build_marts, build_staging, publish_and_activate, read, rebuild_from_core
from tests.integration.marts.conftest import AS_OF
from tests.integration.marts.history import Order, load, order_payload, write

NOON = datetime(2026, 1, 31, 3, tzinfo=UTC)


def test_every_rule_written_beside_a_model_holds(built_url: str) -> None:
    layers.build("staging", "transform", run_id="test", warehouse_url=built_url, strategy=Strategy(), as_of=AS_OF)
    assert run_unit_tests("transform", "staging identity core marts") >= 35
    publish_and_activate(built_url, Strategy(), AS_OF)
    assert run_unit_tests("activate", "segments sync") >= 2


def run_unit_tests(target: str, folders: str) -> int:
    """Run the unit tests of these folders and return how many there were; the first that fails is told."""
    from dbt.cli.main import dbtRunner

    assert os.environ["KIZUNA_DBT_DATABASE"]
    project = str(settings.PROJECT / "dbt_project")
    folder = str(settings.home() / "dbt" / target)
    selection = " ".join(f"{name},test_type:unit" for name in folders.split())
    arguments = [
        *("--log-level", "none", "--no-send-anonymous-usage-stats", "test", "--select", selection, "--target", target),
        *("--project-dir", project, "--profiles-dir", project, "--target-path", folder, "--log-path", folder),
        *("--vars", json.dumps({"strategy": Strategy().model_dump(mode="json"), "as_of": str(AS_OF)})),
    ]
    result = dbtRunner().invoke(arguments)
    assert result.exception is None, result.exception
    results = list(result.result.results)  # type: ignore[union-attr]
    failed = [(test.node.name, test.message) for test in results if test.status != "pass"]
    assert not failed, failed
    return len(results)


def test_a_first_time_buyer_who_follows_is_in_the_line_audience_until_unfollowing(warehouse_url: str) -> None:
    def order(number: str, customer: str, days_ago: int) -> Order:
        return Order(number, customer, NOON - timedelta(days=days_ago), Decimal(100))

    load(warehouse_url, [])
    accounts = {"first": 3, "second": 5, "first_purchase_again": 3, "too_late": 8, "unlinked": 3}
    write(
        warehouse_url,
        "shopify__customers",
        [(customer, NOON, {"createdAt": (NOON - timedelta(days=30)).isoformat()}) for customer in accounts],
    )
    # A LINE user id is U and 32 hexadecimal digits; whatever else stands there identifies nobody.
    linked = {customer: f"U{customer.encode().hex():0<32.32}" for customer in accounts if customer != "unlinked"}
    for customer, days_ago in accounts.items():
        payload = order_payload(order(f"o-{customer}", customer, days_ago))
        if customer in linked:
            payload["customAttributes"] = [{"key": "line_user_id", "value": linked[customer]}]
        write(warehouse_url, "shopify__orders", [(f"o-{customer}", NOON, payload)])
    again = order("o-again", "first_purchase_again", 1)
    write(warehouse_url, "shopify__orders", [("o-again", NOON, order_payload(again))])
    write(
        warehouse_url,
        "line__followers",
        [(user, NOON, {"userId": user}) for user in linked.values() if user != linked["second"]],
    )

    build_marts(warehouse_url, Strategy(), AS_OF)
    publish_and_activate(warehouse_url, Strategy(), AS_OF)
    assert_audience(warehouse_url, [("seg_f2_first_seven_days", linked["first"])])
    assert_least_privilege(warehouse_url)

    with warehouse.connect(warehouse_url, "kizuna_ingest") as connection:
        connection.execute(
            """
            insert into raw.line__followers
            (_record_id, _source_updated_at, _extracted_at, _run_id, _payload_hash, _is_deleted, payload)
            select _record_id, _source_updated_at, now(), 'test', _payload_hash, true, payload
            from raw.line__followers where _record_id = %s
            """,
            [linked["first"]],
        )
    build_staging(warehouse_url, Strategy(), AS_OF)
    rebuild_from_core(warehouse_url, Strategy(), AS_OF)
    publish_and_activate(warehouse_url, Strategy(), AS_OF)
    assert_audience(warehouse_url, [])


def assert_audience(url: str, members: list[tuple[str, str]]) -> None:
    with psycopg.connect(url) as connection:
        found = connection.execute("select audience, line_user_id from sync.sync_line__audiences").fetchall()
    assert found == members


def assert_least_privilege(url: str) -> None:
    """Activation reads the LINE links and no other personal data; no mart has a column of direct personal data."""
    with warehouse.connect(url, "kizuna_activate") as connection:
        assert connection.execute("select count(*) from core.dim_line_links").fetchone()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select count(*) from core.dim_customers")
    personal = personal_columns()
    assert {"email", "phone", "family_name", "line_user_id"} <= personal
    columns = read(url, "select attname from pg_attribute where attrelid::regclass::text like 'marts%' and attnum > 0")
    assert len(columns) > 20
    assert not personal & set(columns.attname)


def personal_columns() -> set[str]:
    """The columns that dim_customers marks as personal."""
    manifest = json.loads((settings.home() / "dbt" / "transform" / "manifest.json").read_text())
    columns = manifest["nodes"]["model.kizuna.dim_customers"]["columns"]
    return {name for name, column in columns.items() if column["meta"].get("pii")}


def test_descriptions_in_both_languages_reach_the_database(built_url: str) -> None:
    query = """
        select attname
        from pg_attribute
        inner join pg_class on attrelid = pg_class.oid
        where
            relnamespace in ('staging'::regnamespace, 'core'::regnamespace, 'marts_candidate'::regnamespace)
            and relkind = 'r' and attnum > 0
            and coalesce(col_description(attrelid, attnum), '') not like '% / %'
    """
    assert list(read(built_url, query).attname) == []


def test_a_run_without_its_day_is_refused(built_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "_arguments", without_as_of(layers._arguments))
    with pytest.raises(layers.LayerError, match="as_of is missing"):
        rebuild_from_core(built_url, Strategy(), AS_OF)


def without_as_of(arguments):  # type: ignore[no-untyped-def]
    def changed(*chosen):  # type: ignore[no-untyped-def]
        return arguments(*chosen[:-1], {"strategy": chosen[-1]["strategy"]})

    return changed
