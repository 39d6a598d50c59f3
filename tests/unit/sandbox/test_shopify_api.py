"""Shopify's protocol: pages, filters, time, price, refusals."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from graphql import execute_sync, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.shopify.connections import Window, page_of
from sandbox.shopify.cost import Bucket
from sandbox.shopify.departures import find_departures
from sandbox.shopify.schema import Answering, schema
from sandbox.shopify.search import parse_search, select
from sandbox.shopify.storefront import Storefront
from sandbox.shopify.timeline import Timeline, View
from sandbox.world import invent_world
from tests.contract.shopify_queries import CUSTOMERS, ORDERS, PATH, ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from sandbox.records import World

KNOWN = frozenset({"id", "created_at", "updated_at"})


def made_view(changes: list[list[int]], now: int) -> View:
    keys = [f"gid://shopify/Order/{number}" for number in range(len(changes))]
    created = [min(times) for times in changes]
    timeline = Timeline(
        keys,
        [sorted(set(times)) for times in changes],
        {"created_at": created},
        lambda record, at: {"id": keys[record], "at": at},
    )
    return timeline.view(now)


def walk(view: View, sort: str, query: str | None, size: int, *, reverse: bool) -> Iterator[dict[str, Any]]:
    after = None
    while True:
        index = select(view, sort, parse_search(query, KNOWN))
        page = page_of(index, Window(first=size, after=after, reverse=reverse), view.node)
        yield from page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


histories = st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=4), min_size=1, max_size=40)


@settings(deadline=None)
@given(
    histories, st.integers(0, 35), st.integers(1, 9), st.booleans(), st.sampled_from(["updated_at", "id", "created_at"])
)
def test_a_walk_gives_each_row_once_in_order(changes: list[list[int]], now: int, size: int, reverse: bool, sort: str):
    view = made_view(changes, now)
    rows = list(walk(view, sort, None, size, reverse=reverse))
    expected = {number: max(t for t in times if t <= now) for number, times in enumerate(changes) if min(times) <= now}
    assert {row["id"]: row["at"] for row in rows} == {f"gid://shopify/Order/{n}": at for n, at in expected.items()}
    assert len(rows) == len(expected)
    if sort == "updated_at":
        assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=reverse)


@settings(deadline=None)
@given(histories, st.integers(0, 30), st.integers(0, 30), st.integers(1, 7))
def test_a_window_holds_exactly_the_rows_changed_in_it(changes: list[list[int]], low: int, high: int, size: int):
    view = made_view(changes, 35)
    bounds = [datetime.fromtimestamp(at, UTC).isoformat() for at in (low, high)]
    query = f"updated_at:>='{bounds[0]}' updated_at:<'{bounds[1]}'"
    rows = [row["at"] for row in walk(view, "updated_at", query, size, reverse=False)]
    assert rows == sorted(max(times) for times in changes if low <= max(times) < high)


@settings(deadline=None)
@given(histories, st.sampled_from([">=", "<=", ">", "<"]), st.integers(0, 30))
def test_filters_on_another_field_than_the_sort_hold_too(changes: list[list[int]], operator: str, bound: int):
    view = made_view(changes, 35)
    query = f"created_at:{operator}'{datetime.fromtimestamp(bound, UTC).isoformat()}'"
    found = {row["id"] for row in walk(view, "updated_at", query, 50, reverse=False)}
    holds = {">=": int.__ge__, "<=": int.__le__, ">": int.__gt__, "<": int.__lt__}[operator]
    assert found == {f"gid://shopify/Order/{n}" for n, times in enumerate(changes) if holds(min(times), bound)}


def test_ids_can_be_asked_for():
    view = made_view([[1], [2], [3]], 9)
    assert [row["id"][-1] for row in walk(view, "id", "id:1", 9, reverse=False)] == ["1"]
    assert [row["id"][-1] for row in walk(view, "id", "id:>=1", 9, reverse=False)] == ["1", "2"]


@settings(max_examples=25, deadline=None)
@given(st.integers(-720, 170))
def test_only_the_past_is_visible(days: int):
    storefront = Storefront(SMALL)
    now = SMALL.starts_at + days * 86_400
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    orders = storefront.view("orders", now)
    nodes = [orders.node(record) for record in orders.index("updated_at").records.tolist()]
    gone = find_departures(SMALL).deleted_sales
    assert len(nodes) == sum(sale.at <= now < gone.get(place, now + 1) for place, sale in enumerate(SMALL.sales))
    for node in nodes:
        assert max(node["createdAt"], node["updatedAt"], node["cancelledAt"] or "") <= moment
        assert all(refund["createdAt"] <= moment for refund in node["refunds"])
    customers = storefront.view("customers", now)
    for record in customers.index("id").records.tolist():
        assert customers.node(record)["updatedAt"] <= moment
    seen = sum(int(customers.node(record)["numberOfOrders"]) for record in customers.index("id").records.tolist())
    assert seen == sum(node["_customer"] is not None for node in nodes)


SMALL = invent_world(60, 11, date(2026, 11, 22))


def test_time_brings_new_and_changed_orders(client: httpx.Client):
    def orders() -> dict[str, str]:
        found, after = {}, None
        while True:
            page = ask(client, ORDERS, first=10, after=after)["data"]["orders"]
            found |= {node["id"]: node["updatedAt"] for node in page["nodes"]}
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]

    before = orders()
    now = client.post("/_sandbox/clock", json={"advance_seconds": 30 * 86_400}).json()["now"]
    after = orders()
    assert now == "2026-12-22T00:00:00+00:00"
    assert len(after) > len(before)
    assert any(after[key] > changed for key, changed in before.items())


def test_answers_carry_the_sandboxs_date_and_version(client: httpx.Client):
    response = client.post(PATH, json={"query": "{ shop { name } }"})
    assert response.headers["date"] == "Sun, 22 Nov 2026 00:00:00 GMT"
    assert response.headers["X-Shopify-API-Version"] == "2026-10"
    retired = client.post(PATH.replace("2026-10", "2024-01"), json={"query": "{ shop { name } }"})
    assert retired.headers["X-Shopify-API-Version"] == "2026-01"


def test_a_wrong_token_and_a_broken_body_are_refused(client: httpx.Client):
    assert (
        client.post(PATH, json={"query": "{ shop { name } }"}, headers={"X-Shopify-Access-Token": "no"}).status_code
        == 401
    )
    assert client.post(PATH, content=b"{").status_code == 400
    assert "errors" in ask(client, "{ shop { colour } }")
    assert "errors" in ask(client, "{ shop ")


def test_a_query_is_priced_by_the_published_table(client: httpx.Client):
    query = "{ orders(first: 7) { nodes { id customer { id } lineItems(first: 2) { nodes { id } } refunds { id } } } }"
    cost = ask(client, query)["extensions"]["cost"]
    assert cost["requestedQueryCost"] == 7 * (1 + 1 + 2 * 1 + 1)
    assert cost["actualQueryCost"] <= cost["requestedQueryCost"]
    assert ask(client, "{ shop { name } ordersCount { count } }")["extensions"]["cost"]["requestedQueryCost"] == 2


def test_a_query_above_a_thousand_points_is_refused(client: httpx.Client):
    refused = ask(client, ORDERS, first=11)["errors"][0]["extensions"]
    assert (refused["code"], refused["cost"], refused["maxCost"]) == ("MAX_COST_EXCEEDED", 1023, 1000)
    assert "errors" not in ask(client, ORDERS, first=10)


def test_an_empty_bucket_throttles_until_points_come_back(world: World, open_sandbox: Callable[..., httpx.Client]):
    moment = [0.0]
    client = open_sandbox(world, shopify_points=10, shopify_restore_rate=2, monotonic=lambda: moment[0])
    query = "{ customers(first: 8) { nodes { id } } }"
    assert "errors" not in ask(client, query)
    throttled = ask(client, query)
    assert throttled["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert throttled["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 2
    moment[0] = 3.0
    assert "errors" not in ask(client, query)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 30)), max_size=30))
def test_a_bucket_never_gives_more_than_it_holds_and_restores(steps: list[tuple[float, float]]):
    moment, taken = [0.0], 0.0
    bucket = Bucket(20, 4, lambda: moment[0])
    for wait, points in steps:
        moment[0] += wait
        taken += points if bucket.take(points) else 0.0
        assert taken <= 20 + 4 * moment[0] + 1e-6


@pytest.mark.parametrize("window", [{}, {"first": 251}, {"first": -1}, {"first": 1, "after": "nonsense"}])
def test_pages_the_vendor_refuses_are_refused(client: httpx.Client, window: dict[str, Any]):
    arguments = ", ".join(
        f"{name}: {value if isinstance(value, int) else chr(34) + value + chr(34)}" for name, value in window.items()
    )
    query = f"{{ products{f'({arguments})' if arguments else ''} {{ nodes {{ id }} }} }}"
    assert ask(client, query)["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_last_and_before_walk_backwards(client: httpx.Client):
    def page(arguments: str) -> dict[str, Any]:
        return ask(
            client, f"{{ products({arguments}) {{ nodes {{ id }} pageInfo {{ startCursor hasPreviousPage }} }} }}"
        )["data"]["products"]

    everything = [node["id"] for node in page("first: 50")["nodes"]]
    last = page("last: 5")
    before = page(f'last: 5, before: "{last["pageInfo"]["startCursor"]}"')
    assert [node["id"] for node in [*before["nodes"], *last["nodes"]]] == everything[-10:]
    assert before["pageInfo"]["hasPreviousPage"] is True


def test_counts_stop_at_their_limit(client: httpx.Client):
    counted = ask(
        client, "{ few: productsCount(limit: 5) { count precision } all: productsCount { count precision } }"
    )["data"]
    assert counted == {"few": {"count": 5, "precision": "AT_LEAST"}, "all": {"count": 13, "precision": "EXACT"}}


def test_a_search_that_is_not_understood_is_ignored_and_said_so(client: httpx.Client):
    answered = ask(client, '{ productsCount(query: "colour:red") { count } }')
    assert answered["data"]["productsCount"]["count"] == 13
    assert answered["extensions"]["search"][0]["warnings"][0]["field"] == "colour"


def test_lines_beyond_the_first_page_are_reached_by_cursor(client: httpx.Client, world: World):
    long = next(sale for sale in world.sales if len(sale.lines) > 2)
    lines = "lineItems(first: 2, after: $after) { nodes { title } pageInfo { hasNextPage endCursor } }"
    query = f"query($id: ID!, $after: String) {{ order(id: $id) {{ {lines} }} }}"
    client.post("/_sandbox/clock", json={"advance_seconds": 200 * 86_400})
    titles, after = [], None
    while True:
        page = ask(client, query, id=f"gid://shopify/Order/{long.key}", after=after)["data"]["order"]["lineItems"]
        titles += [node["title"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert titles == [line.title for line in long.lines]


def test_the_short_way_answers_as_graphql_core_does(world: World):
    storefront = Storefront(world)
    for query in (ORDERS, CUSTOMERS):
        from sandbox.shopify.execution import PreparedExecutor

        answers = [
            execute_sync(
                schema(),
                parse(query),
                None,
                Answering(storefront, world.starts_at),
                {"first": 250},
                executor_class=executor,
            )
            for executor in (None, PreparedExecutor)
        ]
        assert answers[0].errors is None
        assert answers[0].data == answers[1].data


def test_a_cursor_says_nothing_but_its_place(client: httpx.Client):
    page = ask(client, CUSTOMERS, first=1)["data"]["customers"]
    assert b"last_id" in base64.b64decode(page["pageInfo"]["endCursor"])
