"""Reading REST: every page, the windows a stream writes, LINE's count of yesterday, and no endless walk."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest

from kizuna.asking import Get
from kizuna.http import Client, VendorContractError
from kizuna.pagination import LinkPages, OffsetPages, TokenPages, field_at
from kizuna.reading import EPOCH, VendorCount, Window
from kizuna.rest import RestReader, RestSource, RestStream
from kizuna.settings import Connection
from kizuna.sources.line import SOURCE as LINE

# 00:30 on the 22nd in Japan is still the 21st in UTC.
WINDOW = Window(EPOCH, datetime(2026, 11, 21, 15, 30, tzinfo=UTC))
PAGES = TokenPages(parameter="start", field="next")

Reply = Callable[[str, dict[str, str]], Any]


def opened(source: RestSource, transport: Callable[[httpx.Request], httpx.Response]) -> RestReader:
    stream = source.streams[0]
    assert isinstance(stream, RestStream)
    client = Client(source.name, "http://vendor.example", {}, transport=httpx.MockTransport(transport))
    connection = Connection(source.name, "http://vendor.example", "token")
    return RestReader(source, stream, Get(client, lambda _seconds: None, connection, ""))


def reader(source: RestSource, reply: Reply) -> RestReader:
    def transport(request: httpx.Request) -> httpx.Response:
        body = reply(request.url.path, dict(request.url.params))
        return httpx.Response(200, json=body, headers={"Date": "Sun, 22 Nov 2026 03:00:00 GMT"})

    return opened(source, transport)


def test_followers_are_read_to_the_last_page_and_wrapped() -> None:
    pages = {"": {"userIds": ["U1", "U2"], "next": "t"}, "t": {"userIds": [], "next": "u"}, "u": {"userIds": ["U3"]}}

    def reply(path: str, parameters: dict[str, str]) -> Any:
        assert path == "/v2/bot/followers/ids"
        assert parameters["limit"] == "1000"
        return pages[parameters.get("start", "")]

    assert list(reader(LINE, reply).pages(WINDOW)) == [[{"userId": "U1"}, {"userId": "U2"}], [], [{"userId": "U3"}]]


def test_followers_are_counted_on_the_last_ready_day_in_japan() -> None:
    asked = []

    def reply(path: str, parameters: dict[str, str]) -> Any:
        assert path == "/v2/bot/insight/followers"
        asked.append(parameters["date"])
        if len(asked) < 3:
            return {"status": "unready"}
        return {"status": "ready", "followers": 1200, "blocks": 200, "targetedReaches": 900}

    assert reader(LINE, reply).count(WINDOW) == VendorCount(1000, tolerance=50)
    assert asked == ["20261121", "20261120", "20261119"]


def test_an_account_without_statistics_yet_has_no_count_and_is_read_twice() -> None:
    assert reader(LINE, lambda _path, _parameters: {"status": "out_of_service"}).count(WINDOW) is None


def test_a_small_account_may_move_by_twenty_in_a_day() -> None:
    def reply(_path: str, _parameters: dict[str, str]) -> Any:
        return {"status": "ready", "followers": 90, "blocks": 0}

    assert reader(LINE, reply).count(WINDOW) == VendorCount(90, tolerance=20)


def test_without_any_ready_day_nothing_is_landed() -> None:
    with pytest.raises(VendorContractError, match="no count is ready for the 4 days before 2026-11-22"):
        reader(LINE, lambda _path, _parameters: {"status": "unready"}).count(WINDOW)


def test_a_page_without_the_list_is_refused() -> None:
    with pytest.raises(VendorContractError, match="no list 'userIds' in the page"):
        list(reader(LINE, lambda _path, _parameters: {"message": "hello"}).pages(WINDOW))


def test_a_page_that_is_no_object_is_refused() -> None:
    with pytest.raises(VendorContractError, match="the body is not an object"):
        list(reader(LINE, lambda _path, _parameters: ["U1"]).pages(WINDOW))


def test_paging_that_goes_in_circles_ends() -> None:
    with pytest.raises(VendorContractError, match="the page token repeats"):
        list(reader(LINE, lambda _path, _parameters: {"userIds": [], "next": "again"}).pages(WINDOW))


@pytest.mark.parametrize(("status", "there"), [(200, 1), (404, 0)])
def test_who_is_not_listed_is_asked_for_by_profile(status: int, there: int) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v2/bot/profile/U1"
        return httpx.Response(status, json={"message": "Not found"})

    assert opened(LINE, reply).still_there(["U1"]) == there


def test_a_stream_writes_its_window_as_parameters() -> None:
    def count(_get: Get, _window: Window) -> VendorCount:
        return VendorCount(0)

    def parameters(window: Window) -> dict[str, str]:
        return {"updated_before": window.upper.isoformat()}

    stream = RestStream(
        "tickets",
        path="/tickets",
        records="tickets",
        pagination=PAGES,
        count=count,
        updated="updated_at",
        window=parameters,
    )
    source = RestSource(name="desk", clock_path="/me", streams=(stream,))

    def reply(_path: str, asked: dict[str, str]) -> Any:
        assert asked == {"updated_before": "2026-11-21T15:30:00+00:00"}
        return {"tickets": [{"id": 1}]}

    assert list(reader(source, reply).pages(WINDOW)) == [[{"id": 1}]]


def test_the_clock_is_the_vendors() -> None:
    assert reader(LINE, lambda _path, _parameters: {"userIds": []}).start(EPOCH, None) == datetime(
        2026, 11, 22, 3, tzinfo=UTC
    )


def walk(
    stream: RestStream, pages: list[Any], window: Window = WINDOW
) -> tuple[list[Any], list[dict[str, str]], RestReader]:
    """Read a stream whose vendor gives these pages in turn; returns the records, what was asked, and the reader."""
    asked: list[dict[str, str]] = []

    def reply(_path: str, parameters: dict[str, str]) -> Any:
        asked.append(parameters)
        return pages[len(asked) - 1]

    opened_reader = reader(RestSource(name="desk", clock_path="/me", streams=(stream,)), reply)
    opened_reader.start(window.lower, window.cursor)
    return [record for page in opened_reader.pages(window) for record in page], asked, opened_reader


def test_a_kept_cursor_takes_the_place_of_the_window_and_the_last_one_is_kept() -> None:
    pages = TokenPages("cursor", "after", end="end_of_stream", is_kept=True, instead_of=("start_time",))
    stream = RestStream("tickets", path="/t", records="t", pagination=pages, window=lambda _window: {"start_time": "0"})
    first = {"t": [{"id": 1}], "after": "x", "end_of_stream": False}
    last = {"t": [{"id": 2}], "after": "y", "end_of_stream": True}

    records, asked, read = walk(stream, [first, last])
    assert (records, read.cursor) == ([{"id": 1}, {"id": 2}], "y")
    assert asked == [{"start_time": "0"}, {"cursor": "x"}]
    _, asked, read = walk(stream, [{"t": [], "after": None, "end_of_stream": True}], Window(EPOCH, EPOCH, "y"))
    assert (asked, read.cursor) == ([{"cursor": "y"}], "y")


def test_links_are_followed_by_their_query_alone() -> None:
    stream = RestStream("profiles", path="/p", records="data", is_bounded=False, pagination=LinkPages())
    first = {"data": [{"id": 1}], "links": {"next": "http://elsewhere.example/x?page%5Bcursor%5D=c&filter=f"}}

    records, asked, _ = walk(stream, [first, {"data": [{"id": 2}], "links": {"next": None}}])
    assert records == [{"id": 1}, {"id": 2}]
    assert asked == [{}, {"page[cursor]": "c", "filter": "f"}]


def test_offsets_end_with_a_page_that_is_not_full() -> None:
    by_offset = RestStream("bounces", path="/b", is_bounded=False, pagination=OffsetPages(size=2))
    _, asked, _ = walk(by_offset, [[{"id": 1}, {"id": 2}], [{"id": 3}]])
    assert asked == [{"limit": "2", "offset": "0"}, {"limit": "2", "offset": "2"}]


def test_a_search_is_posted_with_its_page_in_the_body() -> None:
    bodies: list[Any] = []

    def transport(request: httpx.Request) -> httpx.Response:
        bodies.append(orjson.loads(request.content))
        page = {"data": [{"id": len(bodies)}], "next": "n" if len(bodies) == 1 else None}
        return httpx.Response(200, json=page, headers={"Date": "Sun, 22 Nov 2026 03:00:00 GMT"})

    def search(window: Window, page: Mapping[str, str]) -> dict[str, Any]:
        return {"since": window.lower.year, "pagination": dict(page)}

    stream = RestStream(
        "contacts", path="/s", records="data", search=search, is_bounded=False, pagination=TokenPages("after", "next")
    )
    read = opened(RestSource(name="desk", streams=(stream,)), transport)
    read.start(EPOCH, None)
    assert [record for page in read.pages(WINDOW) for record in page] == [{"id": 1}, {"id": 2}]
    assert bodies == [{"since": 1970, "pagination": {}}, {"since": 1970, "pagination": {"after": "n"}}]


def test_the_first_page_gives_the_clock_and_is_not_asked_for_twice() -> None:
    stream = RestStream("tickets", path="/t", records="t", is_bounded=False)
    _, asked, read = walk(stream, [{"t": [{"id": 1}]}])
    assert len(asked) == 1
    with pytest.raises(IndexError):
        list(read.pages(WINDOW))  # the second reading asks anew


def test_a_download_is_whole_or_asked_for_again_and_its_store_never_sees_the_token() -> None:
    packed = gzip.compress(b'{"id": 1}\n\nnot json\n{"id": 2}\n')
    seen: list[str | None] = []

    def transport(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("authorization"))
        if len(seen) == 1:
            message = "cut off"
            raise httpx.RemoteProtocolError(message, request=request)
        return httpx.Response(200, content=packed)

    mock = httpx.MockTransport(transport)
    client = Client("desk", "http://vendor.example", {}, transport=mock, sleep=lambda _seconds: None)
    client.authorize({"Authorization": "Bearer secret"})
    get = Get(client, lambda _seconds: None, Connection("desk", "http://vendor.example", "secret"), "")
    expected = [{"id": 1}, "not json\n", {"id": 2}]
    assert list(get.lines("http://store.example/export.gz?signature=s", "export")) == expected
    assert list(get.lines("/exports/1", "export")) == expected
    assert seen == [None, None, "Bearer secret"]


def test_a_streams_own_function_makes_the_records_of_a_page_whole() -> None:
    def complete(get: Get, window: Window, records: Sequence[object]) -> Sequence[object]:
        assert window == WINDOW
        return [get(f"/things/{field_at(record, 'id')}", {}, "thing").body for record in records]

    stream = RestStream("things", path="/things", records="things", complete=complete)

    def reply(path: str, _parameters: dict[str, str]) -> Any:
        return {"things": [{"id": 1}, {"id": 2}]} if path == "/things" else {"whole": path}

    source = RestSource(name="shop", streams=(stream,))
    assert list(reader(source, reply).pages(WINDOW)) == [[{"whole": "/things/1"}, {"whole": "/things/2"}]]
