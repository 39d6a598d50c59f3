"""Klaviyo against the sandbox: every stream lands whole, who is merged away shows, late events come in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from kizuna import landing, rest
from kizuna.http import Client, VendorRefusedError
from kizuna.landing import ReconciliationError
from kizuna.settings import Connection
from kizuna.sources.klaviyo import SOURCE
from sandbox.app import create_app
from sandbox.in_process import InProcess, time_out
from sandbox.klaviyo.events import Events
from sandbox.klaviyo.groups import lists_of, members
from sandbox.klaviyo.profiles import IMPORT_DAYS_BEFORE_START, Profiles
from sandbox.world import invent_world
from tests.contract.tap import Contracts, ContractTap

if TYPE_CHECKING:
    from pathlib import Path

    from kizuna.landing import Landing

Query = Callable[..., list[tuple[Any, ...]]]
DAY = 86_400
STREAMS = [stream.name for stream in SOURCE.streams]
LATEST = "(select distinct on (_record_id) * from raw.klaviyo__{} order by _record_id, _sequence desc) as latest"
GONE = f"select count(*) from {LATEST} where _is_deleted"


class HealthyContracts(Contracts):
    """No specification describes a server that is out of order."""

    def check(self, request: httpx.Request, response: httpx.Response) -> None:
        if response.status_code < 500:
            super().check(request, response)


class Between(httpx.BaseTransport):
    """Lets something happen after a number of requests."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner, self.left, self.act = inner, 0, lambda: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.inner.handle_request(request)
        self.left -= 1
        if self.left == 0:
            self.act()
        return response


class Klaviyo:
    """The sandbox of one test, and landing from it."""

    def __init__(self, app: Any, warehouse_url: str, now: list[float], between: Between) -> None:
        self.app, self.warehouse_url, self.now, self.between = app, warehouse_url, now, between
        self.slept: list[float] = []
        self.world = app.state.setting.world
        self.profiles = Profiles(self.world)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now[0] += seconds

    def land(self, stream: str, token: str = "sandbox-token") -> Landing:
        declared = next(one for one in SOURCE.streams if one.name == stream)
        account = Connection("klaviyo", "http://sandbox/klaviyo", token)
        return landing.land_stream(SOURCE, declared, account, self.warehouse_url, "run", sleep=self.sleep)

    def sweep(self, stream: str) -> landing.Sweep:
        account = Connection("klaviyo", "http://sandbox/klaviyo", "sandbox-token")
        declared = next(one for one in SOURCE.streams if one.name == stream)
        return landing.sweep_stream(SOURCE, declared, account, self.warehouse_url, "run", sleep=self.sleep)

    def fault(self, kind: str, **details: Any) -> None:
        self.app.state.faults.add("klaviyo", kind, **details)

    def requests(self) -> int:
        return sum(self.app.state.stats.requests.get("klaviyo", {}).values())

    def advance(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @property
    def clock(self) -> Any:
        return self.app.state.setting.clock


@pytest.fixture
def opened(
    warehouse_url: str, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Klaviyo]]:
    apps = []

    def start(customers: int = 300, **limits: Any) -> Klaviyo:
        now = [1000.0]
        world = invent_world(customers, 3, date(2026, 11, 22))
        app = create_app(world, tmp_path, sleep=time_out, monotonic=lambda: now[0], **limits)
        apps.append(app)
        between = Between(ContractTap(InProcess(app), HealthyContracts(shared)))
        monkeypatch.setattr(rest, "Client", partial(Client, transport=between))
        return Klaviyo(app, warehouse_url, now, between)

    yield start
    for app in apps:
        app.state.setting.state.close()


@pytest.fixture
def klaviyo(opened: Callable[..., Klaviyo]) -> Klaviyo:
    return opened()


