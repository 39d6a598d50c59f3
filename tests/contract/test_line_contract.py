"""The sandbox's LINE answers what the vendor's specification and reference pages promise."""

from __future__ import annotations

import httpx
import pytest

from tests.contract.openapi_contract import load_spec
from tests.contract.tap import ContractError, Contracts
from tests.contract.vendors.line_overlays import overlaid

UPLOAD = "/line/v2/bot/audienceGroup/upload"


def friends(client: httpx.Client, limit: int = 300) -> list[str]:
    return client.get("/line/v2/bot/followers/ids", params={"limit": limit}).json()["userIds"]


def test_followers_profiles_account_and_insight(client: httpx.Client, contracts: Contracts):
    ids = friends(client, 5)
    assert client.get(f"/line/v2/bot/profile/{ids[0]}").json()["userId"] == ids[0]
    assert client.get("/line/v2/bot/profile/U" + "f" * 32).status_code == 404
    assert client.get("/line/v2/bot/info").status_code == 200
    assert client.get("/line/v2/bot/insight/followers", params={"date": "20261121"}).json()["status"] == "ready"
    assert client.get("/line/v2/bot/insight/followers", params={"date": "20261122"}).json()["status"] == "unready"
    assert contracts.checked["line"] == 6


def test_an_audience_from_birth_to_death(client: httpx.Client, contracts: Contracts):
    ids = [{"id": user_id} for user_id in friends(client)]
    created = client.post(UPLOAD, json={"description": "first", "audiences": ids[:2]})
    assert created.status_code == 202
    audience = created.json()["audienceGroupId"]
    assert client.put(UPLOAD, json={"audienceGroupId": audience, "audiences": ids[2:5]}).status_code == 202
    assert client.get("/line/v2/bot/audienceGroup/list", params={"page": 1}).json()["totalCount"] == 1
    assert client.get(f"/line/v2/bot/audienceGroup/{audience}").json()["audienceGroup"]["audienceCount"] == 5
    assert client.delete(f"/line/v2/bot/audienceGroup/{audience}").status_code == 200
    assert client.get(f"/line/v2/bot/audienceGroup/{audience}").status_code == 400
    assert contracts.checked["line"] == 7


def test_refusals_have_the_vendors_shape(client: httpx.Client):
    assert client.get("/line/v2/bot/followers/ids", params={"start": "nonsense"}).json() == {
        "message": "Invalid start param"
    }
    refused = client.post(UPLOAD, json={"description": "bad", "audiences": [{"id": "U1"}]})
    assert refused.status_code == 400
    assert refused.json()["details"] == [{"message": "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT"}]
    assert client.get("/line/v2/bot/info", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_the_tap_refuses_what_the_vendor_does_not_promise(contracts: Contracts):
    headers = {"Authorization": "Bearer x"}
    request = httpx.Request("GET", "http://sandbox/line/v2/bot/followers/ids", headers=headers)
    with pytest.raises(ContractError, match="followers"):
        contracts.check(request, httpx.Response(200, json={"userIds": ["U1"]}))
    with pytest.raises(ContractError, match="followers"):
        contracts.check(request, httpx.Response(418, json={}))
    with pytest.raises(ContractError, match="no published path"):
        contracts.check(httpx.Request("GET", "http://sandbox/line/v2/bot/everyone"), httpx.Response(200, json={}))


@pytest.mark.parametrize("message", [{"type": "nonsense"}, {"type": "text"}])
def test_discriminators_are_written_out(contracts: Contracts, message: dict[str, str]):
    request = httpx.Request(
        "POST",
        "http://sandbox/line/v2/bot/message/push",
        headers={"Authorization": "Bearer x"},
        json={"to": "U" + "0" * 32, "messages": [message]},
    )
    with pytest.raises(ContractError, match=r"oneOf|valid under"):
        contracts.check(request, httpx.Response(200, json={"sentMessages": []}))


def test_an_overlay_leaves_the_loaded_specification_alone(contracts: Contracts):
    spec = {"paths": {"/x": {"get": {"responses": {}}}}, "components": {"schemas": {}}}
    assert "429" in overlaid(spec)["paths"]["/x"]["get"]["responses"]
    assert spec["paths"]["/x"]["get"]["responses"] == {}
    assert load_spec(contracts.shared / "specs" / "line" / "insight.yml", overlaid)[0]
