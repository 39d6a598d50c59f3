"""Intercom as a source: what is searched for and counted, whole conversations, and the limit's own header."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from kizuna.answers import Answer, Verdict
from kizuna.asking import Get
from kizuna.http import Client, VendorContractError
from kizuna.reading import EPOCH, VendorCount, Window
from kizuna.rest import RestReader, RestStream
from kizuna.settings import Connection
from kizuna.sources.intercom import SOURCE, judge, search

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
WINDOW = Window(NOW - timedelta(hours=1), NOW)
DATE = {"Date": "Sun, 22 Nov 2026 03:00:00 GMT"}


def reader(name: str, reply: Callable[[str, Any], Any]) -> RestReader:
    stream = next(one for one in SOURCE.streams if one.name == name)
    assert isinstance(stream, RestStream)

    def transport(request: httpx.Request) -> httpx.Response:
        answered = reply(request.url.path, orjson.loads(request.content) if request.content else None)
        return httpx.Response(404 if answered is None else 200, json=answered or {}, headers=DATE)

    client = Client("intercom", "http://chat.example", {}, judge=judge, transport=httpx.MockTransport(transport))
    connection = Connection("intercom", "http://chat.example", "t")
    return RestReader(SOURCE, stream, Get(client, lambda _seconds: None, connection, ""))


def page(name: str, rows: list[Any], token: str | None = None, total: int = 0) -> dict[str, Any]:
    pages = {"type": "pages", "next": {"starting_after": token}} if token else {"type": "pages"}
    return {name: rows, "total_count": total or len(rows), "pages": pages}


def test_a_search_starts_two_days_earlier_because_a_day_is_compared_as_a_whole() -> None:
    asked = search(WINDOW, {"starting_after": "t"})
    assert asked["query"] == {"field": "updated_at", "operator": ">", "value": SECONDS - 3600 - 2 * 86_400}
    assert asked["pagination"] == {"per_page": 150, "starting_after": "t"}
    assert asked["sort"] == {"field": "updated_at", "order": "ascending"}
    assert search(Window(EPOCH, NOW), {})["query"]["value"] == 0


def test_a_search_is_walked_by_its_token() -> None:
    def reply(path: str, body: Any) -> Any:
        assert path == "/contacts/search"
        is_first = "starting_after" not in body["pagination"]
        return page("data", [{"id": "a"}], "next") if is_first else page("data", [{"id": "b"}])

    assert list(reader("contacts", reply).pages(WINDOW)) == [[{"id": "a"}], [{"id": "b"}]]


def test_contacts_that_change_after_the_window_are_not_counted_in_it() -> None:
    def reply(_path: str, body: Any) -> Any:
        assert body["sort"]["order"] == "descending"
        return page(
            "data", [{"updated_at": SECONDS + 5}, {"updated_at": SECONDS}, {"updated_at": SECONDS - 1}], total=9
        )

    assert reader("contacts", reply).count(WINDOW) == VendorCount(7, is_lower_bound=True)


def test_a_conversation_is_read_whole_if_it_changed_in_the_window_and_still_exists() -> None:
    asked: list[str] = []

    def reply(path: str, _body: Any) -> Any:
        asked.append(path)
        if path == "/conversations/search":
            rows = [{"id": "1", "updated_at": SECONDS - 9}, {"id": "2", "updated_at": SECONDS - 7200}]
            return page("conversations", [*rows, {"id": "3", "updated_at": SECONDS - 8}, {"id": "../me"}, "nonsense"])
        return {"id": "1", "whole": True} if path == "/conversations/1" else None

    assert list(reader("conversations", reply).pages(WINDOW)) == [
        [{"id": "1", "whole": True}, {"id": "../me"}, "nonsense"]
    ]
    assert asked == ["/conversations/search", "/conversations/1", "/conversations/3"]


def test_conversations_are_counted_once_each_by_walking_the_search() -> None:
    def reply(path: str, body: Any) -> Any:
        assert path == "/conversations/search"
        is_last = "starting_after" in body["pagination"]
        times = {"1": SECONDS - 3600, "2": SECONDS - 3601, "3": SECONDS, ("4" if is_last else "5"): SECONDS - 1}
        rows = [{"id": number, "updated_at": moment} for number, moment in times.items()]
        return page("conversations", rows, None if is_last else "t")

    assert reader("conversations", reply).count(WINDOW) == VendorCount(3, is_lower_bound=True)


@pytest.mark.parametrize("name", ["contacts", "conversations"])
def test_a_walk_in_circles_is_refused(name: str) -> None:
    rows = "data" if name == "contacts" else "conversations"
    opened = reader(name, lambda _path, _body: page(rows, [], "again"))
    with pytest.raises(VendorContractError, match="the page token repeats"):
        list(opened.pages(WINDOW))
    with pytest.raises(VendorContractError, match="the page token repeats"):
        list(opened.id_pages())


def test_an_error_inside_a_good_answer_is_no_empty_page() -> None:
    error = {"type": "error.list", "errors": [{"code": "server_error", "message": "customer@example.jp"}]}
    opened = reader("contacts", lambda _path, _body: error)
    with pytest.raises(VendorContractError, match="no list 'data' in the page") as refused:
        list(opened.pages(WINDOW))
    assert "customer@example.jp" not in str(refused.value)
    with pytest.raises(VendorContractError, match="no number 'total_count'"):
        opened.count(WINDOW)


@pytest.mark.parametrize(
    ("headers", "verdict", "wait"),
    [
        ({"x-ratelimit-reset": str(SECONDS + 8)}, Verdict.RETRY_AFTER, 8.0),
        ({"x-ratelimit-reset": str(SECONDS - 8)}, Verdict.RETRY_AFTER, 0.0),
        ({}, Verdict.RETRY_BACKOFF, 0.0),
        ({"retry-after": "3"}, Verdict.RETRY_AFTER, 3.0),
    ],
)
def test_the_wait_is_until_the_next_share_of_the_limit(headers: dict[str, str], verdict: Verdict, wait: float) -> None:
    ruling = judge(Answer(429, {**headers, "date": DATE["Date"]}))
    assert (ruling.verdict, ruling.wait_seconds) == (verdict, wait)


def test_other_answers_are_judged_as_everywhere() -> None:
    assert judge(Answer(401, {"x-ratelimit-reset": str(SECONDS + 8)})).verdict is Verdict.FATAL
    assert judge(Answer(200, {}, {})).verdict is Verdict.OK
