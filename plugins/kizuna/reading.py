"""What a source promises to landing: windows on the vendor's clock, pages of records, and the vendor's own count."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from kizuna.settings import Connection

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Window:
    """The half-open span of source time [lower, upper) that one landing reads.

    `cursor` is where the vendor said to go on, for streams that are read from a kept cursor and not by time.
    """

    lower: datetime
    upper: datetime
    cursor: str | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to read."""
        return self.upper <= self.lower


@dataclass(frozen=True)
class Span:
    """A half-open span of source time [lower, upper) that somebody asked to have read again."""

    lower: datetime
    upper: datetime


def lower_bound(watermark: datetime | None, overlap: timedelta) -> datetime:
    """Where the window after `watermark` starts: before it, because vendors index late."""
    return EPOCH if watermark is None else max(EPOCH, watermark - overlap)


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


@dataclass(frozen=True)
class ReadFile:
    """One file that a reading consumed, as its store showed it; `content_hash` is the SHA-256 of its bytes."""

    name: str
    content_hash: bytes
    byte_count: int
    row_count: int
    modified_at: datetime


@dataclass(frozen=True)
class UnfitRecord:
    """What a reader found where a record should be, whole, and why it is none; landing puts it into the quarantine."""

    record_id: str
    reason: str
    payload: str = field(repr=False)


class Reader(Protocol):
    """One stream of one vendor account, opened. Readers subclass it for what most of them have in common.

    `cursor`, `files` and `scopes` are set while reading: where to go on next time; which files were read; and of which
    parts of a snapshot this reading tells (only ids that start with "<scope>/" can be missing; None: all ids).
    """

    cursor: str | None = None
    files: Sequence[ReadFile] = ()
    scopes: Sequence[str] | None = None

    def start(self, lower: datetime, cursor: str | None) -> datetime:
        """Return the vendor's time, by the cheapest answer there is; often the first page of what is read anyway."""

    def pages(self, window: Window) -> Iterator[Sequence[object]]:
        """Yield the window's records, page by page."""

    def count(self, window: Window) -> VendorCount | None:
        """Ask the vendor how many records the window has; None where it has no such count, and we read twice."""

    def still_there(self, record_ids: Sequence[str]) -> int:  # noqa: ARG002 - snapshots ask, windows have none missing
        """Ask the vendor how many of these records, which a snapshot did not show, it has all the same."""
        return 0

    def id_pages(self) -> Iterator[Sequence[object]]:
        """Yield all records there are by their keys alone, for streams that can be swept for what was deleted."""
        yield from ()


TimeUnit = Literal["iso", "seconds", "milliseconds", "microseconds"]


@dataclass(frozen=True)
class Stream:
    """What landing has to know of one kind of record; each way to read adds what it needs to this.

    Attributes:
        name: The last part of the raw table's name.
        key: The field that holds a record's id, or several that make it together (joined by "/"). Like `updated` it
            may be dotted, for a field of a field.
        updated: The field that holds the time of a record's last change; None where records have none.
        updated_unit: How that time is written: ISO 8601 with an offset, or a number since 1970.
        is_snapshot: Whether a reading shows all there is, so that who is missing has been deleted.
        key_pattern: A regular expression that every id matches as a whole; a record with another one is quarantined.
        has_hashed_key: Whether the id is personal data (an e-mail address): raw then keys the record by its SHA-256.
        is_bounded: Whether the vendor can end a window; if not, landing leaves what changed after the end for the next.
        can_be_swept: Whether its reader lists all ids there are and answers for each one that is not among them.
        overlap, hold_back: Where they differ from the source's.
    """

    name: str
    key: str | tuple[str, ...] = field(default="id", kw_only=True)
    updated: str | None = field(default=None, kw_only=True)
    updated_unit: TimeUnit = field(default="iso", kw_only=True)
    is_snapshot: bool = field(default=False, kw_only=True)
    key_pattern: str | None = field(default=None, kw_only=True)
    has_hashed_key: bool = field(default=False, kw_only=True)
    can_be_swept: bool = field(default=False, kw_only=True)
    is_bounded: bool = field(default=True, kw_only=True)
    overlap: timedelta | None = field(default=None, kw_only=True)
    hold_back: timedelta | None = field(default=None, kw_only=True)


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
        """How far a window reaches back before the watermark, where a stream says nothing else."""

    @property
    def hold_back(self) -> timedelta:
        """How far a window stays behind the vendor's clock, where a stream says nothing else."""

    def open(
        self, stream_name: str, connection: Connection, sleep: Callable[[float], None], *, warehouse_url: str
    ) -> AbstractContextManager[Reader]:
        """Open one stream for reading; the warehouse is for what a reader has to know of earlier readings."""
