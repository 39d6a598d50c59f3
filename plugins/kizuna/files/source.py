"""A source of files: lists its store once, reads what has not been landed yet, and says what it read.

A file is known by the SHA-256 of its bytes: the same content under another name is not landed again. A file that is
young, or not marked as finished, waits; one that changes while it is copied lands nothing. Files come in the order of
their age, so that what is landed together lands in the order in which it was written.
"""

from __future__ import annotations

import logging
import tempfile
from array import array
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from kizuna import warehouse
from kizuna.files.formats import FileError, Format, open_table
from kizuna.files.stores import copy_whole, is_temporary, open_store
from kizuna.reading import EPOCH, Reader, ReadFile, Stream, UnfitRecord, VendorCount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from kizuna.files.formats import BadRow, Row, Table
    from kizuna.files.stores import Store, StoredFile
    from kizuna.reading import Window
    from kizuna.settings import Connection

PAGE_ROWS = 1_000
ANY_FORMAT = Format()
# A file that has not changed for so long is taken to be finished; the connection's extra may say `quiet_seconds`.
QUIET_SECONDS = 60.0
log = logging.getLogger(__name__)

Record = dict[str, Any] | UnfitRecord


@dataclass(frozen=True)
class Intake:
    """Which files to take, and the record that a row of theirs is.

    `pattern` is matched with the whole name (`*` crosses folders). `marker` is the ending of a file that says another
    is finished (`.done`), or the name of one that says so of its folder (`_SUCCESS`). `scope` names the part of the
    stream that a file holds whole, and its rank: files of a scope are read together, those of the highest rank, and
    what they do not hold any more is deleted.
    """

    pattern: str
    record: Callable[[Row | BadRow, StoredFile], Record]
    format: Format = ANY_FORMAT
    marker: str | None = None
    check_columns: Callable[[Sequence[str], StoredFile], None] = lambda _columns, _file: None
    scope: Callable[[str], tuple[str, int]] | None = None


@dataclass(frozen=True)
class FileStream(Stream):
    """One kind of record; `intakes` is asked when the stream is opened, because mappings may have changed."""

    intakes: Callable[[], Sequence[Intake]]


@dataclass(frozen=True)
class FileSource:
    """A store of files that is read like a vendor."""

    name: str
    streams: tuple[FileStream, ...]
    overlap: timedelta = timedelta(0)
    hold_back: timedelta = timedelta(0)

    @contextmanager
    def open(
        self, stream_name: str, connection: Connection, sleep: Callable[[float], None], *, warehouse_url: str
    ) -> Iterator[FileReader]:
        """Open one stream for reading."""
        del sleep  # a store is waited for by Airflow's hook
        stream = next(stream for stream in self.streams if stream.name == stream_name)
        quiet = timedelta(seconds=float(connection.extra.get("quiet_seconds", QUIET_SECONDS)))
        with open_store(connection) as store:
            yield FileReader(store, stream.intakes(), landed_files(warehouse_url, self.name, stream_name), quiet)


@dataclass
class LandedFiles:
    """What `ops.landed_files` knows of one stream."""

    names: dict[bytes, set[str]] = field(default_factory=dict)
    latest: dict[str, bytes] = field(default_factory=dict)
    states: set[tuple[str, int, datetime]] = field(default_factory=set)

    def knows(self, file: StoredFile) -> bool:
        """Tell whether this very state of the file was read before."""
        return (file.name, file.byte_count, file.modified_at) in self.states

    def known_as(self, name: str, content_hash: bytes) -> str | None:
        """Return the name under which the content was landed; a file that has gone back to what it was is news."""
        if self.latest.get(name) == content_hash:
            return name
        return min(self.names.get(content_hash, set()) - {name}, default=None)

    def add(self, name: str, content_hash: bytes) -> None:
        """Add a file that was landed after those that are known."""
        self.names.setdefault(content_hash, set()).add(name)
        self.latest[name] = content_hash


def landed_files(warehouse_url: str, source: str, stream: str) -> LandedFiles:
    """Ask the warehouse which files of a stream were landed."""
    found = LandedFiles()
    with warehouse.connect(warehouse_url, "kizuna_ingest") as session:
        rows: list[tuple[Any, ...]] = session.execute(
            """
            select name, content_hash, byte_count, modified_at
            from ops.landed_files where source = %s and stream = %s order by landed_at, modified_at
            """,
            [source, stream],
        ).fetchall()
        for name, content_hash, byte_count, modified_at in rows:
            found.add(name, content_hash)
            found.states.add((name, byte_count, modified_at))
    return found


