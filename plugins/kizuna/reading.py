"""What a source promises to landing: windows on the vendor's clock, pages of records, and the vendor's own count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from kizuna.settings import Connection

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Window:
    """The half-open span of source time [lower, upper) that one landing reads."""

    lower: datetime
    upper: datetime

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to read."""
        return self.upper <= self.lower


def next_window(watermark: datetime | None, now: datetime, overlap: timedelta, hold_back: timedelta) -> Window:
    """The span to read after `watermark`, by the vendor's clock `now`.

    It starts before the watermark because vendors index late, and ends before now because rows of this second may
    still be written.
    """
    lower = EPOCH if watermark is None else max(EPOCH, watermark - overlap)
    return Window(lower, now - hold_back)


@dataclass(frozen=True)
class VendorCount:
    """How many records the vendor says there are, and how far off it may be (a count of yesterday, a lower bound)."""

    count: int
    tolerance: int = 0
    is_lower_bound: bool = False

    def agrees_with(self, read_count: int) -> bool:
        """Tell whether having read `read_count` distinct records is no contradiction."""
        if self.is_lower_bound:
            return read_count >= self.count
        return abs(read_count - self.count) <= self.tolerance

    def __str__(self) -> str:
        if self.is_lower_bound:
            return f"at least {self.count}"
        return f"{self.count} ± {self.tolerance}" if self.tolerance else str(self.count)


class Reader(Protocol):
    """One stream of one vendor account, opened."""

    def now(self) -> datetime:
        """Ask the vendor for the time."""

    def pages(self, window: Window) -> Iterator[Sequence[object]]:
        """Yield the window's records, page by page."""

    def count(self, window: Window) -> VendorCount:
        """Ask the vendor how many records the window has."""

    def still_there(self, record_ids: Sequence[str]) -> int:
        """Ask the vendor how many of these records, which a snapshot did not show, it has all the same."""


class Stream(Protocol):
    """One kind of record of a source; without `updated` it is a snapshot: all there is, every time."""

    @property
    def name(self) -> str:
        """The last part of the raw table's name."""

    @property
    def key(self) -> str:
        """The field that holds a record's id."""

    @property
    def updated(self) -> str | None:
        """The field that holds the time of a record's last change; None for a snapshot."""


class Source(Protocol):
    """A vendor we read: the module in `sources/` names it, its connection and its raw tables."""

    @property
    def name(self) -> str:
        """The one word for this vendor: module, connection, raw prefix, staging folder."""

    @property
    def streams(self) -> Sequence[Stream]:
        """What is read from it."""

    @property
    def overlap(self) -> timedelta:
        """How far a window reaches back before the watermark."""

    @property
    def hold_back(self) -> timedelta:
        """How far a window stays behind the vendor's clock."""

    def open(
        self, stream_name: str, connection: Connection, sleep: Callable[[float], None]
    ) -> AbstractContextManager[Reader]:
        """Open one stream for reading."""
