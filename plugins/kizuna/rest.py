"""The words a REST source is written in: streams of records in JSON pages, followed by a continuation token."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from kizuna.http import READ_SECONDS, Client, Request, VendorContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from kizuna.answers import Answer
    from kizuna.reading import VendorCount, Window
    from kizuna.settings import Connection


class Get:
    """Asks one vendor for a path; what a stream's own `count` is given to work with."""

    def __init__(self, client: Client) -> None:
        """Remember whom to ask."""
        self._client = client

    def __call__(
        self, path: str, parameters: Mapping[str, str], operation: str, accept: Collection[int] = ()
    ) -> Answer:
        """Return the JSON object at the path; `operation` and not the path names it in errors."""
        answer = self._client.send(Request("GET", path, operation, params=parameters, accept=accept))
        if not isinstance(answer.body, dict):
            self.fail(operation, answer, "the body is not an object", "compare with the vendor's reference")
        return answer

    def fail(self, operation: str, answer: Answer, why: str, next_step: str) -> NoReturn:
        """Refuse an answer that is against the vendor's contract."""
        raise VendorContractError(self._client.vendor, operation, answer.status, 1, why, next_step)


@dataclass(frozen=True)
class TokenPages:
    """Each page carries the token of the next in `field`, to be sent as `parameter`; the last page has none."""

    parameter: str
    field: str


@dataclass(frozen=True)
class RestStream:
    """One list of records at `path`, under `records` in each page.

    `count` asks the vendor how many there are. `window` writes a window as parameters; a stream without `updated` is a
    snapshot, and `is_there` asks for one record that it did not show. Bare ids are wrapped as `{key: id}`.
    """

    name: str
    path: str
    records: str
    key: str
    pagination: TokenPages
    count: Callable[[Get, Window], VendorCount]
    updated: str | None = None
    window: Callable[[Window], Mapping[str, str]] | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    are_bare_ids: bool = False
    is_there: Callable[[Get, str], bool] | None = None


@dataclass(frozen=True)
class RestSource:
    """A vendor with JSON over HTTP; `clock_path` is the cheapest thing to ask for the vendor's time."""

    name: str
    clock_path: str
    streams: tuple[RestStream, ...]
    auth_header: str = "Authorization"
    auth_scheme: str = "Bearer "
    overlap: timedelta = timedelta(0)
    hold_back: timedelta = timedelta(0)

    @contextmanager
    def open(self, stream_name: str, connection: Connection, sleep: Callable[[float], None]) -> Iterator[RestReader]:
        """Open one stream for reading."""
        stream = next(stream for stream in self.streams if stream.name == stream_name)
        seconds = float(connection.extra.get("read_seconds", READ_SECONDS))
        headers = {self.auth_header: self.auth_scheme + connection.token}
        with Client(self.name, connection.base_url, headers, read_seconds=seconds, sleep=sleep) as client:
            yield RestReader(self, stream, client)


class RestReader:
    """One opened stream."""

    def __init__(self, source: RestSource, stream: RestStream, client: Client) -> None:
        """Remember what is read; nothing is sent yet."""
        self._source, self._stream, self._get = source, stream, Get(client)

    def now(self) -> datetime:
        """Take the time from the Date of a cheap answer."""
        answer = self._get(self._source.clock_path, {}, f"{self._stream.name} clock")
        if answer.date is None:
            self._get.fail("clock", answer, "no Date header", "check what stands between us and the vendor")
        return answer.date

    def count(self, window: Window) -> VendorCount:
        """Ask the vendor how many records the window has."""
        return self._stream.count(self._get, window)

    def still_there(self, record_ids: Sequence[str]) -> int:
        """Ask for each record that the snapshot did not show."""
        is_there = self._stream.is_there
        return sum(is_there(self._get, record_id) for record_id in record_ids) if is_there else 0

    def pages(self, window: Window) -> Iterator[list[Any]]:
        """Yield the window's records page by page."""
        stream, seen, token = self._stream, set[str](), ""
        asked = {**stream.parameters, **(stream.window(window) if stream.window else {})}
        while token not in seen:
            seen.add(token)
            page = {stream.pagination.parameter: token} if token else {}
            answer = self._get(stream.path, {**asked, **page}, stream.name)
            records = answer.body.get(stream.records)
            if not isinstance(records, list):
                why = f"no list {stream.records!r} in the page"
                self._get.fail(stream.name, answer, why, "compare with the vendor's reference")
            yield [{stream.key: record} for record in records] if stream.are_bare_ids else records
            token = answer.body.get(stream.pagination.field) or ""
            if not token:
                return
        self._get.fail(stream.name, answer, "the page token repeats", "report it to the vendor")
