"""LINE's streams against the sandbox, every exchange checked against the vendor's specification on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from kizuna import landing, rest, warehouse
from kizuna.http import Client
from kizuna.settings import Connection
from kizuna.sources import SOURCES, line
from sandbox.app import create_app
from sandbox.in_process import InProcess, time_out
from sandbox.line.friends import Friends
from sandbox.world import invent_world
from tests.contract.tap import Contracts, ContractTap

if TYPE_CHECKING:
    from pathlib import Path

    from kizuna.landing import Landing

Query = Callable[..., list[tuple[Any, ...]]]
DAY = 86_400
ASKED = ("profiles", "insight_followers", "insight_demographics", "insight_messages", "account_link_nonces")


class LineAccount:
    """The sandbox's LINE, landed into a warehouse."""

    def __init__(self, app: Any, warehouse_url: str) -> None:
        self.app, self.warehouse_url = app, warehouse_url
        self.slept: list[float] = []
        self.extra = {"account_link_nonces": "/shop/account-link-nonces.jsonl"}

    def land(self, stream: str) -> Landing:
        account = Connection("line", "http://sandbox/line", "sandbox-token", self.extra)
        declared = next(one for one in SOURCES["line"].streams if one.name == stream)
        source, url = SOURCES["line"], self.warehouse_url
        return landing.land_stream(source, declared, account, url, "run", sleep=self.slept.append)

    def advance(self, seconds: int) -> None:
        self.app.state.setting.clock.advance(seconds)

    @property
    def requests(self) -> int:
        return sum(self.app.state.stats.requests.get("line", {}).values())

    @property
    def friends(self) -> set[str]:
        setting = self.app.state.setting
        return set(Friends(setting.world.friends).current(setting.clock.now()))


@pytest.fixture
def account(warehouse_url: str, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LineAccount]:
    opened: list[Any] = []  # the hour of the rate limits is the sandbox's own
    app = create_app(
        invent_world(300, 3, date(2026, 11, 22)),
        tmp_path,
        sleep=time_out,
        monotonic=lambda: opened[0].state.setting.clock.now() if opened else 0.0,
        line_insights_per_hour=60,
        line_requests_per_second=2_000,
    )
    opened.append(app)
    tap = ContractTap(InProcess(app), Contracts(shared))
    monkeypatch.setattr(rest, "Client", partial(Client, transport=tap))
    landing.ensure_tables(warehouse_url)
    yield LineAccount(app, warehouse_url)
    app.state.setting.state.close()


def test_every_stream_lands_within_the_vendors_real_limits(account: LineAccount, query: Query) -> None:
    for stream in ("followers", *ASKED):
        landed = account.land(stream)
        assert landed.quarantined_count == 0
        assert landed.landed_count == landed.read_count
        assert landed.read_count > 0
    assert account.slept == []


def test_without_any_change_no_stream_asks_more_than_twice(account: LineAccount) -> None:
    for stream in ("followers", *ASKED):
        account.land(stream)
    account.advance(60)
    for stream in ("followers", *ASKED):
        before = account.requests
        assert account.land(stream).landed_count == 0
        assert account.requests - before <= 2, stream


def test_profiles_are_of_the_followers_so_many_in_a_run(
    account: LineAccount, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "MOST_PROFILES", 50)
    account.land("followers")
    assert len(account.friends) > 100
    counts = []
    while not counts or counts[-1]:
        account.advance(1)
        counts.append(account.land("profiles").landed_count)
    assert max(counts) == 50
    assert {row[0] for row in query("select _record_id from raw.line__profiles")} == account.friends
    assert query("select count(*) from raw.line__profiles") == [(len(account.friends),)]


def test_only_who_came_or_came_back_is_asked_for_after_a_while(account: LineAccount, query: Query) -> None:
    account.land("followers")
    before = account.friends
    account.land("profiles")
    account.advance(30 * DAY)
    account.land("followers")
    landed = account.land("profiles")
    assert landed.landed_count == len(account.friends - before) > 0


def test_an_old_profile_is_asked_for_again(account: LineAccount) -> None:
    account.land("followers")
    account.land("profiles")
    account.advance(line.PROFILE_LIFETIME.days * DAY + 1)
    landed = account.land("profiles")  # the followers are still those of the first reading
    assert landed.landed_count > 100


def test_who_left_meanwhile_is_not_found_and_no_error(account: LineAccount, query: Query) -> None:
    account.land("followers")
    before = account.friends
    account.advance(60 * DAY)
    account.land("profiles")
    gone = query("select _record_id from raw.line__profiles where not (payload ->> 'isFound')::boolean")
    assert {row[0] for row in gone} == before - account.friends
    assert gone


def test_a_day_that_was_not_ready_is_landed_when_it_is(account: LineAccount, query: Query) -> None:
    account.advance(16 * 3600)  # one o'clock on the 23rd in Japan
    account.land("insight_followers")
    told = "select payload ->> 'status' from raw.line__insight_followers where _record_id = '2026-11-22'"
    status = f"{told} order by _sequence"
    assert query(status) == [("unready",)]
    account.advance(3600)
    assert account.land("insight_followers").landed_count == 0
    account.advance(6 * 3600)
    assert account.land("insight_followers").landed_count == 1
    assert query(status) == [("unready",), ("ready",)]


def test_the_days_figures_are_the_vendors(account: LineAccount, query: Query) -> None:
    account.land("insight_followers")
    account.advance(3 * DAY)
    account.land("insight_followers")
    followers = "select _record_id, (payload ->> 'followers')::int from raw.line__insight_followers order by 1"
    told = query(followers)
    assert [day for day, _ in told][-4:] == ["2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"]
    assert len(told) == line.FIRST_DAYS + 3
    assert [count for _, count in told] == sorted(count for _, count in told)


def test_a_units_figures_are_read_again_until_they_stand(account: LineAccount, query: Query) -> None:
    for _ in range(35):
        account.land("insight_messages")
        account.advance(DAY)
    grown = query(
        """
        select (payload #>> '{overview,uniqueImpression}')::int from raw.line__insight_messages
        where _record_id = 'news_20261119/2026-11' order by _sequence
        """
    )
    assert len(grown) == 24  # each day from the 22nd of November to the 15th of December
    assert grown == sorted(grown)
    assert grown[0] < grown[-1]
    assert query(
        "select max(payload ->> 'to') from raw.line__insight_messages where payload ->> 'month' = '2026-11'"
    ) == [("2026-11-30",)]


def test_a_malformed_user_id_is_quarantined_and_the_others_land(
    account: LineAccount, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "Client", partial(Client, transport=InProcess(account.app)))  # no contract allows this
    friend = account.app.state.setting.world.friends[0]
    object.__setattr__(friend, "user_id", "U123")
    object.__setattr__(friend, "spans", ((0, None),))
    landed = account.land("followers")
    assert landed.quarantined_count == 1
    assert landed.landed_count == landed.read_count - 1 > 100


def test_who_blocked_and_came_back_is_asked_for_again(account: LineAccount, query: Query) -> None:
    account.land("followers")
    account.land("profiles")
    account.advance(60)
    with warehouse.connect(account.warehouse_url, "kizuna_ingest") as session:
        for minutes, is_deleted in ((1, True), (2, False)):
            session.execute(
                "insert into raw.line__followers"
                " (_record_id, _extracted_at, _run_id, _payload_hash, _is_deleted, payload)"
                " select _record_id, _extracted_at + %s * interval '1 minute', 'r', '', %s, payload"
                " from raw.line__followers order by _sequence limit 1",
                [minutes, is_deleted],
            )
    assert account.land("profiles").landed_count == 1
