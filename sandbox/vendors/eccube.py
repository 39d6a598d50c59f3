"""EC-CUBE 4 with its Web API plugin: the shop Yamato Chaho, the second brand of the same invented people.

Like the plugin: page and limit without a maximum, searches that hide statuses, errors with status 200, OAuth2.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

import orjson
from graphql import DocumentNode, GraphQLError, GraphQLSchema, build_schema, execute_sync, parse, validate
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.eccube.nodes import Nodes
from sandbox.eccube.people import shop_of
from sandbox.eccube.tokens import SCOPES, TokenError, Tokens
from sandbox.eccube.view import Search, ShopView, UnknownSortError, page_of
from sandbox.shopify.execution import PreparedExecutor
from sandbox.webhooks import Webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request

    from sandbox.eccube.records import Record
    from sandbox.setting import Setting

NAME = "eccube"
KINDS = ("customers", "orders", "products")
URL = "https://yamato-chaho.example.jp/"
ATOM = "%Y-%m-%dT%H:%M:%S%z"
ATOM_LENGTH = len("2026-11-22T00:00:00+00:00")
Info = Any


def routes(setting: Setting) -> list[Route]:
    """Serve API, token endpoint and the page of approval."""
    api = WebApi(setting)
    return [
        Route("/api", api.answer, methods=["GET", "POST"]),
        Route("/token", api.token, methods=["POST"]),
        Route("/admin/authorize", api.authorize, methods=["GET"]),
    ]


def operation_of(path: str, body: bytes) -> str:
    """Name a request for statistics and faults: the first search or record it asks for."""
    if not path.endswith("/api"):
        return path.rpartition("/")[2]
    return next((name for kind in KINDS for name in (kind, kind[:-1]) if f"{name}(".encode() in body), "other")


def rate_limited(status: int) -> tuple[int, dict[str, Any]]:
    """Refuse as the shop's own web server does when it is too busy; the plugin has no limit."""
    return status or 503, {"message": "Service Unavailable"}


def describe(setting: Setting) -> dict[str, int]:
    """Count what the shop holds at the moment."""
    shop, now = shop_of(setting.world), setting.clock.now()
    return {kind: sum(record.is_there(now) for record in shop.of(kind)) for kind in (*KINDS, "carts")}


