"""Bulk operations: a query over all there is, run in the background, whose rows are fetched as a file of JSON lines.

An operation is CREATED, RUNNING after a poll, and COMPLETED after some more; five run at once. Its file lives for seven
days. Lines come in no order: children before or behind their parents, as the vendor does since 2026-01.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from sandbox.shopify.values import gid, instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.setting import Setting
    from sandbox.shopify.timeline import Node

    # Executes a query over the rows of a range of its connection, all nested rows included; None where it may not.
    Execute = Callable[[DocumentNode, range], dict[str, Any] | None]

LIFETIME_SECONDS = 7 * 86_400
RUNNING_AT_ONCE = 5
MOST_CONNECTIONS, DEEPEST = 5, 2
ROWS_AT_ONCE = 250
TOO_MANY_AT_ONCE = "Maximum number of concurrent bulk operations reached."
NO_CONNECTION = "Invalid bulk query: at least one connection is required."
TOO_MANY_CONNECTIONS = "Bulk queries cannot contain more than 5 connections."
TOO_DEEP = "Bulk queries cannot contain connections with a nesting depth greater than 2."
IN_LIST = "Queries that contain a connection field within a list field are not supported."
TABLES = """
create table if not exists shopify_bulk (
  id integer primary key autoincrement, query text not null, created integer not null, polls_left integer not null,
  error text, lines integer, records integer
);
"""


class RefusalError(Exception):
    """A query that cannot be run in bulk, in the vendor's code and words."""

    def __init__(self, message: str, code: str = "INVALID") -> None:
        """Keep both."""
        super().__init__(message)
        self.message, self.code = message, code


class BulkOperations:
    """The operations of one shop."""

    def __init__(self, setting: Setting, schema: GraphQLSchema, execute: Execute) -> None:
        """Keep them in the state file, and their rows beside it."""
        self._setting, self._schema, self._execute = setting, schema, execute
        self._connection = setting.state.connection
        with self._connection:
            self._connection.executescript(TABLES)

    def run(self, query: str, document: DocumentNode) -> Node:
        """Start an operation; the query must be one that can be run in bulk."""
        refuse_unfit(self._schema, document)
        running = "select count(*) from shopify_bulk where polls_left > 0"
        if self._connection.execute(running).fetchone()[0] >= RUNNING_AT_ONCE:
            # Who is refused waits, and meanwhile the others get on, even those that nobody asks for any more.
            with self._connection:
                self._connection.execute("update shopify_bulk set polls_left = polls_left - 1 where polls_left > 0")
            raise RefusalError(TOO_MANY_AT_ONCE, "LIMIT_REACHED")
        with self._connection:
            cursor = self._connection.execute(
                "insert into shopify_bulk (query, created, polls_left) values (?, ?, ?)",
                (query, self._setting.clock.now(), self._setting.shopify_bulk_polls),
            )
        number = int(cursor.lastrowid or 0)
        if number <= self._setting.shopify_failing_bulk_operations:
            self._update(number, "error", "INTERNAL_SERVER_ERROR")
        else:
            self._write(number, document)
        return self._describe(number, "CREATED", "")

    def poll(self, key: str, base: str) -> Node | None:
        """Show an operation by its id, one poll nearer to its end; `base` is where its file can be fetched."""
        number = int(key.rsplit("/", 1)[1]) if key.startswith(gid("BulkOperation", "")) else 0
        found = self._connection.execute("select * from shopify_bulk where id = ?", (number,)).fetchone()
        if found is None:
            return None
        _, _, created, polls_left, error, _, _ = found
        if polls_left > 0:
            self._update(number, "polls_left", polls_left - 1)
            return self._describe(number, "RUNNING", base)
        if error:
            return self._describe(number, "FAILED", base)
        is_over = self._setting.clock.now() >= created + LIFETIME_SECONDS
        return self._describe(number, "EXPIRED" if is_over else "COMPLETED", base)

    def file(self, number: int) -> Path | None:
        """Give the file of an operation while its address is good."""
        found = self._connection.execute("select created from shopify_bulk where id = ?", (number,)).fetchone()
        if found is None or self._setting.clock.now() >= found[0] + LIFETIME_SECONDS:
            return None
        return self._path(number)

    def _describe(self, number: int, status: str, base: str) -> Node:
        row = self._connection.execute("select * from shopify_bulk where id = ?", (number,)).fetchone()
        _, query, created, _, error, lines, records = row
        is_complete = status == "COMPLETED"
        address = f"{base}/bulk/{number}.jsonl?expires={created + LIFETIME_SECONDS}"
        return {
            "__typename": "BulkOperation",
            "id": gid("BulkOperation", str(number)),
            "query": query,
            "type": "QUERY",
            "status": status,
            "errorCode": error if status == "FAILED" else None,
            "createdAt": instant(created),
            "completedAt": instant(created) if is_complete else None,
            "objectCount": str(lines or 0) if is_complete else "0",
            "rootObjectCount": str(records or 0) if is_complete else "0",
            "fileSize": str(self._path(number).stat().st_size) if is_complete and lines else None,
            "url": address if is_complete and lines else None,
            "partialDataUrl": None,
        }

    def _write(self, number: int, document: DocumentNode) -> None:
        """Write the rows as they are when the operation starts: the clock stands while it runs."""
        random = Random(f"shopify/bulk/{number}")
        lines = records = 0
        late: list[bytes] = []
        with self._path(number).open("wb") as file:
            start = 0
            while rows := self._rows(number, document, start):
                written = [orjson.dumps(row) + b"\n" for row in flatten(rows)]
                lines, records, start = lines + len(written), records + len(rows), start + ROWS_AT_ONCE
                random.shuffle(written)
                # Some lines come far behind all that they belong to.
                late.extend(written[:3])
                file.writelines(written[3:])
            file.writelines(late)
        self._update(number, "lines", lines)
        self._update(number, "records", records)

    def _rows(self, number: int, document: DocumentNode, start: int) -> list[Node]:
        data = self._execute(document, range(start, start + ROWS_AT_ONCE))
        if data is None:
            self._update(number, "error", "ACCESS_DENIED")
            return []
        return [edge["node"] for connection in data.values() for edge in connection["edges"]]

    def _path(self, number: int) -> Path:
        return self._setting.state.path.parent / f"shopify-bulk-{number}.jsonl"

    def _update(self, number: int, column: str, value: object) -> None:
        with self._connection:
            self._connection.execute(f"update shopify_bulk set {column} = ? where id = ?", (value, number))  # noqa: S608


