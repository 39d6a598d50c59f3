"""The words a GraphQL source is written in: streams of connection nodes, read by cursor within `updated_at` windows.

Made for Shopify's Admin API, the only GraphQL vendor so far: its cost extension, THROTTLED answers and version header.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from kizuna.answers import Answer, Ruling, Verdict, judge
from kizuna.http import READ_SECONDS, Client, Request, VendorContractError
from kizuna.reading import VendorCount, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kizuna.settings import Connection

# Shopify refuses a single query above this many points, whatever the plan.
MAX_QUERY_COST = 1000
TRANSIENT_CODES = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"})


@dataclass(frozen=True)
class Nested:
    """A connection inside a node, such as an order's lines: `first` come with the node, the rest in further pages."""

    name: str
    selection: str
    first: int
    rest: int = 100

    def text(self, arguments: str) -> str:
        """Write the connection as GraphQL."""
        return f"{self.name}({arguments}) {{ nodes {{ {self.selection} }} pageInfo {{ hasNextPage endCursor }} }}"


@dataclass(frozen=True)
class GraphqlStream:
    """One connection of the query root; `page_size` keeps a page's requested cost within MAX_QUERY_COST."""

    name: str
    node: str
    page_size: int
    selection: str = field(repr=False)
    nested: tuple[Nested, ...] = ()
    key: str = "id"
    updated: str = "updatedAt"

    def page_query(self) -> str:
        """Write the query of one page."""
        inner = " ".join([self.selection, *(nested.text(f"first: {nested.first}") for nested in self.nested)])
        return (
            f"query {self.name}($first: Int!, $after: String, $window: String!) {{ "
            f"{self.name}(first: $first, after: $after, query: $window, sortKey: UPDATED_AT) "
            f"{{ nodes {{ {inner} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        )

    def rest_query(self, nested: Nested) -> str:
        """Write the query of a further page of a nested connection."""
        inner = nested.text("first: $first, after: $after")
        return (
            f"query {self.node}_{nested.name}($id: ID!, $first: Int!, $after: String) "
            f"{{ {self.node}(id: $id) {{ {inner} }} }}"
        )

    def count_query(self) -> str:
        """Write the query of the vendor's own count; without `limit: null` it stops counting at 10,000."""
        return (
            f"query {self.name}_count($window: String!, $limit: Int) "
            f"{{ {self.name}Count(query: $window, limit: $limit) {{ count precision }} }}"
        )


@dataclass(frozen=True)
class GraphqlSource:
    """A vendor with one GraphQL endpoint; the answered `version_header` must repeat `version`."""

    name: str
    path: str
    version: str
    version_header: str
    auth_header: str
    streams: tuple[GraphqlStream, ...]
    overlap: timedelta = timedelta(minutes=10)
    hold_back: timedelta = timedelta(minutes=2)

    @contextmanager
    def open(self, stream_name: str, connection: Connection, sleep: Callable[[float], None]) -> Iterator[GraphqlReader]:
        """Open one stream for reading."""
        stream = next(stream for stream in self.streams if stream.name == stream_name)
        seconds = float(connection.extra.get("read_seconds", READ_SECONDS))
        headers = {self.auth_header: connection.token}
        with Client(
            self.name, connection.base_url, headers, judge=judge_graphql, read_seconds=seconds, sleep=sleep
        ) as client:
            yield GraphqlReader(self, stream, client)


class GraphqlReader:
    """One opened stream."""

    def __init__(self, source: GraphqlSource, stream: GraphqlStream, client: Client) -> None:
        """Remember what is read; nothing is sent yet."""
        self._source, self._stream, self._client = source, stream, client
        self._page_query = stream.page_query()
        self._rest_queries = {nested.name: stream.rest_query(nested) for nested in stream.nested}

    def now(self) -> datetime:
        """Ask for the cheapest thing the vendor has and take the time from the answer's Date."""
        answer = self._ask(f"{self._stream.name} clock", self._stream.count_query(), {"window": "", "limit": 1})
        if answer.date is None:
            self._fail("clock", answer, "no Date header", "check what stands between us and the vendor")
        return answer.date

    def count(self, window: Window) -> VendorCount:
        """Ask the vendor how many records the window has."""
        variables = {"window": window_filter(window), "limit": None}
        answer = self._ask(f"{self._stream.name} count", self._stream.count_query(), variables)
        counted = answer.body["data"].get(f"{self._stream.name}Count")
        if not isinstance(counted, dict):
            self._fail(f"{self._stream.name} count", answer, "no count", "check the scopes of the app")
        return VendorCount(counted["count"], is_lower_bound=counted["precision"] != "EXACT")

    def still_there(self, record_ids: Sequence[str]) -> int:  # noqa: ARG002
        """Return none: no stream here is a snapshot."""
        return 0

    def pages(self, window: Window) -> Iterator[list[Any]]:
        """Yield the window's nodes, each with its nested connections complete."""
        variables = {"first": self._stream.page_size, "window": window_filter(window)}
        for connection in self._walk(self._stream.name, self._page_query, variables, (self._stream.name,), None):
            yield [self._complete(node) for node in connection["nodes"]]

    def _walk(
        self, operation: str, query: str, variables: Mapping[str, Any], at: tuple[str, ...], after: str | None
    ) -> Iterator[dict[str, Any]]:
        """Yield every page of the connection found `at` a place in the data."""
        seen: set[str | None] = set()
        while after not in seen:
            seen.add(after)
            answer = self._ask(operation, query, {**variables, "after": after})
            connection = self._find(answer, operation, at)
            yield connection
            if not connection["pageInfo"]["hasNextPage"]:
                return
            after = connection["pageInfo"]["endCursor"]
        self._fail(operation, answer, "the cursor repeats", "report it to the vendor")

    def _find(self, answer: Answer, operation: str, at: tuple[str, ...]) -> dict[str, Any]:
        """Return the connection `at` a place in the data."""
        found: dict[str, Any] = answer.body["data"]
        for name in at:
            inner = found.get(name)
            if not isinstance(inner, dict):
                self._fail(operation, answer, f"{name} is not there", "run again; a record may just have been deleted")
            found = inner
        if not isinstance(found.get("nodes"), list) or not isinstance(found.get("pageInfo"), dict):
            self._fail(operation, answer, "a page without nodes or pageInfo", "report it to the vendor")
        return found

    def _complete(self, node: Any) -> Any:  # noqa: ANN401 - a vendor's record: anything
        """Read nested connections to their end and drop their cursors, which change without the record changing."""
        if not isinstance(node, dict):
            return node
        for nested in self._stream.nested:
            connection = node.get(nested.name)
            if not isinstance(connection, dict):
                continue
            info = connection["pageInfo"]
            if info["hasNextPage"]:
                place = (self._stream.node, nested.name)
                variables = {"id": node[self._stream.key], "first": nested.rest}
                query = self._rest_queries[nested.name]
                for page in self._walk("_".join(place), query, variables, place, info["endCursor"]):
                    connection["nodes"].extend(page["nodes"])
            connection["pageInfo"] = {"hasNextPage": False, "endCursor": None}
        return node

    def _ask(self, operation: str, query: str, variables: Mapping[str, Any]) -> Answer:
        body = {"query": query, "variables": variables}
        answer = self._client.send(Request("POST", self._source.path, operation, json=body))
        version = answer.headers.get(self._source.version_header.lower())
        if version != self._source.version:
            why = f"API version {version}, expected {self._source.version}"
            self._fail(operation, answer, why, "move the source to a supported version and review its fields")
        extensions = answer.body.get("extensions") or {}
        cost = (extensions.get("cost") or {}).get("requestedQueryCost", 0)
        if cost > MAX_QUERY_COST:
            why = f"the query costs {cost} points, allowed are {MAX_QUERY_COST}"
            self._fail(operation, answer, why, "lower page_size of this stream")
        # A search term that the vendor does not know is left out with a warning: the window would be all of history.
        if extensions.get("search"):
            self._fail(operation, answer, "the window's search was not understood", "review window_filter")
        return answer

    def _fail(self, operation: str, answer: Answer, why: str, next_step: str) -> NoReturn:
        raise VendorContractError(self._source.name, operation, answer.status, 1, why, next_step)


def window_filter(window: Window) -> str:
    """Write the window in the vendor's search syntax."""
    return f"updated_at:>='{_timestamp(window.lower)}' updated_at:<'{_timestamp(window.upper)}'"


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def judge_graphql(answer: Answer) -> Ruling:
    """Judge by the errors' codes first: Shopify throttles and fails with status 200 as well."""
    body = answer.body if isinstance(answer.body, dict) else {}
    codes = _error_codes(body.get("errors"))
    if "THROTTLED" in codes:
        return _judge_throttled(body)
    if answer.status != 200:
        return judge(answer)
    if not codes:
        has_data = isinstance(body.get("data"), dict)
        return Ruling(Verdict.OK) if has_data else Ruling(Verdict.RETRY_BACKOFF, "body has no data")
    if codes <= TRANSIENT_CODES:
        return Ruling(Verdict.RETRY_BACKOFF, ", ".join(sorted(codes)))
    return Ruling(Verdict.FATAL, ", ".join(sorted(codes)), next_step=_next_step(codes))


def _judge_throttled(body: Mapping[str, Any]) -> Ruling:
    """Wait until the bucket has refilled to what the query asks for."""
    cost = (body.get("extensions") or {}).get("cost") or {}
    status = cost.get("throttleStatus") or {}
    try:
        requested, rate = float(cost["requestedQueryCost"]), float(status["restoreRate"])
        missing, maximum = requested - float(status["currentlyAvailable"]), float(status["maximumAvailable"])
    except (KeyError, TypeError, ValueError):
        return Ruling(Verdict.RETRY_BACKOFF, "rate limit")
    if requested > maximum or rate <= 0:
        return Ruling(Verdict.FATAL, "the query costs more than the bucket holds", next_step="lower page_size")
    return Ruling(Verdict.RETRY_AFTER, "rate limit", max(missing / rate, 0.05))


def _error_codes(errors: Any) -> set[str]:  # noqa: ANN401 - a vendor's answer: anything
    """Name each error by code and field names; the message is left out because it may quote a value."""
    if not errors:
        return set()
    if not isinstance(errors, list):
        return {"error without code"}
    return {_error_code(error) for error in errors}


def _error_code(error: Any) -> str:  # noqa: ANN401
    extensions = error.get("extensions") if isinstance(error, dict) else None
    code = extensions.get("code") if isinstance(extensions, dict) else None
    if not isinstance(code, str) or not re.fullmatch(r"\w{1,60}", code):
        return "THROTTLED" if isinstance(error, dict) and error.get("message") == "Throttled" else "error without code"
    return code


def _next_step(codes: set[str]) -> str:
    if "ACCESS_DENIED" in codes:
        return "grant the app the scope or the protected customer data level that the stream's fields need"
    if "MAX_COST_EXCEEDED" in codes:
        return "lower page_size of this stream"
    return "compare the stream's fields with the API version's schema"
