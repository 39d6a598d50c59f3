"""From the sandbox's support desks to staging: what staging shows is what is true, after days of changes too."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from kizuna import landing, layers, rest
from kizuna.http import Client
from kizuna.settings import Connection
from kizuna.sources import SOURCES
from kizuna.strategy import Strategy
from sandbox.app import create_app
from sandbox.in_process import InProcess, time_out
from sandbox.intercom.conversations import PART_TYPES
from sandbox.intercom.records import Inbox
from sandbox.world import invent_world
from sandbox.zendesk.records import Desk
from tests.integration.marts.conftest import AS_OF

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86_400
# Zendesk exports after a minute, Intercom finds new contacts after three.
UNTIL_SHOWN = 400


class Desks:
    """Both desks of one sandbox, read and built into staging."""

    def __init__(self, app: Any, url: str) -> None:
        self.setting, self.url = app.state.setting, url

    def build(self) -> None:
        for name in ("zendesk", "intercom"):
            account = Connection(name, f"http://sandbox/{name}", "sandbox-token")
            for stream in SOURCES[name].streams:
                landing.land_stream(SOURCES[name], stream, account, self.url, "run", sleep=lambda _seconds: None)
                if stream.can_be_swept:
                    landing.sweep_stream(SOURCES[name], stream, account, self.url, "run", sleep=lambda _seconds: None)
        select = "staging.zendesk staging.intercom"
        layers.build(select, "transform", run_id="run", warehouse_url=self.url, strategy=Strategy(), as_of=AS_OF)

    def read(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]


@pytest.fixture
def desks(warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    world = invent_world(800, 3, date(2026, 11, 22))
    app = create_app(replace(world, starts_at=world.starts_at - 30 * DAY), tmp_path, sleep=time_out)
    monkeypatch.setattr(rest, "Client", partial(Client, transport=InProcess(app)))
    landing.ensure_tables(warehouse_url)
    yield Desks(app, warehouse_url)
    app.state.setting.state.close()


def test_staging_shows_the_support_desks_as_they_are(desks: Desks) -> None:
    desks.build()
    desks.setting.clock.advance(30 * DAY)
    desks.build()
    # Nothing happens to be younger than what the vendors show at once.
    now = desks.setting.clock.now()
    desk, inbox = Desk(desks.setting.world), Inbox(desks.setting.world)
    assert not [t for t in desk.tickets if any(now - UNTIL_SHOWN < at <= now for at, _ in t.happenings)]

    tickets = {str(row["id"]): row for row in desk.current(now) if row["status"] != "deleted"}
    query = "select zendesk_ticket_id, status, zendesk_user_id from staging.stg_zendesk__tickets"
    assert {key: rest for key, *rest in desks.read(query)} == {
        key: [row["status"], str(row["requester_id"])] for key, row in tickets.items()
    }
    users = {str(row["id"]): row["active"] for row in desk.users(now)}
    assert dict(desks.read("select zendesk_user_id, is_active from staging.stg_zendesk__users")) == users
    scores = desks.read("select score, count(*) from staging.stg_zendesk__satisfaction_ratings group by 1")
    assert dict(scores) == Counter(row["score"] for row in desk.ratings(now))
    replies = "select zendesk_ticket_id, reply_count from staging.stg_zendesk__ticket_metrics"
    assert dict(desks.read(replies)) == {key: row["metric_set"]["replies"] for key, row in tickets.items()}

    contacts = "select intercom_contact_id, external_id from staging.stg_intercom__contacts"
    assert dict(desks.read(contacts)) == {c.id: c.external_id for c in inbox.contacts.values() if c.exists(now)}
    parts = """
        select conversations.intercom_conversation_id, count(parts.intercom_conversation_part_id)
        from staging.stg_intercom__conversations as conversations
        left join staging.stg_intercom__conversation_parts as parts using (intercom_conversation_id)
        group by 1
    """
    # All happened before the first reading, when the longest conversation showed its newest 500 parts.
    assert dict(desks.read(parts)) == {
        str(talk.number): min(500, sum(kind in PART_TYPES for _, kind, _ in talk.so_far(now)[1:]))
        for talk in inbox.conversations
        if talk.exists(now)
    }
    assert desks.read("select sum(lost_part_count) > 0 from staging.stg_intercom__conversations") == [(True,)]
