"""Intercom from the sandbox to raw, every exchange checked against the vendor's specification on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from kizuna import landing, rest
from kizuna.http import Client, VendorRefusedError
from kizuna.landing import Landing, ReconciliationError
from kizuna.settings import Connection
from kizuna.sources.intercom import SOURCE
from sandbox.app import create_app
from sandbox.in_process import InProcess, time_out
from sandbox.intercom.conversations import PART_TYPES, with_parts
from sandbox.intercom.records import NOTE_EVERY, Inbox, show_contact
from sandbox.world import invent_world
from tests.contract.tap import Contracts, ContractTap

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from sandbox.records import World

Query = Callable[..., list[tuple[Any, ...]]]
DAY = 86_400
STREAMS = ("contacts", "conversations", "tags", "segments")
LATEST = """
select payload
from (
    select distinct on (_record_id) * from raw.intercom__{stream}
    order by _record_id, _source_updated_at desc nulls last, _sequence desc
) as latest
where not _is_deleted
"""


class HealthyContracts(Contracts):
    """No specification describes a server that is out of order."""

    def check(self, request: httpx.Request, response: httpx.Response) -> None:
        if response.status_code < 500:
            super().check(request, response)


class Intercom:
    """The sandbox of one test, and landing from it."""

    def __init__(self, app: Any, warehouse_url: str) -> None:
        self.app, self.warehouse_url = app, warehouse_url
        self.slept: list[float] = []

    def land(self, stream: str, token: str = "sandbox-token") -> Landing:
        return landing.land_stream(*self._opened(stream, token), "run", sleep=self.slept.append)

    def sweep(self, stream: str) -> landing.Sweep:
        return landing.sweep_stream(*self._opened(stream, "sandbox-token"), "sweep", sleep=self.slept.append)

    def _opened(self, stream: str, token: str) -> tuple[Any, Any, Connection, str]:
        declared = next(declared for declared in SOURCE.streams if declared.name == stream)
        return SOURCE, declared, Connection("intercom", "http://sandbox/intercom", token), self.warehouse_url

    def fault(self, kind: str, **details: Any) -> None:
        self.app.state.faults.add("intercom", kind, **details)

    def advance(self, seconds: int) -> None:
        self.app.state.setting.clock.advance(seconds)

    @property
    def now(self) -> int:
        return int(self.app.state.setting.clock.now())

    @property
    def requests(self) -> int:
        return sum(self.app.state.stats.requests.get("intercom", {}).values())


@pytest.fixture(scope="module")
def world() -> World:
    return invent_world(600, 3, date(2026, 11, 22))


@pytest.fixture
def open_intercom(
    warehouse_url: str, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Intercom]]:
    apps: list[Any] = []

    def start(world: World, **limits: Any) -> Intercom:
        app = create_app(world, tmp_path, sleep=time_out, **limits)
        apps.append(app)
        tap = ContractTap(InProcess(app), HealthyContracts(shared))
        monkeypatch.setattr(rest, "Client", partial(Client, transport=tap))
        return Intercom(app, warehouse_url)

    yield start
    for app in apps:
        app.state.setting.state.close()


@pytest.fixture
def intercom(world: World, open_intercom: Callable[..., Intercom]) -> Intercom:
    return open_intercom(world)


@pytest.mark.parametrize("stream", STREAMS)
def test_every_stream_lands_whole_and_twice_is_once(intercom: Intercom, query: Query, stream: str) -> None:
    first = intercom.land(stream)
    intercom.advance(1)
    second = intercom.land(stream)

    assert first.landed_count == first.read_count > 0
    assert first.quarantined_count == 0
    assert second.landed_count == 0
    assert query(f"select count(distinct _record_id), count(*) from raw.intercom__{stream}") == [
        (first.read_count, first.read_count)
    ]


@pytest.mark.parametrize("stream", STREAMS)
def test_a_run_with_no_change_costs_two_requests(intercom: Intercom, stream: str) -> None:
    intercom.land(stream)
    intercom.advance(1)
    before = intercom.requests
    intercom.land(stream)

    assert intercom.requests - before == 2


def test_after_two_weeks_in_small_steps_raw_shows_everybody_as_intercom_does(
    intercom: Intercom, world: World, query: Query
) -> None:
    for _ in range(20):
        intercom.land("contacts")
        intercom.land("conversations")
        # Seventeen hours: windows end before, at and after midnight in Japan.
        intercom.advance(17 * 3_600)
    for stream in ("contacts", "conversations"):
        intercom.advance(200)
        intercom.land(stream)
        intercom.sweep(stream)

    now, inbox = intercom.now, Inbox(world)
    contacts = {c.id: show_contact(c, now) for c in inbox.contacts.values() if c.exists(now - 400) and c.exists(now)}
    assert {row[0]["id"]: row[0] for row in query(LATEST.format(stream="contacts"))} == contacts
    talks = {str(c.number): with_parts(inbox, c, now, is_plain=True) for c in inbox.conversations if c.exists(now)}
    landed = {row[0]["id"]: row[0] for row in query(LATEST.format(stream="conversations"))}
    assert landed.keys() == talks.keys()
    for number, talk in talks.items():
        assert landed[number]["conversation_parts"] == talk["conversation_parts"]
        assert landed[number]["conversation_rating"] == talk["conversation_rating"]


def test_a_new_contact_that_search_does_not_show_yet_is_read_by_a_later_run(
    world: World, open_intercom: Callable[..., Intercom], query: Query
) -> None:
    coming = next(c for c in Inbox(world).contacts.values() if len([at for at in c.touched if at > c.created_at]) == 0)
    intercom = open_intercom(replace(world, starts_at=coming.created_at + 60))
    is_there = f"select count(*) from raw.intercom__contacts where _record_id = '{coming.id}'"
    intercom.land("contacts")
    assert query(is_there) == [(0,)]

    intercom.advance(3_600)
    intercom.land("contacts")
    assert query(is_there) == [(1,)]


def test_a_merged_contact_is_found_by_the_sweep(
    world: World, open_intercom: Callable[..., Intercom], query: Query
) -> None:
    gone = next(c for c in Inbox(world).contacts.values() if c.merged_into)
    intercom = open_intercom(replace(world, starts_at=(gone.gone_at or 0) - 60))
    intercom.land("contacts")
    intercom.advance(120)

    assert intercom.sweep("contacts").gone_count == 1
    assert query("select _record_id from raw.intercom__contacts where _is_deleted") == [(gone.id,)]


def test_parts_that_fall_off_the_newest_500_are_in_the_versions_before(
    world: World, open_intercom: Callable[..., Intercom], query: Query
) -> None:
    longest = Inbox(world).conversations[0]
    intercom = open_intercom(replace(world, starts_at=longest.course[0][0] + 480 * NOTE_EVERY))
    for _ in range(8):
        intercom.land("conversations")
        intercom.advance(10 * NOTE_EVERY)
    intercom.land("conversations")

    shown = sum(kind in PART_TYPES for _, kind, _ in longest.so_far(intercom.now)[1:])
    assert shown > 540
    assert query(
        f"""
        with seen as (
            select jsonb_path_query(payload, '$.conversation_parts.conversation_parts[*].id') as id
            from raw.intercom__conversations where _record_id = '{longest.number}'
        )
        select
            (select count(distinct id) from seen),
            max((payload #>> '{{conversation_parts,total_count}}')::int),
            max(jsonb_array_length(payload #> '{{conversation_parts,conversation_parts}}'))
        from raw.intercom__conversations where _record_id = '{longest.number}'
        """
    ) == [(shown, shown, 500)]


@pytest.mark.parametrize("kind", ["rate_limit", "server_error", "timeout", "cut_off"])
@pytest.mark.parametrize("stream", ["contacts", "conversations"])
def test_passing_trouble_is_waited_out(intercom: Intercom, stream: str, kind: str) -> None:
    intercom.fault(kind, times=2, after=1)
    landed = intercom.land(stream)

    assert landed.landed_count == landed.read_count > 0
    assert len(intercom.slept) == 2


@pytest.mark.parametrize("stream", ["contacts", "conversations"])
def test_a_page_dropped_once_is_read_again(intercom: Intercom, stream: str) -> None:
    intercom.fault("dropped_page", operation=f"POST {stream}/search")
    landed = intercom.land(stream)

    assert landed.landed_count == landed.read_count > 0
    assert landed.read_count >= (landed.vendor_count or 0) > 0


def test_pages_that_stay_dropped_fail_with_both_counts_and_leave_the_watermark(
    intercom: Intercom, query: Query
) -> None:
    intercom.land("contacts")
    before = query("select * from ops.watermarks")
    intercom.advance(60 * DAY)
    # A search for the count shows the newest contacts alone; its total stands beside the list, and stays.
    intercom.fault("dropped_page", times=1000, operation="POST contacts/search")

    with pytest.raises(ReconciliationError, match=r"intercom\.contacts: the vendor counts at least \d+ .* 0 were read"):
        intercom.land("contacts")
    assert query("select * from ops.watermarks") == before


@pytest.mark.parametrize("stream", ["contacts", "conversations"])
def test_a_row_sent_twice_is_landed_once(intercom: Intercom, query: Query, stream: str) -> None:
    intercom.fault("duplicate_row", times=1000)
    landed = intercom.land(stream)

    assert query(f"select count(*) from raw.intercom__{stream}") == [(landed.read_count,)]


def test_the_share_of_ten_seconds_is_kept_to_by_waiting_for_the_next(
    world: World, open_intercom: Callable[..., Intercom], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [0.0]
    intercom = open_intercom(world, intercom_requests_per_ten_seconds=20, monotonic=lambda: seconds[0])

    class Running(list[float]):
        """Lets the sandbox's stop-watch run while the client sleeps."""

        def append(self, wait: float) -> None:
            seconds[0] += wait
            super().append(wait)

    intercom.slept = Running()
    landed = intercom.land("conversations")

    assert landed.landed_count > 40
    assert 0 < len(intercom.slept) <= intercom.requests / 20
    assert max(intercom.slept) <= 11.1


def test_a_wrong_token_is_fatal_at_once(intercom: Intercom) -> None:
    with pytest.raises(VendorRefusedError, match=r"answered 401 .* 1 attempt\. Next: check the token"):
        intercom.land("contacts", token="wrong-token")
    assert intercom.slept == []