def webhooks(setting: Setting, since: int, until: int) -> Iterator[Webhook]:
    """Send what changed in (since, until], one request for each moment: entity, id and action, and nothing else."""
    for at, events in sorted(_events(setting, since, until).items()):
        # The plugin collects by action, and names what was created or deleted only once.
        ordered = sorted(events, key=lambda event: ("created", "deleted", "updated").index(event[2]))
        entries = [{"entity": entity, "id": number, "action": action} for entity, number, action in ordered]
        body = orjson.dumps(entries)
        signature = hmac.new(setting.webhook_secret.encode(), body, sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-ECCUBE-URL": URL, "X-ECCUBE-Signature": signature}
        yield Webhook(NAME, at, body, headers)


def _events(setting: Setting, since: int, until: int) -> dict[int, dict[tuple[str, int, str], None]]:
    """Collect what happened by moment; a change of an order's parts is an update of the order."""
    found: dict[int, dict[tuple[str, int, str], None]] = defaultdict(dict)
    for kind in KINDS:
        for record in shop_of(setting.world).of(kind):
            for number, change in enumerate(record.changes):
                if since < change.at <= until and record.is_there(change.at):
                    found[change.at][kind[:-1], record.id, "updated" if number else "created"] = None
            if record.deleted_at is not None and since < record.deleted_at <= until:
                found[record.deleted_at][kind[:-1], record.id, "deleted"] = None
    return found


class WebApi:
    """The endpoints of one shop."""

    def __init__(self, setting: Setting) -> None:
        """Prepare the tokens; the shop is invented when it is first asked for."""
        self._setting, self._tokens = setting, Tokens(setting)
        self._view: ShopView | None = None

    async def answer(self, request: Request) -> Response:
        """Answer one GraphQL request; whatever is wrong with it, the status is 200."""
        scope = self._tokens.scope_of(request.headers.get("authorization", "").removeprefix("Bearer "))
        if scope is None:
            return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        asked = dict(request.query_params) if request.method == "GET" else orjson.loads(await request.body())
        variables = asked.get("variables") or {}
        if isinstance(variables, str):
            variables = orjson.loads(variables)
        return _json(self.execute(asked["query"], variables, scope))

    def execute(self, query: str, variables: dict[str, Any], scope: str) -> dict[str, Any]:
        """Validate and execute a query."""
        document, errors = prepare(query)
        if document is not None and "read" not in scope.split():
            errors = [*errors, GraphQLError("Insufficient permission. (read)")]
        if errors or document is None:
            return {"errors": [_formatted(error) for error in errors]}
        result = execute_sync(schema(), document, None, self._now(), variables, executor_class=PreparedExecutor)
        answered: dict[str, Any] = {} if result.errors and result.data is None else {"data": result.data}
        if result.errors:
            answered["errors"] = [_formatted(error) for error in result.errors]
        return answered

    async def token(self, request: Request) -> Response:
        """Answer the token endpoint."""
        form = dict(parse_qsl((await request.body()).decode()))
        try:
            return _json(self._tokens.exchange(form))
        except TokenError as refusal:
            return _json(refusal.body, refusal.status)

    async def authorize(self, request: Request) -> Response:
        """Send the browser back with a code, as if a system administrator had approved."""
        asked = request.query_params
        scope = " ".join(name for name in asked.get("scope", "read").split() if name in SCOPES)
        back = {"code": self._tokens.give_code(scope), "state": asked.get("state", "")}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", 302)

    def _now(self) -> tuple[ShopView, Nodes]:
        now = self._setting.clock.now()
        if self._view is None or self._view.now != now:
            self._view = ShopView(shop_of(self._setting.world), now)
        return self._view, Nodes(ZoneInfo(self._setting.world.timezone), now)


def _json(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


def _formatted(error: GraphQLError) -> dict[str, Any]:
    """Write an error as graphql-php does: what is not the client's fault has no text of its own."""
    is_internal = isinstance(error.original_error, UnknownSortError)
    written: dict[str, Any] = {
        "message": "Internal server error" if is_internal else error.message,
        "extensions": {"category": "internal" if is_internal else "graphql"},
    }
    if error.locations:
        written["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    return written | ({"path": error.path} if error.path else {})


@lru_cache(maxsize=256)
def prepare(query: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
    """Parse and validate a document once."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, [error]
    return document, validate(schema(), document)


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    """Build the served schema with its resolvers."""
    built: Any = build_schema(Path(__file__).with_suffix(".graphql").read_text(encoding="utf-8"))
    built.type_map["DateTime"].parse_value = built.type_map["DateTime"].coerce_input_value = parse_time
    root = built.type_map["Query"].fields
    for kind in KINDS:
        root[kind].resolve = searching(kind)
        root[kind[:-1]].resolve = finding(kind)
        built.type_map[f"{kind[:-1].capitalize()}Connection"].fields["edges"].resolve = resolve_edges
    built.type_map["Order"].fields["Customer"].resolve = resolve_customer
    return built  # type: ignore[no-any-return]


def parse_time(value: object) -> int:
    """Read a time as PHP's DateTime::ATOM; a "Z" is refused, because nobody has verified that it works."""
    text = str(value)
    try:
        if len(text) == ATOM_LENGTH and text[-3] == ":":
            return int(datetime.strptime(text, ATOM).astimezone(UTC).timestamp())
    except ValueError:
        pass
    message = f'DateTime parse error, please specify in "Y-m-d\\TH:i:sP".{orjson.dumps(text).decode()}'
    raise GraphQLError(message)


def searching(kind: str) -> Callable[..., dict[str, Any]]:
    """Resolve a search."""

    def resolve(_root: object, info: Info, page: int, limit: int, **asked: Any) -> dict[str, Any]:  # noqa: ANN401
        if page < 1 or limit < 1:
            name = "page" if page < 1 else "limit"
            message = f"{name}: 0より大きくなければなりません。;"
            raise GraphQLError(message)
        view, nodes = info.context
        search = Search(
            statuses={int(status) for status in asked.get("customer_status") or asked.get("status") or ()},
            updated=(asked.get("update_datetime_start"), asked.get("update_datetime_end")),
            created=(asked.get("create_datetime_start"), asked.get("create_datetime_end")),
            ordered=(asked.get("order_datetime_start"), asked.get("order_datetime_end")),
            sort_key=asked.get("sortkey"),
            sort_type=asked.get("sorttype"),
        )
        found = page_of(view.search(kind, search), page, limit)
        return {**found, "nodes": [_written(nodes, kind, record) for record in found["records"]]}

    return resolve


def finding(kind: str) -> Callable[..., dict[str, Any] | None]:
    """Resolve one record by its id; one that is not there is null."""

    def resolve(_root: object, info: Info, id: str) -> dict[str, Any] | None:  # noqa: A002
        view, nodes = info.context
        record = view.find(kind, id)
        return None if record is None else _written(nodes, kind, record)

    return resolve


def resolve_edges(page: dict[str, Any], _info: Info) -> list[dict[str, Any]]:
    """Give the edges of a page."""
    return [{"node": node} for node in page["nodes"]]


def resolve_customer(order: dict[str, Any], info: Info) -> dict[str, Any] | None:
    """Give an order's customer as it is now; a guest has none."""
    owner: Record | None = order["_owner"]
    return None if owner is None else _written(info.context[1], "customers", owner)


def _written(nodes: Nodes, kind: str, record: Record) -> dict[str, Any]:
    written: dict[str, Any] = getattr(nodes, kind[:-1])(record)
    return written
