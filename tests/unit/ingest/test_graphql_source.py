"""Reading GraphQL: every page, every nested page, the asserted version, the checked cost, and no endless walk."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from kizuna.graphql import Nested
from kizuna.http import Client, VendorContractError, VendorRefusedError
from kizuna.reading import EPOCH, VendorCount, Window
from kizuna.shopify_admin import ShopifyReader, judge_shopify, window_filter
from kizuna.shopify_admin.streams import ShopifyStream
from kizuna.sources.shopify import SOURCE

WINDOW = Window(datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC))
STREAMS = {stream.name: stream for stream in SOURCE.streams if isinstance(stream, ShopifyStream)}
DATE = "Sun, 22 Nov 2026 03:00:00 GMT"

Reply = Callable[[str, dict[str, Any]], dict[str, Any]]


def reader(stream: str, reply: Reply, version: str = "2026-10", date: str | None = DATE) -> ShopifyReader:
    def transport(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/admin/api/2026-10/graphql.json"
        asked = json.loads(request.content)
        headers = {"X-Shopify-API-Version": version, **({"Date": date} if date else {})}
        answered = reply(asked["query"], asked["variables"])
        if "nodes" in asked["query"] and "data" in answered:
            root = STREAMS[stream].root
            answered["data"] = {f"{root}Count": {"count": 7, "precision": "EXACT"}, **answered["data"]}
        return httpx.Response(200, json=answered, headers=headers)

    mock = httpx.MockTransport(transport)
    client = Client("shopify", "http://shop.example", {}, judge=judge_shopify, transport=mock)
    return ShopifyReader(SOURCE, STREAMS[stream], client, lambda _seconds: None)


def connection(nodes: list[Any], after: str | None = None) -> dict[str, Any]:
    return {"nodes": nodes, "pageInfo": {"hasNextPage": after is not None, "endCursor": after}}


def test_all_pages_are_read_to_the_last() -> None:
    pages = {None: connection([{"id": "1"}], "a"), "a": connection([], "b"), "b": connection([{"id": "2"}])}
    asked: list[dict[str, Any]] = []

    def reply(_query: str, variables: dict[str, Any]) -> dict[str, Any]:
        asked.append(variables)
        return {"data": {"products": pages[variables["after"]]}}

    assert list(reader("products", reply).pages(WINDOW)) == [[{"id": "1"}], [], [{"id": "2"}]]
    assert {variables["window"] for variables in asked} == {window_filter(WINDOW)}
    assert asked[0]["first"] == STREAMS["products"].page_size


def test_a_window_is_written_in_the_vendors_search_syntax() -> None:
    lower = datetime(2026, 11, 1, 9, tzinfo=UTC)

    assert window_filter(Window(lower, WINDOW.upper)) == (
        "updated_at:>='2026-11-01T09:00:00Z' updated_at:<'2026-11-22T03:04:05Z'"
    )


def test_an_order_arrives_with_all_its_lines_and_without_cursors() -> None:
    lines = [{"id": str(number)} for number in range(230)]
    order = {"id": "o1", "lineItems": connection(lines[:10], "10")}

    def reply(query: str, variables: dict[str, Any]) -> dict[str, Any]:
        if "orders(" in query:
            return {"data": {"orders": connection([order])}}
        assert variables["id"] == "o1"
        start = int(variables["after"])
        end = start + variables["first"]
        after = str(end) if end < len(lines) else None
        return {"data": {"node": {"lineItems": connection(lines[start:end], after)}}}

    (page,) = reader("orders", reply).pages(WINDOW)
    assert page[0]["lineItems"] == {"nodes": lines, "pageInfo": {"hasNextPage": False, "endCursor": None}}


def test_what_is_not_a_node_is_passed_on_for_landing_to_judge() -> None:
    def reply(_query: str, _variables: dict[str, Any]) -> dict[str, Any]:
        return {"data": {"orders": connection([None, {"id": "1", "lineItems": None}])}}

    assert list(reader("orders", reply).pages(WINDOW)) == [[None, {"id": "1", "lineItems": None}]]


def test_an_order_deleted_between_its_pages_fails() -> None:
    def reply(query: str, _variables: dict[str, Any]) -> dict[str, Any]:
        if "orders(" in query:
            return {"data": {"orders": connection([{"id": "o1", "lineItems": connection([], "10")}])}}
        return {"data": {"node": None}}

    with pytest.raises(VendorContractError, match="node is not there"):
        list(reader("orders", reply).pages(WINDOW))


@pytest.mark.parametrize("data", [{}, {"products": None}, {"products": {"nodes": None}}, {"products": {"nodes": []}}])
def test_a_page_that_is_none_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(VendorContractError):
        list(reader("products", lambda _query, _variables: {"data": data}).pages(WINDOW))


def test_a_count_that_is_none_is_refused() -> None:
    with pytest.raises(VendorContractError, match="no count"):
        reader("products", lambda _query, _variables: {"data": {"productsCount": None}}).count(WINDOW)


def test_paging_that_goes_in_circles_ends() -> None:
    cursors = {None: "a", "a": "b", "b": "a"}

    def reply(_query: str, variables: dict[str, Any]) -> dict[str, Any]:
        return {"data": {"products": connection([], cursors[variables["after"]])}}

    with pytest.raises(VendorContractError, match="the cursor repeats"):
        list(reader("products", reply).pages(WINDOW))


def test_another_version_than_asked_is_refused() -> None:
    def reply(_query: str, _variables: dict[str, Any]) -> dict[str, Any]:
        return {"data": {"productsCount": {"count": 1, "precision": "EXACT"}}}

    with pytest.raises(VendorContractError, match="API version 2027-01, expected 2026-10"):
        reader("products", reply, version="2027-01").count(WINDOW)


def test_a_query_above_the_limit_names_cost_and_remedy() -> None:
    def reply(_query: str, _variables: dict[str, Any]) -> dict[str, Any]:
        data = {"data": {"products": connection([])}}
        return {**data, "extensions": {"cost": {"requestedQueryCost": 1001}}}

    with pytest.raises(VendorContractError, match=r"costs 1001 points, allowed are 1000.*lower page_size"):
        list(reader("products", reply).pages(WINDOW))


def test_a_window_that_the_vendor_does_not_understand_is_not_all_of_history() -> None:
    def reply(_query: str, _variables: dict[str, Any]) -> dict[str, Any]:
        warning = {"path": ["products"], "warnings": [{"field": "updated_at", "message": "Invalid"}]}
        return {"data": {"products": connection([])}, "extensions": {"search": [warning]}}

    with pytest.raises(VendorContractError, match="search was not understood"):
        list(reader("products", reply).pages(WINDOW))


def test_an_error_names_its_code_and_never_its_message() -> None:
    def reply(_query: str, _variables: dict[str, Any]) -> dict[str, Any]:
        return {"errors": [{"message": "taro@example.jp may not", "extensions": {"code": "ACCESS_DENIED"}}]}

    with pytest.raises(VendorRefusedError, match=r"products answered 200 \(ACCESS_DENIED\).*grant the app") as refused:
        list(reader("products", reply).pages(WINDOW))
    assert "taro" not in str(refused.value)


def test_the_count_says_whether_it_is_exact() -> None:
    def reply(query: str, variables: dict[str, Any]) -> dict[str, Any]:
        assert "ordersCount(" in query
        assert variables == {"window": window_filter(WINDOW), "limit": None}
        return {"data": {"ordersCount": {"count": 10_000, "precision": "AT_LEAST"}}}

    assert reader("orders", reply).count(WINDOW) == VendorCount(10_000, is_lower_bound=True)


def test_the_clock_is_the_vendors() -> None:
    def reply(_query: str, _variables: dict[str, Any]) -> dict[str, Any]:
        return {"data": {"ordersCount": {"count": 1, "precision": "AT_LEAST"}}}

    assert reader("orders", reply).start(EPOCH, None) == datetime(2026, 11, 22, 3, tzinfo=UTC)
    with pytest.raises(VendorContractError, match="no Date header"):
        reader("orders", reply, date=None).start(EPOCH, None)


def test_windows_reach_back_and_hold_back_as_the_search_index_needs() -> None:
    assert (SOURCE.overlap, SOURCE.hold_back) == (timedelta(minutes=10), timedelta(minutes=2))


@pytest.fixture(scope="module")
def vendor_schema(shared: Any) -> GraphQLSchema:
    text = (shared / "specs" / "shopify" / "admin_2026-10.nodesc.graphql").read_text()
    return build_schema(text, assume_valid=True)


def every_query(stream: ShopifyStream) -> list[str]:
    counted = [stream.count_query(), stream.page_query(with_count=True)] if stream.has_count else []
    nested = [nested.rest_query(stream.kind) for nested in stream.nested]
    listed = [text for one in stream.listed for text in (one.query(), one.nested.rest_query(one.kind))]
    return [stream.page_query(), stream.id_query(), stream.bulk_query(WINDOW), *counted, *nested, *listed]


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_every_query_is_valid_in_the_vendors_own_schema(name: str, vendor_schema: GraphQLSchema) -> None:
    stream = STREAMS[name]
    texts = every_query(stream)

    for text in texts:
        assert validate(vendor_schema, parse(text)) == []


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_no_query_asks_for_a_deprecated_field(name: str, vendor_schema: GraphQLSchema) -> None:
    from graphql import NoDeprecatedCustomRule

    for text in every_query(STREAMS[name]):
        assert validate(vendor_schema, parse(text), [NoDeprecatedCustomRule]) == []


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_no_question_costs_more_than_the_vendor_allows(name: str) -> None:
    from sandbox.shopify.cost import Pricing
    from sandbox.shopify.schema import schema

    stream = STREAMS[name]
    sizes = {
        stream.page_query(with_count=stream.has_count): {"first": stream.page_size},
        stream.id_query(): {"first": 250},
    }
    for nested in stream.nested:
        sizes[nested.rest_query(stream.kind)] = {"first": nested.rest}
    for listed in stream.listed:
        sizes[listed.query()] = {"ids": ["gid"] * listed.ids}
        sizes[listed.nested.rest_query(listed.kind)] = {"first": listed.nested.rest}
    for text, variables in sizes.items():
        assert Pricing(schema(), parse(text), variables).price(None).requested() <= 1000, text


def test_a_nested_connection_is_written_once_for_both_queries() -> None:
    nested = Nested("lineItems", "id sku", first=10)

    assert nested.text("first: 10") == "lineItems(first: 10) { nodes { id sku } pageInfo { hasNextPage endCursor } }"
