"""Zendesk from the sandbox to raw, every exchange checked against what is public of the vendor's specification."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from kizuna import landing, rest
from kizuna.asking import Get
from kizuna.http import Client, VendorRefusedError
from kizuna.landing import Landing, ReconciliationError
from kizuna.reading import Span
from kizuna.settings import Connection
from kizuna.sources.zendesk import SOURCE
from sandbox.app import create_app
from sandbox.in_process import InProcess, time_out
from sandbox.support_cases import moment_of
from sandbox.world import invent_world
from sandbox.zendesk.records import Desk
from tests.contract.tap import Contracts, ContractTap

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from kizuna.answers import Answer
    from sandbox.records import World

Query = Callable[..., list[tuple[Any, ...]]]
DAY = 86_400
STREAMS = ("tickets", "users", "satisfaction_ratings", "ticket_metric_events", "deleted_tickets")
# The newest version of each record, as staging takes it.
LATEST = """
select distinct on (_record_id) payload from raw.zendesk__{stream}
order by _record_id, _source_updated_at desc nulls last, _sequence desc
"""


class HealthyContracts(Contracts):
    """No specification describes a server that is out of order."""

    def check(self, request: httpx.Request, response: httpx.Response) -> None:
        if response.status_code < 500:
            super().check(request, response)


class Zendesk:
    """The sandbox of one test, and landing from it."""

    def __init__(self, app: Any, warehouse_url: str) -> None:
        self.app, self.warehouse_url = app, warehouse_url
        self.slept: list[float] = []

    def land(self, stream: str, span: Span | None = None, **account: Any) -> Landing:
        connection = Connection("zendesk", "http://sandbox/zendesk", **{"token": "sandbox-token", **account})
        declared = next(declared for declared in SOURCE.streams if declared.name == stream)
        return landing.land_stream(
            SOURCE, declared, connection, self.warehouse_url, "run", span=span, sleep=self.slept.append
        )

    def sweep(self, stream: str) -> landing.Sweep:
        connection = Connection("zendesk", "http://sandbox/zendesk", "sandbox-token")
        declared = next(declared for declared in SOURCE.streams if declared.name == stream)
        return landing.sweep_stream(SOURCE, declared, connection, self.warehouse_url, "sweep", sleep=self.slept.append)

    def fault(self, kind: str, **details: Any) -> None:
        self.app.state.faults.add("zendesk", kind, **details)

    def advance(self, seconds: int) -> None:
        self.app.state.setting.clock.advance(seconds)

    @property
    def now(self) -> int:
        return int(self.app.state.setting.clock.now())

    @property
    def requests(self) -> int:
        return sum(self.app.state.stats.requests.get("zendesk", {}).values())


@pytest.fixture(scope="module")
def world() -> World:
    return invent_world(1500, 3, date(2026, 11, 22))


@pytest.fixture
def open_zendesk(
    warehouse_url: str, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Zendesk]]:
    apps: list[Any] = []

    def start(world: World, **limits: Any) -> Zendesk:
        app = create_app(world, tmp_path, sleep=time_out, **limits)
        apps.append(app)
        tap = ContractTap(InProcess(app), HealthyContracts(shared))
        monkeypatch.setattr(rest, "Client", partial(Client, transport=tap))
        return Zendesk(app, warehouse_url)

    yield start
    for app in apps:
        app.state.setting.state.close()


@pytest.fixture
def zendesk(world: World, open_zendesk: Callable[..., Zendesk]) -> Zendesk:
    return open_zendesk(replace(world, starts_at=world.starts_at - 20 * DAY))


@pytest.mark.parametrize("stream", STREAMS)
def test_every_stream_lands_whole_and_twice_is_once(zendesk: Zendesk, query: Query, stream: str) -> None:
    first, second = zendesk.land(stream), zendesk.land(stream)

    assert first.landed_count == first.read_count > 0
    assert first.quarantined_count == 0
    assert second.landed_count == 0
    assert query(f"select count(distinct _record_id), count(*) from raw.zendesk__{stream}") == [
        (first.read_count, first.read_count)
    ]


@pytest.mark.parametrize("stream", STREAMS)
def test_a_run_with_no_change_costs_two_requests(zendesk: Zendesk, stream: str) -> None:
    zendesk.land(stream)
    zendesk.advance(5)
    before = zendesk.requests
    zendesk.land(stream)

    # The world is small: what the overlap reads again fits one page.
    assert zendesk.requests - before == 2


def test_the_export_goes_on_behind_its_last_row_also_when_the_end_of_the_stream_was_reached(
    zendesk: Zendesk, query: Query
) -> None:
    zendesk.land("tickets")
    zendesk.advance(10 * DAY)
    second = zendesk.land("tickets")
    zendesk.advance(10 * DAY)
    third = zendesk.land("tickets")

    assert 0 < second.read_count == second.landed_count
    assert 0 < third.read_count == third.landed_count
    assert query("select cursor is not null from ops.watermarks where stream = 'tickets'") == [(True,)]


def test_after_thirty_days_in_small_steps_raw_shows_each_ticket_as_zendesk_does(
    zendesk: Zendesk, world: World, query: Query
) -> None:
    for _ in range(31):
        zendesk.land("tickets")
        zendesk.advance(DAY + 30)
    zendesk.land("tickets")

    truth = [row for row in Desk(world).current(zendesk.now) if row["generated_timestamp"] <= zendesk.now - 60]
    landed = [row[0] for row in query(LATEST.format(stream="tickets"))]
    assert sorted(landed, key=lambda row: row["id"]) == sorted(truth, key=lambda row: row["id"])


def test_rows_with_an_old_updated_at_land_and_are_ordered_by_when_they_were_generated(
    zendesk: Zendesk, query: Query
) -> None:
    zendesk.land("tickets")

    assert query(
        """
        select count(*) > 0, bool_and(_source_updated_at = to_timestamp((payload ->> 'generated_timestamp')::bigint))
        from raw.zendesk__tickets
        where (payload ->> 'updated_at')::timestamptz < to_timestamp((payload ->> 'generated_timestamp')::bigint)
        """
    ) == [(True, True)]


def test_a_ticket_changed_in_the_last_minute_is_read_by_the_next_run(
    world: World, open_zendesk: Callable[..., Zendesk], query: Query
) -> None:
    ticket = next(t for t in Desk(world).tickets if t.happenings[1][0] - t.happenings[0][0] > 600)
    zendesk = open_zendesk(replace(world, starts_at=ticket.case.opened_at + 59))
    is_there = f"select count(*) from raw.zendesk__tickets where _record_id = '{ticket.id}'"
    zendesk.land("tickets")
    assert query(is_there) == [(0,)]

    zendesk.advance(1)
    zendesk.land("tickets")
    assert query(is_there) == [(1,)]


def test_a_rating_changed_in_place_is_read_again(
    world: World, open_zendesk: Callable[..., Zendesk], query: Query
) -> None:
    ticket = next(ticket for ticket in Desk(world).tickets if ticket.happenings[-1][1] == "rated again")
    rating = ticket.case.rating
    assert rating is not None
    assert rating.changed_at is not None
    zendesk = open_zendesk(replace(world, starts_at=rating.at + 1))
    zendesk.land("satisfaction_ratings")
    zendesk.advance(rating.changed_at - rating.at)
    zendesk.land("satisfaction_ratings")

    rows = query(
        "select payload ->> 'score' from raw.zendesk__satisfaction_ratings "
        f"where payload ->> 'ticket_id' = '{ticket.id}' order by _source_updated_at"
    )
    assert {row[0] for row in rows} == {"good", "bad"}


def test_a_merged_user_is_found_by_the_sweep_and_a_dropped_page_deletes_nobody(
    world: World, open_zendesk: Callable[..., Zendesk], query: Query
) -> None:
    gone = next(r for r in Desk(world).requesters.values() if r.merged_at and r.merged_at > r.created_at + 600)
    zendesk = open_zendesk(replace(world, starts_at=(gone.merged_at or 0) - 60))
    zendesk.land("users")
    deleted = "select _record_id from raw.zendesk__users where _is_deleted"
    zendesk.fault("dropped_page", operation="GET incremental/users/cursor", after=1)
    assert zendesk.sweep("users").gone_count == 0
    assert query(deleted) == []

    zendesk.advance(120)
    assert zendesk.sweep("users").gone_count == 1
    assert query(deleted) == [(str(gone.id),)]


@pytest.mark.parametrize("stream", ["tickets", "users"])
def test_rows_of_one_second_on_a_page_edge_and_rows_that_change_while_we_page_are_not_lost(
    zendesk: Zendesk, query: Query, monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    small = tuple(
        replace(one, parameters={**one.parameters, "per_page": "2"}) if isinstance(one, rest.RestStream) else one
        for one in SOURCE.streams
    )
    clock = zendesk.app.state.setting.clock

    def ask(get: Get, *arguments: Any, **options: Any) -> Answer:
        clock.advance(1_800)
        return get_once(get, *arguments, **options)

    get_once = Get.__call__
    monkeypatch.setattr(Get, "__call__", ask)
    declared = next(one for one in small if one.name == stream)
    account = Connection("zendesk", "http://sandbox/zendesk", "sandbox-token")
    source = replace(SOURCE, streams=small)
    for _ in range(2):
        landing.land_stream(source, declared, account, zendesk.warehouse_url, "run", sleep=zendesk.slept.append)

    desk = Desk(zendesk.app.state.setting.world)
    rows = desk.current(zendesk.now) if stream == "tickets" else desk.users(zendesk.now)
    landed = {row[0]["id"]: row[0] for row in query(LATEST.format(stream=stream))}
    settled = [row for row in rows if changed(row) <= zendesk.now - 3_600]
    assert len(settled) > 100
    assert [landed[row["id"]] for row in settled] == settled


def changed(row: dict[str, Any]) -> int:
    """When a ticket or a user last changed."""
    return int(row.get("generated_timestamp") or moment_of(row["updated_at"]))


def test_a_window_of_the_past_is_read_again_and_adds_nothing(zendesk: Zendesk, query: Query) -> None:
    zendesk.land("tickets")
    before = query("select upper_at, cursor from ops.watermarks")
    whole = landing.Window(landing.lower_bound(None, timedelta(0)), landing.lower_bound(None, timedelta(0)))
    again = zendesk.land("tickets", Span(whole.lower, whole.lower + timedelta(days=20_000)))

    assert again.read_count > 0
    assert again.landed_count == 0
    assert query("select upper_at, cursor from ops.watermarks") == before


@pytest.mark.parametrize("kind", ["rate_limit", "server_error", "timeout", "cut_off"])
@pytest.mark.parametrize("stream", ["tickets", "satisfaction_ratings"])
def test_passing_trouble_is_waited_out(zendesk: Zendesk, stream: str, kind: str) -> None:
    zendesk.fault(kind, times=2)
    landed = zendesk.land(stream)

    assert landed.landed_count == landed.read_count > 0
    assert len(zendesk.slept) == 2


@pytest.mark.parametrize("stream", STREAMS)
def test_a_page_dropped_once_is_read_again(zendesk: Zendesk, query: Query, stream: str) -> None:
    zendesk.fault("dropped_page")
    landed = zendesk.land(stream)

    zendesk.app.state.faults.clear()
    assert landed.read_count > 0
    assert zendesk.land(stream).landed_count == 0


def test_pages_dropped_by_turns_fail_the_run_and_leave_the_watermark(zendesk: Zendesk, query: Query) -> None:
    zendesk.land("users")
    before = query("select * from ops.watermarks")
    zendesk.advance(20 * DAY)
    # Each reading is one page: the first is whole, the second and the third are not.
    zendesk.fault("dropped_page", after=1, times=2)

    with pytest.raises(ReconciliationError, match=r"zendesk\.users: \d+ records of earlier readings are not in"):
        zendesk.land("users")
    assert query("select * from ops.watermarks") == before


@pytest.mark.parametrize("stream", ["tickets", "satisfaction_ratings"])
def test_a_row_sent_twice_is_landed_once(zendesk: Zendesk, query: Query, stream: str) -> None:
    zendesk.fault("duplicate_row", times=1000)
    landed = zendesk.land(stream)

    assert query(f"select count(*) from raw.zendesk__{stream}") == [(landed.read_count,)]


def test_ten_exports_a_minute_are_kept_to_by_waiting_as_long_as_zendesk_says(
    world: World, open_zendesk: Callable[..., Zendesk], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [0.0]
    zendesk = open_zendesk(world, zendesk_exports_per_minute=3, monotonic=lambda: seconds[0])
    monkeypatch.setattr(zendesk, "slept", _Clock(seconds))
    for _ in range(4):
        zendesk.land("tickets")

    assert seconds[0] >= 60


class _Clock(list[float]):
    """Lets the sandbox's stop-watch run while the client sleeps."""

    def __init__(self, seconds: list[float]) -> None:
        super().__init__()
        self._seconds = seconds

    def append(self, wait: float) -> None:
        self._seconds[0] += wait


def test_a_client_gets_its_token_and_a_wrong_secret_is_fatal_at_once(zendesk: Zendesk) -> None:
    account = {"login": "kizuna", "extra": {"auth": "client_credentials"}}
    assert zendesk.land("users", **account).landed_count > 0
    with pytest.raises(VendorRefusedError, match=r"zendesk: token answered 401 .*check login \(client id\)"):
        zendesk.land("users", **account, token="wrong")


def test_an_api_token_still_works_and_says_when_it_ends(zendesk: Zendesk, caplog: pytest.LogCaptureFixture) -> None:
    account = {"login": "agent1@tsubaki-labo.example", "extra": {"auth": "api_token"}}
    with caplog.at_level(logging.WARNING):
        assert zendesk.land("users", **account).landed_count > 0
    assert "2027-04-30" in caplog.text
    assert "sandbox-token" not in caplog.text


def test_an_agent_who_is_no_admin_may_not_export(zendesk: Zendesk) -> None:
    with pytest.raises(VendorRefusedError, match=r"answered 403 .* Next: check what the token .* may read"):
        zendesk.land("users", login="agent2@tsubaki-labo.example", extra={"auth": "api_token"})
