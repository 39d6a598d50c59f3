"""The sandbox's LINE answers what the vendor's specification and reference pages promise."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import httpx
import pytest

from sandbox.clock import Clock
from sandbox.line.webhooks import redelivered, webhooks
from sandbox.setting import Setting
from sandbox.state import State
from sandbox.world import invent_world
from tests.contract.openapi_contract import load_spec
from tests.contract.tap import ContractError, Contracts
from tests.contract.vendors.line import check_webhook
from tests.contract.vendors.line_overlays import overlaid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UPLOAD = "/line/v2/bot/audienceGroup/upload"
DAY = 86_400


@pytest.fixture
def sandbox_setting(tmp_path: Path) -> Iterator[Setting]:
    """A sandbox without its web server: webhooks are made of world, clock and state."""
    world, state = invent_world(500, 3, date(2026, 11, 22)), State(tmp_path / "webhooks")
    yield Setting(world, Clock(state, world.starts_at), state)
    state.close()


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


def test_statistics_are_told_in_the_vendors_words(client: httpx.Client, contracts: Contracts):
    assert client.get("/line/v2/bot/insight/demographic").json()["available"] is True
    units = client.get("/line/v2/bot/message/aggregation/list", params={"limit": "2"}).json()
    assert len(units["customAggregationUnits"]) == 2
    more = client.get("/line/v2/bot/message/aggregation/list", params={"limit": "2", "start": units["next"]}).json()
    for unit in [*units["customAggregationUnits"], *more["customAggregationUnits"], "unheard_of"]:
        period = {"customAggregationUnit": unit, "from": "20261101", "to": "20261130"}
        assert client.get("/line/v2/bot/insight/message/event/aggregation", params=period).status_code == 200
    period = {"customAggregationUnit": "welcome", "from": "20261001", "to": "20261101"}
    assert client.get("/line/v2/bot/insight/message/event/aggregation", params=period).status_code == 400
    assert contracts.checked["line"] >= 8


def test_a_link_token_is_issued_for_a_friend(client: httpx.Client):
    friend = friends(client, 1)[0]
    assert client.post(f"/line/v2/bot/user/{friend}/linkToken").json()["linkToken"]
    assert client.post(f"/line/v2/bot/user/U{'f' * 32}/linkToken").status_code == 404


def test_every_webhook_body_is_as_published(shared: Path, sandbox_setting: Setting):
    sent = list(webhooks(sandbox_setting, sandbox_setting.world.starts_at - 60 * DAY, sandbox_setting.clock.now()))
    for webhook in sent:
        check_webhook(shared, webhook.body)
        check_webhook(shared, redelivered(sandbox_setting, webhook).body)
    told = [event["type"] for webhook in sent for event in json.loads(webhook.body)["events"]]
    assert set(told) == {"follow", "unfollow", "message", "unsend", "postback", "videoPlayComplete", "accountLink"}


@pytest.mark.parametrize(
    "broken", [{"type": "nonsense"}, {"timestamp": "now"}, {"follow": {}}, {"webhookEventId": "1"}]
)
def test_a_webhook_that_is_not_as_published_is_refused(
    shared: Path, sandbox_setting: Setting, broken: dict[str, object]
):
    world = sandbox_setting.world
    sent = webhooks(sandbox_setting, world.starts_at - 60 * DAY, world.starts_at)
    bodies = [json.loads(webhook.body) for webhook in sent]
    body = next(body for body in bodies if [event["type"] for event in body["events"]] == ["follow"])
    body["events"][0].update(broken)
    with pytest.raises(ContractError, match="webhook"):
        check_webhook(shared, json.dumps(body).encode())
