"""Shopify's Admin GraphQL API over the world, executed by graphql-core against the part of the schema beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute_sync,
    parse,
    validate,
)
from starlette.responses import Response
from starlette.routing import Route

from sandbox.connections import PageError, Window, list_index, page_of, resolve_edges
from sandbox.cost import LARGEST_QUERY, Bucket, Price, Pricing
from sandbox.execution import PreparedExecutor
from sandbox.search import Search, parse_search, select
from sandbox.storefront import Storefront, gid
from sandbox.timeline import Node

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.setting import Setting
    from sandbox.timeline import View

NAME = "shopify"
VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
Info = GraphQLResolveInfo[Any]
Resolver = Callable[..., Node | None]
LIMITS = "https://shopify.dev/api/usage/rate-limits"
OPERATIONS = ("orders", "customers", "products", "ordersCount", "customersCount", "productsCount", "order", "node")
SEARCHABLE = {
    "customers": frozenset({"id", "created_at", "updated_at"}),
    "orders": frozenset({"id", "created_at", "updated_at", "processed_at"}),
    "products": frozenset({"id", "created_at", "updated_at"}),
}


@dataclass(slots=True)
class Answering:
    """What the resolvers of one request share."""

    storefront: Storefront
    now: int
    warnings: list[dict[str, Any]] = field(default_factory=list)

    def view(self, kind: str) -> View:
        """Show records of a kind as of now."""
        return self.storefront.view(kind, self.now)


def routes(setting: Setting) -> list[Route]:
    """Serve the API under the vendor's own path."""
    api = AdminApi(setting)
    return [Route("/admin/api/{version}/graphql.json", api.answer, methods=["POST"])]


def operation_of(_path: str, body: bytes) -> str:
    """Name a request for statistics and faults: the first connection or record it asks for."""
    for kind in OPERATIONS:
        if f"{kind}(".encode() in body:
            return kind
    return "other"


def rate_limited(status: int) -> tuple[int, dict[str, Any]]:
    """Refuse for want of points: HTTP 200 with THROTTLED, or 429 as some shops report."""
    return (200 if status == 0 else status), {"errors": [throttled_error()]}


