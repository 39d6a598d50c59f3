"""What a stream's own functions are given to ask their vendor with: GET, POST, downloads, waiting, refusing."""

from __future__ import annotations

import gzip
import tempfile
from typing import TYPE_CHECKING, Any, NoReturn

from kizuna.answers import parse
from kizuna.http import Client, Request, VendorContractError
from kizuna.pagination import field_at

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from kizuna.answers import Answer
    from kizuna.pagination import Pagination
    from kizuna.settings import Connection

NOT_FOUND = 404
GZIP_MAGIC = b"\x1f\x8b"


class Get:
    """Asks one vendor; called itself, it is a GET. `connection` and `warehouse_url` are the opening's."""

    def __init__(
        self, client: Client, sleep: Callable[[float], None], connection: Connection, warehouse_url: str
    ) -> None:
        """Remember whom to ask."""
        self._client, self.sleep = client, sleep
        self.connection, self.warehouse_url = connection, warehouse_url

    def __call__(
        self,
        path: str,
        parameters: Mapping[str, str | Sequence[str]],
        operation: str,
        accept: Collection[int] = (),
        *,
        as_list: bool = False,
    ) -> Answer:
        """Return the JSON object (or list) at the path; `operation` and not the path names it in errors.

        A parameter with several values is sent as often as it has values.
        """
        answer = self._client.send(Request("GET", path, operation, params=parameters, accept=accept))
        return self._checked(answer, operation, list if as_list else dict, accept)

    def post(self, path: str, body: object, operation: str, accept: Collection[int] = ()) -> Answer:
        """Send a JSON body that changes nothing that must not be changed twice (a search, an export job)."""
        answer = self._client.send(Request("POST", path, operation, json=body, accept=accept))
        return self._checked(answer, operation, dict, accept)

    def walk(
        self,
        operation: str,
        ask: Callable[[Mapping[str, str]], Answer],
        first: Mapping[str, str],
        pagination: Pagination,
        records: str,
    ) -> Iterator[tuple[Answer, list[Any]]]:
        """Yield each page with its `records` (a dotted field; "" is the page itself), asked for with parameters.

        A page without its list, and one that continues to parameters asked with before, break the vendor's contract.
        Where `ask` accepts a 404, the walk ends there: the list was deleted in the meantime.
        """
        asked: Mapping[str, str] | None = first
        seen: set[tuple[tuple[str, str], ...]] = set()
        while asked is not None:
            seen.add(tuple(sorted(asked.items())))
            answer = ask(asked)
            if answer.status == NOT_FOUND:
                return
            rows = field_at(answer.body, records)
            if not isinstance(rows, list):
                self.fail(operation, answer, f"no list {records!r} in the page", "compare with the vendor's reference")
            yield answer, rows
            asked = pagination.following(answer.body, len(rows), asked)
            if asked is not None and tuple(sorted(asked.items())) in seen:
                self.fail(operation, answer, "the page token repeats", "report it to the vendor")

    def lines(self, location: str, operation: str) -> Iterator[Any]:
        """Download JSON lines (packed by gzip or not) to a temporary file, whole, then yield them parsed.

        `location` is a path of the vendor, or the address of a store elsewhere, which never gets the account's token.
        A line that is no JSON is yielded as text, for landing to quarantine.
        """
        with tempfile.TemporaryFile() as file:
            self._client.download(Request("GET", location, operation), file)
            file.seek(0)
            is_packed = file.read(2) == GZIP_MAGIC
            file.seek(0)
            lines: Iterable[bytes] = gzip.GzipFile(fileobj=file) if is_packed else file
            for line in lines:
                if line.strip():
                    yield _parsed(line)

    def fail(self, operation: str, answer: Answer, why: str, next_step: str) -> NoReturn:
        """Refuse an answer that is against the vendor's contract."""
        raise VendorContractError(self._client.vendor, operation, answer.status, 1, why, next_step)

    def _checked(self, answer: Answer, operation: str, kind: type, accept: Collection[int]) -> Answer:
        if not isinstance(answer.body, kind) and answer.status not in accept:
            noun = "a list" if kind is list else "an object"
            self.fail(operation, answer, f"the body is not {noun}", "compare with the vendor's reference")
        return answer


def _parsed(line: bytes) -> Any:  # noqa: ANN401
    try:
        return parse(line)
    except ValueError:
        return line.decode(errors="replace")
