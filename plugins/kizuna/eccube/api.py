"""The words EC-CUBE's Web API is read in: searches by time, each answered whole, and records asked for by id.

Pages by number drift while rows change. So there are none: a span of time that holds more than one answer is cut into
shorter ones, until every answer holds all of its span, and `totalCount` proves it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

from kizuna.answers import Answer, Ruling, Verdict
from kizuna.graphql import Endpoint, judge_graphql
from kizuna.reading import EPOCH, Reader, Stream, VendorCount, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kizuna.http import Client
    from kizuna.inbox import InboxReader

PATH = "/api"
SECOND = timedelta(seconds=1)
MOST_PIECES = 64
# How many more may come to share a second (a bulk update) between two answers.
SPARE = 100
IDS_PER_QUERY = 20
BARE_LIMIT = 5000
DAY = timedelta(days=1)
APPROVE = "approve again with `kizuna authorize eccube`, as a system administrator and with the scope read"


@dataclass(frozen=True)
class Reread:
    """Records that are read again though nothing says they changed: `arguments` of the search, and since when.

    The first run of a day asks for `daily_arguments` since `daily_days` instead.
    """

    time: str
    arguments: Mapping[str, object]
    days: int
    daily_arguments: Mapping[str, object]
    daily_days: int


@dataclass(frozen=True)
class SearchStream(Stream):
    """One search of the API: `arguments` with their GraphQL types, those `fixed`, and how much one answer may hold."""

    node: str = field(kw_only=True)
    arguments: Mapping[str, str] = field(kw_only=True)
    fixed: Mapping[str, object] = field(kw_only=True)
    limit: int = field(kw_only=True)
    selection: str = field(kw_only=True, repr=False)
    reread: Reread | None = field(default=None, kw_only=True)

    def search_query(self) -> str:
        """Write the search; each argument is a variable of its own name."""
        declared = ", ".join(f"${name}: {kind}" for name, kind in {**self.arguments, "limit": "Int!"}.items())
        given = ", ".join(f"{name}: ${name}" for name in (*self.arguments, "limit"))
        return (
            f"query {self.name}({declared}) {{ {self.name}({given}) "
            f"{{ nodes {{ {self.selection} }} totalCount pageInfo {{ hasNextPage }} }} }}"
        )

    def nothing(self) -> dict[str, object]:
        """Return a record of this shape in which nothing is known."""
        flat, times = self.selection, 1
        while times:
            flat, times = re.subn(r"\{[^{}]*\}", "", flat)
        return dict.fromkeys(flat.split())

    def ids_query(self, ids: Sequence[int]) -> str:
        """Write the query of some records by id, each under an alias with its id."""
        asked = " ".join(f'{self.node}_{number}: {self.node}(id: "{number}") {{ ...one }}' for number in ids)
        return f"query {self.name}_by_id {{ {asked} }} fragment one on {self.node.capitalize()} {{ {self.selection} }}"


class Found(NamedTuple):
    """One answer to a search: its records, how many the shop counts, and the shop's time."""

    nodes: list[Any]
    total: int
    at: datetime


