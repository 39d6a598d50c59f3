"""The sandbox's EC-CUBE: orders hidden by status, pages by number, errors with status 200, tokens that work once."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from sandbox.eccube.people import shop_of, truth_of
from sandbox.eccube.tokens import FIRST_REFRESH_TOKEN
from sandbox.vendors.eccube import webhooks

if TYPE_CHECKING:
    from sandbox.records import World
    from sandbox.setting import Setting

DAY = 86_400
EVERY_STATUS = '["1","3","4","5","6","7","8","9"]'
Start = Callable[..., httpx.Client]


def tokens(client: httpx.Client, refresh_token: str = FIRST_REFRESH_TOKEN) -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    account = {"client_id": "sandbox-client", "client_secret": "sandbox-token"}
    return client.post("/eccube/token", data=form | account)


@pytest.fixture
def shop(client: httpx.Client) -> httpx.Client:
    client.headers["Authorization"] = f"Bearer {tokens(client).json()['access_token']}"
    return client


def ask(client: httpx.Client, query: str, **variables: Any) -> dict[str, Any]:
    answered = client.post("/eccube/api", json={"query": query, "variables": variables})
    assert answered.status_code == 200
    body: dict[str, Any] = answered.json()
    return body


def total(client: httpx.Client, search: str) -> int:
    (found,) = ask(client, f"{{ {search} {{ totalCount }} }}")["data"].values()
    return int(found["totalCount"])


def test_searches_hide_statuses_unless_they_are_asked_for(shop: httpx.Client) -> None:
    unfinished = total(shop, 'orders(status: ["7", "8"])')
    assert unfinished > 0
    assert total(shop, "orders") + unfinished == total(shop, f"orders(status: {EVERY_STATUS})")
    withdrawn = total(shop, 'customers(customer_status: ["3"])')
    assert withdrawn > 0
    assert total(shop, "customers") + withdrawn == total(shop, 'customers(customer_status: ["1","2","3"])')


def test_a_page_may_be_as_long_as_the_shop(shop: httpx.Client) -> None:
    query = f"{{ orders(status: {EVERY_STATUS}, limit: 100000) {{ nodes {{ id }} totalCount }} }}"
    found = ask(shop, query)["data"]["orders"]
    assert len(found["nodes"]) == found["totalCount"] > 250


def test_the_order_is_by_update_and_id_descending_or_by_id(shop: httpx.Client) -> None:
    newest = ask(shop, "{ orders(limit: 200) { nodes { id update_date } } }")["data"]["orders"]["nodes"]
    assert newest == sorted(newest, key=lambda node: (node["update_date"], int(node["id"])), reverse=True)
    by_id = '{ orders(limit: 200, sortkey: "orderer", sorttype: "a") { nodes { id } } }'
    ids = [int(node["id"]) for node in ask(shop, by_id)["data"]["orders"]["nodes"]]
    assert ids == sorted(ids)


def test_the_window_is_half_open(shop: httpx.Client) -> None:
    stamp = ask(shop, "{ orders(limit: 1, page: 40) { nodes { update_date } } }")["data"]["orders"]["nodes"][0]
    window = "orders(update_datetime_{}: $at) {{ totalCount }}"
    before, behind, every = (
        ask(shop, f"query ($at: DateTime) {{ {window.format(side)} }}", at=at)["data"]["orders"]["totalCount"]
        for side, at in (("end", stamp["update_date"]), ("start", stamp["update_date"]), ("start", None))
    )
    assert before + behind == every
    assert behind >= 40


@pytest.mark.parametrize("at", ["2026-11-22", "2026-11-22T00:00:00Z", "2026-11-22T00:00:00.5+00:00", "soon"])
def test_times_are_atom_and_nothing_else(shop: httpx.Client, at: str) -> None:
    query = "query ($at: DateTime) { orders(update_datetime_start: $at) { totalCount } }"
    body = ask(shop, query, at=at)
    assert "DateTime parse error, please specify in" in body["errors"][0]["message"]
    assert "data" not in body


def test_an_unknown_sort_key_is_an_internal_error_with_status_200(shop: httpx.Client) -> None:
    body = ask(shop, '{ orders(sortkey: "update_date") { totalCount } }')
    assert body["errors"][0]["message"] == "Internal server error"
    assert body["data"] == {"orders": None}


def test_who_withdraws_loses_the_address_and_gets_a_dummy(shop: httpx.Client) -> None:
    query = '{ customers(customer_status: ["3"], limit: 9) { nodes { email Status { name } } } }'
    for customer in ask(shop, query)["data"]["customers"]["nodes"]:
        assert customer["Status"]["name"] == "退会"
        assert customer["email"].endswith("@dummy.dummy")
        assert len(customer["email"]) == 60 + len("@dummy.dummy")


def test_a_change_of_the_shipping_alone_does_not_stamp_the_order(world: World) -> None:
    corrected = [
        (order, change.at)
        for order in shop_of(world).orders
        for change in order.changes
        if change.shipping and not change.values
    ]
    assert corrected
    for order, at in corrected:
        assert order.updated_at(at) == order.updated_at(at - 1)
        assert order.shipping(at) != order.shipping(at - 1)


def test_a_deleted_customer_is_gone_from_searches_and_null_by_id(world: World, open_sandbox: Start) -> None:
    customer = next(c for c in shop_of(world).customers if c.deleted_at and c.deleted_at > world.starts_at)
    client = open_sandbox(world)
    client.headers["Authorization"] = f"Bearer {tokens(client).json()['access_token']}"
    query = f'{{ customer(id: "{customer.id}") {{ id }} }}'
    if customer.created_at <= world.starts_at:
        assert ask(client, query)["data"]["customer"] == {"id": str(customer.id)}
    client.post("/_sandbox/clock", json={"advance_seconds": customer.deleted_at - world.starts_at})
    client.headers["Authorization"] = f"Bearer {client_token(client)}"
    assert ask(client, query)["data"]["customer"] is None


def client_token(client: httpx.Client) -> str:
    """Approve as an administrator, and turn the code into a token."""
    asked = {"redirect_uri": "http://127.0.0.1/kizuna", "scope": "read", "state": "s"}
    sent_back = httpx.URL(client.get("/eccube/admin/authorize", params=asked).headers["location"])
    assert sent_back.params["state"] == "s"
    form = {"grant_type": "authorization_code", "code": sent_back.params["code"], "client_id": "sandbox-client"}
    given = client.post("/eccube/token", data=form | {"client_secret": "sandbox-token", "redirect_uri": "x"})
    assert client.post("/eccube/token", data=form | {"client_secret": "sandbox-token"}).status_code == 400
    return str(given.json()["access_token"])


def test_a_refresh_token_works_once_and_takes_the_access_token_with_it(client: httpx.Client) -> None:
    first = tokens(client).json()
    assert first["expires_in"] == 3600
    refused = tokens(client)
    assert refused.status_code == 401
    assert refused.json()["hint"] == "Token has been revoked"
    second = tokens(client, first["refresh_token"]).json()
    for token, status in ((first["access_token"], 401), (second["access_token"], 200)):
        answered = client.post(
            "/eccube/api", json={"query": "{ orders { totalCount } }"}, headers={"Authorization": f"Bearer {token}"}
        )
        assert answered.status_code == status


def test_an_access_token_ends_after_an_hour_of_the_sandbox(shop: httpx.Client) -> None:
    shop.post("/_sandbox/clock", json={"advance_seconds": 3599})
    ask(shop, "{ orders { totalCount } }")
    shop.post("/_sandbox/clock", json={"advance_seconds": 1})
    assert shop.post("/eccube/api", json={"query": "{ orders { totalCount } }"}).status_code == 401


def test_tokens_outlive_a_restart(world: World, open_sandbox: Start) -> None:
    given = tokens(open_sandbox(world)).json()
    restarted = open_sandbox(world)
    assert tokens(restarted).status_code == 401
    assert tokens(restarted, given["refresh_token"]).status_code == 200


def test_without_the_scope_the_answer_is_an_error_with_status_200(client: httpx.Client) -> None:
    asked = {"redirect_uri": "http://x.example", "scope": "write", "state": ""}
    code = httpx.URL(client.get("/eccube/admin/authorize", params=asked).headers["location"]).params["code"]
    form = {"grant_type": "authorization_code", "code": code, "client_id": "sandbox-client"}
    token = client.post("/eccube/token", data=form | {"client_secret": "sandbox-token"}).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    body = ask(client, "{ orders { totalCount } }")
    assert body == {"errors": [{"message": "Insufficient permission. (read)", "extensions": {"category": "graphql"}}]}


def test_webhooks_are_signed_lists_of_what_changed(world: World, open_sandbox: Start) -> None:
    client = open_sandbox(world)
    setting: Setting = client._transport._app.state.setting  # type: ignore[attr-defined]
    sent = list(webhooks(setting, world.starts_at, world.starts_at + 150 * DAY))
    assert [hook.at for hook in sent] == sorted({hook.at for hook in sent})
    kinds = set()
    for hook in sent:
        expected = hmac.new(setting.webhook_secret.encode(), hook.body, sha256).hexdigest()
        assert hook.headers["X-ECCUBE-Signature"] == expected
        kinds |= {(event["entity"], event["action"]) for event in orjson.loads(hook.body)}
    assert kinds >= {("order", "created"), ("order", "updated"), ("customer", "updated"), ("customer", "deleted")}
    assert list(webhooks(setting, world.starts_at, world.starts_at)) == []


def test_about_half_of_the_people_buy_here_and_some_under_another_address(world: World) -> None:
    shop, truth = shop_of(world), truth_of(world)
    humans = {order.truth for order in shop.orders} | set(truth.values())
    assert 0.4 < len(humans) / len(world.humans) < 0.65
    emails = {human.number: human.email.lower() for human in world.humans}
    own = [customer.changes[0].values["email"].lower() == emails[truth[customer.id]] for customer in shop.customers]
    assert 0.3 < sum(own) / len(own) < 0.8


def test_a_replayed_history_has_no_second_brand(world: World) -> None:
    from dataclasses import replace

    assert shop_of(replace(world, humans=())).customers == ()
