"""The webhook inbox as a stream: every committed event is read, in whatever order the transactions end."""

from __future__ import annotations

import random
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import psycopg
import pytest

from kizuna import warehouse
from kizuna.inbox import InboxStream, open_inbox
from kizuna.landing.records import RejectedRecord, copy_line
from kizuna.landing.shape import Shape
from kizuna.reading import EPOCH, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kizuna.inbox import InboxReader

EVER = Window(EPOCH, datetime(2100, 1, 1, tzinfo=UTC))
INSERT = "insert into ops.webhook_inbox (vendor, event_id, topic, body) values (%s, %s, %s, %s) on conflict do nothing"


@dataclass
class Inbox:
    """Receives and reads as the two processes do."""

    url: str
    cursor: str | None = None

    @contextmanager
    def receiving(self) -> Iterator[psycopg.Connection[Any]]:
        with warehouse.connect(self.url, "kizuna_webhooks") as session:
            yield session

    def receive(self, *event_ids: str, vendor: str = "line", body: bytes = b"{}") -> None:
        with self.receiving() as session:
            for event_id in event_ids:
                put(session, event_id, vendor, body)

    def read(self, vendor: str = "line") -> list[str]:
        return [record["event_id"] for record in self.records(vendor)]

    def records(self, vendor: str = "line") -> list[Any]:
        with open_inbox(vendor, self.url) as reader:
            reader.start(EPOCH, self.cursor)
            found = walk(reader)
            self.cursor = reader.cursor
        return found


def put(session: psycopg.Connection[Any], event_id: str, vendor: str = "line", body: bytes = b"{}") -> None:
    session.execute(INSERT, [vendor, event_id, "follow", body])


def walk(reader: InboxReader) -> list[Any]:
    found = [record for page in reader.pages(EVER) for record in page]
    assert reader.count(EVER).count == len(found)
    return found


@pytest.fixture
def inbox(warehouse_url: str) -> Inbox:
    return Inbox(warehouse_url)


def test_each_event_is_read_once_and_only_by_its_own_vendor(inbox: Inbox) -> None:
    inbox.receive("a", "b")
    inbox.receive("c", vendor="shopify")
    assert inbox.read() == ["a", "b"]
    inbox.receive("d")
    assert inbox.read() == ["d"]
    assert inbox.read() == []


def test_an_event_sent_again_is_there_once(inbox: Inbox) -> None:
    inbox.receive("a")
    inbox.receive("a", "a", "b")
    assert inbox.read() == ["a", "b"]


@pytest.mark.parametrize("late", [0, 1])
def test_an_event_that_commits_late_is_not_skipped(inbox: Inbox, late: int) -> None:
    """Whether the late one began first (an older transaction) or second (a higher id that is seen first)."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(inbox.receiving()) for _ in range(2)]
        for session in sessions:
            session.execute("select pg_current_xact_id()")
        put(sessions[1], "of the younger transaction, lower id")
        put(sessions[0], "of the older transaction, higher id")
        sessions[1 - late].commit()
        first = inbox.read()
        sessions[late].commit()
        second = inbox.read()
    assert (len(first), len(second)) == (1, 1)
    assert inbox.read() == []


@pytest.mark.parametrize("seed", range(5))
def test_whatever_the_order_of_commits_and_reads_every_committed_event_is_read_exactly_once(
    inbox: Inbox, seed: int
) -> None:
    chance = random.Random(seed)
    committed: list[str] = []
    seen: list[str] = []
    with ExitStack() as stack:
        sessions = [stack.enter_context(inbox.receiving()) for _ in range(4)]
        pending: dict[int, list[str]] = {number: [] for number in range(4)}
        for step in range(80):
            number = chance.randrange(4)
            act = chance.choice(["put", "put", "commit", "rollback", "read"])
            if act == "put":
                put(sessions[number], f"event {step}")
                pending[number].append(f"event {step}")
            elif act == "commit":
                sessions[number].commit()
                committed += pending.pop(number)
                pending[number] = []
            elif act == "rollback":
                sessions[number].rollback()
                pending[number] = []
            else:
                seen += inbox.read()
        for number, session in enumerate(sessions):
            session.commit()
            committed += pending[number]
    assert committed
    assert sorted(seen + inbox.read()) == sorted(committed)


def test_what_arrives_while_reading_waits_for_the_next_reading(inbox: Inbox) -> None:
    inbox.receive("a")
    with open_inbox("line", inbox.url) as reader:
        reader.start(EPOCH, None)
        inbox.receive("b")
        assert [record["event_id"] for record in walk(reader)] == ["a"]
        assert [record["event_id"] for record in walk(reader)] == ["a"]
        inbox.cursor = reader.cursor
    assert inbox.read() == ["b"]


def test_what_landed_long_ago_is_forgotten_and_what_has_not_is_kept(inbox: Inbox) -> None:
    inbox.receive("old")
    inbox.receive("old of another", vendor="shopify")
    inbox.read()
    inbox.receive("old, not landed")
    with warehouse.connect(inbox.url) as session:
        session.execute("update ops.webhook_inbox set received_at = now() - interval '31 days'")
    inbox.receive("new")

    assert inbox.read() == ["old, not landed", "new"]
    with warehouse.connect(inbox.url) as session:
        left = session.execute("select event_id from ops.webhook_inbox order by webhook_id").fetchall()
    assert left == [("old of another",), ("old, not landed",), ("new",)]


def test_a_cursor_of_another_server_reads_everything_again(inbox: Inbox) -> None:
    """Restored on a new server, transactions are counted anew, and the old snapshot would hide what is new."""
    inbox.receive("a")
    inbox.cursor = "1/900000000:900000000:"
    assert inbox.read() == ["a"]


def test_a_record_holds_the_event_as_its_vendor_wrote_it(inbox: Inbox) -> None:
    inbox.receive("a", body="{'type': '友だち'}".replace("'", '"').encode())
    [record] = inbox.records()
    assert datetime.fromisoformat(record.pop("received_at")).tzinfo is not None
    assert record == {"event_id": "a", "topic": "follow", "triggered_at": None, "body": {"type": "友だち"}}


@pytest.mark.parametrize("body", [b"hello", b"\xff\xfe", b'{"a": NaN}', b""])
def test_a_body_that_is_no_json_is_refused_by_landing_and_the_others_are_not(inbox: Inbox, body: bytes) -> None:
    inbox.receive("bad", body=body)
    inbox.receive("good")
    stream = InboxStream()
    lines = [copy_line(record, Shape(stream)) for record in inbox.records()]
    assert [isinstance(line, RejectedRecord) for line in lines] == [True, False]


def test_the_receiver_adds_and_reads_nothing_back(inbox: Inbox) -> None:
    inbox.receive("a")
    for text in (
        "select body from ops.webhook_inbox",
        "insert into ops.webhook_inbox (vendor, event_id, topic, body) values ('v', 'a', '', '') returning event_id",
        "update ops.webhook_inbox set body = ''",
        "delete from ops.webhook_inbox",
        "insert into ops.webhook_inbox (vendor, event_id, topic, body, received_at) values ('v', 'a', '', '', now())",
    ):
        with inbox.receiving() as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(text.encode())


def test_pages_hold_no_more_than_they_should(inbox: Inbox) -> None:
    inbox.receive(*(f"event {number:03}" for number in range(120)), body=orjson.dumps({"text": "x" * 100}))
    with open_inbox("line", inbox.url) as reader:
        reader.start(EPOCH, None)
        assert [len(page) for page in reader.pages(EVER)] == [50, 50, 20]
