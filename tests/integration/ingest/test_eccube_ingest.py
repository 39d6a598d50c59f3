"""EC-CUBE from the sandbox into raw: every status, edits that leave no stamp, deletions, tokens, faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from kizuna import landing, oauth, warehouse
from kizuna.http import Client, VendorRefusedError
from kizuna.landing import Landing, ReconciliationError
from kizuna.reading import Span
from kizuna.settings import Connection
from kizuna.sources import eccube
from sandbox.app import create_app
from sandbox.eccube.people import shop_of
from sandbox.eccube.tokens import FIRST_REFRESH_TOKEN
from sandbox.in_process import InProcess, time_out
from sandbox.vendors.eccube import webhooks
from sandbox.world import invent_world
from tests.contract.tap import Contracts, ContractTap

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from sandbox.eccube.records import Record

Query = Callable[..., list[tuple[Any, ...]]]
HOUR, DAY = 3600, 86_400
STREAMS = ("customers", "orders", "products")
ACCOUNT = Connection(
    "eccube",
    "http://sandbox/eccube",
    "sandbox-token",
    {"refresh_token": FIRST_REFRESH_TOKEN},
    login="sandbox-client",
)


class HealthyContracts(Contracts):
    """No specification describes a server that is out of order."""

    def check(self, request: httpx.Request, response: httpx.Response) -> None:
        if response.status_code < 500:
            super().check(request, response)


class Brand:
    """The sandbox's shop of one test, and landing from it."""

    def __init__(self, app: Any, contracts: Contracts, warehouse_url: str) -> None:
        self.app, self.contracts, self.warehouse_url = app, contracts, warehouse_url
        self.setting, self.shop = app.state.setting, shop_of(app.state.setting.world)
        self.slept: list[float] = []

    @property
    def now(self) -> int:
        return int(self.setting.clock.now())

    def land(self, stream: str, account: Connection = ACCOUNT, span: Span | None = None) -> Landing:
        declared = next(one for one in eccube.SOURCE.streams if one.name == stream)
        return landing.land_stream(
            eccube.SOURCE, declared, account, self.warehouse_url, "run", span=span, sleep=self.slept.append
        )

    def advance(self, seconds: int) -> None:
        self.setting.clock.advance(seconds)

    def fault(self, kind: str, **details: Any) -> None:
        self.app.state.faults.add("eccube", kind, **details)

    def asked(self) -> int:
        """How many requests the shop has had, without those for tokens."""
        counted = self.app.state.stats.requests.get("eccube", {})
        return sum(number for operation, number in counted.items() if operation != "token")

    def receive(self, since: int, until: int) -> None:
        """Put what the shop sent into the inbox, as the receiver does."""
        with warehouse.connect(self.warehouse_url) as session:
            for hook in webhooks(self.setting, since, until):
                for number, hint in enumerate(orjson.loads(hook.body)):
                    session.execute(
                        "insert into ops.webhook_inbox (vendor, event_id, topic, body) values ('eccube', %s, %s, %s)",
                        [f"{hook.at}/{number}", f"{hint['entity']}.{hint['action']}", orjson.dumps(hint)],
                    )


@pytest.fixture
def brand(warehouse_url: str, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Brand]:
    app = create_app(invent_world(150, 3, date(2026, 11, 22)), tmp_path, sleep=time_out)
    contracts = HealthyContracts(shared)
    tap = ContractTap(InProcess(app), contracts)
    for words in (eccube, oauth):
        monkeypatch.setattr(words, "Client", partial(Client, transport=tap))
    yield Brand(app, contracts, warehouse_url)
    app.state.setting.state.close()


def there(records: Any, now: int) -> dict[str, Record]:
    return {str(record.id): record for record in records if record.is_there(now)}


@pytest.mark.parametrize("stream", STREAMS)
def test_every_stream_lands_whole_and_twice_is_once(brand: Brand, query: Query, stream: str) -> None:
    first, second = brand.land(stream), brand.land(stream)

    assert first.landed_count == first.read_count == first.vendor_count > 0
    assert first.quarantined_count == second.landed_count == 0
    held = {key for key, _ in there(brand.shop.of(stream), brand.now - 120).items()}
    assert {row[0] for row in query(f"select _record_id from raw.eccube__{stream}")} <= held
    assert brand.contracts.checked["eccube"] > 0


def test_orders_of_every_status_and_withdrawn_customers_are_landed(brand: Brand, query: Query) -> None:
    for stream in ("orders", "customers"):
        brand.land(stream)
    statuses = dict(query("select payload #>> '{OrderStatus,id}', count(*) from raw.eccube__orders group by 1"))
    settled = brand.now - 120
    expected: dict[str, int] = {}
    for order in there(brand.shop.orders, settled).values():
        if order.shipping(settled):
            number = str(order.row(settled)["order_status_id"])
            expected[number] = expected.get(number, 0) + 1
    assert statuses == expected
    assert {"7", "8"} & statuses.keys()
    assert query("select count(*) > 0 from raw.eccube__customers where payload #>> '{Status,id}' = '3'") == [(True,)]


