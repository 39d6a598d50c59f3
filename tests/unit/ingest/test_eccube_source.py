"""Reading EC-CUBE: errors by their texts, spans cut until each answer is whole, what leaves no stamp."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from kizuna.answers import Answer, Verdict
from kizuna.eccube.api import SearchReader, judge_eccube
from kizuna.http import Client, VendorContractError
from kizuna.reading import EPOCH, Reader, Window
from kizuna.settings import Connection
from kizuna.sources.eccube import SOURCE, STREAMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CUSTOMERS, ORDERS, PRODUCTS = STREAMS
Rows = list[tuple[str, datetime]]


class NoHints(Reader):
    """An inbox in which nothing has arrived, or what a test puts there."""

    def __init__(self, *hints: dict[str, Any]) -> None:
        self.hints, self.cursor = hints, "seen"

    def start(self, lower: datetime, cursor: str | None) -> datetime:
        return lower

    def pages(self, window: Window) -> Iterator[list[Any]]:
        yield [{"body": hint} for hint in self.hints]


def reader(stream: Any, reply: Callable[[dict[str, Any]], Any], *hints: dict[str, Any], limit: int = 3) -> SearchReader:
    def transport(request: httpx.Request) -> httpx.Response:
        data = reply(orjson.loads(request.content))
        return httpx.Response(200, json={"data": data}, headers={"Date": "Sun, 22 Nov 2026 12:00:00 GMT"})

    client = Client("eccube", "http://shop.example", {}, transport=httpx.MockTransport(transport))
    return SearchReader(replace(stream, limit=limit), client, NoHints(*hints))  # type: ignore[arg-type]


def shop(name: str, rows: Rows, asked: list[dict[str, Any]] | None = None) -> Callable[[dict[str, Any]], Any]:
    """A shop that searches `rows` (id, update_date) as EC-CUBE does, and notes the variables it was asked with."""

    def reply(body: dict[str, Any]) -> Any:
        variables = body["variables"]
        if asked is not None:
            asked.append(variables)
        low = datetime.fromisoformat(variables.get("update_datetime_start", EPOCH.isoformat()))
        high = datetime.fromisoformat(variables.get("update_datetime_end", "9999-01-01T00:00:00+00:00"))
        found = [{"id": key, "update_date": at.isoformat()} for key, at in rows if low <= at < high]
        page = {"nodes": found[: variables["limit"]], "totalCount": len(found), "pageInfo": {"hasNextPage": False}}
        return {name: page}

    return reply


def read(opened: SearchReader, window: Window) -> list[str]:
    return [record["id"] for page in opened.pages(window) for record in page]


@pytest.mark.parametrize(
    ("message", "verdict", "next_step"),
    [
        ("Insufficient permission. (read)", Verdict.FATAL, "kizuna authorize eccube"),
        ('Variable "$at" got invalid value; DateTime parse error, please specify', Verdict.FATAL, "report this fault"),
        ("Internal server error", Verdict.RETRY_BACKOFF, ""),
        ('Cannot query field "x" on type "Order".', Verdict.FATAL, "the shop's own schema"),
    ],
)
def test_errors_with_status_200_are_told_by_their_texts_and_none_is_repeated(
    message: str, verdict: Verdict, next_step: str
) -> None:
    ruling = judge_eccube(Answer(200, body={"errors": [{"message": message}], "data": None}))
    assert ruling.verdict is verdict
    assert next_step in ruling.next_step
    assert message not in ruling.reason


def test_other_answers_are_judged_as_always() -> None:
    assert judge_eccube(Answer(200, body={"data": {}})).verdict is Verdict.OK
    assert judge_eccube(Answer(503)).verdict is Verdict.RETRY_BACKOFF
    assert judge_eccube(Answer(200, is_json=False)).verdict is Verdict.RETRY_BACKOFF, "a page of maintenance"
    assert "kizuna authorize eccube" in judge_eccube(Answer(401)).next_step


def test_every_search_names_its_statuses_and_sorts_by_id() -> None:
    asked: list[dict[str, Any]] = []
    for stream in STREAMS:
        reader(stream, shop(stream.name, [], asked)).start(NOW - timedelta(hours=1), None)
    assert asked[0]["customer_status"] == ["1", "2", "3"]
    assert {"7", "8"} <= set(asked[1]["status"])
    assert (asked[0]["sortkey"], asked[1]["sortkey"], asked[1]["sorttype"]) == ("customer_id", "orderer", "a")
    assert asked[2]["status"] == ["1", "2", "3"]
    assert {variables["update_datetime_start"] for variables in asked} == {"2026-11-22T11:00:00+00:00"}


def test_the_first_answer_is_the_window_and_leaves_what_is_too_new() -> None:
    rows = [("1", NOW - timedelta(minutes=30)), ("2", NOW - timedelta(seconds=30))]
    asked: list[dict[str, Any]] = []
    opened = reader(CUSTOMERS, shop("customers", rows, asked))
    assert opened.start(NOW - timedelta(hours=1), None) == NOW
    window = Window(NOW - timedelta(hours=1), NOW - timedelta(minutes=2))

    assert read(opened, window) == ["1"]
    assert opened.count(window).count == 1
    assert len(asked) == 1
    assert read(opened, window) == ["1"], "a second walk asks again"
    assert len(asked) == 2


def test_spans_are_cut_until_every_answer_holds_all_of_its_span() -> None:
    rows = [(str(number), NOW - timedelta(hours=1, seconds=number)) for number in range(100)]
    asked: list[dict[str, Any]] = []
    opened = reader(CUSTOMERS, shop("customers", rows, asked))
    window = Window(EPOCH, NOW)

    assert sorted(read(opened, window), key=int) == [key for key, _ in rows]
    assert opened.count(window).count == 100
    assert {variables["limit"] for variables in asked} == {3}


def test_a_second_with_more_than_an_answer_is_asked_for_with_a_longer_one() -> None:
    rows = [(str(number), NOW - timedelta(hours=1)) for number in range(50)]
    opened = reader(CUSTOMERS, shop("customers", rows))
    assert len(read(opened, Window(EPOCH, NOW))) == 50


def test_a_row_that_moves_away_while_a_window_is_read_loses_no_other() -> None:
    """What page numbers do wrong: a row that leaves the first page pulls another one over the edge, unseen."""
    rows = [(str(number), NOW - timedelta(hours=2, seconds=number)) for number in range(30)]
    answered = shop("customers", rows)

    def moving(body: dict[str, Any]) -> Any:
        data = answered(body)
        if 0 < data["customers"]["totalCount"] <= 3 and rows[-1] != ("5", NOW):
            rows.remove(("5", NOW - timedelta(hours=2, seconds=5)))
            rows.append(("5", NOW))
        return data

    assert set(read(reader(CUSTOMERS, moving), Window(EPOCH, NOW))) >= {str(n) for n in range(30) if n != 5}


def test_open_orders_are_read_again_and_once_a_day_shipped_ones() -> None:
    asked: list[dict[str, Any]] = []
    for lower in (NOW - timedelta(hours=1), NOW - timedelta(hours=13)):
        list(reader(ORDERS, shop("orders", [], asked)).pages(Window(lower, NOW)))
    reread = [variables for variables in asked if "order_datetime_start" in variables]

    assert [variables["status"] for variables in reread] == [["1", "4", "6"], ["1", "4", "5", "6", "9"]]
    assert reread[0]["update_datetime_end"] == "2026-11-22T11:00:00+00:00", "what changed is in the window already"
    assert reread[0]["order_datetime_start"] == (NOW - timedelta(days=90)).isoformat()
    assert reread[1]["order_datetime_start"] == (NOW - timedelta(days=14)).isoformat()


def test_a_first_reading_reads_nothing_again() -> None:
    asked: list[dict[str, Any]] = []
    list(reader(ORDERS, shop("orders", [], asked)).pages(Window(EPOCH, NOW)))
    assert not [variables for variables in asked if "order_datetime_start" in variables]


def test_hinted_records_are_asked_for_by_id_and_the_missing_told_as_deleted() -> None:
    hints = [
        {"entity": "customer", "id": 7, "action": "updated"},
        {"entity": "customer", "id": 7, "action": "updated"},
        {"entity": "customer", "id": 8, "action": "deleted"},
        {"entity": "customer", "id": 9, "action": "updated"},
        {"entity": "order", "id": 1, "action": "updated"},
        {"entity": "customer", "id": 'x") { id } } #', "action": "updated"},
    ]
    empty = shop("customers", [])

    def reply(body: dict[str, Any]) -> Any:
        if "by_id" not in body["query"]:
            return empty(body)
        assert body["query"].count("customer(id:") == 3
        return {
            "customer_7": {"id": "7", "update_date": "2026-11-01T00:00:00+09:00"},
            "customer_8": None,
            "customer_9": {"id": "9", "update_date": "2026-11-22T11:30:00+00:00"},
        }

    opened = reader(CUSTOMERS, reply, *hints)
    opened.start(NOW - timedelta(hours=1), "seen before")
    window = Window(NOW - timedelta(hours=1), NOW)
    pages = [record for page in opened.pages(window) for record in page]

    assert pages == [
        {"id": "7", "update_date": "2026-11-01T00:00:00+09:00"},
        {**CUSTOMERS.nothing(), "id": "8", "is_deleted": True, "update_date": "2026-11-22T12:00:00+00:00"},
    ]
    assert {"email", "Status", "Pref"} <= CUSTOMERS.nothing().keys(), "the raw gate asks for the fields staging reads"
    assert "name" not in CUSTOMERS.nothing()
    assert opened.count(window).count == 2


def test_an_answer_without_a_count_is_refused() -> None:
    def reply(_body: dict[str, Any]) -> Any:
        return {"customers": {"nodes": [], "pageInfo": {}}}

    with pytest.raises(VendorContractError, match="no totalCount"):
        reader(CUSTOMERS, reply).start(EPOCH, None)


def test_the_web_api_has_no_carts_and_moves_no_watermark_for_them() -> None:
    account = Connection("eccube", "http://shop.example", "secret")
    with SOURCE.open("carts", account, lambda _seconds: None, warehouse_url="") as opened:
        assert opened.start(EPOCH, None) == EPOCH
        assert list(opened.pages(Window(EPOCH, NOW))) == []


def test_windows_stay_behind_commits_and_overlap() -> None:
    assert SOURCE.hold_back >= timedelta(seconds=60)
    assert SOURCE.overlap >= timedelta(minutes=2)
