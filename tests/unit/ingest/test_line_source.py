"""What LINE's streams ask for, given what raw has: each day, unit and profile once, and only while it can change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from kizuna.asking import Get
from kizuna.http import Client, VendorContractError
from kizuna.reading import EPOCH, Window
from kizuna.settings import Connection
from kizuna.sources import line

# Half past midnight on 22 November in Japan.
NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
FIRST = Window(EPOCH, NOW)
NEXT = Window(NOW - timedelta(days=1), NOW)


class Vendor:
    """Answers from a table of paths and remembers what was asked."""

    def __init__(self, answers: dict[str, Any], extra: dict[str, str] | None = None) -> None:
        self.answers, self.asked = answers, []  # type: ignore[var-annotated]
        client = Client("line", "http://vendor.example", {}, transport=httpx.MockTransport(self.answer))
        account = Connection("line", "http://vendor.example", "token", extra or {})
        self.get = Get(client, lambda _seconds: None, account, "")

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.url.path, dict(request.url.params)))
        answered = self.answers[request.url.path]
        body = answered(dict(request.url.params)) if callable(answered) else answered
        headers = {"Date": "Sat, 21 Nov 2026 15:30:00 GMT"}
        return body if isinstance(body, httpx.Response) else httpx.Response(200, json=body, headers=headers)


@pytest.fixture
def raw(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What raw answers to whatever it is asked."""
    rows: list[tuple[Any, ...]] = []
    monkeypatch.setattr(line, "ask_raw", lambda _get, _query, _values: rows)
    return rows


def test_the_first_days_are_the_last_thirty_in_japan(raw: list[tuple[Any, ...]]) -> None:
    days = line.due_days(Vendor({}).get, FIRST)
    assert (days[0], days[-1], len(days)) == (date(2026, 10, 23), date(2026, 11, 21), 30)


def test_a_ready_day_is_not_asked_for_again_and_an_unready_one_is(raw: list[tuple[Any, ...]]) -> None:
    raw += [("2026-11-18", True), ("2026-11-19", True), ("2026-11-20", False)]
    assert line.due_days(Vendor({}).get, NEXT) == [date(2026, 11, 20), date(2026, 11, 21)]


def test_a_day_that_stays_unready_is_given_up_and_one_that_was_never_read_is_not(raw: list[tuple[Any, ...]]) -> None:
    raw += [("2026-11-06", True), ("2026-11-07", False), ("2026-11-08", False)]
    raw += [(f"2026-11-{day:02}", True) for day in range(10, 22)]
    assert line.due_days(Vendor({}).get, NEXT) == [date(2026, 11, 8), date(2026, 11, 9)]


def test_a_long_pause_is_made_up_oldest_day_first_below_the_limit(raw: list[tuple[Any, ...]]) -> None:
    raw += [("2026-08-01", True)]
    days = line.due_days(Vendor({}).get, NEXT)
    assert (days[0], len(days)) == (date(2026, 8, 2), line.MOST_DAYS)


def test_days_before_the_first_known_are_read_when_asked_for(raw: list[tuple[Any, ...]]) -> None:
    raw += [("2026-11-21", True)]
    backfill = Window(datetime(2026, 11, 18, 15, tzinfo=UTC), NOW)
    assert line.due_days(Vendor({}).get, backfill) == [date(2026, 11, 19), date(2026, 11, 20)]


def test_a_day_is_asked_for_in_the_vendors_form_and_kept_in_ours(raw: list[tuple[Any, ...]]) -> None:
    raw += [("2026-11-20", True)]
    vendor = Vendor({"/v2/bot/insight/followers": {"status": "ready", "followers": 3}})
    assert list(line.read_days(vendor.get, NEXT)) == [[{"status": "ready", "followers": 3, "date": "2026-11-21"}]]
    assert vendor.asked == [("/v2/bot/insight/followers", {"date": "20261121"})]


def test_a_profile_that_is_not_there_is_remembered_as_not_found(raw: list[tuple[Any, ...]]) -> None:
    raw += [("U1",), ("U2",)]
    found = {"userId": "U1", "displayName": "花"}
    vendor = Vendor({"/v2/bot/profile/U1": found, "/v2/bot/profile/U2": httpx.Response(404, json={"message": "no"})})
    asked = {"askedAt": NOW.isoformat()}
    assert list(line.read_profiles(vendor.get, FIRST)) == [
        [{**found, **asked, "isFound": True}, {"userId": "U2", **asked, "isFound": False}]
    ]


def test_a_profile_is_kept_under_the_id_that_was_asked_for(raw: list[tuple[Any, ...]]) -> None:
    raw += [("U1",)]
    vendor = Vendor({"/v2/bot/profile/U1": {"userId": "U9", "displayName": "花"}})
    [[profile]] = line.read_profiles(vendor.get, FIRST)
    assert profile["userId"] == "U1"  # type: ignore[index]


