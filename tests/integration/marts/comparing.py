"""Comparing built marts with the figures worked out independently."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from tests.integration.marts import expected
from tests.integration.marts.building import read

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from kizuna.strategy import Strategy
    from tests.integration.marts.history import Order

PREFIX = "shopify:customer:"


def assert_marts_match(url: str, orders: Iterable[Order], policy: Strategy, as_of: date, customers: set[str]) -> None:
    """Every mart equals the definitions; `customers` are those who must be known by the day, by the source's id."""
    ids = customer_ids(url)
    bought = expected.occasions(expected.counting_orders(orders, policy, as_of))
    assert set(read(url, "select customer_id from marts_candidate.customers").customer_id) == {
        ids[c] for c in customers
    }
    assert_phases(url, bought, policy, as_of, {ids[customer]: customer for customer in customers})
    assert_scores(url, bought, policy, as_of, ids)
    assert_cohorts(url, expected.second_purchases(bought, policy, as_of))
    figures = read(url, "select metric, value from marts_candidate.kpi_summary where window_label = 'all'")
    shown = dict(zip(figures.metric, figures.value, strict=True))
    wanted = expected.summary(bought, len(customers))
    assert {metric: shown[metric] for metric in wanted} == wanted


def customer_ids(url: str) -> dict[str, str]:
    """Our customer_id by the source's."""
    members = read(url, "select record_key, customer_id from identity.customer_identities")
    return {key.removeprefix(PREFIX): ours for key, ours in members.itertuples(index=False)}


def assert_phases(url: str, bought: pd.DataFrame, policy: Strategy, as_of: date, customers: dict[str, str]) -> None:
    """The phase of every customer, and the days of the 360, follow from the days of their purchases."""
    query = """
        select *
        from marts_candidate.customers
    """
    days = bought.groupby("customer").day.agg(list).to_dict()
    spent = bought.groupby("customer").net.sum().to_dict()
    for row in read(url, query).itertuples():
        customer = customers[row.customer_id]
        on = days.get(customer, [])
        gap = (on[1] - on[0]).days if len(on) > 1 else None
        shown = (
            row.phase,
            row.purchase_count,
            row.first_purchase_on,
            row.last_purchase_on,
            row.days_to_second_purchase,
        )
        phase = expected.phase(on, policy, as_of)
        assert shown == (phase, len(on), min(on, default=None), max(on, default=None), gap)
        assert row.net_spend_incl_tax == spent.get(customer, 0)


def assert_scores(url: str, bought: pd.DataFrame, policy: Strategy, as_of: date, ids: dict[str, str]) -> None:
    """RFM values, scores and deciles are those of the definitions."""
    columns = ["customer_id", "recency_days", "frequency", "monetary", "r_score", "f_score", "m_score", "spend_decile"]
    built = read(url, f"select {', '.join(columns)} from marts_candidate.rfm")
    wanted = expected.scores(bought, policy, as_of, ids.__getitem__) if len(bought) else built[:0]
    assert rows(built, columns) == rows(wanted, columns)


def assert_cohorts(url: str, wanted: pd.DataFrame) -> None:
    """F2 cohorts, and their totals in the summary, are those of the definitions."""
    counts = ["customer_count", "converted_count", "matured_count", "matured_converted_count"]
    columns = ["first_purchase_month", "window_label", *counts, "maturity", "f2_rate"]
    built = read(url, "select * from marts_candidate.f2_cohorts")
    built["f2_rate"] = [None if rate is None else float(rate) for rate in built.f2_rate]
    assert rows(built, columns) == rows(wanted, columns)
    totals = read(url, "select * from marts_candidate.kpi_summary where metric = 'f2_rate'")
    sums = wanted.groupby("window_label")[counts].sum().reset_index()
    assert rows(totals, ["window_label", *counts]) == rows(sums, ["window_label", *counts])


def rows(frame: pd.DataFrame, columns: list[str]) -> set[tuple[object, ...]]:
    """The rows of a frame as a set, missing values as None."""
    return {tuple(None if pd.isna(value) else value for value in row) for row in frame[columns].itertuples(index=False)}
