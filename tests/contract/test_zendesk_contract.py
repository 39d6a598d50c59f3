"""The sandbox's Zendesk answers what is public of the vendor's specification, and its reference pages, promise."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.contract.tap import ContractError, Contracts

if TYPE_CHECKING:
    from collections.abc import Iterator

API = "/zendesk/api/v2"
DAY = 86_400


def basic(login: str, token: str = "sandbox-token") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{login}/token:{token}".encode()).decode()}


def export(client: httpx.Client, what: str, size: int = 1000, **parameters: Any) -> Iterator[dict[str, Any]]:
    asked: dict[str, Any] = {"start_time": 0}
    while True:
        page = client.get(f"{API}/incremental/{what}/cursor", params={**asked, "per_page": size, **parameters}).json()
        yield from page[what]
        if page["end_of_stream"]:
            return
        asked = {"cursor": page["after_cursor"]}


def paged(client: httpx.Client, path: str, name: str, **parameters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    url: str | None = f"{API}/{path}"
    asked: dict[str, Any] | None = {"page[size]": 7, **parameters}
    while url:
        page = client.get(url, params=asked).json()
        found += page[name]
        url, asked = page["links"]["next"], None
    return found


def test_exports_and_lists(client: httpx.Client, contracts: Contracts):
    tickets = list(export(client, "tickets", include="metric_sets"))
    assert all("metric_set" in ticket for ticket in tickets if ticket["status"] != "deleted")
    assert {user["role"] for user in export(client, "users", size=5)} == {"admin", "agent", "end-user"}
    assert paged(client, "satisfaction_ratings", "satisfaction_ratings", start_time=0)
    assert paged(
        client, "incremental/ticket_metric_events", "ticket_metric_events", start_time=0, include_changes="true"
    )
    me = client.get(f"{API}/users/me").json()["user"]
    assert client.get(f"{API}/users/{me['id']}").json() == {"user": me}
    assert client.get(f"{API}/users/1").status_code == 404
    assert client.get(f"{API}/incremental/tickets/cursor.json", params={"start_time": 0}).status_code == 200
    assert contracts.checked["zendesk"] >= 10


def test_refusals_have_the_vendors_shapes(client: httpx.Client):
    cursor = f"{API}/incremental/tickets/cursor"
    assert client.get(cursor).status_code == 400
    assert client.get(cursor, params={"cursor": "nonsense"}).status_code == 400
    assert client.get(cursor, params={"start_time": 0, "per_page": 1001}).status_code == 400
    assert client.get(cursor, params={"start_time": 2_000_000_000}).json()["error"] == "StartTimeTooRecent"
    assert client.get(cursor, headers={"Authorization": "Bearer wrong"}).json()["error"] == "invalid_token"
    assert client.get(cursor, headers=basic("agent1@tsubaki-labo.example", "wrong")).status_code == 401
    forbidden = client.get(cursor, params={"start_time": 0}, headers=basic("agent2@tsubaki-labo.example"))
    assert (forbidden.status_code, forbidden.json()["error"]["title"]) == (403, "Forbidden")
    allowed = client.get(cursor, params={"start_time": 0}, headers=basic("agent1@tsubaki-labo.example"))
    assert allowed.status_code == 200


def test_a_token_for_client_credentials(client: httpx.Client):
    asked = {"grant_type": "client_credentials", "client_id": "kizuna", "client_secret": "sandbox-token"}
    token = client.post("/zendesk/oauth/tokens", json=asked).json()["access_token"]
    me = {"Authorization": f"Bearer {token}"}
    assert client.get(f"{API}/users/me", headers=me).status_code == 200
    assert client.post("/zendesk/oauth/tokens", json={**asked, "client_secret": "wrong"}).status_code == 401
    assert client.post("/zendesk/oauth/tokens", json={**asked, "grant_type": "password"}).status_code == 400


def test_the_tap_refuses_what_the_vendor_does_not_promise(client: httpx.Client, contracts: Contracts):
    request = httpx.Request("GET", f"http://sandbox{API}/incremental/tickets/cursor?start_time=0")
    whole = client.get(f"{API}/incremental/tickets/cursor", params={"start_time": 0, "per_page": 1}).json()
    contracts.check(request, httpx.Response(200, json=whole))
    for wrong in (
        {**whole, "end_of_stream": "yes"},
        {**whole, "tickets": [{**whole["tickets"][0], "status": "gone"}]},
        {**whole, "tickets": [{**whole["tickets"][0], "colour": "red"}]},
        {**whole, "tickets": [{**whole["tickets"][0], "updated_at": "yesterday"}]},
        {key: value for key, value in whole.items() if key != "after_cursor"},
    ):
        with pytest.raises(ContractError, match="incremental/tickets/cursor"):
            contracts.check(request, httpx.Response(200, json=wrong))
    with pytest.raises(ContractError, match="has no parameter page"):
        contracts.check(httpx.Request("GET", f"{request.url}&page=2"), httpx.Response(200, json=whole))
    with pytest.raises(ContractError, match="no published path"):
        contracts.check(httpx.Request("GET", f"http://sandbox{API}/everything"), httpx.Response(200, json={}))
