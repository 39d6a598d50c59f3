"""Every figure of the marts, worked out in plain Python and pandas from the definitions, without a look at the SQL."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd

from tests.integration.marts.history import Order, cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from kizuna.strategy import Strategy

FIFTHS = [Fraction(share, 5) for share in (1, 2, 3, 4)]


def counting_orders(orders: Iterable[Order], policy: Strategy, as_of: date) -> pd.DataFrame:
    """The orders that count as purchases on a day, with their business date and occasion."""
    zone, rules = ZoneInfo(policy.business_timezone), policy.purchase_rules
    rows = []
    for order in cut(orders, as_of, policy.business_timezone):
        refunded = sum((amount for _, amount in order.refunds), Decimal())
        reasons = [
            rules.exclude_test and order.is_test,
            rules.exclude_cancelled and order.cancelled_at is not None,
            rules.exclude_refused and set(order.tags) & set(policy.refused_order_tags),
            rules.exclude_fully_refunded and order.total > 0 and refunded >= order.total,
            rules.exclude_free and order.total <= 0,
        ]
        if not any(reasons):
            day = order.ordered_at.astimezone(zone).date()
            rows.append((order.customer_id, order.ordered_at, order.order_id, day, order.total, order.total - refunded))
    frame = pd.DataFrame(rows, columns=["customer", "at", "order", "day", "gross", "net"], dtype=object)
    frame = frame.sort_values(["customer", "at", "order"], ignore_index=True)
    key = "day" if policy.same_day_orders == "merge" else "order"
    frame["number"] = frame.groupby("customer")[key].transform(lambda values: pd.factorize(values)[0] + 1)
    return frame


def occasions(counting: pd.DataFrame) -> pd.DataFrame:
    """One row per customer and purchase occasion."""
    grouped = counting.groupby(["customer", "number"], sort=True)
    return grouped.agg(
        day=("day", "first"), gross=("gross", "sum"), net=("net", "sum"), orders=("order", "count")
    ).reset_index()


def second_purchases(bought: pd.DataFrame, policy: Strategy, as_of: date) -> pd.DataFrame:
    """F2 by month of first purchase and window."""
    first = bought[bought.number == 1].set_index("customer").day
    second = bought[bought.number == 2].set_index("customer").day
    rows = []
    for label in [*map(str, policy.f2_windows_days), "ever"]:
        days = math.inf if label == "ever" else int(label)
        for customer, began in first.items():
            gap = (second[customer] - began).days if customer in second.index else None
            converted = gap is not None and gap <= days
            matured = label == "ever" or (as_of - began).days >= days
            rows.append((began.replace(day=1), label, 1, converted, matured, matured and converted))
    names = ["first_purchase_month", "window_label", "customer_count", "converted_count", "matured_count"]
    frame = pd.DataFrame(rows, columns=[*names, "matured_converted_count"])
    cohorts = frame.groupby(["first_purchase_month", "window_label"]).sum().astype(int).reset_index()
    cohorts["f2_rate"] = [
        round(converted / matured, 6) if matured else None
        for converted, matured in zip(cohorts.matured_converted_count, cohorts.matured_count, strict=True)
    ]
    cohorts["maturity"] = [
        "immature" if not matured else "matured" if matured == everyone else "partly matured"
        for matured, everyone in zip(cohorts.matured_count, cohorts.customer_count, strict=True)
    ]
    return cohorts


def scores(bought: pd.DataFrame, policy: Strategy, as_of: date, customer_id: Callable[[str], str]) -> pd.DataFrame:
    """RFM and deciles of everyone who bought within the RFM window."""
    window = policy.rfm_window_days
    bought = bought[[window is None or (as_of - day).days < window for day in bought.day]]
    frame = bought.groupby("customer").agg(last=("day", "max"), frequency=("number", "count"), monetary=("net", "sum"))
    frame["recency_days"] = [(as_of - last).days for last in frame["last"]]
    for column in ("recency_days", "frequency", "monetary"):
        values = [Fraction(value) for value in frame[column]]
        cuts = getattr(policy.rfm_thresholds, column) if policy.rfm_method == "thresholds" else cut_points(values)
        frame[f"{column[0]}_score"] = [1 + sum(point < value for point in cuts) for value in values]
    frame["r_score"] = 6 - frame["r_score"]
    frame["customer_id"] = [customer_id(customer) for customer in frame.index]
    ranked = frame.assign(less=-frame.monetary.astype(object)).sort_values(["less", "customer_id"])
    frame["spend_decile"] = pd.Series(ntiles(len(ranked), 10), index=ranked.index)
    return frame.reset_index()


def cut_points(values: list[Fraction]) -> list[Fraction]:
    """The linearly interpolated 20, 40, 60 and 80 % quantiles, exactly."""
    ordered, found = sorted(values), []
    for share in FIFTHS:
        place = share * (len(ordered) - 1)
        low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
        found.append(low + (high - low) * (place - math.floor(place)))
    return found


def ntiles(count: int, tiles: int) -> list[int]:
    """The tile of each of `count` ranks: as even as can be, the larger tiles first."""
    size, larger = divmod(count, tiles)
    return [tile for tile in range(1, tiles + 1) for _ in range(size + (tile <= larger))]


def phase(days: list[date], policy: Strategy, as_of: date) -> str:
    """The relationship phase of someone with purchase occasions on these days."""
    if not days:
        return "prospect"
    idle = (as_of - max(days)).days
    if idle > policy.dormant_after_days:
        return "dormant"
    if idle > policy.at_risk_after_days:
        return "at_risk"
    if len(days) == 1:
        return "new"
    return "loyal" if len(days) >= policy.loyal_from_purchases else "repeat"


def summary(bought: pd.DataFrame, customer_count: int) -> dict[str, Decimal | int | None]:
    """The simple figures of kpi_summary."""
    per_customer = bought.groupby("customer").agg(count=("number", "max"))
    buyers, repeat = len(per_customer), int((per_customer["count"] >= 2).sum()) if len(per_customer) else 0
    gross, net = sum(bought.gross, Decimal()), sum(bought.net, Decimal())
    orders = int(bought.orders.sum())
    return {
        "customers": customer_count,
        "buyers": buyers,
        "orders": orders,
        "purchases": len(bought),
        "gross_revenue": gross,
        "refunds": gross - net,
        "net_revenue": net,
        "repeat_customers": repeat,
        "repeat_rate": round(Decimal(repeat) / buyers, 6) if buyers else None,
        "average_order_value": round(net / orders, 6) if orders else None,
        "historic_ltv": round(net / buyers, 6) if buyers else None,
    }
