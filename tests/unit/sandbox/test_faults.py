"""Faults: each does to an answer what its name says, as often as it was told, and to its vendor alone."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import httpx
import pytest

from sandbox.faults import FaultError, Faults
from sandbox.serve import choose_world
from sandbox.state import StateError
from sandbox.world import invent_world
from tests.contract.shopify_queries import CUSTOMERS, ask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.records import World

FOLLOWERS = "/line/v2/bot/followers/ids"
PRODUCTS = "{ products(first: 3) { nodes { id } edges { node { id } } pageInfo { hasNextPage } } }"
COUNT = "{ productsCount { count } }"


def switch_on(client: httpx.Client, **fault: object) -> None:
    assert client.post("/_sandbox/faults", json=fault).status_code == 201


def test_a_rate_limit_is_each_vendors_own(client: httpx.Client):
    switch_on(client, vendor="line", kind="rate_limit", times=2)
    assert [client.get(FOLLOWERS).status_code for _ in range(3)] == [429, 429, 200]
    switch_on(client, vendor="shopify", kind="rate_limit")
    assert ask(client, PRODUCTS)["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert "errors" not in ask(client, PRODUCTS)


def test_shopify_can_throttle_with_429_too(client: httpx.Client):
    switch_on(client, vendor="shopify", kind="rate_limit", status=429)
    response = client.post("/shopify/admin/api/2026-10/graphql.json", json={"query": PRODUCTS})
    assert (response.status_code, response.json()["errors"][0]["message"]) == (429, "Throttled")


def test_a_server_error_meets_its_vendor_alone(client: httpx.Client):
    switch_on(client, vendor="line", kind="server_error")
    assert "errors" not in ask(client, PRODUCTS)
    assert [client.get(FOLLOWERS).status_code for _ in range(2)] == [500, 200]


def test_a_time_out_and_a_cut_off_body_break_the_connection(client: httpx.Client):
    switch_on(client, vendor="line", kind="timeout")
    with pytest.raises(httpx.ReadTimeout):
        client.get(FOLLOWERS)
    switch_on(client, vendor="line", kind="cut_off")
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(FOLLOWERS)
    assert client.get(FOLLOWERS).status_code == 200


def test_a_dropped_page_leaves_the_count_alone(client: httpx.Client):
    switch_on(client, vendor="shopify", kind="dropped_page")
    assert ask(client, COUNT)["data"]["productsCount"]["count"] == 13
    dropped = ask(client, PRODUCTS)["data"]["products"]
    assert (dropped["nodes"], dropped["edges"], dropped["pageInfo"]["hasNextPage"]) == ([], [], True)
    assert len(ask(client, PRODUCTS)["data"]["products"]["nodes"]) == 3


def test_a_duplicate_row_comes_twice(client: httpx.Client):
    switch_on(client, vendor="line", kind="duplicate_row")
    ids = client.get(FOLLOWERS).json()["userIds"]
    assert ids[0] == ids[1]
    assert len(set(ids)) == len(ids) - 1


def test_a_fault_waits_for_its_operation_and_its_turn(client: httpx.Client):
    switch_on(client, vendor="shopify", kind="rate_limit", operation="customers", after=1)
    assert "errors" not in ask(client, PRODUCTS)
    assert "errors" not in ask(client, CUSTOMERS, first=1)
    assert "errors" in ask(client, CUSTOMERS, first=1)
    assert "errors" not in ask(client, CUSTOMERS, first=1)


def test_faults_survive_a_restart_and_can_be_switched_off(world: World, open_sandbox: Callable[..., httpx.Client]):
    client = open_sandbox(world)
    switch_on(client, vendor="line", kind="server_error", times=3)
    client.get(FOLLOWERS)
    again = open_sandbox(world)
    assert again.get("/_sandbox/faults").json()[0]["times"] == 2
    assert again.delete("/_sandbox/faults", params={"vendor": "shopify"}).json() != []
    assert again.delete("/_sandbox/faults").json() == []
    assert again.get(FOLLOWERS).status_code == 200


def test_an_unknown_fault_is_refused(client: httpx.Client):
    assert client.post("/_sandbox/faults", json={"vendor": "line", "kind": "earthquake"}).status_code == 400
    assert client.post("/_sandbox/faults", json={"vendor": "line", "kind": "timeout", "often": 1}).status_code == 400
    with pytest.raises(FaultError, match="often"):
        Faults().add("line", "timeout", often=1)


def test_the_clock_stands_goes_forward_and_survives_a_restart(world: World, open_sandbox: Callable[..., httpx.Client]):
    client = open_sandbox(world)
    assert client.get("/_sandbox/clock").json() == {"now": "2026-11-22T00:00:00+00:00"}
    client.post("/_sandbox/clock", json={"advance_seconds": 3600})
    assert client.post("/_sandbox/clock", json={"advance_seconds": -1}).status_code == 400
    assert client.post("/_sandbox/clock", json={"days": 1}).status_code == 400
    again = open_sandbox(world)
    assert again.get("/_sandbox/health").json()["now"] == "2026-11-22T01:00:00+00:00"


def test_a_state_folder_serves_one_world_only(world: World, open_sandbox: Callable[..., httpx.Client]):
    open_sandbox(world)
    with pytest.raises(StateError, match="belongs to the world"):
        open_sandbox(invent_world(10, 5, date(2026, 11, 22)))


def test_requests_are_counted_by_vendor_and_operation(client: httpx.Client):
    client.get(FOLLOWERS)
    ask(client, CUSTOMERS, first=1)
    ask(client, CUSTOMERS, first=1)
    counted = client.get("/_sandbox/stats").json()["requests"]
    assert counted["line"] == {"operations": {"GET followers/ids": 1}, "statuses": {"200": 1}}
    assert counted["shopify"]["operations"] == {"customers": 2}


def test_an_invented_world_keeps_the_date_it_was_anchored_on(tmp_path: Path, open_sandbox: Callable[..., httpx.Client]):
    def chosen(as_of: date | None) -> World:
        return choose_world(tmp_path, 10, 1, None, as_of, "Asia/Tokyo", "JPY")

    first = chosen(date(2026, 3, 1))
    open_sandbox(first)
    assert chosen(None) == first
    later = chosen(date(2026, 5, 5))
    assert (later.identity, later.sales) == (first.identity, first.sales)


def test_a_history_is_served_when_one_is_given(tmp_path: Path):
    (tmp_path / "orders.csv").write_text("customer_id,order_id,ordered_at,total\n1,2,2024-03-01,3\n")
    served = choose_world(tmp_path, 10, 1, tmp_path, date(2024, 3, 1), "Europe/London", "GBP")
    assert (served.currency, len(served.sales)) == ("GBP", 1)
