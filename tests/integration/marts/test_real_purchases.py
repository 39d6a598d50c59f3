"""The marts on real purchases, against the published figures and against the definitions worked out independently."""

from datetime import date
from pathlib import Path

from kizuna.strategy import PurchaseRules, Strategy
from tests.integration.marts.building import build_marts, read, rebuild_from_core
from tests.integration.marts.comparing import assert_marts_match
from tests.integration.marts.history import cdnow, cut, load

LAST_DAY = date(1998, 6, 30)
AS_REPLAYED = Strategy(
    business_timezone="UTC",
    reporting_currency="USD",
    same_day_orders="count",
    purchase_rules=PurchaseRules(exclude_free=False),
)
CONVERTED = {"7": 174, "30": 436, "60": 621, "90": 705, "180": 901, "365": 1087}


def test_cdnow_shows_its_published_figures_and_matches_the_definitions_under_every_policy(
    warehouse_url: str, shared: Path
) -> None:
    orders = cdnow(shared)
    load(warehouse_url, orders)
    build_marts(warehouse_url, AS_REPLAYED, LAST_DAY)
    assert_published_figures(warehouse_url)
    everyone = {order.customer_id for order in orders}
    assert_marts_match(warehouse_url, orders, AS_REPLAYED, LAST_DAY, everyone)

    merged = Strategy(business_timezone="UTC", reporting_currency="USD")
    rebuild_from_core(warehouse_url, merged, LAST_DAY)
    assert_marts_match(warehouse_url, orders, merged, LAST_DAY, everyone)

    past = date(1997, 4, 30)
    rebuild_from_core(warehouse_url, merged, past)
    known = {order.customer_id for order in cut(orders, past, "UTC")}
    assert_marts_match(warehouse_url, orders, merged, past, known)


def assert_published_figures(url: str) -> None:
    summary = read(url, "select * from marts_candidate.kpi_summary")
    figures = dict(zip(summary.metric, summary.value, strict=True))
    assert (figures["customers"], figures["orders"], figures["repeat_customers"]) == (2357, 6919, 1152)
    assert float(figures["gross_revenue"]) == 244_091.94
    f2 = summary[summary.metric == "f2_rate"].set_index("window_label")
    assert f2.converted_count.drop("ever").to_dict() == CONVERTED
    assert set(f2.matured_count) == {2357}
