"""Stores events so that many requests share one commit: whoever waits is answered after the commit of its own batch.

While one batch is being committed, the next gathers; there is no delay to tune. One statement without a transaction
around it is one round trip and one commit.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kizuna.webhooks.events import Event

LOG = logging.getLogger(__name__)

LARGEST_BATCH_EVENTS = 1_000
LARGEST_BATCH_BYTES = 8 * 1024 * 1024
# A receiver that cannot keep up says so at once, and the vendors come again.
MOST_WAITING_BYTES = 64 * 1024 * 1024

# Short limits: vendors wait one to five seconds. A commit is durable whatever the database's default is.
OPTIONS = " ".join(
    [
        "-c role=kizuna_webhooks",
        "-c timezone=UTC",
        "-c statement_timeout=2s",
        "-c lock_timeout=2s",
        "-c synchronous_commit=on",
    ]
)
# No conflict target: naming the columns would need the right to read them.
_INSERT = """
insert into ops.webhook_inbox (vendor, event_id, topic, triggered_at, body)
select * from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bytea[])
on conflict do nothing
"""


class StoringError(RuntimeError):
    """The events are not known to be stored; the vendor should send them again."""


@dataclass(slots=True)
class _Request:
    """The events of one request, and who waits for them."""

    vendor: str
    events: Sequence[Event]
    stored: asyncio.Future[None]
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = sum(len(event.body) for event in self.events)


class Storing:
    """The way into the inbox; `run` must be running for `store` to return."""

    def __init__(self, warehouse_url: str) -> None:
        """Remember where the inbox is; nothing is opened yet."""
        self._url = warehouse_url
        self._waiting: deque[_Request] = deque()
        self._waiting_bytes = 0
        self._something = asyncio.Event()
        self._session: psycopg.AsyncConnection[Any] | None = None

    async def store(self, vendor: str, events: Sequence[Event]) -> None:
        """Return when the events are committed; with none, when the way is open.

        Raises:
            StoringError: when they may not be.
        """
        request = _Request(vendor, events, asyncio.get_running_loop().create_future())
        if self._waiting_bytes + request.size > MOST_WAITING_BYTES:
            message = "too much is waiting to be stored"
            raise StoringError(message)
        self._waiting.append(request)
        self._waiting_bytes += request.size
        self._something.set()
        await request.stored

    async def run(self) -> None:
        """Store batch after batch until cancelled."""
        try:
            while True:
                await self._something.wait()
                batch = self._next_batch()
                if batch:
                    await self._commit(batch)
        finally:
            await self._close()

    def _next_batch(self) -> list[_Request]:
        """Take what waits, up to the limits; whoever gave up meanwhile is left out, and will send again."""
        batch: list[_Request] = []
        events = size = 0
        while self._waiting and events < LARGEST_BATCH_EVENTS and size < LARGEST_BATCH_BYTES:
            request = self._waiting.popleft()
            self._waiting_bytes -= request.size
            if not request.stored.done():
                batch.append(request)
                events, size = events + len(request.events), size + request.size
        if not self._waiting:
            self._something.clear()
        return batch

    async def _commit(self, batch: list[_Request]) -> None:
        try:
            await self._insert(batch)
        except psycopg.DataError as error:
            if len(batch) > 1:
                for request in batch:
                    await self._commit([request])
                return
            _answer(batch, f"the warehouse refuses it ({type(error).__name__})")
        except (psycopg.Error, OSError) as error:
            await self._close()
            # Only the first line: what follows it may quote a row.
            reason = str(error).partition("\n")[0]
            LOG.warning("the inbox cannot be reached (%s): %d requests are to be sent again", reason, len(batch))
            _answer(batch, "the warehouse cannot be reached")
        else:
            _answer(batch, None)

    async def _insert(self, batch: list[_Request]) -> None:
        rows = [(request.vendor, event) for request in batch for event in request.events]
        columns = (
            [vendor for vendor, _ in rows],
            [event.event_id for _, event in rows],
            [event.topic for _, event in rows],
            [event.triggered_at for _, event in rows],
            [event.body for _, event in rows],
        )
        if self._session is None:
            self._session = await _open(self._url)
        await self._session.execute(_INSERT, columns)

    async def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()


async def _open(url: str) -> psycopg.AsyncConnection[Any]:
    """Open a session that can only add to the inbox, and that notices within seconds when its server is gone."""
    return await psycopg.AsyncConnection.connect(
        url,
        options=OPTIONS,
        application_name="kizuna kizuna_webhooks",
        autocommit=True,
        connect_timeout=2,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=3000,
    )


def _answer(batch: list[_Request], problem: str | None) -> None:
    for request in batch:
        if request.stored.done():
            continue
        if problem is None:
            request.stored.set_result(None)
        else:
            request.stored.set_exception(StoringError(problem))
