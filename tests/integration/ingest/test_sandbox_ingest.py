"""Both sources against the sandbox, every exchange checked against the vendors' specifications on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from kizuna import landing, rest, shopify_admin
from kizuna.http import Client, VendorRefusedError, VendorUnavailableError
from kizuna.landing import Landing, ReconciliationError
from kizuna.settings import Connection
from kizuna.sources import SOURCES
from kizuna.sources.shopify import SOURCE as SHOPIFY
from sandbox.app import create_app
from sandbox.in_process import InProcess, time_out
from sandbox.records import Line
from sandbox.world import invent_world
from tests.contract.tap import Contracts, ContractTap

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

Query = Callable[..., list[tuple[Any, ...]]]
DAY = 86_400
WATERMARK = "select source, stream, upper_at from ops.watermarks order by 1, 2"


class HealthyContracts(Contracts):
    """No specification describes a server that is out of order."""

    def check(self, request: httpx.Request, response: httpx.Response) -> None:
        if response.status_code < 500:
            super().check(request, response)


# The first load of a shop is read in bulk; what is tried here is reading by page.
PAGED = {**SOURCES, "shopify": replace(SHOPIFY, bulk_from=timedelta.max)}


class Vendors:
    """The sandbox of one test, and landing from it."""

    def __init__(self, app: Any, warehouse_url: str) -> None:
        self.app, self.warehouse_url = app, warehouse_url
        self.slept: list[float] = []

    def land(self, source: str, stream: str, token: str = "sandbox-token") -> Landing:
        account = Connection(source, f"http://sandbox/{source}", token)
        declared = next(declared for declared in PAGED[source].streams if declared.name == stream)
        return landing.land_stream(PAGED[source], declared, account, self.warehouse_url, "run", sleep=self.slept.append)

    def fault(self, vendor: str, kind: str, **details: Any) -> None:
        self.app.state.faults.add(vendor, kind, **details)

    def advance(self, seconds: int) -> None:
        self.app.state.setting.clock.advance(seconds)


@pytest.fixture
def vendors(warehouse_url: str, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendors]:
    world = invent_world(150, 3, date(2026, 11, 22))
    line = Line("TEA-1", "煎茶", 1, Decimal(500), "茶")
    next(sale for sale in world.sales if sale.at < world.starts_at - DAY).lines = [line] * 215
    app = create_app(world, tmp_path, sleep=time_out, line_largest_followers_page=25)
    tap = ContractTap(InProcess(app), HealthyContracts(shared))
    for words in (rest, shopify_admin):
        monkeypatch.setattr(words, "Client", partial(Client, transport=tap))
    yield Vendors(app, warehouse_url)
    app.state.setting.state.close()


@pytest.mark.parametrize(
    ("source", "stream"),
    [("shopify", "customers"), ("shopify", "orders"), ("shopify", "products"), ("line", "followers")],
)
def test_every_stream_lands_whole_and_twice_is_once(vendors: Vendors, query: Query, source: str, stream: str) -> None:
    first, second = vendors.land(source, stream), vendors.land(source, stream)

    assert first.landed_count == first.read_count > 0
    assert first.quarantined_count == 0
    assert second.landed_count == 0
    assert query(f"select count(distinct _record_id), count(*) from raw.{source}__{stream}") == [
        (first.read_count, first.read_count)
    ]


def test_after_a_day_only_what_changed_is_read_and_landed(vendors: Vendors, query: Query) -> None:
    first = vendors.land("shopify", "orders")
    vendors.advance(DAY)
    second = vendors.land("shopify", "orders")

    assert 0 < second.landed_count <= second.read_count < first.read_count
    assert second.window_upper - first.window_upper == timedelta(days=1)
    assert second.window_lower == first.window_upper - timedelta(minutes=10)


def test_a_long_order_has_all_its_lines(vendors: Vendors, query: Query) -> None:
    vendors.land("shopify", "orders")

    assert query(
        """
        select
            max(jsonb_array_length(payload #> '{lineItems,nodes}')),
            count(*) filter (where (payload #>> '{lineItems,pageInfo,hasNextPage}')::boolean)
        from raw.shopify__orders
        """
    ) == [(215, 0)]


@pytest.mark.parametrize("kind", ["rate_limit", "server_error", "timeout", "cut_off"])
@pytest.mark.parametrize(("source", "stream"), [("shopify", "customers"), ("line", "followers")])
def test_passing_trouble_is_waited_out(vendors: Vendors, source: str, stream: str, kind: str) -> None:
    vendors.fault(source, kind, times=2, after=1)
    landed = vendors.land(source, stream)

    assert landed.landed_count == landed.read_count > 0
    assert len(vendors.slept) == 2


def test_throttling_by_status_429_is_waited_out_too(vendors: Vendors) -> None:
    vendors.fault("shopify", "rate_limit", times=1, status=429)

    assert vendors.land("shopify", "customers").landed_count > 0
    assert len(vendors.slept) == 1


def test_trouble_that_stays_ends_with_nothing_landed(vendors: Vendors, query: Query) -> None:
    vendors.fault("shopify", "server_error", times=1000, after=2)

    with pytest.raises(VendorUnavailableError, match=r"shopify: customers .*answered 500"):
        vendors.land("shopify", "customers")
    assert query(WATERMARK) == []
    assert query("select count(*) from raw.shopify__customers") == [(0,)]


@pytest.mark.parametrize(
    ("source", "stream", "operation"), [("shopify", "orders", "orders"), ("line", "followers", "GET followers/ids")]
)
def test_a_dropped_page_fails_with_both_counts_and_leaves_the_watermark(
    vendors: Vendors, query: Query, source: str, stream: str, operation: str
) -> None:
    whole = vendors.land(source, stream)
    before = query(WATERMARK)
    vendors.advance(30 * DAY)
    vendors.fault(source, "dropped_page", times=1000, after=1, operation=operation)

    with pytest.raises(
        ReconciliationError, match=rf"{source}\.{stream}: the vendor counts \d+.* records .* \d+ were read"
    ):
        vendors.land(source, stream)
    assert query(WATERMARK) == before
    assert query(f"select count(*) from raw.{source}__{stream}") == [(whole.landed_count,)]

    vendors.app.state.faults.clear()
    assert vendors.land(source, stream).landed_count > 0


def test_a_page_dropped_once_is_read_again(vendors: Vendors) -> None:
    vendors.fault("shopify", "dropped_page", operation="orders")
    landed = vendors.land("shopify", "orders")

    assert landed.landed_count == landed.vendor_count > 0


@pytest.mark.parametrize(("source", "stream"), [("shopify", "orders"), ("line", "followers")])
def test_a_row_sent_twice_is_landed_once(vendors: Vendors, query: Query, source: str, stream: str) -> None:
    vendors.fault(source, "duplicate_row", times=1000)
    landed = vendors.land(source, stream)

    assert query(f"select count(*) from raw.{source}__{stream}") == [(landed.read_count,)]


@pytest.mark.parametrize(("source", "stream"), [("shopify", "orders"), ("line", "followers")])
def test_a_wrong_token_is_fatal_at_once(vendors: Vendors, source: str, stream: str) -> None:
    with pytest.raises(VendorRefusedError, match=r"answered 401 .* 1 attempt\. Next: check the token") as refused:
        vendors.land(source, stream, token="wrong-token")

    assert vendors.slept == []
    assert "wrong-token" not in str(refused.value)
