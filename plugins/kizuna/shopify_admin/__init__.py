"""The words Shopify's source is written in: streams of the Admin GraphQL API, read within `updated_at` windows.

What GraphQL is anywhere is in `graphql.py`; what is Shopify's own is here. A short window is paged through, a long one
is read by a bulk operation.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from kizuna.bulk import Bulk
from kizuna.graphql import Endpoint, next_cursor
from kizuna.http import READ_SECONDS, Client
from kizuna.inbox import InboxStream, open_inbox
from kizuna.reading import Reader, Stream, VendorCount, Window
from kizuna.shopify_admin.answers import judge_shopify, review
from kizuna.shopify_admin.streams import Listed, ShopifyStream, since_filter, window_filter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kizuna.answers import Answer
    from kizuna.settings import Connection

LARGEST_PAGE = 250
STILL_THERE = "query still_there($ids: [ID!]!) { nodes(ids: $ids) { id } }"
GRANTED = "query granted { currentAppInstallation { accessScopes { handle } } }"


@dataclass(frozen=True)
class ShopifySource:
    """A shop; the answered version header must repeat `version`, windows longer than `bulk_from` are read in bulk."""

    name: str
    version: str
    streams: tuple[Stream, ...]
    overlap: timedelta = timedelta(minutes=10)
    hold_back: timedelta = timedelta(minutes=2)
    bulk_from: timedelta = timedelta(days=31)

    @property
    def path(self) -> str:
        """Where the API is."""
        return f"/admin/api/{self.version}/graphql.json"

    @contextmanager
    def open(
        self,
        stream_name: str,
        connection: Connection,
        sleep: Callable[[float], None],
        *,
        warehouse_url: str,
    ) -> Iterator[Reader]:
        """Open one stream for reading; the webhooks that were received are read from the warehouse's inbox."""
        if any(isinstance(one, InboxStream) for one in self.streams if one.name == stream_name):
            with open_inbox(self.name, warehouse_url) as inbox:
                yield inbox
            return
        stream = next(one for one in self.streams if one.name == stream_name and isinstance(one, ShopifyStream))
        if stream_name in connection.extra.get("skip_streams", "").replace(",", " ").split():
            yield SkippedReader()
            return
        seconds = float(connection.extra.get("read_seconds", READ_SECONDS))
        headers = {"X-Shopify-Access-Token": connection.token}
        with Client(
            self.name, connection.base_url, headers, judge=judge_shopify, read_seconds=seconds, sleep=sleep
        ) as client:
            yield ShopifyReader(self, stream, client, sleep)


class SkippedReader(Reader):
    """A stream that this account does not have: no window of it ever holds anything, and nothing is asked."""

    def start(self, lower: datetime, cursor: str | None) -> datetime:  # noqa: ARG002
        """Return a time that leaves nothing to read."""
        return lower

    def pages(self, window: Window) -> Iterator[list[Any]]:  # noqa: ARG002
        """Yield nothing."""
        return iter(())

    def count(self, window: Window) -> VendorCount:  # noqa: ARG002
        """Count nothing."""
        return VendorCount(0)


