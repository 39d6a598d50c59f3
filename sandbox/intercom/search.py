"""Intercom's search: filters of two kinds of records, and its surprise that a contact's dates are whole days."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

Record = dict[str, Any]
Test = Callable[[Record], bool]
DATES = ("created_at", "updated_at", "last_seen_at", "signed_up_at")
MOST_FILTERS, DEEPEST = 15, 2
LARGEST_PAGE = 150


class SearchError(ValueError):
    """A search that the vendor refuses; the text is the message."""


@dataclass(frozen=True)
class Searched:
    """What is searched: are dates whole days, in which zone, and how large a page is if none is asked for."""

    are_dates_days: bool
    zone: ZoneInfo
    page_size: int


def select(asked: Mapping[str, Any], searched: Searched) -> Test:
    """Read a query.

    Raises:
        SearchError: when the vendor would refuse it.
    """
    query = asked.get("query")
    if not isinstance(query, dict):
        message = "missing query"
        raise SearchError(message)
    return _read(query, searched, 0)


def _read(query: object, searched: Searched, depth: int) -> Test:
    if not isinstance(query, dict):
        message = "a filter must be an object"
        raise SearchError(message)
    operator, value = query.get("operator"), query.get("value")
    if operator not in ("AND", "OR"):
        return _read_filter(query, searched)
    if depth >= DEEPEST or not isinstance(value, list) or len(value) > MOST_FILTERS:
        message = f"at most {DEEPEST} levels of at most {MOST_FILTERS} filters"
        raise SearchError(message)
    tests = [_read(part, searched, depth + 1) for part in value]
    how = all if operator == "AND" else any
    return lambda record: how(test(record) for test in tests)


def _read_filter(query: Mapping[str, Any], searched: Searched) -> Test:
    field, operator, value = query.get("field"), query.get("operator"), query.get("value")
    if field not in DATES or not isinstance(operator, str):
        if operator != "=" or not isinstance(field, str):
            message = f"operator {operator} is not supported for {field}"
            raise SearchError(message)
        return lambda record: record.get(field) == value
    allowed = ("=", ">", "<") if searched.are_dates_days else ("=", "!=", ">", "<")
    if operator not in allowed or not str(value).isdecimal() or len(str(value)) > 11:
        message = f"operator {operator} is not supported for the Date field {field}"
        raise SearchError(message)
    return _compare(field, operator, int(str(value)), searched)


def _compare(field: str, operator: str, value: int, searched: Searched) -> Test:
    """Compare a time: as whole days and strictly, or, as the reference says of conversations, "or equal"."""

    def unit(moment: int) -> int:
        day = datetime.fromtimestamp(moment, UTC).astimezone(searched.zone).toordinal()
        return day if searched.are_dates_days else moment

    edge = 0 if searched.are_dates_days else 1
    bound = unit(value)
    tests: dict[str, Callable[[int], bool]] = {
        "=": lambda moment: unit(moment) == bound,
        "!=": lambda moment: unit(moment) != bound,
        ">": lambda moment: unit(moment) > bound - edge,
        "<": lambda moment: unit(moment) < bound + edge,
    }
    test = tests[operator]
    return lambda record: record[field] is not None and test(record[field])


def page_of(rows: Sequence[Record], asked: Mapping[str, Any], searched: Searched) -> tuple[list[Record], Record]:
    """Give one page of rows, in the order that was asked for, and the vendor's words about pages.

    Raises:
        SearchError: for a page's size or place that the vendor would refuse.
    """
    pagination, sort = asked.get("pagination") or {}, asked.get("sort") or {}
    if not isinstance(pagination, dict) or not isinstance(sort, dict):
        message = "pagination and sort must be objects"
        raise SearchError(message)
    field, is_ascending = sort.get("field", "updated_at"), sort.get("order", "descending") == "ascending"
    sign = 1 if is_ascending else -1
    size = pagination.get("per_page") or searched.page_size
    if not isinstance(size, int) or not 1 <= size <= LARGEST_PAGE or field not in DATES:
        message = f"per_page must be a number from 1 to {LARGEST_PAGE}"
        raise SearchError(message)
    ordered = sorted(((sign * (row[field] or 0), row["id"], row) for row in rows), key=lambda entry: entry[:2])
    after, number = _place(pagination.get("starting_after"))
    ready = [entry for entry in ordered if after is None or entry[:2] > after]
    page = ready[:size]
    pages: Record = {
        "type": "pages",
        "page": number,
        "per_page": size,
        "total_pages": max(1, -(-len(rows) // size)),
    }
    if len(ready) > size:
        place = orjson.dumps([page[-1][0], page[-1][1], number + 1])
        pages["next"] = {"page": number + 1, "starting_after": base64.b64encode(place).decode()}
    return [row for _, _, row in page], pages


def _place(starting_after: str | None) -> tuple[tuple[int, str] | None, int]:
    """Read behind which row a page starts, and its number."""
    if starting_after is None:
        return None, 1
    try:
        value, key, number = orjson.loads(base64.b64decode(starting_after, validate=True))
        return (int(value), str(key)), int(number)
    except (binascii.Error, TypeError, ValueError):
        message = "starting_after is not valid"
        raise SearchError(message) from None
