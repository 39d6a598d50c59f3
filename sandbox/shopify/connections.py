"""Pages of a connection: the vendor's first/after, last/before, reverse and cursors that survive changing data."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import orjson
from graphql import GraphQLError

from sandbox.shopify.timeline import Index, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LARGEST_PAGE = 250


class PageError(GraphQLError):
    """A page that cannot be given, in the vendor's words."""

    def __init__(self, message: str) -> None:
        """Say what is wrong with the request."""
        super().__init__(message, extensions={"code": "BAD_REQUEST"})


@dataclass(frozen=True, slots=True)
class Window:
    """What part of a connection is asked for."""

    first: int | None = None
    last: int | None = None
    after: str | None = None
    before: str | None = None
    reverse: bool = False

    @property
    def size(self) -> int:
        """Give the number of rows, refusing what the vendor refuses."""
        size = self.first if self.first is not None else self.last
        name = "first" if self.first is not None else "last"
        message = None
        if size is None:
            message = "you must provide one of first or last"
        elif size > LARGEST_PAGE:
            message = f"{name} cannot exceed {LARGEST_PAGE}"
        elif size < 0:
            message = f"{name} cannot be negative"
        if message is not None or size is None:
            raise PageError(message or "")
        return size


def write_cursor(value: int, record: int) -> str:
    """Write the place of a record in its order."""
    return base64.b64encode(orjson.dumps({"last_id": record, "last_value": value})).decode()


def read_cursor(cursor: str) -> tuple[int, int]:
    """Read a cursor back."""
    try:
        place = orjson.loads(base64.b64decode(cursor, validate=True))
        return int(place["last_value"]), int(place["last_id"])
    except (binascii.Error, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        message = "Invalid cursor for current pagination sort."
        raise PageError(message) from None


def bounds(index: Index, window: Window) -> tuple[int, int]:
    """Find the places (from, to) that lie between the two cursors."""
    low, high = 0, len(index.values)
    start, end = (window.before, window.after) if window.reverse else (window.after, window.before)
    if start is not None:
        low = index.place(*read_cursor(start), behind=True)
    if end is not None:
        high = index.place(*read_cursor(end), behind=False)
    return low, max(low, high)


def page_of(index: Index, window: Window, node: Callable[[int], Node]) -> Node:
    """Give one page of a sorted index as a connection."""
    size = window.size
    low, high = bounds(index, window)
    from_start = (window.first is not None) != window.reverse
    begin, end = (low, min(low + size, high)) if from_start else (max(high - size, low), high)
    places = range(begin, end) if not window.reverse else range(end - 1, begin - 1, -1)
    records = [int(index.records[place]) for place in places]
    cursors = [write_cursor(int(index.values[place]), record) for place, record in zip(places, records, strict=True)]
    more_before, more_behind = begin > 0, end < len(index.values)
    has_next, has_previous = (more_before, more_behind) if window.reverse else (more_behind, more_before)
    return connection([node(record) for record in records], cursors, has_next=has_next, has_previous=has_previous)


def connection(nodes: Sequence[Node], cursors: Sequence[str], *, has_next: bool, has_previous: bool) -> Node:
    """Write a connection; its edges are made of nodes and cursors when they are asked for."""
    return {
        "nodes": nodes,
        "_cursors": cursors,
        "pageInfo": {
            "hasNextPage": has_next,
            "hasPreviousPage": has_previous,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }


def resolve_edges(page: Node, _info: object) -> list[Node]:
    """Give the edges of a connection."""
    return [{"cursor": cursor, "node": node} for cursor, node in zip(page["_cursors"], page["nodes"], strict=True)]


def list_index(length: int) -> Index:
    """Give a plain list's own order as an index."""
    places = np.arange(length, dtype=np.int64)
    return Index(places, places)