class FileReader(Reader):
    """One opened stream of files."""

    def __init__(self, store: Store, intakes: Sequence[Intake], landed: LandedFiles, quiet: timedelta) -> None:
        """Remember what is read; nothing is listed yet."""
        self.files: list[ReadFile] = []
        self.scopes: list[str] | None = [] if any(intake.scope for intake in intakes) else None
        self._store, self._intakes, self._landed, self._quiet = store, intakes, landed, quiet
        self._listed: list[StoredFile] = []
        self._read = LandedFiles()
        self._counted = 0
        # Eight bytes a row tell how many rows repeat a record; a set of the ids would grow ten times as large.
        self._seen = array("q")

    def start(self, lower: datetime, cursor: str | None) -> datetime:
        """List the store, once, and return the time there, which is later than its newest file whatever we think."""
        del lower, cursor
        self._listed = self._store.files() if self._intakes else []
        newest = max((file.modified_at for file in self._listed), default=EPOCH)
        return max(self._store.now(), newest + timedelta(microseconds=1))

    def pages(self, window: Window) -> Iterator[list[Record]]:
        """Yield the records of every file that was not landed yet, or was written in a window that is read again."""
        self.files, self._read, self._counted, self._seen = [], LandedFiles(), 0, array("q")
        self.scopes = None if self.scopes is None else []
        for intake, file in self._waiting(window):
            with tempfile.TemporaryDirectory(prefix="kizuna-files-") as folder:
                yield from self._pages_of(intake, file, Path(folder) / "copy")

    def count(self, window: Window) -> VendorCount:
        """Return the rows that an independent count of each file found, less those that repeat a record."""
        del window
        import numpy  # noqa: PLC0415 - comes with pandas; only files need it

        seen = numpy.frombuffer(self._seen, dtype=numpy.int64)
        seen.sort()  # in place: the array is as long as the files
        return VendorCount(self._counted - int((seen[1:] == seen[:-1]).sum()))

    def _pages_of(self, intake: Intake, file: StoredFile, copy: Path) -> Iterator[list[Record]]:
        with copy.open("wb") as target:
            content_hash = copy_whole(self._store, file, target)
        known_as = self._read.known_as(file.name, content_hash) or self._landed.known_as(file.name, content_hash)
        # Of a known file that is waiting all the same, somebody has asked to have it read again.
        if known_as is not None and intake.scope is None and not self._landed.knows(file):
            log.warning("%s has the content that was landed as %s: not landed again", file.name, known_as)
            self._remember(file, content_hash, 0)
            return
        table = open_table(copy, file.name, intake.format)
        intake.check_columns(table.columns, file)
        if table.row_count == 0:
            log.warning("%s has a header and no rows", file.name)
            _refuse_empty_scope(intake, file)
        self._counted += table.row_count
        yield from self._records(intake, file, table)
        self._remember(file, content_hash, table.row_count)

    def _records(self, intake: Intake, file: StoredFile, table: Table) -> Iterator[list[Record]]:
        page: list[Record] = []
        for row in table.rows:
            record = intake.record(row, file)
            self._seen.append(hash(record.record_id if isinstance(record, UnfitRecord) else record["id"]))
            page.append(record)
            if len(page) == PAGE_ROWS:
                yield page
                page = []
        yield page

    def _remember(self, file: StoredFile, content_hash: bytes, row_count: int) -> None:
        self._read.add(file.name, content_hash)
        self.files.append(ReadFile(file.name, content_hash, file.byte_count, row_count, file.modified_at))

    def _waiting(self, window: Window) -> Iterator[tuple[Intake, StoredFile]]:
        """Yield what is to be read, oldest first; a next window starts later than any file that was landed."""
        for intake in self._intakes:
            matching = [file for file in self._listed if _matches(intake, file)]
            if intake.scope is None:
                wanted = [file for file in matching if not self._landed.knows(file) or file.modified_at >= window.lower]
                fresh = [file for file in wanted if self._is_finished(intake, file)]
            else:
                fresh = self._fresh_scopes(intake, matching)
            for file in sorted(fresh, key=lambda file: (file.modified_at, file.name)):
                yield intake, file

    def _fresh_scopes(self, intake: Intake, matching: list[StoredFile]) -> list[StoredFile]:
        """Return all files of every scope in which one is new; a scope with an unfinished file waits as a whole."""
        groups: dict[str, dict[int, list[StoredFile]]] = {}
        best: dict[str, int] = {}
        for name in (*self._landed.latest, *(file.name for file in matching)):
            scope, rank = intake.scope(name)  # type: ignore[misc]
            best[scope] = max(best.get(scope, rank), rank)
        for file in matching:
            scope, rank = intake.scope(file.name)  # type: ignore[misc]
            groups.setdefault(scope, {}).setdefault(rank, []).append(file)
        fresh: list[StoredFile] = []
        for scope, ranks in sorted(groups.items()):
            files = ranks.get(best[scope], [])
            is_new = any(not self._landed.knows(file) for file in files)
            if is_new and all(self._is_finished(intake, file) for file in files):
                fresh += files
                if self.scopes is not None:
                    self.scopes.append(scope)
        return fresh

    def _is_finished(self, intake: Intake, file: StoredFile) -> bool:
        if intake.marker and not self._is_marked(intake.marker, file.name):
            log.warning("%s waits for its marker %s", file.name, intake.marker)
            return False
        if self._quiet and self._store.now() - file.modified_at < self._quiet:
            log.warning("%s changed less than %g s ago: left for the next run", file.name, self._quiet.total_seconds())
            return False
        return True

    def _is_marked(self, marker: str, name: str) -> bool:
        marked_by = name + marker if marker.startswith(".") else (PurePosixPath(name).parent / marker).as_posix()
        return any(file.name == marked_by for file in self._listed)


def _refuse_empty_scope(intake: Intake, file: StoredFile) -> None:
    """An empty file would delete all that is known of its scope, and is far more often a failed export."""
    if intake.scope is not None:
        message = f"{file.name}: no rows: expected those of {intake.scope(file.name)[0]}. Next: have it exported again"
        raise FileError(message)


def _matches(intake: Intake, file: StoredFile) -> bool:
    return fnmatchcase(file.name, intake.pattern) and not is_temporary(file.name)


__all__ = ["FileError", "FileSource", "FileStream", "Intake"]
