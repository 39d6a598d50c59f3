"""What is asked of the Admin API: streams as connections of the query root, and windows in its search syntax."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kizuna.reading import Stream

if TYPE_CHECKING:
    from kizuna.graphql import Nested
    from kizuna.reading import Window


@dataclass(frozen=True)
class Listed:
    """A connection in the entries of a record's plain list, such as the lines of an order's refunds.

    It is asked for by the entries' ids (`ids` of them at once, so that the question stays within MAX_QUERY_COST): a
    bulk operation refuses a connection within a list, and most records have no entries.
    """

    name: str
    kind: str
    nested: Nested
    ids: int

    def query(self) -> str:
        """Write the query of some entries."""
        inner = self.nested.text(f"first: {self.nested.first}")
        return (
            f"query {self.kind}_{self.nested.name}($ids: [ID!]!) "
            f"{{ nodes(ids: $ids) {{ ... on {self.kind} {{ id {inner} }} }} }}"
        )


@dataclass(frozen=True, kw_only=True)
class ShopifyStream(Stream):
    """One connection of the query root; `page_size` keeps a page's requested cost within MAX_QUERY_COST.

    Attributes:
        root: The connection's name.
        kind: The type of its nodes.
        sort: The key a page is sorted by; the window is a filter of the search all the same.
        has_count: Whether the query root has `<root>Count`.
        sweep_scope: The scope without which the app sees only some of the records.
    """

    root: str
    kind: str
    page_size: int
    selection: str = field(repr=False)
    nested: tuple[Nested, ...] = ()
    listed: tuple[Listed, ...] = ()
    sort: str = "UPDATED_AT"
    has_count: bool = True
    sweep_scope: str = ""
    updated: str | None = "updatedAt"

    def page_query(self, *, with_count: bool = False) -> str:
        """Write the query of one page, and of the vendor's own count of the window."""
        inner = " ".join([self.selection, *(nested.text(f"first: {nested.first}") for nested in self.nested)])
        count = f" {self.root}Count(query: $window, limit: null) {{ count precision }}" if with_count else ""
        return (
            f"query {self.root}($first: Int!, $after: String, $window: String!) {{ "
            f"{self.root}(first: $first, after: $after, query: $window, sortKey: {self.sort}) "
            f"{{ nodes {{ {inner} }} pageInfo {{ hasNextPage endCursor }} }}{count} }}"
        )

    def id_query(self) -> str:
        """Write the query of a page of ids."""
        return (
            f"query {self.root}_ids($first: Int!, $after: String, $window: String!) {{ "
            f"{self.root}(first: $first, after: $after, query: $window, sortKey: ID) "
            f"{{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}"
        )

    def count_query(self) -> str:
        """Write the query of the vendor's own count; without `limit: null` it stops counting at 10,000."""
        return (
            f"query {self.root}_count($window: String!, $limit: Int) "
            f"{{ {self.root}Count(query: $window, limit: $limit) {{ count precision }} }}"
        )

    def bulk_query(self, window: Window) -> str:
        """Write the query that a bulk operation runs: without pages, and with edges, as the vendor wants it."""
        inner = " ".join(f"{nested.name} {{ edges {{ node {{ {nested.node()} }} }} }}" for nested in self.nested)
        search = json.dumps(window_filter(window))
        return (
            f"{{ {self.root}(query: {search}, sortKey: {self.sort}) "
            f"{{ edges {{ node {{ {self.selection} {inner} }} }} }} }}"
        )


def window_filter(window: Window) -> str:
    """Write the window in the vendor's search syntax."""
    return f"{since_filter(window.lower)} updated_at:<'{_timestamp(window.upper)}'"


def since_filter(lower: datetime) -> str:
    """Write all that has changed since a moment."""
    return f"updated_at:>='{_timestamp(lower)}'"


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
