"""Reading REST: every page, the windows a stream writes, LINE's count of yesterday, and no endless walk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from kizuna.http import Client, VendorContractError
from kizuna.reading import EPOCH, VendorCount, Window
from kizuna.rest import Get, RestReader, RestSource, RestStream, TokenPages
from kizuna.sources.line import SOURCE as LINE

# 00:30 on the 22nd in Japan is still the 21st in UTC.
WINDOW = Window(EPOCH, datetime(2026, 11, 21, 15, 30, tzinfo=UTC))
PAGES = TokenPages(parameter="start", field="next")

Reply = Callable[[str, dict[str, str]], Any]


def reader(source: RestSource, reply: Reply) -> RestReader:
    def transport(request: httpx.Request) -> httpx.Response:
        body = reply(request.url.path, dict(request.url.params))
        return httpx.Response(200, json=body, headers={"Date": "Sun, 22 Nov 2026 03:00:00 GMT"})

    client = Client(source.name, "http://vendor.example", {}, transport=httpx.MockTransport(transport))
    return RestReader(source, source.streams[0], client)


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

    client = Client("line", "http://vendor.example", {}, transport=httpx.MockTransport(reply))
    assert RestReader(LINE, LINE.streams[0], client).still_there(["U1"]) == there


def test_a_stream_writes_its_window_as_parameters() -> None:
    def count(_get: Get, _window: Window) -> VendorCount:
        return VendorCount(0)

    def parameters(window: Window) -> dict[str, str]:
        return {"updated_before": window.upper.isoformat()}

    stream = RestStream("tickets", "/tickets", "tickets", "id", PAGES, count, updated="updated_at", window=parameters)
    source = RestSource("desk", clock_path="/me", streams=(stream,))

    def reply(_path: str, asked: dict[str, str]) -> Any:
        assert asked == {"updated_before": "2026-11-21T15:30:00+00:00"}
        return {"tickets": [{"id": 1}]}

    assert list(reader(source, reply).pages(WINDOW)) == [[{"id": 1}]]


def test_the_clock_is_the_vendors() -> None:
    assert reader(LINE, lambda _path, _parameters: {}).now() == datetime(2026, 11, 22, 3, tzinfo=UTC)
