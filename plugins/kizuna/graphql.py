"""Reads GraphQL, whoever the vendor is: questions to one endpoint, walks of connections, errors named by code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from kizuna.answers import Answer, Ruling, Verdict, judge
from kizuna.http import Client, Request, VendorContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    # Raises through `fail` when an answer that is no error breaks the vendor's contract all the same.
    Review = Callable[["Endpoint", str, Answer], None]
    # Gives the variables of the page after a connection, made of those it was asked with.
    Turn = Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]]

TRANSIENT_CODES = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"})


@dataclass(frozen=True)
class Nested:
    """A connection inside a record, such as an order's lines: `first` come with the record, the rest in further pages.

    Attributes:
        order: A field of its nodes to put them in order by, so that a record is the same however it was read.
        kinds: The types of its nodes, where they have to be told from those of other connections.
    """

    name: str
    selection: str
    first: int
    rest: int = 100
    order: str = ""
    kinds: tuple[str, ...] = ()

    def node(self) -> str:
        """Write what is selected of each node."""
        return f"__typename {self.selection}" if self.kinds else self.selection

    def text(self, arguments: str) -> str:
        """Write the connection as GraphQL."""
        return f"{self.name}({arguments}) {{ nodes {{ {self.node()} }} pageInfo {{ hasNextPage endCursor }} }}"

    def rest_query(self, kind: str) -> str:
        """Write the query of a further page, for the record of a type that holds the connection."""
        inner = self.text("first: $first, after: $after")
        return (
            f"query {kind}_{self.name}($id: ID!, $first: Int!, $after: String) "
            f"{{ node(id: $id) {{ ... on {kind} {{ {inner} }} }} }}"
        )

    def closed(self, nodes: list[Any]) -> dict[str, Any]:
        """Write the connection as it is when all is read: its cursors change without the record changing."""
        if self.order:
            nodes.sort(key=self._place)
        return {"nodes": nodes, "pageInfo": {"hasNextPage": False, "endCursor": None}}

    def _place(self, node: Any) -> tuple[int, str]:  # noqa: ANN401 - a vendor's record: anything
        """Compare ids as numbers, which they end in."""
        value = str(node.get(self.order)) if isinstance(node, dict) else ""
        return len(value), value


def next_cursor(connection: Mapping[str, Any], variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """Turn the page by the end cursor of the one before."""
    return {**variables, "after": connection["pageInfo"]["endCursor"]}


class Endpoint:
    """Asks one GraphQL endpoint; whatever is refused names the operation, never the query or its variables."""

    def __init__(self, client: Client, path: str, review: Review | None = None) -> None:
        """Remember whom to ask; `review` sees every answer before anybody else."""
        self._client, self._path, self._review = client, path, review

    def ask(self, operation: str, query: str, variables: Mapping[str, Any]) -> Answer:
        """Send one query and return the answer, whose `data` is an object."""
        body = {"query": query, "variables": variables}
        answer = self._client.send(Request("POST", self._path, operation, json=body))
        if self._review is not None:
            self._review(self, operation, answer)
        return answer

    def walk(
        self,
        operation: str,
        query: str,
        variables: Mapping[str, Any],
        place: Sequence[str],
        turn: Turn = next_cursor,
    ) -> Iterator[dict[str, Any]]:
        """Yield every page of the connection found at `place` in the data, from the one that `variables` ask for."""
        seen: set[str] = set()
        while repr(variables) not in seen:
            seen.add(repr(variables))
            answer = self.ask(operation, query, variables)
            connection = self.find(operation, answer, place)
            yield connection
            if not connection["pageInfo"]["hasNextPage"]:
                return
            variables = turn(connection, variables)
        self.fail(operation, answer, "the cursor repeats", "report it to the vendor")

    def find(self, operation: str, answer: Answer, place: Sequence[str]) -> dict[str, Any]:
        """Return the connection at a place in the data."""
        found: dict[str, Any] = answer.body["data"]
        for name in place:
            inner = found.get(name)
            if not isinstance(inner, dict):
                self.fail(operation, answer, f"{name} is not there", "run again; a record may just have been deleted")
            found = inner
        if not isinstance(found.get("nodes"), list) or not isinstance(found.get("pageInfo"), dict):
            self.fail(operation, answer, "a page without nodes or pageInfo", "report it to the vendor")
        return found

    def complete(self, holder: Any, nested: Nested, kind: str, key: str = "id") -> None:  # noqa: ANN401
        """Read a nested connection of a record to its end, in place; what is no record is for landing to judge."""
        connection = holder.get(nested.name) if isinstance(holder, dict) else None
        if not isinstance(connection, dict):
            return
        info = connection["pageInfo"]
        nodes: list[Any] = connection["nodes"]
        if info["hasNextPage"]:
            variables = {"id": holder[key], "first": nested.rest, "after": info["endCursor"]}
            operation = f"{kind}_{nested.name}"
            for page in self.walk(operation, nested.rest_query(kind), variables, ("node", nested.name)):
                nodes.extend(page["nodes"])
        holder[nested.name] = nested.closed(nodes)

    def fail(self, operation: str, answer: Answer, why: str, next_step: str) -> NoReturn:
        """Refuse an answer that is against the vendor's contract."""
        raise VendorContractError(self._client.vendor, operation, answer.status, 1, why, next_step)


def judge_graphql(answer: Answer) -> Ruling:
    """Judge by the errors' codes: GraphQL fails with status 200 as well."""
    if answer.status != 200:
        return judge(answer)
    body = answer.body if isinstance(answer.body, dict) else {}
    codes = error_codes(body)
    if not codes:
        has_data = isinstance(body.get("data"), dict)
        return Ruling(Verdict.OK) if has_data else Ruling(Verdict.RETRY_BACKOFF, "body has no data")
    if codes <= TRANSIENT_CODES:
        return Ruling(Verdict.RETRY_BACKOFF, ", ".join(sorted(codes)))
    next_step = "compare the stream's fields with the API version's schema"
    return Ruling(Verdict.FATAL, ", ".join(sorted(codes)), next_step=next_step)


def error_codes(body: Mapping[str, Any]) -> set[str]:
    """Name each error by its code; the message is left out because it may quote a value."""
    errors = body.get("errors")
    if not errors:
        return set()
    if not isinstance(errors, list):
        return {"error without code"}
    return {_error_code(error) for error in errors}


def _error_code(error: Any) -> str:  # noqa: ANN401 - a vendor's answer: anything
    extensions = error.get("extensions") if isinstance(error, dict) else None
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return code if isinstance(code, str) and re.fullmatch(r"\w{1,60}", code) else "error without code"