def flatten(rows: list[Node], parent: str | None = None) -> Iterator[Node]:
    """Write rows as lines: the rows of a nested connection are lines of their own that name their parent."""
    for row in rows:
        own = {key: value for key, value in row.items() if not is_connection(value)}
        yield own if parent is None else {**own, "__parentId": parent}
        for value in row.values():
            if is_connection(value):
                yield from flatten([edge["node"] for edge in value["edges"]], row["id"])


def is_connection(value: object) -> bool:
    """Tell a nested connection from a field."""
    return isinstance(value, dict) and set(value) == {"edges"}


def refuse_unfit(schema: GraphQLSchema, document: DocumentNode) -> None:
    """Refuse what the vendor refuses: too many or too deep connections, and connections within lists."""
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    depths = list(connection_depths(operation.selection_set, schema.query_type, 1, in_list=False))
    if not depths:
        raise RefusalError(NO_CONNECTION)
    if len(depths) > MOST_CONNECTIONS:
        raise RefusalError(TOO_MANY_CONNECTIONS)
    # The outermost connection is not nested: two levels lie below it.
    if max(depths) > DEEPEST + 1:
        raise RefusalError(TOO_DEEP)


def connection_depths(selections: SelectionSetNode, parent: Any, depth: int, *, in_list: bool) -> Iterator[int]:  # noqa: ANN401
    """Yield the depth of each connection below a selection."""
    for selection in selections.selections:
        if not isinstance(selection, FieldNode) or selection.selection_set is None:
            continue
        field = parent.fields[selection.name.value]
        kind: Any = get_named_type(field.type)
        is_list = is_list_type(get_nullable_type(field.type))
        if not kind.name.endswith("Connection"):
            below = in_list or (is_list and selection.name.value != "edges")
            yield from connection_depths(selection.selection_set, kind, depth, in_list=below)
            continue
        if in_list:
            raise RefusalError(IN_LIST)
        yield depth
        yield from connection_depths(selection.selection_set, kind, depth + 1, in_list=False)