def throttled_error() -> dict[str, Any]:
    """Write the refusal."""
    return {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": LIMITS}}


class AdminApi:
    """The one endpoint."""

    def __init__(self, setting: Setting) -> None:
        """Prepare the schema, the shop and the bucket."""
        self._setting = setting
        self._storefront = Storefront(setting.world)
        self._bucket = Bucket(setting.shopify_points, setting.shopify_restore_rate, setting.monotonic)
        self._prices: dict[tuple[Any, ...], Price] = {}

    async def answer(self, request: Request) -> Response:
        """Answer one GraphQL request."""
        version = request.path_params["version"]
        headers = {"X-Shopify-API-Version": version if version in VERSIONS else VERSIONS[0]}
        if request.headers.get("X-Shopify-Access-Token") != self._setting.token:
            refusal = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return json_response({"errors": refusal}, 401, headers)
        try:
            asked = orjson.loads(await request.body())
            query = asked["query"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return json_response({"errors": {"query": "Required parameter missing or invalid"}}, 400, headers)
        answered = self.execute(query, asked.get("variables") or {}, asked.get("operationName"))
        return json_response(answered, 200, headers)

    def execute(self, query: str, variables: dict[str, Any], operation_name: str | None) -> dict[str, Any]:
        """Validate, price, pay for and execute a query."""
        document, errors = prepare(query)
        if errors or document is None:
            return {"errors": errors}
        price = self._price(query, document, variables, operation_name)
        requested = price.requested()
        if requested > LARGEST_QUERY:
            return {"errors": [too_expensive(requested)]}
        if not self._bucket.take(requested):
            return {"errors": [throttled_error()], **self._cost(requested, None)}
        context = Answering(self._storefront, self._setting.clock.now())
        result = execute_sync(
            schema(), document, None, context, variables, operation_name, executor_class=PreparedExecutor
        )
        actual = price.actual(result.data) if result.data else 0
        self._bucket.give_back(max(0, requested - actual))
        answered: dict[str, Any] = {"data": result.data, **self._cost(requested, actual)}
        if context.warnings:
            answered["extensions"]["search"] = context.warnings
        if result.errors:
            answered["errors"] = [error.formatted for error in result.errors]
        return answered

    def _price(
        self, query: str, document: DocumentNode, variables: dict[str, Any], operation_name: str | None
    ) -> Price:
        sizes = tuple(sorted((name, value) for name, value in variables.items() if isinstance(value, int)))
        key = (query, operation_name, sizes)
        if key not in self._prices:
            self._prices[key] = Pricing(schema(), document, variables).price(operation_name)
        return self._prices[key]

    def _cost(self, requested: int, actual: int | None) -> dict[str, Any]:
        cost = {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": self._bucket.status(),
        }
        return {"extensions": {"cost": cost}}


def json_response(body: object, status: int, headers: dict[str, str]) -> Response:
    """Write an answer."""
    return Response(orjson.dumps(body), status, headers, "application/json; charset=utf-8")


def too_expensive(cost: int) -> dict[str, Any]:
    """Refuse a query that asks for too much at once."""
    return {
        "message": f"Query cost is {cost}, which exceeds the single query max cost limit ({LARGEST_QUERY}).",
        "extensions": {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": LARGEST_QUERY, "documentation": LIMITS},
    }


@lru_cache(maxsize=256)
def prepare(query: str) -> tuple[DocumentNode | None, list[Any]]:
    """Parse and validate a document once; clients send the same few texts over and over."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, [error.formatted]
    return document, [error.formatted for error in validate(schema(), document)]


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    """Build the served schema and hang the few resolvers in that are more than looking a key up."""
    built = build_schema(Path(__file__).with_suffix(".graphql").read_text(encoding="utf-8"))
    root = built.type_map["QueryRoot"].fields  # type: ignore[attr-defined]
    for kind in SEARCHABLE:
        root[kind].resolve = connection_resolver(kind)
        root[f"{kind}Count"].resolve = count_resolver(kind)
        root[kind.removesuffix("s")].resolve = record_resolver(kind)
    root["node"].resolve = resolve_node
    root["shop"].resolve = resolve_shop
    order = built.type_map["Order"].fields  # type: ignore[attr-defined]
    order["customer"].resolve = resolve_order_customer
    order["lineItems"].resolve = resolve_line_items
    order["refunds"].resolve = resolve_refunds
    for name in [name for name in built.type_map if name.endswith("Connection")]:
        built.type_map[name].fields["edges"].resolve = resolve_edges  # type: ignore[attr-defined]
    for kind in ("Order", "Customer"):
        built.type_map[kind].fields["metafield"].resolve = resolve_metafield  # type: ignore[attr-defined]
    return built


def connection_resolver(kind: str) -> Resolver:
    """Resolve a searchable connection."""

    def resolve(_root: object, info: Info, **asked: Any) -> Node:  # noqa: ANN401
        search = searched(info, kind, asked.pop("query", None))
        sort = asked.pop("sortKey").lower()
        view = info.context.view(kind)
        return page_of(view.selection(sort, search, select), Window(**asked), view.node)

    return resolve


def searched(info: Info, kind: str, query: str | None) -> Search:
    """Parse a search and put what was not understood into the answer."""
    search = parse_search(query, SEARCHABLE[kind])
    if search.warnings:
        found = [{"field": name, "message": message} for name, message in search.warnings]
        info.context.warnings.append({"path": [info.path.key], "query": query, "warnings": found})
    return search


def count_resolver(kind: str) -> Resolver:
    """Resolve a count, which by default stops at 10,000."""

    def resolve(_root: object, info: Info, query: str | None = None, limit: int | None = None) -> Node:
        search = searched(info, kind, query)
        count = len(info.context.view(kind).selection("updated_at", search, select).values)
        if limit is not None and count > limit:
            return {"count": limit, "precision": "AT_LEAST"}
        return {"count": count, "precision": "EXACT"}

    return resolve


def record_resolver(kind: str) -> Resolver:
    """Resolve one record by its id."""

    def resolve(_root: object, info: Info, id: str) -> Node | None:  # noqa: A002
        found: Node | None = info.context.view(kind).find(id)
        return found

    return resolve


def resolve_node(_root: object, info: Info, id: str) -> Node | None:  # noqa: A002
    """Resolve any record by its id."""
    for kind in SEARCHABLE:
        found: Node | None = info.context.view(kind).find(id)
        if found is not None:
            return found
    return None


def resolve_shop(_root: object, info: Info) -> Node:
    """Describe the shop."""
    world = info.context.storefront.world
    return {
        "__typename": "Shop",
        "id": gid("Shop", "1"),
        "name": world.name,
        "currencyCode": world.currency,
        "ianaTimezone": world.timezone,
        "myshopifyDomain": "sandbox.myshopify.com",
    }


def resolve_order_customer(order: Node, info: Info) -> Node | None:
    """Give an order's customer as it is now; a guest has none."""
    key = order["_customer"]
    if key is None:
        return None
    found: Node | None = info.context.view("customers").find(key)
    return found


def resolve_line_items(order: Node, _info: object, **window: Any) -> Node:  # noqa: ANN401
    """Give a page of an order's lines."""
    lines = order["_lines"]
    return page_of(list_index(len(lines)), Window(**window), lines.__getitem__)


def resolve_refunds(order: Node, _info: object, first: int | None = None) -> list[Node]:
    """Give an order's refunds."""
    refunds: list[Node] = order["refunds"]
    return refunds[:first]


def resolve_metafield(record: Node, _info: object, key: str, namespace: str = "custom") -> Node | None:
    """Give what the shop keeps under a name."""
    found: Node | None = record["metafields"].get((namespace, key))
    return found


__all__ = ["NAME", "AdminApi", "PageError", "operation_of", "rate_limited", "routes", "schema"]
