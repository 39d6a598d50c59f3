"""Klaviyo's answers, and what is made of them: windows, members of every list, counts, who is there all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from kizuna.asking import Get
from kizuna.http import Client, VendorContractError
from kizuna.reading import EPOCH, VendorCount, Window
from kizuna.rest import RestReader, RestStream
from kizuna.settings import Connection
from kizuna.sources.klaviyo import REVISION, SOURCE

WINDOW = Window(datetime(2026, 11, 21, 3, tzinfo=UTC), datetime(2026, 11, 22, 3, tzinfo=UTC))
Reply = Callable[[str, dict[str, str]], Any]


def reader(stream_name: str, reply: Reply) -> RestReader:
    stream = next(one for one in SOURCE.streams if one.name == stream_name)
    assert isinstance(stream, RestStream)

    def transport(request: httpx.Request) -> httpx.Response:
        body = reply(request.url.path, dict(request.url.params))
        return httpx.Response(404, json={"errors": []}) if body is None else httpx.Response(200, json=body)

    client = Client("klaviyo", "http://vendor.example", {}, transport=httpx.MockTransport(transport))
    account = Connection("klaviyo", "http://vendor.example", "token")
    return RestReader(SOURCE, stream, Get(client, lambda _seconds: None, account, ""))


def records(stream_name: str, reply: Reply, window: Window = WINDOW) -> list[Any]:
    return [record for page in reader(stream_name, reply).pages(window) for record in page]


def test_the_revision_is_pinned_and_sent_with_every_request() -> None:
    assert SOURCE.headers == {"revision": REVISION} == {"revision": "2026-07-15"}


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ("profiles", "greater-than(updated,2026-11-21T02:59:59Z)"),
        ("events", "greater-or-equal(datetime,2026-11-21T03:00:00Z)"),
    ],
)
def test_a_window_starts_no_later_than_its_first_second(stream: str, expected: str) -> None:
    def reply(_path: str, asked: dict[str, str]) -> Any:
        assert asked["filter"] == expected
        return {"data": [{"id": "1"}], "links": {"self": "http://x"}}

    assert records(stream, reply) == [{"id": "1"}]


@pytest.mark.parametrize("stream", ["profiles", "events"])
def test_the_first_window_has_no_filter(stream: str) -> None:
    def reply(_path: str, asked: dict[str, str]) -> Any:
        assert "filter" not in asked
        return {"data": [], "links": {}}

    assert records(stream, reply, Window(EPOCH, WINDOW.upper)) == []


def test_consent_is_asked_for_with_profiles() -> None:
    def reply(_path: str, asked: dict[str, str]) -> Any:
        assert asked["additional-fields[profile]"] == "subscriptions"
        return {"data": [], "links": {}}

    assert records("profiles", reply) == []


# Two lists, one of them listed twice; of the third the vendor says that it is gone.
LISTS = [{"id": "A"}, {"id": "B"}, {"id": "A"}, {"id": "C"}]
PEOPLE = {"A": ["1", "2"], "B": ["1"]}


def lists(path: str, asked: dict[str, str]) -> Any:
    words = path.split("/")
    if path == "/api/lists":
        return {"data": LISTS, "links": {}}
    if words[3] not in PEOPLE:
        return None
    if words[-1] != "profiles":
        return {"data": {"attributes": {"profile_count": 1000 * len(PEOPLE[words[3]])}}}
    position = int(asked.get("page[cursor]", "0"))
    following = {"next": f"http://elsewhere.example/?page%5Bcursor%5D={position + 1}"}
    return {
        "data": [{"type": "profile", "id": PEOPLE[words[3]][position]}],
        "links": following if position + 1 < len(PEOPLE[words[3]]) else {},
    }


def test_every_list_is_walked_once_and_one_that_is_gone_is_passed_over() -> None:
    found = [(one["group_id"], one["id"]) for one in records("list_members", lists)]
    assert found == [("A", "1"), ("A", "2"), ("B", "1")]


def test_members_are_counted_by_the_vendor_give_or_take_those_who_move() -> None:
    assert reader("list_members", lists).count(WINDOW) == VendorCount(3000, tolerance=30)


@pytest.mark.parametrize(("record_id", "there"), [("A/1", 1), ("Z/1", 0), ("A/gone", 0)])
def test_who_was_not_shown_is_asked_for(record_id: str, there: int) -> None:
    def reply(path: str, _asked: dict[str, str]) -> Any:
        return {"data": [{"type": "list", "id": "A"}]} if path == "/api/profiles/1/relationships/lists" else None

    assert reader("list_members", reply).still_there([record_id]) == there


def test_a_page_without_a_list_is_refused() -> None:
    with pytest.raises(VendorContractError, match="no list 'data' in the page"):
        records("segment_members", lambda _path, _asked: {"errors": []})


def test_a_list_whose_next_page_is_one_it_had_is_refused_and_not_walked_for_ever() -> None:
    def reply(path: str, _asked: dict[str, str]) -> Any:
        if path == "/api/lists":
            return {"data": [{"id": "A"}], "links": {}}
        return {"data": [{"id": "1"}], "links": {"next": "http://elsewhere.example/?page%5Bcursor%5D=again"}}

    with pytest.raises(VendorContractError, match="the page token repeats"):
        records("list_members", reply)