@pytest.mark.parametrize("stream", STREAMS)
def test_every_stream_lands_whole_and_twice_is_once(klaviyo: Klaviyo, query: Query, stream: str) -> None:
    first = klaviyo.land(stream)
    klaviyo.advance(1)
    second = klaviyo.land(stream)

    assert first.landed_count == first.read_count > 0
    assert (first.quarantined_count, second.landed_count) == (0, 0)
    assert query(f"select count(distinct _record_id), count(*) from raw.klaviyo__{stream}") == [
        (first.read_count, first.read_count)
    ]


@pytest.mark.parametrize("stream", ["profiles", "events", "metrics", "segments"])
def test_without_change_a_stream_takes_two_requests(klaviyo: Klaviyo, stream: str) -> None:
    klaviyo.land(stream)
    klaviyo.advance(1)
    before = klaviyo.requests()
    klaviyo.land(stream)

    assert klaviyo.requests() - before == 2


def test_all_profiles_with_the_same_second_are_read_over_the_edges_of_pages(klaviyo: Klaviyo, query: Query) -> None:
    klaviyo.land("profiles")
    imported = klaviyo.world.starts_at - IMPORT_DAYS_BEFORE_START * DAY

    (tied,) = query(f"""
        select count(*) from raw.klaviyo__profiles where _source_updated_at = to_timestamp({imported})
    """)
    now = klaviyo.clock.now()
    assert tied[0] == sum(one.updated(now) == imported for one in klaviyo.profiles.current(now)) > 100


def test_who_changed_in_the_very_second_of_the_watermark_is_not_lost(klaviyo: Klaviyo, query: Query) -> None:
    # The first window ends in the second in which somebody changes: the filter of the second is strictly greater.
    now = klaviyo.clock.now()
    changing = min(
        (at, one.id) for one in klaviyo.profiles.everyone for at in one.changes if at > now and one.exists(at)
    )
    klaviyo.advance(changing[0] - now)
    klaviyo.land("profiles")
    klaviyo.advance(1)
    klaviyo.land("profiles")

    assert query(f"""
        select count(*) from raw.klaviyo__profiles
        where _record_id = '{changing[1]}' and _source_updated_at = to_timestamp({changing[0]})
    """) == [(1,)]


def test_profiles_that_change_while_they_are_read_are_landed_once_each(klaviyo: Klaviyo, query: Query) -> None:
    # A month passes between two pages: who changed in it moves behind the end, and is left for the next window.
    klaviyo.between.left, klaviyo.between.act = 2, lambda: klaviyo.advance(30 * DAY)
    klaviyo.land("profiles")
    klaviyo.land("profiles")

    now = klaviyo.clock.now()
    there = {one.id: one.updated(now) for one in klaviyo.profiles.current(now)}
    landed = dict(
        query("""
            select distinct on (_record_id) _record_id, extract(epoch from _source_updated_at)::bigint
            from raw.klaviyo__profiles order by _record_id, _source_updated_at desc
        """)
    )
    assert there.items() <= landed.items()


def test_a_sweep_marks_who_was_merged_away_and_nobody_else(opened: Callable[..., Klaviyo], query: Query) -> None:
    klaviyo = opened(800)
    klaviyo.land("profiles")
    before = {one.id for one in klaviyo.profiles.current(klaviyo.clock.now())}
    klaviyo.advance(120 * DAY)
    klaviyo.land("profiles")
    klaviyo.fault("dropped_page", after=2)
    swept = klaviyo.sweep("profiles")

    gone = before - {one.id for one in klaviyo.profiles.current(klaviyo.clock.now())}
    assert swept.gone_count == len(gone) > 0
    assert swept.missing_count > swept.gone_count, "those on the dropped page were asked for"
    assert {row[0] for row in query("select _record_id from raw.klaviyo__profiles where _is_deleted")} == gone