def units(*names: str) -> Vendor:
    return Vendor({"/v2/bot/message/aggregation/list": {"customAggregationUnits": list(names)}})


def test_a_unit_is_asked_for_up_to_yesterday_once_a_day(raw: list[tuple[Any, ...]]) -> None:
    raw += [("2026-11", "a", "2026-11-22"), ("2026-11", "b", "2026-11-21")]
    due = line.due_units(units("a", "b", "c").get, NEXT)
    november = (date(2026, 11, 1), date(2026, 11, 21))
    assert due == [("c", *november), ("b", *november)]


@pytest.mark.parametrize(("day", "asked_for"), [(1, 1), (15, 1), (16, 0)])
def test_last_months_units_are_asked_for_while_they_grow(raw: list[tuple[Any, ...]], day: int, asked_for: int) -> None:
    raw += [("2026-10", "a", "2026-10-31"), ("2026-09", "a", "2026-09-30")]
    window = Window(EPOCH, datetime(2026, 11, day, 3, tzinfo=UTC))
    due = line.due_units(units().get, window)
    assert due == [("a", date(2026, 10, 1), date(2026, 10, 31))] * asked_for


def test_on_the_first_of_a_month_nothing_of_it_is_over_yet(raw: list[tuple[Any, ...]]) -> None:
    vendor = units("a")
    assert line.due_units(vendor.get, Window(EPOCH, datetime(2026, 11, 1, 3, tzinfo=UTC))) == []
    assert vendor.asked == []


def test_the_units_of_this_month_are_not_asked_for_in_another(raw: list[tuple[Any, ...]]) -> None:
    assert line.due_units(units("a").get, Window(EPOCH, datetime(2026, 8, 20, 3, tzinfo=UTC))) == []


def test_more_units_than_an_hour_allows_take_turns(raw: list[tuple[Any, ...]]) -> None:
    names = [f"u{number:03}" for number in range(line.MOST_UNITS + 20)]
    raw += [("2026-11", name, "2026-11-21") for name in names[: line.MOST_UNITS]]
    due = [unit for unit, *_ in line.due_units(units(*names).get, NEXT)]
    assert due == [*names[line.MOST_UNITS :], *names[: line.MOST_UNITS - 20]]


def test_all_pages_of_units_are_read_once_in_an_opening(raw: list[tuple[Any, ...]]) -> None:
    pages = {None: {"customAggregationUnits": ["a"], "next": "t"}, "t": {"customAggregationUnits": ["b"]}}
    vendor = Vendor({"/v2/bot/message/aggregation/list": lambda parameters: pages[parameters.get("start")]})
    assert [line.units_in_use(vendor.get) for _ in range(2)] == [(date(2026, 11, 1), ("a", "b"))] * 2
    assert len(vendor.asked) == 2


def test_a_page_token_of_units_that_repeats_ends_the_walk(raw: list[tuple[Any, ...]]) -> None:
    vendor = Vendor({"/v2/bot/message/aggregation/list": {"customAggregationUnits": ["a"], "next": "t"}})
    with pytest.raises(VendorContractError, match="repeats"):
        line.units_in_use(vendor.get)


def test_the_figures_of_a_unit_carry_what_was_asked(raw: list[tuple[Any, ...]]) -> None:
    path = "/v2/bot/insight/message/event/aggregation"
    told = {"overview": {"uniqueImpression": 40}, "messages": [], "clicks": []}
    vendor = units("a")
    vendor.answers[path] = told
    period = {"customAggregationUnit": "a", "month": "2026-11", "to": "2026-11-21", "askedOn": "2026-11-22"}
    assert list(line.read_units(vendor.get, NEXT)) == [[{**told, **period}]]
    assert vendor.asked[-1] == (path, {"customAggregationUnit": "a", "from": "20261101", "to": "20261121"})


def test_the_friends_are_described_once_a_day(raw: list[tuple[Any, ...]]) -> None:
    vendor = Vendor({"/v2/bot/insight/demographic": {"available": False}})
    assert list(line.read_demographic(vendor.get, NEXT)) == [[{"available": False, "askedOn": "2026-11-22"}]]
    raw += [()]
    assert list(line.read_demographic(vendor.get, NEXT)) == []


def test_nonces_are_read_where_the_connection_says(raw: list[tuple[Any, ...]]) -> None:
    assert list(line.read_nonces(Vendor({}).get, NEXT)) == []
    nonce = {"nonce": "n1", "customerId": "c1", "issuedAt": "2026-11-01T00:00:00+09:00"}
    vendor = Vendor({"/nonces": nonce}, {"account_link_nonces": "/nonces"})
    assert list(line.read_nonces(vendor.get, NEXT)) == [[nonce]]