class SearchReader(Reader):
    """One opened stream; how many records a walk should have is the sum of what its answers counted."""

    def __init__(self, stream: SearchStream, client: Client, inbox: InboxReader) -> None:
        """Remember what is read; nothing is sent yet."""
        self._stream, self._client, self._inbox = stream, client, inbox
        self._endpoint = Endpoint(client, PATH)
        self._query = stream.search_query()
        self._first: Found | None = None
        self._shop_time = EPOCH
        self._has_read_before = False
        self._count = 0

    def start(self, lower: datetime, cursor: str | None) -> datetime:
        """Ask for all that changed since `lower`: mostly that is the window already, and the time comes with it."""
        self._inbox.start(lower, cursor)
        self.cursor, self._has_read_before = self._inbox.cursor, cursor is not None
        self._first = self._search({"update_datetime_start": lower})
        self._shop_time = self._first.at
        return self._shop_time

    def count(self, window: Window) -> VendorCount:  # noqa: ARG002 - the answers of the walk held it
        """Return what the shop counted in the answers of the last walk."""
        return VendorCount(self._count)

    def pages(self, window: Window) -> Iterator[list[Any]]:
        """Yield what changed in the window, then what may have changed without saying so."""
        self._count = 0
        first, self._first = self._first, None
        if first is not None and first.total <= self._stream.limit:
            yield self._until(first, window.upper)
        else:
            yield from self._spans({}, "update_datetime", window.lower, window.upper)
        reread: set[str] = set()
        for page in self._read_again(window):
            reread.update(str(node.get("id")) for node in page if isinstance(node, dict))
            yield page
        yield from self._hinted(window, reread)

    def id_pages(self) -> Iterator[list[Any]]:
        """Yield the ids of all records; one that changes meanwhile may be left out, and is asked for by its id."""
        bare = replace(self._stream, selection="id update_date", limit=BARE_LIMIT, reread=None)
        lister = SearchReader(bare, self._client, self._inbox)
        yield from lister._spans({}, "update_datetime", EPOCH, self._shop_time + DAY)

    def still_there(self, record_ids: Sequence[str]) -> int:
        """Ask the shop for records by id."""
        ids = [int(record_id) for record_id in record_ids if record_id.isdigit()]
        return sum(not node.get("is_deleted") for node in self._by_id(ids)) if ids else 0

    def _until(self, found: Found, upper: datetime) -> list[Any]:
        """Leave what changed after the window's end for the next one, in the records and in the count."""
        nodes = [node for node in found.nodes if not _is_from(node, upper)]
        self._count += found.total - (len(found.nodes) - len(nodes))
        return nodes

    def _spans(self, fixed: Mapping[str, object], time: str, lower: datetime, upper: datetime) -> Iterator[list[Any]]:
        """Yield a span of `time` in answers that each hold all of their part of it."""
        waiting = [(lower, upper)]
        while waiting:
            begin, end = waiting.pop()
            found = self._search({**fixed, f"{time}_start": begin, f"{time}_end": end})
            if found.total > self._stream.limit and end - begin > SECOND:
                waiting.extend(reversed(_pieces(begin, end, found.total / self._stream.limit)))
                continue
            limit = self._stream.limit
            while (
                found.total > limit
            ):  # one second that holds more: there is no shorter span, but no largest limit either
                limit = found.total + SPARE
                found = self._search({**fixed, f"{time}_start": begin, f"{time}_end": end}, limit)
            self._count += found.total
            yield found.nodes

    def _read_again(self, window: Window) -> Iterator[list[Any]]:
        """Yield records that did not change in the window, for the changes of their parts that leave no trace."""
        reread = self._stream.reread
        if reread is None or window.lower == EPOCH:
            return
        is_daily = window.lower.date() < window.upper.date()
        arguments = reread.daily_arguments if is_daily else reread.arguments
        since = window.upper - timedelta(days=reread.daily_days if is_daily else reread.days)
        unchanged = {**arguments, "update_datetime_end": window.lower}
        yield from self._spans(unchanged, reread.time, since, window.upper)

    def _hinted(self, window: Window, known: set[str]) -> Iterator[list[Any]]:
        """Yield the records that webhooks named since the last landing, as they are now, or that they are gone."""
        if not self._has_read_before:
            return
        hints = (event["body"] for page in self._inbox.pages(window) for event in page if isinstance(event, dict))
        named = {hint.get("id") for hint in hints if isinstance(hint, dict) and hint.get("entity") == self._stream.node}
        ids = sorted(number for number in named if type(number) is int and str(number) not in known)
        for begin in range(0, len(ids), IDS_PER_QUERY):
            nodes = [
                node for node in self._by_id(ids[begin : begin + IDS_PER_QUERY]) if not _is_from(node, window.lower)
            ]
            self._count += len(nodes)
            yield nodes

    def _by_id(self, ids: Sequence[int]) -> Iterator[Any]:
        """Ask for records by id; one that is not there any more is told as deleted, at the shop's present time."""
        operation = f"{self._stream.name} by id"
        answer = self._endpoint.ask(operation, self._stream.ids_query(ids), {})
        for number in ids:
            name = f"{self._stream.node}_{number}"
            if name not in answer.body["data"]:
                self._endpoint.fail(
                    operation, answer, "a record that was asked for is left out", "report it to the shop"
                )
            gone = {"id": str(number), "is_deleted": True, "update_date": _written(self._now(operation, answer))}
            yield answer.body["data"][name] or {**self._stream.nothing(), **gone}

    def _search(self, arguments: Mapping[str, object], limit: int = 0) -> Found:
        stream = self._stream
        asked = {**stream.fixed, **arguments, "limit": limit or stream.limit}
        variables = {name: _written(value) if isinstance(value, datetime) else value for name, value in asked.items()}
        answer = self._endpoint.ask(stream.name, self._query, variables)
        connection = self._endpoint.find(stream.name, answer, (stream.name,))
        total = connection.get("totalCount")
        if type(total) is not int:
            self._endpoint.fail(stream.name, answer, "no totalCount", "compare with the plugin's schema")
        return Found(connection["nodes"], total, self._now(stream.name, answer))

    def _now(self, operation: str, answer: Answer) -> datetime:
        if answer.date is None:
            self._endpoint.fail(operation, answer, "no Date header", "check what stands between us and the shop")
        return answer.date


def _pieces(begin: datetime, end: datetime, times_too_large: float) -> list[tuple[datetime, datetime]]:
    """Cut a span into shorter ones of whole seconds: more of them, the more it holds."""
    seconds = int((end - begin).total_seconds())
    number = min(MOST_PIECES, seconds, 2 * ceil(times_too_large))
    cuts = [begin + timedelta(seconds=seconds * piece // number) for piece in range(number)]
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def _is_from(node: object, moment: datetime) -> bool:
    """Tell whether a record changed at `moment` or later; what cannot be read is for landing to judge."""
    if not isinstance(node, dict) or node.get("is_deleted"):
        return False
    try:
        return datetime.fromisoformat(node["update_date"]) >= moment
    except (KeyError, TypeError, ValueError):
        return False


def _written(moment: datetime) -> str:
    """Write a time as the plugin parses it: PHP's DateTime::ATOM, with an offset and without fractions."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def judge_eccube(answer: Answer) -> Ruling:
    """Judge by the errors' texts, which the plugin sends with status 200 and without codes; none is repeated."""
    if answer.status == 401:
        return Ruling(Verdict.FATAL, "the access token is refused", next_step=APPROVE)
    errors = answer.body.get("errors") if answer.status == 200 and isinstance(answer.body, dict) else None
    if not errors:
        return judge_graphql(answer)
    texts = [str(error.get("message")) if isinstance(error, dict) else "" for error in errors]
    if any("Insufficient permission" in text for text in texts):
        return Ruling(Verdict.FATAL, "the scope is missing", next_step=APPROVE)
    if any("DateTime parse error" in text for text in texts):
        return Ruling(Verdict.FATAL, "a time is not understood", next_step="report this fault of Kizuna")
    if all(text == "Internal server error" for text in texts):
        return Ruling(Verdict.RETRY_BACKOFF, "server error with status 200")
    step = "compare the stream's fields and arguments with the shop's own schema (admin: Web API, GraphiQL)"
    return Ruling(Verdict.FATAL, "the query is refused", next_step=step)
