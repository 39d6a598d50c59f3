"""The webhook inbox as a stream that any source can list: each event that was received from its vendor, once.

Ids are given before a transaction commits, so a higher one can be seen before a lower one. A reader that goes on behind
the last id would miss the late one for ever. This one remembers the snapshot it read with, and reads what that snapshot
could not see yet (docs/decisions/0004-webhooks-durable-before-200.md).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import psycopg

from kizuna import warehouse
from kizuna.reading import Reader, Stream, VendorCount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kizuna.reading import Window

PAGE_SIZE = 50
# No vendor sends an event again after this long; what has landed is in raw, and need not be kept twice.
KEPT_DAYS = 30
NOTHING_SEEN = "3:3:"

# Another server counts its transactions anew: a snapshot is only good for the one it was taken on.
_SERVER = "select system_identifier::text from pg_control_system()"
_NOW = "select pg_current_snapshot()::text, now()"
_UNSEEN = """
from ops.webhook_inbox
where
    vendor = %(vendor)s
    and transaction_id >= pg_snapshot_xmin(%(seen)s::pg_snapshot)
    and not pg_visible_in_snapshot(transaction_id, %(seen)s::pg_snapshot)
"""
_FORGET = """
delete from ops.webhook_inbox
where
    vendor = %(vendor)s
    and received_at < now() - make_interval(days => %(days)s)
    and pg_visible_in_snapshot(transaction_id, %(seen)s::pg_snapshot)
"""
_COUNT = f"select count(*) {_UNSEEN}"
_EVENTS = f"select event_id, topic, triggered_at, received_at, body {_UNSEEN} order by webhook_id"


@dataclass(frozen=True)
class InboxStream(Stream):
    """The events of a source's own vendor.

    A record is `{"event_id", "topic", "triggered_at", "received_at", "body"}`: the body is the event in the vendor's
    words, `triggered_at` a text where a header says it and otherwise null, `received_at` the warehouse's clock.
    """

    name: str = "webhooks"
    key: str = "event_id"
    updated: str | None = "received_at"
    overlap: timedelta | None = timedelta(0)
    hold_back: timedelta | None = timedelta(0)


class InboxReader(Reader):
    """One vendor's unread events; `cursor`, set by `start`, is what has been seen when they have landed."""

    def __init__(self, vendor: str, session: psycopg.Connection[Any]) -> None:
        """Remember whose events are read; from `start` on the session sees one state of the inbox."""
        self._vendor, self._session, self._seen = vendor, session, NOTHING_SEEN

    def start(self, lower: datetime, cursor: str | None) -> datetime:  # noqa: ARG002 - windows go by transactions
        """Go on behind `cursor` and return the warehouse's time; without one, or one of another server, read all.

        What landed long ago is forgotten first, since bodies hold personal data.
        """
        [server] = self._session.execute(_SERVER).fetchone() or [""]
        known_server, _, seen = (cursor or "").partition("/")
        if known_server == server:
            self._seen = seen
            self._session.execute(_FORGET, {"vendor": self._vendor, "seen": seen, "days": KEPT_DAYS})
        self._session.commit()
        self._session.read_only, self._session.isolation_level = True, psycopg.IsolationLevel.REPEATABLE_READ
        snapshot, now = self._session.execute(_NOW).fetchone() or ("", None)
        self.cursor = f"{server}/{snapshot}"
        assert isinstance(now, datetime)  # noqa: S101 - a select without a table has a row
        return now

    def pages(self, window: Window) -> Iterator[list[object]]:  # noqa: ARG002
        """Yield the unread events in the order of their ids; the window of time says nothing here."""
        with self._session.cursor(name="kizuna_inbox") as cursor:
            cursor.execute(_EVENTS, {"vendor": self._vendor, "seen": self._seen})
            while rows := cursor.fetchmany(PAGE_SIZE):
                yield [_record(*row) for row in rows]

    def count(self, window: Window) -> VendorCount:  # noqa: ARG002
        """Count the unread events."""
        row = self._session.execute(_COUNT, {"vendor": self._vendor, "seen": self._seen}).fetchone()
        return VendorCount(row[0] if row else 0)


@contextmanager
def open_inbox(vendor: str, warehouse_url: str) -> Iterator[InboxReader]:
    """Open a vendor's inbox; all that is read sees it as it was when the reader started.

    Raises:
        psycopg.OperationalError: when the warehouse cannot be reached.
    """
    with warehouse.connect(warehouse_url, "kizuna_ingest") as session:
        yield InboxReader(vendor, session)


def _record(event_id: str, topic: str, triggered_at: str | None, received_at: datetime, body: bytes) -> object:
    """Return an event as a record; a body that is not JSON is returned as text, which landing quarantines."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode(errors="surrogateescape")
    return {
        "event_id": event_id,
        "topic": topic,
        "triggered_at": triggered_at,
        "received_at": received_at.isoformat(),
        "body": parsed,
    }