def test_events_that_arrive_late_are_landed(klaviyo: Klaviyo, query: Query) -> None:
    for _ in range(8):
        klaviyo.land("events")
        klaviyo.advance(4 * DAY // 10)
    klaviyo.land("events")

    now = klaviyo.clock.now()
    there = {one.id for one in Events(klaviyo.world, klaviyo.profiles).between((0, ""), now, now)}
    assert {row[0] for row in query("select _record_id from raw.klaviyo__events")} == there


def test_members_are_the_vendors_after_people_came_and_left(klaviyo: Klaviyo, query: Query) -> None:
    klaviyo.land("list_members")
    klaviyo.advance(20 * DAY)
    klaviyo.land("list_members")

    now = klaviyo.clock.now()
    there = sum(
        len(members(one, klaviyo.profiles, now)) for one in lists_of(klaviyo.world.starts_at) if one.exists(now)
    )
    assert query(f"select count(*) from {LATEST.format('list_members')} where not _is_deleted") == [(there,)]
    assert query(GONE.format("list_members")) != [(0,)]


def test_a_members_page_that_stays_away_lands_nothing(klaviyo: Klaviyo, query: Query) -> None:
    klaviyo.land("list_members")
    before = query("select count(*) from raw.klaviyo__list_members")
    klaviyo.advance(1)
    klaviyo.fault("dropped_page", times=1000, operation="GET lists/profiles")

    with pytest.raises(ReconciliationError, match=r"klaviyo\.list_members: the vendor counts \d+ ± \d+ records"):
        klaviyo.land("list_members")
    assert query("select count(*) from raw.klaviyo__list_members") == before


@pytest.mark.parametrize("stream", ["profiles", "events"])
def test_a_page_dropped_once_is_found_by_the_second_reading(klaviyo: Klaviyo, query: Query, stream: str) -> None:
    klaviyo.fault("dropped_page")
    landed = klaviyo.land(stream)
    klaviyo.fault("dropped_page", after=1)
    klaviyo.advance(1)
    klaviyo.land(stream)

    now = klaviyo.clock.now() - 1
    whole = {
        "profiles": len(klaviyo.profiles.current(now)),
        "events": sum(1 for _ in Events(klaviyo.world, klaviyo.profiles).between((0, ""), now, now)),
    }
    assert landed.read_count == whole[stream]
    assert query(f"select count(*) from raw.klaviyo__{stream} where _is_deleted") == [(0,)]


@pytest.mark.parametrize("stream", ["profiles", "segment_members"])
def test_a_row_sent_twice_is_landed_once(klaviyo: Klaviyo, query: Query, stream: str) -> None:
    klaviyo.fault("duplicate_row", times=1000)
    landed = klaviyo.land(stream)

    assert query(f"select count(*) from raw.klaviyo__{stream}") == [(landed.read_count,)]


@pytest.mark.parametrize("kind", ["rate_limit", "server_error", "timeout", "cut_off"])
@pytest.mark.parametrize("stream", ["profiles", "list_members"])
def test_passing_trouble_is_waited_out(klaviyo: Klaviyo, stream: str, kind: str) -> None:
    klaviyo.fault(kind, times=2, after=1)

    assert klaviyo.land(stream).landed_count > 0
    assert len(klaviyo.slept) == 2


def test_the_real_limits_are_waited_for_exactly_as_long_as_the_vendor_says(opened: Callable[..., Klaviyo]) -> None:
    klaviyo = opened(60, klaviyo_generosity=1)
    landed = klaviyo.land("list_members")

    assert landed.landed_count == landed.read_count > 0
    statuses = klaviyo.app.state.stats.statuses["klaviyo"]
    assert statuses["429"] == len(klaviyo.slept) > 0
    assert all(1 <= seconds < 62 for seconds in klaviyo.slept)


def test_a_wrong_key_is_fatal_at_once(klaviyo: Klaviyo) -> None:
    with pytest.raises(VendorRefusedError, match=r"answered 401 .* 1 attempt\. Next: check the token") as refused:
        klaviyo.land("profiles", token="wrong-token")
    assert "wrong-token" not in str(refused.value)
