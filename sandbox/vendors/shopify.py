"""Shopify's Admin GraphQL API over the world, executed by graphql-core against the part of the schema beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from graphql import DocumentNode, execute_sync
from starlette.responses import Response
from starlette.routing import Route

from sandbox.shopify.bulk import BulkOperations
from sandbox.shopify.cost import LARGEST_QUERY, Bucket, Price, Pricing, size_of
from sandbox.shopify.execution import PreparedExecutor
from sandbox.shopify.schema import Answering, prepare, schema
from sandbox.shopify.storefront import Storefront
from sandbox.shopify.webhooks import webhooks

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.setting import Setting

__all__ = ["NAME", "AdminApi", "operation_of", "rate_limited", "routes", "webhooks"]

NAME = "shopify"
VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
LIMITS = "https://shopify.dev/api/usage/rate-limits"
OPERATIONS = (
    "bulkOperationRunQuery",
    "bulkOperation",
    "orders",
    "customers",
    "products",
    "abandonedCheckouts",
    "subscriptionContracts",
    "ordersCount",
    "customersCount",
    "productsCount",
    "abandonedCheckoutsCount",
    "order",
    "nodes",
    "node",
)


def routes(setting: Setting) -> list[Route]:
    """Serve the API under the vendor's own path."""
    api = AdminApi(setting)
    return [
        Route("/admin/api/{version}/graphql.json", api.answer, methods=["POST"]),
        Route("/bulk/{name}", api.bulk_file, methods=["GET"]),
    ]


def operation_of(path: str, body: bytes) -> str:
    """Name a request for statistics and faults: the first connection or record it asks for."""
    if path.startswith("GET /bulk/"):
        return "bulk file"
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
        self._bulk = BulkOperations(setting, schema(), self._execute_part)

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
        base = self._setting.shopify_bulk_address or f"{request.base_url}{NAME}"
        answered = self.execute(query, asked.get("variables") or {}, asked.get("operationName"), base)
        return json_response(answered, 200, headers)

    async def bulk_file(self, request: Request) -> Response:
        """Answer with the rows of a bulk operation; whoever has the address may read it."""
        number = request.path_params["name"].partition(".")[0]
        file = self._bulk.file(int(number)) if number.isdigit() else None
        if file is None:
            return Response(b"<Error><Code>ExpiredToken</Code></Error>", 400, media_type="application/xml")
        return Response(file.read_bytes(), 200, media_type="application/jsonl")

    def _execute_part(self, document: DocumentNode, part: range) -> dict[str, Any] | None:
        context = self._answering(part=part)
        return execute_sync(schema(), document, None, context, executor_class=PreparedExecutor).data

    def _answering(self, **more: Any) -> Answering:  # noqa: ANN401
        now, denied = self._setting.clock.now(), frozenset(self._setting.shopify_denied_fields)
        return Answering(self._storefront, now, denied, tuple(self._setting.shopify_scopes), **more)

    def execute(
        self, query: str, variables: dict[str, Any], operation_name: str | None, base: str = ""
    ) -> dict[str, Any]:
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
        context = self._answering(bulk=self._bulk, base=base)
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
        sizes = tuple(sorted((name, size) for name, value in variables.items() if (size := size_of(value)) is not None))
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
