"""One bad record among good ones, at every vendor: it is put aside with its reason and place, and the rest land."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
from every_vendor import EveryVendor, stream_of

from kizuna.landing import replay_stream
from kizuna.pagination import field_at
from kizuna.rest import RestStream
from kizuna.sources import SOURCES
from sandbox.world import invent_world

if TYPE_CHECKING:
    from pathlib import Path

    from kizuna.reading import Stream

Query = Callable[..., list[tuple[Any, ...]]]
# One stream of each shape of answer: where its pages come from, and a field that is spoilt ("": the record itself).
SHAPES = {
    ("shopify", "customers"): ("query customers(", "lastName"),
    ("eccube", "customers"): ("query customers(", "name01"),
    ("klaviyo", "events"): ("/api/events", "attributes.uuid"),
    ("sendgrid", "blocks"): ("/v3/suppression/blocks", "reason"),
    ("zendesk", "users"): ("/incremental/users/cursor", "name"),
    ("intercom", "contacts"): ("/contacts/search", "name"),
    ("line", "followers"): ("/followers/ids", ""),
}
MARK = "@@spoilt@@"
UNWRITABLE = "holds a character or a number that JSON in UTF-8 cannot carry"
BYTES = {
    "invalid UTF-8": (b'"\xe3\x81 hanako77"', UNWRITABLE, "?? aaaaaa99"),
    "half an emoji": (b'"\\ud83d hanako77"', UNWRITABLE, "? aaaaaa99"),
    "no number": (b"NaN", UNWRITABLE, "AaA"),
    "beyond any float": (b"1e400", UNWRITABLE, "9A+999"),
    "ten megabytes": (
        b'"' + b"a" * 10_000_000 + b'"',
        "is larger than 4194304 bytes",
        f"{'a' * 40}… (10000000 charact",
    ),
    "NUL": (b'"\\u0000hanako77"', "holds the character NUL, which Postgres cannot store", "?aaaaaa99"),
}
QUARANTINE = "select reason, field, shown, length(payload) > 2 from ops.quarantine"


class Spoilt(httpx.BaseTransport):
    """Spoils the first record of the first page that has one, whenever that page is asked for."""

    def __init__(self, inner: httpx.BaseTransport, stream: Stream, asked: str, spoil: Callable[[Any], bytes]) -> None:
        self._inner, self._stream, self._asked, self._spoil = inner, stream, asked, spoil
        self._page: tuple[str, bytes] | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        page = (str(request.url), request.content)
        is_page = self._asked in page[0] or self._asked.encode() in page[1]
        if response.status_code != 200 or not is_page or self._page not in (None, page):
            return response
        body = orjson.loads(response.content)
        rows = self.rows(body)
        if not rows:
            return response
        self._page = page
        spoilt = self._spoil(rows)
        content = orjson.dumps(body).replace(orjson.dumps(MARK), spoilt)
        headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-length"]
        return httpx.Response(200, headers=headers, content=content, request=request)

    def rows(self, body: Any) -> Any:
        if isinstance(self._stream, RestStream):
            return field_at(body, self._stream.records)
        return next(iter(body["data"].values()))["nodes"]


def put(rows: list[Any], path: str, value: object) -> None:
    """Set a dotted field of the first record; "" is the record."""
    if not path:
        rows[0] = value
        return
    *holders, name = path.split(".")
    record = rows[0]
    for holder in holders:
        record = record[holder]
    record[name] = value


def spoilt_with(path: str, value: bytes) -> Callable[[Any], bytes]:
    def spoil_bytes(rows: list[Any]) -> bytes:
        put(rows, path, MARK)
        return value

    return spoil_bytes


def changed_by(change: Callable[[Any, Stream], None], stream: Stream) -> Callable[[Any], bytes]:
    def change_first(rows: list[Any]) -> bytes:
        change(rows, stream)
        return b""

    return change_first


@pytest.fixture
def vendors(warehouse_url: str, tmp_path: Path) -> Iterator[EveryVendor]:
    every = EveryVendor(invent_world(60, 3, date(2026, 11, 22)), tmp_path, warehouse_url)
    yield every
    every.close()


def spoil(
    vendors: EveryVendor, patch: pytest.MonkeyPatch, source: str, stream: str, change: Callable[[Any], bytes]
) -> None:
    vendors.transport = Spoilt(vendors.transport, stream_of(source, stream), SHAPES[source, stream][0], change)
    vendors.connect(patch)


@pytest.mark.parametrize("kind", BYTES)
@pytest.mark.parametrize(("source", "stream"), SHAPES)
def test_bytes_that_no_warehouse_can_keep_cost_their_own_record_only(
    vendors: EveryVendor, query: Query, monkeypatch: pytest.MonkeyPatch, source: str, stream: str, kind: str
) -> None:
    value, reason, shown = BYTES[kind]
    path = SHAPES[source, stream][1]
    spoil(vendors, monkeypatch, source, stream, spoilt_with(path, value))

    landed = vendors.land(source, stream)

    assert (landed.quarantined_count, landed.landed_count) == (1, landed.read_count - 1)
    assert landed.landed_count > 0
    ((found_reason, field, found_shown, is_whole),) = query(QUARANTINE)
    assert is_whole
    if path:
        assert (found_reason, field) == (reason, path)
        assert found_shown.startswith(shown)
    else:
        assert field == "userId"
    assert "hanako" not in f"{found_reason} {field} {found_shown}"


def without_id(rows: list[Any], stream: Stream) -> None:
    put(rows, stream.key if isinstance(stream.key, str) else stream.key[0], None)


def in_the_year_20206(rows: list[Any], stream: Stream) -> None:
    put(rows, stream.updated or "", "20206-01-01T00:00:00Z" if stream.updated_unit == "iso" else 575_500_000_000)


def as_text(rows: list[Any], _stream: Stream) -> None:
    put(rows, "", "someone@example.jp")


def with_an_object_as_id(rows: list[Any], stream: Stream) -> None:
    put(rows, stream.key if isinstance(stream.key, str) else stream.key[0], {"value": "7"})


@pytest.mark.parametrize("change", [without_id, in_the_year_20206, as_text, with_an_object_as_id])
@pytest.mark.parametrize(("source", "stream"), [shape for shape in SHAPES if shape[0] != "line"])
def test_a_record_without_usable_id_or_time_is_put_aside_and_replayed_after_a_fix(
    vendors: EveryVendor,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    stream: str,
    change: Callable[[Any, Stream], None],
) -> None:
    declared = stream_of(source, stream)
    spoil(vendors, monkeypatch, source, stream, changed_by(change, declared))

    landed = vendors.land(source, stream)

    assert (landed.quarantined_count, landed.landed_count) == (1, landed.read_count - 1)
    ((reason, field, shown, _),) = query(QUARANTINE)
    expected = {
        without_id: ("has no ", "null"),
        in_the_year_20206: ("is not a time", "99999"),
        as_text: ("is not an object", "aaaaaaa@aaaaaaa.aa"),
        with_an_object_as_id: ("has no ", "object of 1 fields"),
    }[change]
    assert expected[0] in reason
    assert str(shown).startswith(expected[1])
    if field is None:
        return
    time = "2026-01-01T00:00:00Z" if declared.updated_unit == "iso" else 1_760_000_000
    mended: dict[str, Any] = {field: time if field == declared.updated else "5f0000000000000000000042"}
    if source == "zendesk" and field == "id":
        mended = {"id": 42}
    done = replay_stream(SOURCES[source], declared, vendors.warehouse_url, "mended", changes=mended)
    assert (done.waiting_count, done.landed_count) == (1, 1)
