"""SendGrid's answers, and what is made of them: limits, export jobs that fail or fall short, days, lists."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest

from kizuna.answers import Answer, Verdict
from kizuna.asking import Get
from kizuna.http import Client, VendorContractError
from kizuna.reading import EPOCH, VendorCount, Window
from kizuna.rest import RestReader, RestStream
from kizuna.settings import Connection
from kizuna.sources.sendgrid import EXPORTS, SOURCE, judge_answer

DATE = "Sun, 22 Nov 2026 03:00:00 GMT"
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
WINDOW = Window(datetime(2026, 11, 14, 3, tzinfo=UTC), NOW)
ACCOUNT = Connection("sendgrid", "http://vendor.example", "token")
Reply = Callable[[httpx.Request], httpx.Response]


def reader(stream_name: str, reply: Reply, slept: list[float] | None = None) -> RestReader:
    stream = next(one for one in SOURCE.streams if one.name == stream_name)
    assert isinstance(stream, RestStream)

    def dated(request: httpx.Request) -> httpx.Response:
        response = reply(request)
        response.headers["date"] = DATE
        return response

    client = Client("sendgrid", "http://vendor.example", {}, transport=httpx.MockTransport(dated), judge=judge_answer)
    sleep = (lambda _seconds: None) if slept is None else slept.append
    return RestReader(SOURCE, stream, Get(client, sleep, ACCOUNT, ""))


def records(stream_name: str, reply: Reply, window: Window = WINDOW) -> list[Any]:
    return [record for page in reader(stream_name, reply).pages(window) for record in page]


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [(str(int(NOW.timestamp()) + 37), 37.0), ("12", 12.0), (str(int(NOW.timestamp()) - 5), 1.0)],
)
def test_a_limit_ends_when_the_vendor_says(reset: str, seconds: float) -> None:
    ruling = judge_answer(Answer(429, {"date": DATE, "x-ratelimit-reset": reset}, {"errors": []}))
    assert (ruling.verdict, ruling.wait_seconds) == (Verdict.RETRY_AFTER, seconds)


@pytest.mark.parametrize("headers", [{}, {"date": DATE, "x-ratelimit-reset": "soon"}])
def test_a_limit_without_an_end_is_waited_out(headers: dict[str, str]) -> None:
    assert judge_answer(Answer(429, headers, {"errors": []})).verdict is Verdict.RETRY_BACKOFF


def test_a_list_is_read_by_offsets_until_a_page_is_not_full() -> None:
    rows = [{"email": f"{number}@example.jp", "created": number} for number in range(501)]

    def reply(request: httpx.Request) -> httpx.Response:
        asked = {name: int(value) for name, value in request.url.params.items()}
        return httpx.Response(200, json=rows[asked["offset"] : asked["offset"] + asked["limit"]])

    assert records("bounces", reply) == rows


def exporting(status: str, contact_count: int, lines: list[bytes]) -> Reply:
    """A vendor whose export has this status, and writes these lines into two files."""

    def reply(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(202, json={"id": "j", "_metadata": {}})
        if request.url.path == f"{EXPORTS}/j":
            urls = [f"https://files.example/{part}?signed=1" for part in (0, 1)]
            return httpx.Response(200, json={"status": status, "urls": urls, "contact_count": contact_count})
        assert "authorization" not in request.headers
        part = int(request.url.path[1:])
        return httpx.Response(200, content=gzip.compress(b"\n".join(lines[part::2])))

    return reply


def test_an_export_is_read_from_all_its_files() -> None:
    lines = [orjson.dumps({"contact_id": str(number)}) for number in range(5)]
    found = records("contacts", exporting("ready", 5, lines))

    assert sorted(one["contact_id"] for one in found) == ["0", "1", "2", "3", "4"]


def test_an_export_that_holds_less_than_it_says_is_refused() -> None:
    lines = [orjson.dumps({"contact_id": "1"})]
    with pytest.raises(VendorContractError, match="the job wrote 3 contacts, its files hold 1"):
        records("contacts", exporting("ready", 3, lines))


def test_an_export_that_fails_is_refused() -> None:
    with pytest.raises(VendorContractError, match="the export job failed"):
        records("contacts", exporting("failure", 0, []))


def test_an_export_that_never_ends_is_given_up_after_an_hour() -> None:
    slept: list[float] = []
    with pytest.raises(VendorContractError, match="is not ready after"):
        list(reader("contacts", exporting("pending", 0, []), slept).pages(WINDOW))
    assert 3600 <= sum(slept) < 3700


def test_contacts_may_come_and_go_while_they_are_exported() -> None:
    def reply(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"contact_count": 40_000})

    assert reader("contacts", reply).count(WINDOW) == VendorCount(40_000, tolerance=200)


@pytest.mark.parametrize(("lower", "first_day"), [(WINDOW.lower, "2026-11-14"), (EPOCH, "2020-01-01")])
def test_figures_are_asked_for_by_day_from_the_windows_first(lower: datetime, first_day: str) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        assert dict(request.url.params) == {"start_date": first_day, "aggregated_by": "day"}
        return httpx.Response(200, json=[{"date": "2026-11-20", "stats": []}])

    assert records("stats", reply, Window(lower, NOW)) == [{"date": "2026-11-20", "stats": []}]


def test_figures_of_categories_are_asked_for_ten_at_a_time() -> None:
    names = [f"c{number}" for number in range(12)]
    asked: list[list[str]] = []

    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v3/categories":
            return httpx.Response(200, json=[{"category": name} for name in names])
        asked.append(request.url.params.get_list("categories"))
        figures = [{"name": name, "type": "category", "metrics": {}} for name in asked[-1]]
        return httpx.Response(200, json=[{"date": "2026-11-20", "stats": figures}])

    found = records("category_stats", reply)
    assert [len(chosen) for chosen in asked] == [10, 2]
    assert [one["name"] for one in found] == names
    assert {one["date"] for one in found} == {"2026-11-20"}
