"""Reachability: the same whatever order and however often the webhooks arrived, and put right by every list."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kizuna import landing, layers, warehouse
from kizuna.settings import home
from kizuna.strategy import Strategy
from tests.integration.marts.conftest import AS_OF

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from kizuna.local.postgres import Cluster

START = datetime(2026, 1, 1, tzinfo=UTC)
USERS = ("U1", "U2", "U3")
MODELS = ("stg_line__events", "stg_line__friendship_signs", "stg_line__friendship_spans")
Spans = list[tuple[Any, ...]]


class Event(NamedTuple):
    """A webhook: its moment is so few milliseconds apart from others that many are equal."""

    event_id: str
    user: str
    kind: str
    moment: int


class Look(NamedTuple):
    """A list of followers that was landed."""

    moment: int
    listed: frozenset[str]


class Staging:
    """The models' own SQL, run again and again on other raw tables: dbt is asked once."""

    def __init__(self, session: psycopg.Connection[Any]) -> None:
        folder = home() / "dbt" / "transform" / "compiled" / "kizuna" / "models" / "staging" / "line"
        self.session = session
        self.models = {model: (folder / f"{model}.sql").read_text(encoding="utf-8") for model in MODELS}

    def spans(self, arrived: list[Event], looks: list[Look]) -> Spans:
        """Land the events in this order, the lists in theirs, and return every span."""
        run = self.session.execute
        # Nothing is ever committed, so that the tables are empty each time.
        for number, event in enumerate(arrived):
            body = {"type": event.kind, "timestamp": millisecond(event.moment), "source": {"userId": event.user}}
            land(
                self.session,
                "line__webhooks",
                event.event_id,
                at(number),
                {"body": body, "received_at": str(at(number))},
            )
        self._land_lists(looks)
        for model, text in self.models.items():
            run(f"insert into staging.{model} {text}".encode())
        found = run("select * from staging.stg_line__friendship_spans order by line_user_id, since_at").fetchall()
        self.session.rollback()
        return found

    def _land_lists(self, looks: list[Look]) -> None:
        known: frozenset[str] = frozenset()
        for look in looks:
            for user in sorted(known ^ look.listed):
                land(self.session, "line__followers", user, at(look.moment), {}, is_deleted=user in known)
            known = look.listed
            self.session.execute(
                "insert into ops.landings (run_id, source, stream, read_count, landed_count, quarantined_count, "
                "page_count, window_lower, window_upper, seconds) "
                "values ('r', 'line', 'followers', 0, 0, 0, 0, '1970-01-01', %s, 0)",
                [at(look.moment)],
            )


def at(moment: int) -> datetime:
    return START + timedelta(milliseconds=moment)


def millisecond(moment: int) -> int:
    return int(START.timestamp() * 1000) + moment


def land(
    session: psycopg.Connection[Any], table: str, key: str, when: datetime, payload: object, *, is_deleted: bool = False
) -> None:
    session.execute(
        f"insert into raw.{table} (_record_id, _extracted_at, _run_id, _payload_hash, _is_deleted, payload) "
        "values (%s, %s, 'r', '', %s, %s)".encode(),  # type: ignore[arg-type]
        [key, when, is_deleted, json.dumps(payload)],
    )


@pytest.fixture(scope="module")
def staging(cluster: Cluster, prepared_template: str, _own_dbt_folder: None) -> Iterator[Staging]:
    url = cluster.create_database("friendships", template=prepared_template)
    warehouse.prepare(url)
    landing.ensure_tables(url)
    select = "path:models/staging/line"
    layers.build(select, "transform", run_id="test", warehouse_url=url, strategy=Strategy(), as_of=AS_OF)
    with warehouse.connect(url) as session:
        yield Staging(session)


MOMENTS = st.integers(0, 6)
EVENTS = st.lists(st.tuples(st.sampled_from(USERS), st.sampled_from(("follow", "unfollow")), MOMENTS), max_size=8).map(
    lambda told: [Event(f"E{number}", *event) for number, event in enumerate(told)]
)
LOOKS = st.dictionaries(MOMENTS, st.frozensets(st.sampled_from(USERS)), max_size=3).map(
    lambda lists: [Look(moment, lists[moment]) for moment in sorted(lists)]
)
OFTEN = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


@OFTEN
@given(data=st.data(), events=EVENTS, looks=LOOKS)
def test_any_order_and_repetition_of_the_same_events_gives_the_same_spans(
    staging: Staging, data: st.DataObject, events: list[Event], looks: list[Look]
) -> None:
    again = data.draw(st.lists(st.sampled_from(events), max_size=4)) if events else []
    arrived = data.draw(st.permutations(events + again))
    assert staging.spans(arrived, looks) == staging.spans(events, looks)


@OFTEN
@given(events=EVENTS, looks=LOOKS)
def test_the_last_word_is_the_lists_but_for_what_happened_after_it(
    staging: Staging, events: list[Event], looks: list[Look]
) -> None:
    now = {row[1]: row[2] for row in staging.spans(events, looks) if row[4] is None}
    assert now == {user: state for user in USERS if (state := expected(user, events, looks)) is not None}


def expected(user: str, events: list[Event], looks: list[Look]) -> bool | None:
    """Say by other means whether the user can be reached in the end; None for somebody never heard of."""
    told = [(event.moment, event.kind == "unfollow") for event in events if event.user == user]
    last = looks[-1] if looks else Look(-1, frozenset())
    later = [one for one in told if one[0] > last.moment]
    if later:
        return not max(later)[1]
    was_listed = any(user in look.listed for look in looks)
    return user in last.listed if told or was_listed else None


@OFTEN
@given(events=EVENTS, looks=LOOKS)
def test_spans_follow_one_another_without_gap_and_in_turn(
    staging: Staging, events: list[Event], looks: list[Look]
) -> None:
    found = staging.spans(events, looks)
    for user in USERS:
        own = [row for row in found if row[1] == user]
        for before, after in itertools.pairwise(own):
            assert before[4] == after[3]
            assert before[2] is not after[2]
            assert before[6] < after[3]
        assert [row[4] for row in own[-1:]] == [None] * bool(own)
