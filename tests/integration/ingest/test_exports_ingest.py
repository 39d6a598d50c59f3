"""The files that the sandbox drops, landed by the shipped examples: raw says what the sandbox's people did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kizuna import landing, layers
from kizuna.files import mapping
from kizuna.landing import Landing, land_stream
from kizuna.settings import Connection
from kizuna.sources import SOURCES
from kizuna.strategy import Strategy
from sandbox.app import create_app
from sandbox.exports import people
from sandbox.exports.drops import DROP_HOUR, FIRST_DAYS, REWRITTEN_DAYS, Exports
from sandbox.exports.people import DAY
from sandbox.exports.web import JAPAN_OFFSET
from sandbox.world import invent_world

if TYPE_CHECKING:
    from sandbox.setting import Setting

Query = Callable[..., list[tuple[Any, ...]]]
LATEST = """
select payload -> 'row' ->> '{}', payload -> 'fields' ->> '{}'
from (
    select distinct on (_record_id) * from raw.files__{} order by _record_id, _source_updated_at desc, _sequence desc
) as latest
"""
MAPPED = ("customers", "subscription_contracts", "subscription_cycles", "reviews", "survey_responses", "deliveries")


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    world = invent_world(400, seed=7, anchor=date(2026, 11, 28))
    app = create_app(world, tmp_path / "state", writes_exports=True)
    setting: Setting = app.state.setting
    return Exports(setting)


@pytest.fixture
def land(warehouse_url: str, exports: Exports, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Landing]]:
    """Land every stream of the three sources of files."""
    monkeypatch.setenv("KIZUNA_MAPPINGS", str(Path(mapping.__file__).parent / "examples"))

    def store(name: str) -> Connection:
        return Connection(name, "", "", {"path": str(exports.folder / name), "quiet_seconds": "0"}, kind="fs")

    def run(run_id: str) -> list[Landing]:
        wanted = [
            (name, stream)
            for name in ("files", "ga4", "karte")
            for stream in SOURCES[name].streams
            if name != "files" or stream.name in MAPPED
        ]
        return [land_stream(SOURCES[name], stream, store(name), warehouse_url, run_id) for name, stream in wanted]

    return run


def night_of(exports: Exports) -> int:
    return int(exports._setting.state.read("exports_until"))


def third_night_after(day: int) -> int:
    """When Google rewrites a day for the last time."""
    return (day + REWRITTEN_DAYS) * DAY - JAPAN_OFFSET + DROP_HOUR


def last_rows(happenings: Any, key: tuple[str, ...], night: int) -> dict[str, people.Row]:
    """What the last drop of each record said, by the joined key."""
    told = sorted(((at, row) for at, row in happenings if at <= night), key=lambda one: one[0])
    return {"/".join(row[name] for name in key): row for _, row in told}


def test_raw_says_what_the_people_did_after_days_of_drops(
    exports: Exports, land: Callable[..., list[Landing]], query: Query
) -> None:
    first = land("run-1")
    for day in range(4):
        exports._setting.clock.advance(DAY)
        exports.catch_up()
        land(f"run-{day + 2}")

    world, night = exports._world, night_of(exports)
    assert [one.quarantined_count for one in first] == [0] * len(first)
    assert query("select count(*) from ops.quarantine") == [(0,)]

    cards = last_rows(people.cards(world), ("会員番号",), night)
    landed = query(LATEST.format("会員番号", "points", "customers"))
    assert dict(landed) == {number: row["ポイント"].replace(",", "") for number, row in cards.items()}

    contracts = last_rows(people.contracts(world), ("定期番号",), night)
    states = query(LATEST.format("定期番号", "status", "subscription_contracts"))
    assert {state for _, state in states} == {"active", "cancelled"}
    assert dict(states) == {
        number: {"継続": "active", "解約": "cancelled"}[row["状態"]] for number, row in contracts.items()
    }
    cycles = last_rows(people.cycles(world, exports._sales), ("定期番号", "回数"), night)
    assert len(query(LATEST.format("定期番号", "status", "subscription_cycles"))) == len(cycles)
    assert query("select count(*) > 0 from raw.files__deliveries where payload -> 'fields' ->> 'cost' = '85'") == [
        (True,)
    ]


def test_ga4_after_rewrites_is_what_google_knows_of_each_day(
    exports: Exports, land: Callable[..., list[Landing]], query: Query
) -> None:
    first_night = night_of(exports)
    land("run-1")
    for day in range(5):
        exports._setting.clock.advance(DAY)
        exports.catch_up()
        land(f"run-{day + 2}")

    night = night_of(exports)
    today = (night + JAPAN_OFFSET) // DAY
    known = {
        (event["user_pseudo_id"], event["event_timestamp"], event["event_name"])
        for day in range((first_night + JAPAN_OFFSET) // DAY - FIRST_DAYS, today)
        for event in exports._web.events(day, max(first_night, min(night, third_night_after(day))))
    }
    present = query(
        "select payload ->> 'user_pseudo_id', (payload ->> 'event_timestamp')::bigint, payload ->> 'event_name' "
        "from (select distinct on (_record_id) * from raw.ga4__events order by _record_id, _sequence desc) as latest "
        "where not _is_deleted"
    )
    assert len(present) > 100
    assert set(present) == known
    assert query("select count(*) > 0 from raw.ga4__events where _is_deleted") == [(True,)]


def test_cards_birthdays_are_the_true_ones(exports: Exports, land: Callable[..., list[Landing]], query: Query) -> None:
    land("run-1")
    truth = people.truth_of(exports._world)
    humans = {human.number: human for human in exports._world.humans}

    born = query("select payload -> 'row' ->> '会員番号', payload -> 'fields' ->> 'birth_on' from raw.files__customers")

    assert len(born) > 50
    assert all(humans[truth[number]].birth_date.isoformat() == day for number, day in born)


def test_staging_reads_what_was_landed(
    exports: Exports,
    land: Callable[..., list[Landing]],
    warehouse_url: str,
    query: Query,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KIZUNA_HOME", str(tmp_path / "home"))
    landing.ensure_tables(warehouse_url)
    land("run-1")

    layers.build(
        "staging.files staging.ga4 staging.karte",
        "transform",
        run_id="run-1",
        warehouse_url=warehouse_url,
        strategy=Strategy(),
        as_of=date(2026, 11, 28),
    )

    humans = {human.number: human for human in exports._world.humans}
    truth = people.truth_of(exports._world)
    born = query("select customer_number, birth_on, record_key from staging.stg_files__customers")
    assert all(humans[truth[number]].birth_date == day for number, day, _ in born)
    assert {key for _, _, key in born} == {f"files:customer:pos/{number}" for number, _, _ in born}
    bought = query(
        "select count(*), count(distinct events.transaction_id), count(events.session_key) "
        "from staging.stg_ga4__events as events inner join staging.stg_ga4__items using (ga4_event_id) "
        "where event_name = 'purchase'"
    )[0]
    assert 0 < bought[1] <= bought[0] == bought[2]
    assert query("select count(*) > 0 from staging.stg_karte__events where karte_campaign_id = 'k1'") == [(True,)]
    paid = (
        "select count(*) > 0 from staging.stg_files__subscription_cycles where amount_incl_tax > 0 and not is_skipped"
    )
    assert query(paid) == [(True,)]


def test_nights_are_dropped_once_and_the_same_after_a_restart(exports: Exports, tmp_path: Path) -> None:
    def contents() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in exports.folder.rglob("*.*") if path.suffix != ".xlsx"}

    before = contents()
    Exports(exports._setting).catch_up()
    assert contents() == before
    exports._setting.clock.advance(DAY)
    Exports(exports._setting).catch_up()
    assert set(contents()) > set(before)