@pytest.mark.parametrize("stream", STREAMS)
def test_nothing_new_costs_two_requests_at_most(brand: Brand, stream: str) -> None:
    brand.land(stream)
    brand.advance(300)
    before = brand.asked()
    brand.land(stream)

    assert brand.asked() - before <= 2


def test_a_shop_larger_than_an_answer_is_read_in_spans_that_each_fit(
    brand: Brand, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tuple(replace(stream, limit=7) for stream in eccube.STREAMS)
    monkeypatch.setattr(eccube, "STREAMS", small)
    landed = brand.land("orders")

    assert landed.page_count > 20
    assert query("select count(*), count(distinct _record_id) from raw.eccube__orders") == [
        (landed.vendor_count, landed.vendor_count)
    ]


def test_many_records_of_one_second_come_in_one_longer_answer(
    brand: Brand, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = brand.now - HOUR
    for customer in there(brand.shop.customers, at - DAY).values():
        customer.changes = [change for change in customer.changes if change.at < at]
        customer.changes.append(replace(customer.changes[-1], at=at, values={"point": 1}))
    monkeypatch.setattr(eccube, "STREAMS", tuple(replace(stream, limit=5) for stream in eccube.STREAMS))
    landed = brand.land("customers")

    assert query(f"select count(*) from raw.eccube__customers where _source_updated_at = to_timestamp({at})") == [
        (len(there(brand.shop.customers, at - DAY)),)
    ]
    assert landed.read_count == landed.vendor_count


def test_an_edit_of_the_shipping_alone_is_found_while_the_order_is_open(brand: Brand, query: Query) -> None:
    order, label = next(
        (order, change.at)
        for order in brand.shop.orders
        for change in order.changes
        if change.shipping
        and not change.values
        and change.at > brand.now + DAY
        and order.row(change.at)["order_status_id"] in (1, 4, 6)
    )
    brand.advance(label - 2 * HOUR - brand.now)
    while order.created_at > brand.now - 600:
        brand.advance(600)
    brand.land("orders")
    brand.advance(label + 600 - brand.now)
    brand.land("orders")

    numbers = query(
        f"""
        select payload #>> '{{Shippings,0,tracking_number}}', _source_updated_at
        from raw.eccube__orders where _record_id = '{order.id}' order by _sequence
        """
    )
    assert len({stamp for _, stamp in numbers[-2:]}) == 1, "EC-CUBE leaves the order's own stamp"
    assert numbers[-1][0] is not None


def test_a_number_corrected_after_shipping_is_found_by_its_webhook(brand: Brand, query: Query) -> None:
    order, correction = next(
        (order, change.at)
        for order in brand.shop.orders
        for change in order.changes
        if change.shipping
        and not change.values
        and change.at > brand.now + DAY
        and order.row(change.at)["order_status_id"] == 5
        and datetime.fromtimestamp(change.at, UTC).hour in range(1, 22)
    )
    brand.advance(correction - HOUR - brand.now)
    brand.land("orders")
    brand.receive(correction - 1, correction)
    brand.advance(HOUR + 600)
    brand.land("orders")
    corrected = order.shipping(correction)

    assert corrected is not None
    assert query(
        f"""
        select payload #>> '{{Shippings,0,tracking_number}}' from raw.eccube__orders
        where _record_id = '{order.id}' order by _sequence desc limit 1
        """
    ) == [(corrected["tracking_number"],)]
    assert brand.land("orders").landed_count == 0, "a hint is followed once"


def test_a_customer_deleted_for_good_is_told_by_the_webhook_and_proven_by_id(brand: Brand, query: Query) -> None:
    buyers = {id(order.owner) for order in brand.shop.orders}
    known = there(brand.shop.customers, brand.now - DAY).values()
    customer = next(one for one in known if id(one) not in buyers)
    customer.deleted_at = brand.now + 3 * DAY
    brand.land("customers")
    since = brand.now
    brand.advance(customer.deleted_at + 600 - brand.now)
    brand.receive(since, brand.now)
    brand.land("customers")
    brand.land("customers")

    versions = query(
        f"""
        select payload ->> 'is_deleted', _source_updated_at > to_timestamp({customer.deleted_at})
        from raw.eccube__customers where _record_id = '{customer.id}' order by _sequence
        """
    )
    assert versions[-1] == ("true", True)
    assert [version for version in versions if version[0]] == [("true", True)]


def test_a_deletion_that_no_webhook_told_is_found_by_the_sweep(brand: Brand, query: Query) -> None:
    brand.land("customers")
    known = there(brand.shop.customers, brand.now - 120)
    gone = next(iter(known.values()))
    gone.deleted_at = brand.now + 1
    brand.advance(HOUR)
    stream = next(one for one in eccube.SOURCE.streams if one.name == "customers")
    swept = landing.sweep_stream(eccube.SOURCE, stream, ACCOUNT, brand.warehouse_url, "run", sleep=brand.slept.append)

    assert (swept.listed_count, swept.missing_count, swept.gone_count) == (
        len(there(brand.shop.customers, brand.now)),
        1,
        1,
    )
    assert query("select _record_id from raw.eccube__customers where _is_deleted") == [(str(gone.id),)]


def test_raw_equals_the_shop_after_thirty_days_of_hourly_and_daily_runs(brand: Brand, query: Query) -> None:
    for _ in range(10):
        for stream in STREAMS:
            brand.land(stream)
        brand.receive(brand.now, brand.now + 3 * DAY)
        brand.advance(3 * DAY)
    brand.advance(600)
    for stream in STREAMS:
        brand.land(stream)

    latest = """
        select distinct on (_record_id) _record_id, payload from raw.eccube__{}
        order by _record_id, _source_updated_at desc nulls last, _sequence desc
    """
    orders = {key: payload for key, payload in query(latest.format("orders")) if not payload.get("is_deleted")}
    expected = {
        key: order for key, order in there(brand.shop.orders, brand.now - 120).items() if order.shipping(brand.now)
    }
    assert orders.keys() >= expected.keys()
    for key, order in expected.items():
        row, shipping = order.row(brand.now - 120), order.shipping(brand.now - 120)
        assert orders[key]["OrderStatus"]["id"] == str(row["order_status_id"])
        assert orders[key]["payment_total"] == row["payment_total"]
        assert shipping is None or orders[key]["Shippings"][0]["tracking_number"] == shipping.get("tracking_number")
    customers = {key for key, payload in query(latest.format("customers")) if not payload.get("is_deleted")}
    assert customers >= there(brand.shop.customers, brand.now - 120).keys()
    gone = {str(one.id) for one in brand.shop.customers if one.deleted_at and one.deleted_at <= brand.now}
    assert not customers & gone


def test_a_span_read_again_adds_nothing_and_leaves_the_watermark(brand: Brand, query: Query) -> None:
    brand.land("orders")
    before = query("select upper_at from ops.watermarks")
    now = datetime.fromtimestamp(brand.now, UTC)
    again = brand.land("orders", span=Span(now - timedelta(days=40), now - timedelta(days=10)))

    assert again.landed_count == 0 < again.read_count
    assert query("select upper_at from ops.watermarks") == before


@pytest.mark.parametrize("kind", ["rate_limit", "server_error", "timeout", "cut_off"])
def test_passing_trouble_is_waited_out(brand: Brand, kind: str) -> None:
    brand.fault(kind, times=2, after=1)
    landed = brand.land("orders")

    assert landed.landed_count == landed.read_count > 0
    assert len(brand.slept) == 2


def test_a_dropped_answer_fails_with_both_counts_and_leaves_the_watermark(brand: Brand, query: Query) -> None:
    brand.land("orders")
    before = query("select upper_at from ops.watermarks")
    brand.advance(10 * DAY)
    brand.fault("dropped_page", times=1000, operation="orders")
    with pytest.raises(ReconciliationError, match=r"eccube\.orders: the vendor counts \d+.* \d+ were read"):
        brand.land("orders")
    assert query("select upper_at from ops.watermarks") == before

    brand.app.state.faults.clear()
    assert brand.land("orders").landed_count > 0


def test_an_answer_dropped_once_is_read_again_and_a_row_sent_twice_is_landed_once(brand: Brand, query: Query) -> None:
    brand.fault("dropped_page", operation="orders")
    brand.fault("duplicate_row", times=1000, operation="orders")
    landed = brand.land("orders")

    assert query("select count(*), count(distinct _record_id) from raw.eccube__orders") == [
        (landed.read_count, landed.read_count)
    ]


def test_tokens_are_renewed_in_the_middle_and_shared_by_the_streams(brand: Brand) -> None:
    for stream in STREAMS:
        brand.land(stream)
    assert brand.app.state.stats.requests["eccube"]["token"] == 1
    brand.advance(2 * HOUR)
    for stream in STREAMS:
        brand.land(stream)
    assert brand.app.state.stats.requests["eccube"]["token"] == 2


def test_a_spent_refresh_token_is_fatal_at_once_and_says_what_to_do(brand: Brand) -> None:
    account = replace(ACCOUNT, extra={"refresh_token": "somebody-used-it"})
    with pytest.raises(VendorRefusedError, match="kizuna authorize eccube") as refused:
        brand.land("orders", account)
    assert brand.slept == []
    assert "somebody-used-it" not in str(refused.value)
