"""The sandbox's Intercom answers what the vendor's specification and reference pages promise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.contract.tap import ContractError

if TYPE_CHECKING:
    from tests.contract.tap import Contracts

HEADERS = {"Intercom-Version": "2.15"}


def search(client: httpx.Client, kind: str, query: dict[str, Any], **pagination: Any) -> httpx.Response:
    asked = {"query": query, "pagination": {"per_page": 5, **pagination}}
    return client.post(f"/intercom/{kind}/search", json=asked, headers=HEADERS)


def since(moment: int, operator: str = ">") -> dict[str, Any]:
    return {"field": "updated_at", "operator": operator, "value": moment}


def test_searches_lists_and_single_records(client: httpx.Client, contracts: Contracts):
    contacts = search(client, "contacts", since(0)).json()
    after = contacts["pages"]["next"]["starting_after"]
    assert search(client, "contacts", since(0), starting_after=after).json()["pages"]["page"] == 2
    conversations = search(client, "conversations", {"operator": "AND", "value": [since(0), since(2**33, "<")]}).json()
    assert conversations["total_count"] > 5
    for row in conversations["conversations"]:
        assert client.get(f"/intercom/conversations/{row['id']}", params={"display_as": "plaintext"}).status_code == 200
    assert client.get(f"/intercom/contacts/{contacts['data'][0]['id']}").status_code == 200
    assert client.get("/intercom/contacts", params={"per_page": 150}).json()["total_count"] > 5
    for path in ("me", "tags", "segments"):
        assert client.get(f"/intercom/{path}", headers=HEADERS).status_code == 200
    assert contracts.checked["intercom"] >= 12


@pytest.mark.parametrize("operator", [">=", "<=", "!="])
def test_a_contacts_date_cannot_be_compared_otherwise(client: httpx.Client, operator: str):
    refused = search(client, "contacts", since(0, operator))
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "parameter_invalid")


def test_refusals_have_the_vendors_shape(client: httpx.Client):
    assert client.get("/intercom/contacts/0123456789abcdef01234567").json()["errors"][0]["code"] == "not_found"
    assert client.get("/intercom/conversations/1").status_code == 404
    unauthorized = client.get("/intercom/me", headers={"Authorization": "Bearer wrong"})
    assert (unauthorized.status_code, unauthorized.json()["errors"][0]["code"]) == (401, "unauthorized")
    assert search(client, "contacts", since(0), starting_after="nonsense").status_code == 400
    assert search(client, "contacts", since(0), per_page=151).status_code == 400
    assert client.post("/intercom/contacts/search", json={}, headers=HEADERS).status_code == 400


def test_the_tap_refuses_what_the_vendor_does_not_promise(client: httpx.Client, contracts: Contracts):
    answered = client.get("/intercom/contacts", params={"per_page": 1})
    whole = answered.json()
    request = httpx.Request("GET", "http://sandbox/intercom/contacts", headers={"Authorization": "Bearer x"})

    def check(body: Any, headers: Any = answered.headers) -> None:
        kept = {name: value for name, value in headers.items() if name != "content-length"}
        contracts.check(request, httpx.Response(200, json=body, headers=kept))

    check(whole)
    contact = whole["data"][0]
    for wrong in (
        {**whole, "data": [{**contact, "updated_at": "2026-11-22T00:00:00Z"}]},
        {**whole, "data": [{**contact, "colour": "red"}]},
        {**whole, "data": [{key: value for key, value in contact.items() if key != "id"}]},
        {key: value for key, value in whole.items() if key != "total_count"},
    ):
        with pytest.raises(ContractError, match="GET /contacts"):
            check(wrong)
    with pytest.raises(ContractError, match="no header x-ratelimit-limit"):
        check(whole, {})
    with pytest.raises(ContractError, match="no published path"):
        contracts.check(httpx.Request("GET", "http://sandbox/intercom/everything"), httpx.Response(200, json={}))
