"""Histories nobody lived: whatever happens, the marts follow the definitions and a past day never changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pandas as pd
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as draw

from kizuna import landing, layers
from kizuna.strategy import PurchaseRules, Strategy
from tests.integration.marts.building import build_marts, read
from tests.integration.marts.comparing import assert_marts_match, customer_ids, rows
from tests.integration.marts.conftest import AS_OF
from tests.integration.marts.history import Order, cut, end_of, forget, load, write

FIRST_MOMENT = datetime(2025, 1, 1, tzinfo=UTC)
MARTS = ["customers", "rfm", "customer_phases", "f2_cohorts", "kpi_summary"]

# Around as_of, midnight in Tokyo (15:00 UTC) and the boundary days of phases and windows.
notable = draw.sampled_from([0, 7, 8, 30, 180, 181, 365, 366]).map(
    lambda days: datetime(2026, 1, 31, 14, 59, 59, tzinfo=UTC) - timedelta(days=days)
)
moments = draw.one_of(
    notable,
    notable.map(lambda moment: moment + timedelta(seconds=1)),
    draw.integers(0, 430 * 24).map(lambda hours: FIRST_MOMENT + timedelta(hours=hours)),
)
amounts = draw.sampled_from(["0", "0.01", "980", "1980", "1980", "3300.50"]).map(Decimal)


policies = draw.builds(
    Strategy,
    same_day_orders=draw.sampled_from(["merge", "count"]),
    purchase_rules=draw.builds(PurchaseRules, exclude_free=draw.booleans(), exclude_cancelled=draw.booleans()),
    rfm_method=draw.sampled_from(["quantile", "thresholds"]),
    rfm_window_days=draw.sampled_from([None, 90, 180]),
)


@draw.composite
def histories(pick: draw.DrawFn) -> list[Order]:
    orders = []
    for number in range(pick(draw.integers(20, 60))):
        ordered_at, total = pick(moments), pick(amounts)
        after = draw.integers(0, 60 * 24).map(lambda hours, start=ordered_at: start + timedelta(hours=hours))
        refund = draw.tuples(after, draw.sampled_from([total, total / 2, total + 10]))
        orders.append(
            Order(
                order_id=f"o{number:03}",
                customer_id=f"c{pick(draw.integers(0, 11)):02}",
                ordered_at=ordered_at,
                total=total,
                cancelled_at=pick(draw.one_of(draw.none(), draw.none(), after)),
                is_test=pick(draw.integers(0, 9)) == 0,
                tags=("VIP", "受取拒否") if pick(draw.integers(0, 9)) == 0 else (),
                refunds=tuple(pick(draw.lists(refund, max_size=2))),
            )
        )
    return orders


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    orders=histories(),
    policy=policies,
    accounts=draw.dictionaries(draw.sampled_from(["p1", "p2", "c00", "c01"]), moments),
)
def test_marts_follow_the_definitions_and_do_not_know_what_came_after_their_day(
    warehouse_url: str, orders: list[Order], policy: Strategy, accounts: dict[str, datetime]
) -> None:
    landing.ensure_tables(warehouse_url)
    forget(warehouse_url)
    load(warehouse_url, orders, accounts)
    build_marts(warehouse_url, policy, AS_OF, full_refresh=True)
    by_then = cut(orders, AS_OF, policy.business_timezone)
    end = end_of(AS_OF, policy.business_timezone)
    early_accounts = {customer: at for customer, at in accounts.items() if at < end}
    known = {order.customer_id for order in by_then} | set(early_accounts)
    assert_marts_match(warehouse_url, orders, policy, AS_OF, known)
    whole = snapshot(warehouse_url)

    forget(warehouse_url)
    load(warehouse_url, by_then, early_accounts)
    build_marts(warehouse_url, policy, AS_OF, full_refresh=True)
    assert snapshot(warehouse_url) == whole


def snapshot(url: str) -> dict[str, set[tuple[object, ...]]]:
    """All rows of all marts, customers by the source's ids; deciles and shares go by ours and are left out."""
    names = {ours: theirs for theirs, ours in customer_ids(url).items()}
    found = {}
    for mart in MARTS:
        frame = read(url, f"select * from marts_candidate.{mart}").drop(
            columns=["spend_decile", "decile_sales_share"], errors="ignore"
        )
        if "customer_id" in frame:
            frame["customer_id"] = pd.Series([names[customer] for customer in frame.customer_id], dtype=object)
        found[mart] = rows(frame, list(frame.columns))
    return found


def test_an_order_that_resolves_to_nobody_stops_the_build(built_url: str) -> None:
    with psycopg.connect(built_url) as connection:
        connection.execute("truncate identity.customer_identities")
    with pytest.raises(layers.LayerError, match="fct_orders"):
        layers.build("core", "transform", run_id="test", warehouse_url=built_url, strategy=Strategy(), as_of=AS_OF)


def test_amounts_in_two_currencies_are_never_added_up(built_url: str) -> None:
    later = datetime(2026, 1, 6, tzinfo=UTC)
    yen = {"shopMoney": {"amount": "1", "currencyCode": "JPY"}}
    order = {"processedAt": later.isoformat(), "customer": {"id": "c1"}, "totalPriceSet": yen}
    write(built_url, "shopify__orders", [("o2", later, order)])
    with pytest.raises(layers.LayerError, match="one_currency"):
        layers.build(
            "staging core", "transform", run_id="test", warehouse_url=built_url, strategy=Strategy(), as_of=AS_OF
        )
