"""Every SQL expectation of the project's suites finds the fault it is there for, and nothing in a right world."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from kizuna import settings, warehouse
from kizuna.quality.checks import Target, fill
from kizuna.quality.proven import FLOOR, NEW_ROWS
from kizuna.quality.suites import EVERY_TABLE, SQL_KEY, load_suites

if TYPE_CHECKING:
    from kizuna.quality.suites import Expectation, Gate

SCHEMAS = {"raw": "raw", "identity": "identity", "marts": "marts_candidate", "sync": "sync"}
# Tables that conventions are tried on.
SOMEWHERE = {"raw": "shopify__orders", "marts": "customers", "sync": "sync_line__audiences"}
VALUES = {
    "reporting_currency": "JPY", "business_timezone": "Asia/Tokyo", "f2_windows_days": [7, 30], "rfm_window_days": None,
    "dormant_after_days": 365, "at_risk_after_days": 180, "loyal_from_purchases": 3, "run_id": "run",
    "as_of": date(2026, 11, 22),
}  # fmt: skip

FAULTS: dict[str, str] = yaml.safe_load(Path(__file__).with_name("faults.yml").read_text(encoding="utf-8"))


def sql_expectations() -> dict[str, tuple[Gate, str, Expectation]]:
    found: dict[str, tuple[Gate, str, Expectation]] = {}
    gates: tuple[Gate, ...] = ("raw", "identity", "marts", "sync")
    for gate in gates:
        for table, suite in load_suites(settings.PROJECT / "expectations", gate).items():
            for one in suite.expectations:
                if one.kind == SQL_KEY:
                    found[f"{gate}/{table}/{one.name}"] = (gate, table, one)
    return found


def count(url: str, gate: Gate, table: str, one: Expectation, fault: str = "select 1") -> int:
    table = SOMEWHERE[gate] if table == EVERY_TABLE else table
    target = Target(url, SCHEMAS[gate], "kizuna_transform", VALUES)
    query = fill(one.query.replace("{new_rows}", NEW_ROWS).replace(FLOOR, "0"), table, target)
    with warehouse.connect(url) as connection:
        connection.execute(fault.encode())
        row = connection.execute(f"select count(*) from ({query}) as found".encode()).fetchone()
        connection.rollback()
    return int(str(row[0])) if row else -1


def test_every_sql_expectation_has_a_fault_it_finds() -> None:
    assert set(FAULTS) == set(sql_expectations())


@pytest.mark.parametrize("gate", ["raw", "identity", "marts", "sync"])
def test_each_finds_its_fault_and_nothing_else(good_world: str, gate: Gate) -> None:
    for name, (of_gate, table, one) in sql_expectations().items():
        if of_gate == gate:
            assert count(good_world, gate, table, one) == 0, f"{name} finds something in a right world"
            assert count(good_world, gate, table, one, FAULTS[name]) > 0, f"{name} does not find its fault"


def test_an_order_put_right_by_a_newer_version_is_not_a_new_row(good_world: str) -> None:
    one = sql_expectations()["raw/shopify__orders/total_is_not_negative"][2]
    fixed = (
        f"{FAULTS['raw/shopify__orders/total_is_not_negative']}; insert into raw.shopify__orders"
        " (_record_id, _source_updated_at, payload) select _record_id, _source_updated_at + interval '1 hour',"
        " jsonb_set(payload, '{totalPriceSet,shopMoney,amount}', '\"1\"') from raw.shopify__orders where _sequence = 1"
    )
    assert count(good_world, "raw", "shopify__orders", one, fixed) == 0


def test_a_rebuild_for_an_earlier_day_may_have_fewer_customers(good_world: str) -> None:
    name = "marts/customers/customers_did_not_shrink"
    later = FAULTS[name].replace("2026-11-21", "2026-12-31")
    assert count(good_world, "marts", "customers", sql_expectations()[name][2], later) == 0
