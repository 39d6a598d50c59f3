"""A source whose every page, count and clock a test writes down itself."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from kizuna.reading import Reader, Stream, VendorCount, Window
from kizuna.settings import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CONNECTION = Connection("scripted", "http://127.0.0.1:9", "no-token")


def record(record_id: str, updated: datetime = NOON - timedelta(hours=1), **fields: object) -> dict[str, Any]:
    """A record like a vendor's."""
    return {"id": record_id, "updatedAt": updated.isoformat(), **fields}


THINGS = Stream("things", updated="updatedAt")
LISTED = Stream("things", is_snapshot=True)


@dataclass
class ScriptedSource(Reader):
    """Gives `walks[n]` as the pages of the n-th walk (the last one from then on) and counts what it `says`."""

    walks: list[list[list[Any]]]
    says: VendorCount | int | Literal["nothing"] | None = None
    clock: datetime = NOON
    stream: Stream = THINGS
    name: str = "scripted"
    overlap: timedelta = timedelta(minutes=10)
    hold_back: timedelta = timedelta(minutes=2)
    windows: list[Window] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    listed: list[list[Any]] = field(default_factory=list)
    at_page: Callable[[int], None] = lambda _number: None

    @property
    def streams(self) -> Sequence[Stream]:
        return (self.stream,)

    @contextmanager
    def open(
        self, stream_name: str, connection: Connection, sleep: Callable[[float], None], *, warehouse_url: str
    ) -> Iterator[ScriptedSource]:
        yield self

    def start(self, lower: datetime, cursor: str | None) -> datetime:
        return self.clock

    def pages(self, window: Window) -> Iterator[Sequence[object]]:
        self.windows.append(window)
        for number, page in enumerate(self.walk()):
            self.at_page(number)
            yield page

    def walk(self) -> list[list[Any]]:
        return self.walks[min(len(self.windows), len(self.walks)) - 1]

    def count(self, window: Window) -> VendorCount | None:
        if self.says == "nothing":
            return None
        if isinstance(self.says, VendorCount):
            return self.says
        return VendorCount(self.distinct() if self.says is None else self.says)

    def id_pages(self) -> Iterator[Sequence[object]]:
        yield from self.listed

    def still_there(self, record_ids: Sequence[str]) -> int:
        return len(self.kept & set(record_ids))

    def distinct(self) -> int:
        """How many records the last walk really has."""
        return len({repr(one.get("id") if isinstance(one, dict) else one) for page in self.walk() for one in page})
