"""The words a REST source is written in: streams of records in JSON pages, asked for with GET or searched with POST."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kizuna.answers import Judge, judge
from kizuna.asking import Get
from kizuna.http import READ_SECONDS, Client
from kizuna.pagination import OnePage, Pagination
from kizuna.reading import Reader, Stream, VendorCount, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kizuna.answers import Answer
    from kizuna.settings import Connection

# The end of a window whose end does not matter: the vendor cannot bound it, or shows all there is.
OPEN_END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class RestStream(Stream):
    """One list of records at `path`, under the field `records` in each page ("" where the page itself is the list).

    Attributes:
        path: Where to ask.
        records: The dotted field that holds a page's records.
        pagination: How the vendor continues a list.
        parameters: Sent with every page.
        window: Writes a window as further parameters.
        search: Writes a window and a page's parameters as the JSON body of a POST; without it pages are GET.
        count: Asks the vendor how many records there are; without it, or where it returns None, landing reads twice.
        is_there: Asks for one record that a snapshot did not show.
        list_ids: Yields all records there are by their keys, for a stream that `can_be_swept`.
        complete: Makes a page's records whole, where the list shows only part of each; it may leave some out.
        read: Reads the window in any other way (an export job, a walk per parent), page by page.
        are_bare_ids: Whether the list holds ids alone, to be wrapped as `{key: id}`.
    """

    path: str = ""
    records: str = ""
    pagination: Pagination = field(default_factory=OnePage)
    parameters: Mapping[str, str] = field(default_factory=dict)
    window: Callable[[Window], Mapping[str, str]] | None = None
    search: Callable[[Window, Mapping[str, str]], Mapping[str, Any]] | None = None
    count: Callable[[Get, Window], VendorCount | None] | None = None
    is_there: Callable[[Get, str], bool] | None = None
    list_ids: Callable[[Get], Iterator[Sequence[object]]] | None = None
    complete: Callable[[Get, Window, Sequence[object]], Sequence[object]] | None = None
    read: Callable[[Get, Window], Iterator[Sequence[object]]] | None = None
    are_bare_ids: bool = False

    @property
    def shows_its_clock(self) -> bool:
        """Whether the first page can be asked for before the end of the window is known."""
        return self.read is None and (self.is_snapshot or not self.is_bounded or self.pagination.is_kept)

    def first(self, window: Window) -> Mapping[str, str]:
        """Write the parameters of the first page."""
        if self.pagination.is_kept and window.cursor is not None:
            return {**self.parameters, **self.pagination.resume(window.cursor)}
        return {**self.parameters, **(self.window(window) if self.window else {}), **self.pagination.first()}


@dataclass(frozen=True, kw_only=True)
class RestSource:
    """A vendor with JSON over HTTP.

    Attributes:
        clock_path: The cheapest thing to ask for the vendor's time, for streams whose first page needs it.
        auth_header, auth_scheme: How the connection's token is sent, unless `authorize` is there.
        headers: Sent with every request, such as the revision that the source is written for.
        authorize: Returns the headers of an account that needs more than a token; may ask the vendor for one. It gets
            the connection, a client without authorization, and the warehouse's address.
        judge: The vendor's own rules on what its answers mean.
    """

    name: str
    streams: tuple[Stream, ...]
    clock_path: str = ""
    auth_header: str = "Authorization"
    auth_scheme: str = "Bearer "
    headers: Mapping[str, str] = field(default_factory=dict)
    authorize: Callable[[Connection, Client, str], Mapping[str, str]] | None = None
    judge: Judge = judge
    overlap: timedelta = timedelta(0)
    hold_back: timedelta = timedelta(0)

    @contextmanager
    def open(
        self, stream_name: str, connection: Connection, sleep: Callable[[float], None], *, warehouse_url: str
    ) -> Iterator[Reader]:
        """Open one stream for reading."""
        stream = next(one for one in self.streams if one.name == stream_name and isinstance(one, RestStream))
        seconds = float(connection.extra.get("read_seconds", READ_SECONDS))
        with Client(
            self.name, connection.base_url, self.headers, judge=self.judge, read_seconds=seconds, sleep=sleep
        ) as client:
            if self.authorize:
                client.authorize(self.authorize(connection, client, warehouse_url))
            else:
                client.authorize({self.auth_header: self.auth_scheme + connection.token})
            yield RestReader(self, stream, Get(client, sleep, connection, warehouse_url))


class RestReader(Reader):
    """One opened stream."""

    def __init__(self, source: RestSource, stream: RestStream, get: Get) -> None:
        """Remember what is read; nothing is sent yet."""
        self._source, self._stream, self._get = source, stream, get
        self._first_page: Answer | None = None

    def start(self, lower: datetime, cursor: str | None) -> datetime:
        """Take the time from the first page, else from a cheap answer."""
        stream = self._stream
        if stream.shows_its_clock:
            window = Window(lower, OPEN_END, cursor)
            answer = self._first_page = self._ask(window, stream.first(window))
        else:
            answer = self._get(self._source.clock_path, {}, f"{stream.name} clock")
        if answer.date is None:
            self._get.fail("clock", answer, "no Date header", "check what stands between us and the vendor")
        return answer.date

    def count(self, window: Window) -> VendorCount | None:
        """Ask the vendor how many records the window has, where it has such a count."""
        return self._stream.count(self._get, window) if self._stream.count else None

    def still_there(self, record_ids: Sequence[str]) -> int:
        """Ask for each record that the snapshot did not show."""
        is_there = self._stream.is_there
        return sum(is_there(self._get, record_id) for record_id in record_ids) if is_there else 0

    def id_pages(self) -> Iterator[Sequence[object]]:
        """Yield the keys of all records there are, where the stream says how."""
        return self._stream.list_ids(self._get) if self._stream.list_ids else iter(())

    def pages(self, window: Window) -> Iterator[Sequence[object]]:
        """Yield the window's records page by page."""
        if self._stream.read is None:
            return self._walk(window)
        return self._stream.read(self._get, window)

    def _walk(self, window: Window) -> Iterator[Sequence[object]]:
        stream = self._stream
        self.cursor = window.cursor

        def ask(parameters: Mapping[str, str]) -> Answer:
            answer, self._first_page = self._first_page or self._ask(window, parameters), None
            return answer

        walk = self._get.walk(stream.name, ask, stream.first(window), stream.pagination, stream.records)
        for answer, records in walk:
            yield self._whole(window, records)
            if stream.pagination.is_kept:
                self.cursor = stream.pagination.token(answer.body) or self.cursor

    def _whole(self, window: Window, records: Sequence[object]) -> Sequence[object]:
        if self._stream.complete:
            return self._stream.complete(self._get, window, records)
        return [{self._stream.key: record} for record in records] if self._stream.are_bare_ids else records

    def _ask(self, window: Window, parameters: Mapping[str, str]) -> Answer:
        stream = self._stream
        if stream.search:
            return self._get.post(stream.path, stream.search(window, parameters), stream.name)
        return self._get(stream.path, parameters, stream.name, as_list=stream.records == "")
