"""The words Shopify's source is written in: streams of the Admin GraphQL API, read within `updated_at` windows.

What is Shopify's own is here: the cost of a query, THROTTLED answers, the version header, and the search syntax.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kizuna.answers import Answer, Ruling, Verdict
from kizuna.graphql import Endpoint, Nested, error_codes, judge_graphql
from kizuna.http import READ_SECONDS, Client
from kizuna.reading import Reader, Stream, VendorCount, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kizuna.settings import Connection

# Shopify refuses a single query above this many points, whatever the plan.
MAX_QUERY_COST = 1000
NEXT_STEPS = {
    "ACCESS_DENIED": "grant the app the scope or the protected customer data level that the stream's fields need",
    "MAX_COST_EXCEEDED": "lower page_size of this stream",
}


@dataclass(frozen=True, kw_only=True)
class ShopifyStream(Stream):
    """One connection of the query root; `page_size` keeps a page's requested cost within MAX_QUERY_COST."""

    node: str
    page_size: int
    selection: str = field(repr=False)
    nested: tuple[Nested, ...] = ()
    key: str = "id"
    updated: str | None = "updatedAt"

    def page_query(self) -> str:
        """Write the query of one page."""
        inner = " ".join([self.selection, *(nested.text(f"first: {nested.first}") for nested in self.nested)])
        return (
            f"query {self.name}($first: Int!, $after: String, $window: String!) {{ "
            f"{self.name}(first: $first, after: $after, query: $window, sortKey: UPDATED_AT) "
            f"{{ nodes {{ {inner} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        )

    def count_query(self) -> str:
        """Write the query of the vendor's own count; without `limit: null` it stops counting at 10,000."""
        return (
            f"query {self.name}_count($window: String!, $limit: Int) "
            f"{{ {self.name}Count(query: $window, limit: $limit) {{ count precision }} }}"
        )


@dataclass(frozen=True)
class ShopifySource:
    """A shop; the answered version header must repeat `version`."""

    name: str
    version: str
    streams: tuple[Stream, ...]
    overlap: timedelta = timedelta(minutes=10)
    hold_back: timedelta = timedelta(minutes=2)

    @contextmanager
    def open(
        self,
        stream_name: str,
        connection: Connection,
        sleep: Callable[[float], None],
        *,
        warehouse_url: str,  # noqa: ARG002 - nothing read here depends on earlier readings
    ) -> Iterator[Reader]:
        """Open one stream for reading."""
        stream = next(one for one in self.streams if one.name == stream_name and isinstance(one, ShopifyStream))
        seconds = float(connection.extra.get("read_seconds", READ_SECONDS))
        headers = {"X-Shopify-Access-Token": connection.token}
        with Client(
            self.name, connection.base_url, headers, judge=judge_shopify, read_seconds=seconds, sleep=sleep
        ) as client:
            yield ShopifyReader(self, stream, client)


class ShopifyReader(Reader):
    """One opened stream."""

    def __init__(self, source: ShopifySource, stream: ShopifyStream, client: Client) -> None:
        """Remember what is read; nothing is sent yet."""
        self._source, self._stream = source, stream
        self._endpoint = Endpoint(client, f"/admin/api/{source.version}/graphql.json", self._review)

    def start(self, lower: datetime, cursor: str | None) -> datetime:  # noqa: ARG002
        """Ask for the cheapest thing the vendor has and take the time from the answer's Date."""
        operation = f"{self._stream.name} clock"
        answer = self._endpoint.ask(operation, self._stream.count_query(), {"window": "", "limit": 1})
        if answer.date is None:
            self._endpoint.fail("clock", answer, "no Date header", "check what stands between us and the vendor")
        return answer.date

    def count(self, window: Window) -> VendorCount:
        """Ask the vendor how many records the window has."""
        operation = f"{self._stream.name} count"
        variables = {"window": window_filter(window), "limit": None}
        answer = self._endpoint.ask(operation, self._stream.count_query(), variables)
        counted = answer.body["data"].get(f"{self._stream.name}Count")
        if not isinstance(counted, dict):
            self._endpoint.fail(operation, answer, "no count", "check the scopes of the app")
        return VendorCount(counted["count"], is_lower_bound=counted["precision"] != "EXACT")

    def pages(self, window: Window) -> Iterator[list[Any]]:
        """Yield the window's nodes, each with its nested connections complete."""
        stream = self._stream
        variables = {"first": stream.page_size, "window": window_filter(window), "after": None}
        for connection in self._endpoint.walk(stream.name, stream.page_query(), variables, (stream.name,)):
            for node in connection["nodes"]:
                for nested in stream.nested:
                    self._endpoint.complete(node, nested, stream.node, stream.key)
            yield connection["nodes"]

    def _review(self, endpoint: Endpoint, operation: str, answer: Answer) -> None:
        """Refuse what Shopify does without calling it an error."""
        version = answer.headers.get("x-shopify-api-version")
        if version != self._source.version:
            why = f"API version {version}, expected {self._source.version}"
            endpoint.fail(operation, answer, why, "move the source to a supported version and review its fields")
        extensions = answer.body.get("extensions") or {}
        cost = (extensions.get("cost") or {}).get("requestedQueryCost", 0)
        if cost > MAX_QUERY_COST:
            why = f"the query costs {cost} points, allowed are {MAX_QUERY_COST}"
            endpoint.fail(operation, answer, why, "lower page_size of this stream")
        # A search term that the vendor does not know is left out with a warning: the window would be all of history.
        if extensions.get("search"):
            endpoint.fail(operation, answer, "the window's search was not understood", "review window_filter")


def window_filter(window: Window) -> str:
    """Write the window in the vendor's search syntax."""
    return f"updated_at:>='{_timestamp(window.lower)}' updated_at:<'{_timestamp(window.upper)}'"


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def judge_shopify(answer: Answer) -> Ruling:
    """Look for THROTTLED before anything else: it comes with status 200, and as some shops report with 429."""
    body = answer.body if isinstance(answer.body, dict) else {}
    codes = error_codes(body)
    if "THROTTLED" in codes or _is_throttled_without_code(body):
        return _judge_throttled(body)
    ruling = judge_graphql(answer)
    next_step = next((step for code, step in NEXT_STEPS.items() if code in codes), ruling.next_step)
    return replace(ruling, next_step=next_step)


def _is_throttled_without_code(body: Mapping[str, Any]) -> bool:
    errors = body.get("errors")
    listed = errors if isinstance(errors, list) else []
    return any(isinstance(error, dict) and error.get("message") == "Throttled" for error in listed)


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
