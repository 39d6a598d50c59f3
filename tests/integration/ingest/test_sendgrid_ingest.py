"""SendGrid against the sandbox: every stream lands whole, removals show, jobs and limits are waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from kizuna import landing, rest
from kizuna.http import Client, VendorContractError
from kizuna.settings import Connection
from kizuna.sources.sendgrid import LISTS, SOURCE
from sandbox.app import create_app
from sandbox.in_process import InProcess, time_out
from sandbox.sendgrid.accounts import MailAccount
from sandbox.world import invent_world
from tests.contract.tap import Contracts, ContractTap

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from kizuna.landing import Landing

Query = Callable[..., list[tuple[Any, ...]]]
DAY = 86_400


class HealthyContracts(Contracts):
    """No specification describes a server that is out of order."""

    def check(self, request: httpx.Request, response: httpx.Response) -> None:
        if response.status_code < 500:
            super().check(request, response)


class SendGrid:
    """The sandbox of one test, and landing from it."""

    def __init__(self, app: Any, warehouse_url: str, now: list[float]) -> None:
        self.app, self.warehouse_url, self.now = app, warehouse_url, now
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now[0] += seconds

    def land(self, stream: str) -> Landing:
        declared = next(one for one in SOURCE.streams if one.name == stream)
        account = Connection("sendgrid", "http://sandbox/sendgrid", "sandbox-token")
        return landing.land_stream(SOURCE, declared, account, self.warehouse_url, "run", sleep=self.sleep)

    def fault(self, kind: str, **details: Any) -> None:
        self.app.state.faults.add("sendgrid", kind, **details)

    def requests(self) -> int:
        return sum(self.app.state.stats.requests.get("sendgrid", {}).values())

    @property
    def clock(self) -> Any:
        return self.app.state.setting.clock


@pytest.fixture
def opened(
    warehouse_url: str, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., SendGrid]]:
    apps = []

    def start(customers: int = 500, **limits: Any) -> SendGrid:
        now = [1000.0]
        world = invent_world(customers, 3, date(2026, 11, 22))
        app = create_app(world, tmp_path, sleep=time_out, monotonic=lambda: now[0], **limits)
        apps.append(app)
        tap = ContractTap(InProcess(app), HealthyContracts(shared))
        monkeypatch.setattr(rest, "Client", partial(Client, transport=tap))
        return SendGrid(app, warehouse_url, now)

    yield start
    for app in apps:
        app.state.setting.state.close()


@pytest.fixture
def sendgrid(opened: Callable[..., SendGrid]) -> SendGrid:
    return opened()


@pytest.mark.parametrize("stream", [*LISTS, "group_unsubscribes", "contacts", "stats", "category_stats"])
def test_every_stream_lands_whole_and_twice_is_once(sendgrid: SendGrid, query: Query, stream: str) -> None:
    first = sendgrid.land(stream)
    sendgrid.clock.advance(1)
    second = sendgrid.land(stream)

    assert first.landed_count == first.read_count > 0
    assert (first.quarantined_count, second.landed_count) == (0, 0)
    assert query(f"select count(distinct _record_id), count(*) from raw.sendgrid__{stream}") == [
        (first.read_count, first.read_count)
    ]


@pytest.mark.parametrize("stream", [*LISTS, "group_unsubscribes", "stats"])
def test_without_change_a_stream_takes_two_requests(sendgrid: SendGrid, stream: str) -> None:
    sendgrid.land(stream)
    sendgrid.clock.advance(1)
    before = sendgrid.requests()
    sendgrid.land(stream)

    assert sendgrid.requests() - before == 2


@pytest.mark.parametrize("kind", [*LISTS, "group_unsubscribes"])
def test_a_list_is_the_vendors_after_people_were_added_and_removed(sendgrid: SendGrid, query: Query, kind: str) -> None:
    sendgrid.land(kind)
    sendgrid.clock.advance(60 * DAY)
    sendgrid.land(kind)

    there = sorted(
        (one.email, one.created)
        for one in MailAccount(sendgrid.app.state.setting.world).suppressed(kind, sendgrid.clock.now())
    )
    time = "created_at" if kind == "group_unsubscribes" else "created"
    assert (
        sorted(
            query(f"""
            select payload ->> 'email', (payload ->> '{time}')::bigint
            from (select distinct on (_record_id) * from raw.sendgrid__{kind} order by _record_id, _sequence desc) as l
            where not _is_deleted
        """)
        )
        == there
    )


def test_no_address_is_in_a_key(sendgrid: SendGrid, query: Query) -> None:
    for stream in (*LISTS, "group_unsubscribes"):
        sendgrid.land(stream)
        assert query(f"select count(*) from raw.sendgrid__{stream} where _record_id !~ '^[0-9a-f]{{64}}$'") == [(0,)]


def test_a_page_dropped_once_is_found_by_the_second_reading(sendgrid: SendGrid) -> None:
    whole = len(MailAccount(sendgrid.app.state.setting.world).suppressed("blocks", sendgrid.clock.now()))
    sendgrid.fault("dropped_page", operation="GET suppression/blocks", after=1)

    assert sendgrid.land("blocks").read_count == whole


def test_pages_that_keep_vanishing_land_nothing(sendgrid: SendGrid, query: Query) -> None:
    sendgrid.land("blocks")
    before = query("select count(*) from raw.sendgrid__blocks")
    sendgrid.clock.advance(1)
    sendgrid.fault("dropped_page", times=100, operation="GET suppression/blocks")

    with pytest.raises(landing.EmptySnapshotError, match="refusing to mark them all deleted"):
        sendgrid.land("blocks")
    assert query("select count(*) from raw.sendgrid__blocks") == before


def test_a_row_sent_twice_is_landed_once(sendgrid: SendGrid, query: Query) -> None:
    sendgrid.fault("duplicate_row", times=100)
    landed = sendgrid.land("bounces")

    assert query("select count(*) from raw.sendgrid__bounces") == [(landed.read_count,)]


@pytest.mark.parametrize("kind", ["rate_limit", "server_error", "timeout", "cut_off"])
@pytest.mark.parametrize("stream", ["blocks", "contacts"])
def test_passing_trouble_is_waited_out(sendgrid: SendGrid, stream: str, kind: str) -> None:
    sendgrid.fault(kind, times=2, after=1)

    assert sendgrid.land(stream).landed_count > 0


def test_a_limit_is_waited_for_exactly_as_long_as_the_vendor_says(opened: Callable[..., SendGrid]) -> None:
    sendgrid = opened(30, sendgrid_requests_per_minute=1)
    sendgrid.land("blocks")

    assert len(sendgrid.slept) == 1
    assert 60 <= sendgrid.slept[0] < 62


def test_a_download_cut_in_half_is_started_again(opened: Callable[..., SendGrid]) -> None:
    sendgrid = opened(sendgrid_contacts_per_file=150)
    sendgrid.fault("cut_off", times=2, after=1, operation="GET contact-exports")
    landed = sendgrid.land("contacts")

    assert landed.landed_count == landed.vendor_count > 150


def test_an_export_that_fails_lands_nothing_and_the_next_run_asks_for_another(
    opened: Callable[..., SendGrid], query: Query
) -> None:
    sendgrid = opened(sendgrid_failing_exports=1)
    with pytest.raises(VendorContractError, match="the export job failed"):
        sendgrid.land("contacts")
    assert query("select count(*) from raw.sendgrid__contacts") == [(0,)]

    assert sendgrid.land("contacts").landed_count > 0


def test_a_slow_export_is_asked_for_at_growing_intervals(opened: Callable[..., SendGrid]) -> None:
    sendgrid = opened(30, sendgrid_polls_until_ready=8)
    sendgrid.land("contacts")

    assert sendgrid.slept == sorted(sendgrid.slept)
    assert (sendgrid.slept[0], len(sendgrid.slept)) == (2.0, 7)


def test_contacts_who_were_deleted_are_marked(opened: Callable[..., SendGrid], query: Query) -> None:
    sendgrid = opened(800)
    first = sendgrid.land("contacts")
    sendgrid.clock.advance(90 * DAY)
    sendgrid.land("contacts")

    (deleted,) = query("select count(*) from raw.sendgrid__contacts where _is_deleted")
    assert 0 < deleted[0] < first.read_count


def test_figures_of_the_last_days_are_read_again_until_they_stand_still(sendgrid: SendGrid, query: Query) -> None:
    sendgrid.land("stats")
    for _ in range(4):
        sendgrid.clock.advance(DAY)
        sendgrid.land("stats")

    latest = """
        select distinct on (_record_id) _record_id, (payload #>> '{stats,0,metrics,opens}')::int
        from raw.sendgrid__stats order by _record_id, _sequence desc
    """
    account, now = MailAccount(sendgrid.app.state.setting.world), sendgrid.clock.now()
    known = account.statistics(now // DAY - 60, now // DAY, now)
    landed = dict(query(latest))
    for day in range(now // DAY - 60, now // DAY + 1):
        told = sum(count["opens"] for (at, _), count in known.items() if at == day)
        assert landed[datetime.fromtimestamp(day * DAY, UTC).date().isoformat()] == told
    versions = dict(query("select _record_id, count(*) from raw.sendgrid__stats group by 1"))
    assert versions["2026-11-22"] > 1
    assert versions["2026-11-01"] == 1
    assert query("select count(*) from raw.sendgrid__stats where _is_deleted") == [(0,)]
