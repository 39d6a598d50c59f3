"""Shopify from the sandbox into raw: by page and in bulk, quiet streams, streams an account does not have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from kizuna import landing, shopify_admin, warehouse
from kizuna.http import Client, VendorContractError, VendorRefusedError, VendorUnavailableError
from kizuna.settings import Connection
from kizuna.sources.shopify import SOURCE
from sandbox.app import create_app
from sandbox.in_process import InProcess, time_out
from sandbox.world import invent_world
from tests.contract.tap import Contracts, ContractTap

if TYPE_CHECKING:
    from pathlib import Path

    from kizuna.landing import Landing
    from sandbox.records import World


Query = Callable[..., list[tuple[Any, ...]]]
DAY = 86_400
STREAMS = [stream.name for stream in SOURCE.streams if isinstance(stream, shopify_admin.ShopifyStream)]
PAGED = replace(SOURCE, bulk_from=timedelta.max)
WORLD = invent_world(120, 3, date(2026, 11, 22))


class Shop(httpx.BaseTransport):
    """The sandbox of one test, and landing from it; every request is counted."""

    def __init__(self, warehouse_url: str, shared: Path, folder: Path, world: World, **limits: Any) -> None:
        self.warehouse_url, self.slept, self.requests = warehouse_url, list[float](), list[httpx.Request]()
        self.app = create_app(world, folder, sleep=time_out, **limits)
        self.tap = ContractTap(InProcess(self.app), Contracts(shared))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.tap.handle_request(request)

    def close(self) -> None:
        """Nothing to close."""

    def land(self, stream: str, source: shopify_admin.ShopifySource = SOURCE, **extra: str) -> Landing:
        self.requests.clear()
        account = Connection("shopify", "http://sandbox/shopify", "sandbox-token", extra)
        declared = next(declared for declared in source.streams if declared.name == stream)
        return landing.land_stream(source, declared, account, self.warehouse_url, "run", sleep=self.slept.append)

    def advance(self, seconds: int) -> None:
        self.app.state.setting.clock.advance(seconds)

    def fault(self, kind: str, **details: Any) -> None:
        self.app.state.faults.add("shopify", kind, **details)

    def asked_for(self, text: str) -> int:
        return sum(text.encode() in request.content for request in self.requests)


@pytest.fixture
def open_shop(
    warehouse_url: str, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Shop]]:
    shops: list[Shop] = []

    def start(world: World = WORLD, **limits: Any) -> Shop:
        shop = Shop(warehouse_url, shared, tmp_path / f"shop{len(shops)}", world, **limits)
        shops.append(shop)
        monkeypatch.setattr(shopify_admin, "Client", partial(Client, transport=shop))
        return shop

    yield start
    for shop in shops:
        shop.app.state.setting.state.close()


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    return open_shop()


@pytest.mark.parametrize("stream", STREAMS)
def test_a_bulk_operation_brings_the_very_records_that_paging_brings(shop: Shop, query: Query, stream: str) -> None:
    table = f"raw.shopify__{stream}"
    in_bulk = shop.land(stream)
    assert shop.asked_for("bulkOperationRunQuery(") >= 1
    brought = query(f"select _record_id, encode(_payload_hash, 'hex') from {table} order by 1")
    forget(shop, table)
    paged = shop.land(stream, PAGED)

    assert shop.asked_for("bulkOperation") == 0
    assert query(f"select _record_id, encode(_payload_hash, 'hex') from {table} order by 1") == brought
    assert in_bulk.landed_count == paged.landed_count == len(brought) > 0


def forget(shop: Shop, table: str) -> None:
    with warehouse.connect(shop.warehouse_url) as session:
        session.execute(f"truncate {table}")  # type: ignore[arg-type]
        session.execute("delete from ops.watermarks")


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_without_change_costs_one_request(shop: Shop, stream: str) -> None:
    shop.land(stream)
    shop.advance(3600)
    shop.land(stream)
    again = shop.land(stream)

    assert again.landed_count == 0
    assert len(shop.requests) <= 2


@pytest.mark.parametrize("stream", ["orders", "abandoned_checkouts", "subscription_contracts"])
def test_after_some_days_only_what_changed_is_paged_through(shop: Shop, stream: str) -> None:
    first = shop.land(stream)
    shop.advance(5 * DAY)
    second = shop.land(stream)

    assert shop.asked_for("bulkOperation") == 0
    assert 0 < second.landed_count <= second.read_count < first.read_count


def test_the_lines_of_a_refund_are_read_whole(shop: Shop, query: Query) -> None:
    shop.land("orders")

    refunds = query(
        """
        select
            jsonb_array_length(refund #> '{refundLineItems,nodes}'),
            jsonb_array_length(payload #> '{lineItems,nodes}')
        from raw.shopify__orders, jsonb_array_elements(payload -> 'refunds') as refund
        where payload ->> 'displayFinancialStatus' = 'REFUNDED'
        """
    )
    assert refunds
    assert all(returned == bought > 0 for returned, bought in refunds)


def test_a_checkout_that_is_completed_later_comes_again(open_shop: Callable[..., Shop], query: Query) -> None:
    shop = open_shop(invent_world(2000, 3, date(2026, 11, 22)))
    shop.land("abandoned_checkouts")
    for _ in range(8):
        shop.advance(3 * DAY)
        shop.land("abandoned_checkouts")

    assert query(
        """
        select count(*) > 0
        from raw.shopify__abandoned_checkouts as later
        join raw.shopify__abandoned_checkouts as earlier using (_record_id)
        where later.payload ->> 'completedAt' is not null and earlier.payload ->> 'completedAt' is null
        """
    ) == [(True,)]


def test_an_operation_that_fails_once_is_run_again(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(shopify_failing_bulk_operations=1)
    landed = shop.land("orders")

    assert landed.landed_count == landed.vendor_count > 0
    assert shop.asked_for("bulkOperationRunQuery(") == 2


def test_an_operation_that_keeps_failing_lands_nothing(open_shop: Callable[..., Shop], query: Query) -> None:
    shop = open_shop(shopify_failing_bulk_operations=99)

    with pytest.raises(VendorUnavailableError, match=r"orders bulk .*INTERNAL_SERVER_ERROR 3 times"):
        shop.land("orders")
    assert query("select count(*) from raw.shopify__orders") == [(0,)]


def test_a_file_cut_off_on_its_way_is_fetched_again(shop: Shop) -> None:
    shop.fault("cut_off", operation="bulk file", times=2)
    landed = shop.land("orders")

    assert landed.landed_count == landed.vendor_count > 0


def test_a_bulk_file_elsewhere_is_read_without_the_token(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(shopify_bulk_address="http://files.example/shopify")
    landed = shop.land("products")

    fetched = [request for request in shop.requests if request.url.host == "files.example"]
    assert landed.landed_count > 0
    assert len(fetched) == 1
    assert "X-Shopify-Access-Token" not in fetched[0].headers


def test_a_long_window_without_rows_has_no_file(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    never = replace(SOURCE, bulk_from=timedelta(0))
    shop.land("products", never)
    shop.advance(30 * DAY)
    landed = shop.land("products", never)

    assert landed.read_count == 0
    assert not [request for request in shop.requests if "/bulk/" in request.url.path]


def test_a_stream_without_its_scope_says_what_to_do(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(shopify_denied_fields=("subscriptionContracts",))

    with pytest.raises(VendorRefusedError, match=r"subscription_contracts clock .*ACCESS_DENIED.*skip_streams"):
        shop.land("subscription_contracts")
    assert shop.slept == []


def test_a_stream_that_the_account_does_not_have_is_skipped_without_a_request(
    open_shop: Callable[..., Shop], query: Query
) -> None:
    shop = open_shop(shopify_denied_fields=("subscriptionContracts",))
    landed = shop.land("subscription_contracts", skip_streams="returns, subscription_contracts")

    assert (landed.read_count, landed.landed_count, len(shop.requests)) == (0, 0, 0)
    assert query("select count(*) from ops.watermarks") == [(0,)]


def test_all_ids_can_be_read_for_a_comparison(shop: Shop) -> None:
    landed = shop.land("customers")
    account = Connection("shopify", "http://sandbox/shopify", "sandbox-token")
    with SOURCE.open("customers", account, shop.slept.append, warehouse_url="") as reader:
        assert isinstance(reader, shopify_admin.ShopifyReader)
        ids = [node["id"] for page in reader.id_pages() for node in page]

    assert len(set(ids)) == len(ids) == landed.read_count


def test_a_query_that_bulk_operations_refuse_is_an_error_of_ours(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = next(stream for stream in SOURCE.streams if stream.name == "orders")
    bad = replace(orders, selection="id refunds { refundLineItems { edges { node { id } } } }")  # type: ignore[call-arg]
    source = replace(SOURCE, streams=(bad,))

    with pytest.raises(VendorContractError, match="refused: INVALID"):
        shop.land("orders", source)
