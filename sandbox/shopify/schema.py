"""The served part of the Admin schema with its resolvers: the few fields that are more than looking a key up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphql import DocumentNode, GraphQLError, GraphQLResolveInfo, GraphQLSchema, build_schema, parse, validate

from sandbox.shopify.bulk import RefusalError
from sandbox.shopify.connections import Window, connection, list_index, page_of, resolve_edges
from sandbox.shopify.search import Search, parse_search, select
from sandbox.shopify.values import gid

if TYPE_CHECKING:
    from sandbox.shopify.bulk import BulkOperations
    from sandbox.shopify.storefront import Storefront
    from sandbox.shopify.timeline import Node, View

Info = GraphQLResolveInfo[Any]
Resolver = Callable[..., Any]
SCHEMA_FILE = Path(__file__).parents[1] / "vendors" / "shopify.graphql"
# The connections of the query root that can be searched, the field that gives one record by its id, and the terms.
TIMES = frozenset({"id", "created_at", "updated_at"})
SEARCHABLE = {
    "abandonedCheckouts": TIMES,
    "customers": TIMES,
    "orders": TIMES | {"processed_at"},
    "products": TIMES,
    "subscriptionContracts": TIMES,
}
RECORDS = {name.removesuffix("s"): name for name in SEARCHABLE if name != "abandonedCheckouts"}
# Plain lists that lie ready in a record under their name with an underscore, shown as connections.
NESTED = {
    "AbandonedCheckout": ("lineItems",),
    "Order": ("lineItems", "shippingLines", "discountApplications"),
    "Product": ("variants",),
    "Refund": ("refundLineItems",),
    "SubscriptionContract": ("lines", "billingAttempts"),
}
# Fields that point to another record, which is shown as it is now.
LINKS = {
    "AbandonedCheckout": {"customer": "customers"},
    "Order": {"customer": "customers"},
    "SubscriptionBillingAttemptSuccessState": {"order": "orders"},
    "SubscriptionContract": {"customer": "customers", "originOrder": "orders"},
}


@dataclass(slots=True)
class Answering:
    """What the resolvers of one request share.

    `denied` are the root fields that the app has no scope for. A bulk operation asks for a `part` of the rows at the
    root and for all that are nested in them; its file can be fetched below `base`.
    """

    storefront: Storefront
    now: int
    denied: frozenset[str] = frozenset()
    scopes: tuple[str, ...] = ()
    bulk: BulkOperations | None = None
    base: str = ""
    part: range | None = None
    warnings: list[dict[str, Any]] = field(default_factory=list)

    def view(self, kind: str) -> View:
        """Show records of a kind as of now."""
        return self.storefront.view(kind, self.now)


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
    """Build the served schema and hang the resolvers in."""
    built = build_schema(SCHEMA_FILE.read_text(encoding="utf-8"))
    types: dict[str, Any] = dict(built.type_map)
    resolve_root(types["QueryRoot"].fields)
    types["Mutation"].fields["bulkOperationRunQuery"].resolve = run_bulk_query
    for kind, names in NESTED.items():
        for name in names:
            types[kind].fields[name].resolve = list_resolver(f"_{name}")
    for kind, links in LINKS.items():
        for name, target in links.items():
            types[kind].fields[name].resolve = link_resolver(f"_{name}", target)
    for name in [name for name in types if name.endswith("Connection")]:
        types[name].fields["edges"].resolve = resolve_edges
    for kind in ("Order", "Customer"):
        types[kind].fields["metafield"].resolve = resolve_metafield
    return built


def resolve_root(root: dict[str, Any]) -> None:
    """Hang in the resolvers of the query root."""
    for kind in SEARCHABLE:
        root[kind].resolve = connection_resolver(kind)
        if f"{kind}Count" in root:
            root[f"{kind}Count"].resolve = count_resolver(kind)
    for name, kind in RECORDS.items():
        root[name].resolve = record_resolver(kind)
    root["node"].resolve = resolve_node
    root["nodes"].resolve = resolve_nodes
    root["shop"].resolve = resolve_shop
    root["currentAppInstallation"].resolve = resolve_installation
    root["bulkOperation"].resolve = resolve_bulk_operation


def connection_resolver(kind: str) -> Resolver:
    """Resolve a searchable connection."""

    def resolve(_root: object, info: Info, **asked: Any) -> Node:  # noqa: ANN401
        refuse_denied(info)
        search = searched(info, kind, asked.pop("query", None))
        sort = asked.pop("sortKey").lower()
        view = info.context.view(kind)
        index = view.selection(sort, search, select)
        if info.context.part is not None:
            part = slice(info.context.part.start, info.context.part.stop)
            return whole([view.node(record) for record in index.records[part].tolist()])
        return page_of(index, Window(**asked), view.node)

    return resolve


def whole(nodes: list[Node]) -> Node:
    """Give rows as a connection without pages."""
    return connection(nodes, [""] * len(nodes), has_next=False, has_previous=False)


def refuse_denied(info: Info) -> None:
    """Refuse a field that needs a scope the app was not granted."""
    if info.field_name in info.context.denied:
        message = f"Access denied for {info.field_name} field."
        raise GraphQLError(message, extensions={"code": "ACCESS_DENIED"})


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
        refuse_denied(info)
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
    """Resolve any record by its id; a refund is found in its order."""
    if id.startswith(gid("Refund", "")):
        order = info.context.view("orders").find(gid("Order", id.rsplit("/", 1)[1].rsplit("-", 1)[0]))
        refunds = order["refunds"] if order else []
        return next((refund for refund in refunds if refund["id"] == id), None)
    for kind in SEARCHABLE:
        found: Node | None = info.context.view(kind).find(id)
        if found is not None:
            return found
    return None


def resolve_nodes(_root: object, info: Info, ids: list[str]) -> list[Node | None]:
    """Resolve several records by their ids, in the same order."""
    return [resolve_node(None, info, id) for id in ids]  # noqa: A001


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


def resolve_installation(_root: object, info: Info) -> Node:
    """Tell what the app may read."""
    handles = [{"handle": handle} for handle in info.context.scopes]
    return {"__typename": "AppInstallation", "id": gid("AppInstallation", "1"), "accessScopes": handles}


def resolve_bulk_operation(_root: object, info: Info, id: str) -> Node | None:  # noqa: A002
    """Show a bulk operation."""
    found: Node | None = info.context.bulk.poll(id, info.context.base)
    return found


def run_bulk_query(_root: object, info: Info, query: str, groupObjects: bool) -> Node:  # noqa: ARG001, FBT001, N803
    """Start a bulk operation, or say why not."""
    document, errors = prepare(query)
    try:
        if document is None or errors:
            message = "Invalid bulk query: " + errors[0]["message"]
            raise RefusalError(message)  # noqa: TRY301
        started = info.context.bulk.run(query, document)
    except RefusalError as refusal:
        error = {"code": refusal.code, "field": ["query"], "message": refusal.message}
        return {"bulkOperation": None, "userErrors": [error]}
    return {"bulkOperation": started, "userErrors": []}


def link_resolver(name: str, kind: str) -> Resolver:
    """Resolve a link to another record, which may be missing: a guest has no customer, a deleted one is gone."""

    def resolve(record: Node, info: Info) -> Node | None:
        key = record[name]
        return None if key is None else info.context.view(kind).find(key)

    return resolve


def list_resolver(name: str) -> Resolver:
    """Resolve a page of a list that lies ready in the record."""

    def resolve(record: Node, info: Info, sortKey: str = "", **window: Any) -> Node:  # noqa: ANN401, ARG001, N803
        rows = record[name]
        if info.context.part is not None:
            return whole(rows)
        return page_of(list_index(len(rows)), Window(**window), rows.__getitem__)

    return resolve


def resolve_metafield(record: Node, _info: object, key: str, namespace: str = "custom") -> Node | None:
    """Give what the shop keeps under a name."""
    found: Node | None = record["metafields"].get((namespace, key))
    return found
