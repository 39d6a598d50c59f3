"""Every vendor with every kind of trouble: what lands is whole and once, or nothing lands and the watermark stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
from every_vendor import DAY, EveryVendor

from kizuna.http import LONGEST_WAIT_SECONDS, MAX_ATTEMPTS, VendorError, VendorUnavailableError
from kizuna.landing import LandingError
from kizuna.reading import EPOCH, Span
from sandbox.world import invent_world

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.records import World

Query = Callable[..., list[tuple[Any, ...]]]
# One stream of each vendor, and what its pages are asked for with.
PAGES = {
    ("shopify", "customers"): "query customers(",
    ("eccube", "orders"): "query orders(",
    ("line", "followers"): "/followers/ids",
    ("klaviyo", "profiles"): "/api/profiles?",
    ("sendgrid", "blocks"): "/v3/suppression/blocks",
    ("zendesk", "tickets"): "/incremental/tickets/cursor",
    ("intercom", "contacts"): "/contacts/search",
}
WATERMARKS = "select source, stream, upper_at, cursor from ops.watermarks order by 1, 2"


@cache
def world() -> World:
    return invent_world(150, 3, date(2026, 11, 22))


Change = Callable[[int, bytes], bytes]


class Pages(httpx.BaseTransport):
    """Hands the pages of one stream through something that may change them; counts how often they are asked for."""

    def __init__(self, inner: httpx.BaseTransport, asked: str, change: Change) -> None:
        self._inner, self._asked, self._change, self.count = inner, asked, change, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        if response.status_code != 200 or not (
            self._asked in str(request.url) or self._asked.encode() in request.content
        ):
            return response
        self.count += 1
        headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-length"]
        content = self._change(self.count, response.content)
        return httpx.Response(200, headers=headers, content=content, request=request)


@pytest.fixture
def vendors(warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EveryVendor]:
    every = EveryVendor(world(), tmp_path, warehouse_url, line_largest_followers_page=10)
    every.connect(monkeypatch)
    yield every
    every.close()


def latest(query: Query, source: str, stream: str) -> list[tuple[Any, ...]]:
    return query(
        f"select distinct on (_record_id) _record_id, _payload_hash, _is_deleted from raw.{source}__{stream}"
        " order by _record_id, _source_updated_at desc nulls last, _sequence desc"
    )


def assert_whole(vendors: EveryVendor, query: Query, source: str, stream: str) -> None:
    """What has landed is what a run without trouble lands, and each record of it once."""
    found = latest(query, source, stream)
    assert query(f"select count(*) from raw.{source}__{stream}") == [(len(found),)]
    vendors.faults.clear()
    vendors.advance(1)
    everything = Span(EPOCH, datetime(2100, 1, 1, tzinfo=UTC))
    clean = vendors.land(source, stream, everything, run_id="clean")
    assert (clean.landed_count, clean.read_count) == (0, len(found))
    assert latest(query, source, stream) == found


@pytest.mark.parametrize("kind", ["rate_limit", "server_error", "timeout", "cut_off", "duplicate_row", "dropped_page"])
@pytest.mark.parametrize(("source", "stream"), PAGES)
def test_passing_trouble_leaves_no_trace_in_raw(
    vendors: EveryVendor, query: Query, source: str, stream: str, kind: str
) -> None:
    # A page that is dropped in every reading shows only where the vendor has a count.
    vendors.faults.add(source, kind, times=1 if kind == "dropped_page" else 2, after=1)

    landed = vendors.land(source, stream)

    assert landed.landed_count == landed.read_count > 0
    assert landed.quarantined_count == 0
    if kind in ("rate_limit", "server_error", "timeout", "cut_off"):
        assert len(vendors.slept) == 2
        assert sum(vendors.slept) <= 122
    if (source, kind) == ("line", "dropped_page"):
        # LINE counts yesterday's followers, give or take some: what a first list lacks comes with the next one.
        vendors.advance(1)
        vendors.land(source, stream)
    assert_whole(vendors, query, source, stream)


def again(when: Callable[[int], bool]) -> Change:
    """Answer with the first page in the place of some others."""
    pages: dict[int, bytes] = {}

    def change(number: int, content: bytes) -> bytes:
        pages.setdefault(number, content)
        return pages[1] if when(number) else content

    return change


def with_error() -> Change:
    """Answer with an error that the status does not tell of."""
    wrong = {"message": "someone@example.jp is wrong", "extensions": {"code": "WEIRD"}}
    return lambda _number, _content: orjson.dumps({"errors": [wrong]})


@pytest.mark.parametrize(
    "change",
    [lambda: again(lambda number: number == 2), lambda: again(lambda number: number > 1), with_error],
    ids=["a page served twice", "a cursor that loops", "an error inside a 200"],
)
@pytest.mark.parametrize(("source", "stream"), PAGES)
def test_an_answer_against_the_contract_is_settled_or_lands_nothing(
    vendors: EveryVendor,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    stream: str,
    change: Callable[[], Change],
) -> None:
    inner = vendors.transport
    vendors.transport = tampered = Pages(inner, PAGES[source, stream], change())
    vendors.connect(monkeypatch)
    failed = ""
    try:
        vendors.land(source, stream)
    except (VendorError, LandingError) as error:
        failed = str(error)

    assert tampered.count < 80
    assert "someone@" not in failed
    if failed:
        assert query(WATERMARKS) == []
        assert latest(query, source, stream) == []
    vendors.transport = inner
    vendors.connect(monkeypatch)
    vendors.land(source, stream, run_id="second")
    assert_whole(vendors, query, source, stream)
    assert failed or change is not with_error


def test_a_vendor_that_is_down_for_an_hour_fails_alone_and_catches_up_by_itself(
    vendors: EveryVendor, query: Query
) -> None:
    streams = list(PAGES)
    vendors.land_all(streams)
    vendors.advance(DAY)
    before = {(source, stream): upper for source, stream, upper, _ in query(WATERMARKS)}
    vendors.faults.add("klaviyo", "server_error", times=10_000)
    for source, stream in streams:
        if source == "klaviyo":
            vendors.slept.clear()
            with pytest.raises(VendorUnavailableError, match=rf"klaviyo: .* after {MAX_ATTEMPTS} attempts"):
                vendors.land(source, stream)
            assert sum(vendors.slept) < LONGEST_WAIT_SECONDS
            assert len(vendors.slept) == MAX_ATTEMPTS - 1
        else:
            vendors.land(source, stream)
    during = {(source, stream): upper for source, stream, upper, _ in query(WATERMARKS)}
    assert [name for name in before if during[name] == before[name]] == [("klaviyo", "profiles")]

    vendors.advance(3_600)
    vendors.faults.clear()
    assert vendors.land("klaviyo", "profiles").window_upper > during["klaviyo", "profiles"]
    assert_whole(vendors, query, "klaviyo", "profiles")
