"""Shopify's bulk operations: one question about all of a long window, answered hours later by a file of JSON lines.

Surprises: the lines come in no order, children before or far behind their parents; an empty result has no address; the
address ends after seven days; a failed operation may show a part of its data, which is never taken for the whole.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, TYPE_CHECKING, Any, NoReturn

from kizuna.answers import parse
from kizuna.http import Request, VendorUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kizuna.answers import Answer
    from kizuna.graphql import Endpoint, Nested
    from kizuna.http import Client

# A run that fails for the vendor's own reasons is started again; a file that is not whole is fetched again.
MAX_RUNS = 3
MAX_DOWNLOADS = 3
FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS = 1.0, 30.0
PATIENCE_SECONDS = 6 * 3600.0
ROWS_AT_ONCE = 250
RUN = """
mutation bulk_run($query: String!) {
  bulkOperationRunQuery(query: $query) { bulkOperation { id } userErrors { code } }
}
"""
POLL = """
query bulk_poll($id: ID!) {
  bulkOperation(id: $id) { id status errorCode objectCount rootObjectCount url }
}
"""
UNDER_WAY = ("CREATED", "RUNNING", "CANCELING")
STARTED_AGAIN = ("INTERNAL_SERVER_ERROR", "TIMEOUT", "EXPIRED")


@dataclass(frozen=True)
class Finished:
    """A completed operation: where its file is (None: no rows), and how many lines and records are in it."""

    address: str | None
    line_count: int
    record_count: int


class Bulk:
    """Runs bulk operations for one stream."""

    def __init__(self, endpoint: Endpoint, client: Client, sleep: Callable[[float], None], stream: str) -> None:
        """Remember whom to ask."""
        self._endpoint, self._client, self._sleep = endpoint, client, sleep
        self._stream, self._waited = stream, 0.0

    def read(self, query: str, nested: Sequence[Nested]) -> Iterator[list[Any]]:
        """Yield the records that `query` finds, some at a time, each with its `nested` connections whole.

        Memory is bounded by ROWS_AT_ONCE records: the file and the children that wait for their parents are on disk.
        """
        self._waited = 0.0
        finished = self._finish(query)
        if finished.address is None:
            return
        with TemporaryDirectory(prefix="kizuna-bulk-") as folder, TemporaryFile() as file:
            self._download(finished, file)
            yield from assemble(file, Path(folder) / "children.sqlite", nested)

    def _finish(self, query: str) -> Finished:
        """Run the operation until it is complete."""
        for _ in range(MAX_RUNS):
            answer, operation = self._wait_for(self._run(query))
            if operation["status"] == "COMPLETED":
                lines, records = int(operation["objectCount"]), int(operation["rootObjectCount"])
                return Finished(operation.get("url"), lines, records)
            reason = str(operation.get("errorCode") or operation["status"])
            if reason not in STARTED_AGAIN:
                self._fail(answer, f"the operation ended as {reason}", _next_step(reason))
        why = f"the operation ended as {reason} {MAX_RUNS} times"
        raise VendorUnavailableError(self._client.vendor, self._name, answer.status, MAX_RUNS, why, "run again later")

    def _run(self, query: str) -> str:
        """Start an operation and return its id; as many as may run at once are waited for."""
        while True:
            answer = self._endpoint.ask(self._name, RUN, {"query": query})
            payload = answer.body["data"].get("bulkOperationRunQuery") or {}
            started = payload.get("bulkOperation")
            if isinstance(started, dict):
                return str(started["id"])
            codes = {error.get("code") for error in payload.get("userErrors") or ()}
            if not codes & {"OPERATION_IN_PROGRESS", "LIMIT_REACHED"}:
                refused = ", ".join(sorted(str(code) for code in codes)) or "no operation"
                self._fail(answer, f"refused: {refused}", "compare the stream's fields with the bulk operations guide")
            self._wait(answer, LONGEST_POLL_SECONDS)

    def _wait_for(self, operation_id: str) -> tuple[Answer, Mapping[str, Any]]:
        """Poll until the operation has ended, one way or another."""
        pause = FIRST_POLL_SECONDS
        while True:
            answer = self._endpoint.ask(self._name, POLL, {"id": operation_id})
            operation = answer.body["data"].get("bulkOperation")
            if not isinstance(operation, dict):
                self._fail(answer, "the operation is not there", "run again")
            if operation["status"] not in UNDER_WAY:
                return answer, operation
            self._wait(answer, pause)
            pause = min(2 * pause, LONGEST_POLL_SECONDS)

    def _wait(self, answer: Answer, seconds: float) -> None:
        self._waited += seconds
        if self._waited > PATIENCE_SECONDS:
            why = f"not complete after {PATIENCE_SECONDS / 3600:.0f} hours"
            raise VendorUnavailableError(self._client.vendor, self._name, answer.status, 1, why, "run again later")
        self._sleep(seconds)

    def _download(self, finished: Finished, file: IO[bytes]) -> None:
        """Fetch the file until it has as many lines and records as the operation says."""
        expected = (finished.line_count, finished.record_count)
        for _ in range(MAX_DOWNLOADS):
            answer = self._client.download(Request("GET", finished.address or "", self._name), file)
            found = count_lines(file)
            if found == expected:
                return
        why = f"the file has {found[0]} lines and {found[1]} records, expected {expected[0]} and {expected[1]}"
        self._fail(answer, why, "run again; if it stays, the vendor cuts its files")

    def _fail(self, answer: Answer, why: str, next_step: str) -> NoReturn:
        self._endpoint.fail(self._name, answer, why, next_step)

    @property
    def _name(self) -> str:
        return f"{self._stream} bulk"


def _next_step(reason: str) -> str:
    if reason == "ACCESS_DENIED":
        return "grant the app the scope or the protected customer data level that the stream's fields need"
    return "run again; somebody or something ended it"


def count_lines(file: IO[bytes]) -> tuple[int, int]:
    """Count a file's lines, and those among them that are records and nobody's children; a line cut off counts not."""
    file.seek(0)
    lines = records = 0
    for line in file:
        if line.endswith(b"\n") or _is_whole(line):
            lines += 1
            records += _parent_of(line) is None
    return lines, records


def _is_whole(line: bytes) -> bool:
    try:
        _read(line)
    except ValueError:
        return False
    return True


def assemble(file: IO[bytes], beside: Path, nested: Sequence[Nested]) -> Iterator[list[Any]]:
    """Put children into their parents: they wait in a database `beside` the file, then the parents are read in turn."""
    # The reading thread may be left in the middle; whoever tidies up then is another.
    with closing(sqlite3.connect(beside, check_same_thread=False)) as waiting:
        waiting.execute("pragma journal_mode = off")
        waiting.execute("pragma synchronous = off")
        waiting.execute("create table child (parent text not null, line blob not null)")
        # Open and without a name, it goes with the process, even one that is killed: it holds personal data.
        beside.unlink()
        waiting.executemany("insert into child values (?, ?)", _children(file))
        waiting.execute("create index child_parent on child (parent)")
        rows: list[Any] = []
        for line in _records(file):
            record = _read(line)
            found = waiting.execute("select line from child where parent = ? order by rowid", [record.get("id")])
            _attach(record, [_read(row[0]) for row in found], nested)
            rows.append(record)
            if len(rows) >= ROWS_AT_ONCE:
                yield rows
                rows = []
        yield rows


def _attach(record: dict[str, Any], children: Sequence[dict[str, Any]], nested: Sequence[Nested]) -> None:
    """Sort a record's children into its connections by their types."""
    for child in children:
        del child["__parentId"]
    for connection in nested:
        own = [child for child in children if child.get("__typename") in connection.kinds]
        record[connection.name] = connection.closed(own)


def _children(file: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    file.seek(0)
    for line in file:
        parent = _parent_of(line)
        if parent is not None:
            yield parent, line


def _records(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    for line in file:
        if _parent_of(line) is None:
            yield line


def _parent_of(line: bytes) -> str | None:
    """Read whose child a line is; most lines need no parsing to tell that they are nobody's."""
    if b'"__parentId"' not in line:
        return None
    parent: str | None = _read(line).get("__parentId")
    return parent


def _read(line: bytes) -> dict[str, Any]:
    """Parse a line; what JSON in UTF-8 cannot carry is passed on, for landing to put the record aside."""
    record: dict[str, Any] = parse(line)
    return record