class ShopifyReader(Reader):
    """One opened stream."""

    def __init__(
        self, source: ShopifySource, stream: ShopifyStream, client: Client, sleep: Callable[[float], None]
    ) -> None:
        """Remember what is read; nothing is sent yet."""
        self._source, self._stream = source, stream
        self._endpoint = Endpoint(client, source.path, partial(review, source.version))
        self._bulk = Bulk(self._endpoint, client, sleep, stream.name)
        self._quiet_since: datetime | None = None
        self._counted: VendorCount | None = None
        self._counted_before: int | None = None

    def start(self, lower: datetime, cursor: str | None) -> datetime:  # noqa: ARG002
        """Ask whether anything has changed since `lower`, and take the time from the answer's Date."""
        stream, operation = self._stream, f"{self._stream.name} clock"
        if stream.has_count:
            variables: dict[str, Any] = {"window": since_filter(lower), "limit": 1}
            answer = self._endpoint.ask(operation, stream.count_query(), variables)
            found = self._count_of(operation, answer).count
        else:
            variables = {"window": since_filter(lower), "first": 1, "after": None}
            answer = self._endpoint.ask(operation, stream.id_query(), variables)
            found = len(self._endpoint.find(operation, answer, (stream.root,))["nodes"])
        self._quiet_since = None if found else lower
        if answer.date is None:
            self._endpoint.fail("clock", answer, "no Date header", "check what stands between us and the vendor")
        return answer.date

    def pages(self, window: Window) -> Iterator[list[Any]]:
        """Yield the window's nodes, each with all that is nested in it."""
        if self._is_quiet(window):
            return
        is_long = window.upper - window.lower > self._source.bulk_from
        for nodes in self._read_in_bulk(window) if is_long else self._read_by_page(window):
            for listed in self._stream.listed:
                self._fill(nodes, listed)
            yield nodes

    def count(self, window: Window) -> VendorCount | None:
        """Ask the vendor how many records the window has, unless the last page has told.

        A record that changes leaves the window, for a later one. A bulk operation takes its time, so that the window
        may have had more records when it began than when it ended: anything between the two was read whole.
        """
        if self._is_quiet(window):
            return VendorCount(0)
        if not self._stream.has_count:
            return None
        counted = self._counted or self._ask_count(window)
        if self._counted_before is None or counted.is_lower_bound:
            return counted
        return VendorCount(self._counted_before, tolerance=max(0, self._counted_before - counted.count))

    def still_there(self, record_ids: Sequence[str]) -> int:
        """Ask for each record that a list of ids did not show."""
        answer = self._endpoint.ask(f"{self._stream.name} still there", STILL_THERE, {"ids": list(record_ids)})
        return sum(isinstance(found, dict) for found in answer.body["data"].get("nodes") or ())

    def id_pages(self) -> Iterator[list[Any]]:
        """Yield the ids of all records there are, for a comparison with what is known."""
        self._require_sweep_scope()
        stream, variables = self._stream, {"first": LARGEST_PAGE, "after": None, "window": ""}
        for connection in self._endpoint.walk(f"{stream.name} ids", stream.id_query(), variables, (stream.root,)):
            yield connection["nodes"]

    def _require_sweep_scope(self) -> None:
        """Refuse to list what the app sees only a part of: what it does not see would look deleted."""
        scope, operation = self._stream.sweep_scope, f"{self._stream.name} scopes"
        if not scope:
            return
        answer = self._endpoint.ask(operation, GRANTED, {})
        granted = (answer.body["data"].get("currentAppInstallation") or {}).get("accessScopes") or ()
        if scope not in {one.get("handle") for one in granted}:
            why = f"the app has no scope {scope}: what it may not see would look deleted"
            self._endpoint.fail(operation, answer, why, "grant the scope, or leave the sweep of this stream")

    def _is_quiet(self, window: Window) -> bool:
        return self._quiet_since is not None and window.lower >= self._quiet_since

    def _read_by_page(self, window: Window) -> Iterator[list[Any]]:
        stream, place = self._stream, (self._stream.root,)
        self._counted = self._counted_before = None
        variables: Mapping[str, Any] = {
            "first": stream.page_size,
            "window": window_filter(window),
            "after": None,
        }
        answer = self._endpoint.ask(stream.name, stream.page_query(with_count=stream.has_count), variables)
        connection = self._endpoint.find(stream.name, answer, place)
        yield self._completed(connection["nodes"])
        if not connection["pageInfo"]["hasNextPage"]:
            self._counted = self._count_of(stream.name, answer) if stream.has_count else None
            return
        variables = next_cursor(connection, variables)
        for connection in self._endpoint.walk(stream.name, stream.page_query(), variables, place):
            yield self._completed(connection["nodes"])

    def _completed(self, nodes: list[Any]) -> list[Any]:
        for node in nodes:
            for nested in self._stream.nested:
                self._endpoint.complete(node, nested, self._stream.kind)
        return nodes

    def _read_in_bulk(self, window: Window) -> Iterator[list[Any]]:
        self._counted = None
        self._counted_before = self._ask_count(window).count if self._stream.has_count else None
        yield from self._bulk.read(self._stream.bulk_query(window), self._stream.nested)

    def _fill(self, nodes: Sequence[Any], listed: Listed) -> None:
        """Read the connections in the entries of the nodes' lists, in place."""
        entries = iter([entry for node in nodes if isinstance(node, dict) for entry in node.get(listed.name) or ()])
        while some := {entry["id"]: entry for entry in islice(entries, listed.ids)}:
            answer = self._endpoint.ask(f"{listed.kind}_{listed.nested.name}", listed.query(), {"ids": list(some)})
            for found in answer.body["data"].get("nodes") or ():
                if not isinstance(found, dict) or found.get("id") not in some:
                    continue
                self._endpoint.complete(found, listed.nested, listed.kind)
                some.pop(found["id"])[listed.nested.name] = found[listed.nested.name]
            if some:
                why = f"{len(some)} of {listed.name} are not there"
                self._endpoint.fail(listed.name, answer, why, "run again; a record may just have been deleted")

    def _ask_count(self, window: Window) -> VendorCount:
        operation = f"{self._stream.name} count"
        variables = {"window": window_filter(window), "limit": None}
        return self._count_of(operation, self._endpoint.ask(operation, self._stream.count_query(), variables))

    def _count_of(self, operation: str, answer: Answer) -> VendorCount:
        counted = answer.body["data"].get(f"{self._stream.root}Count")
        if not isinstance(counted, dict):
            self._endpoint.fail(operation, answer, "no count", "check the scopes of the app")
        return VendorCount(counted["count"], is_lower_bound=counted["precision"] != "EXACT")
