"""The sandbox's SendGrid answers what the vendor's specifications and reference pages promise."""

from __future__ import annotations

import base64
import gzip
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

import httpx
import orjson
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from sandbox.app import create_app
from sandbox.vendors import sendgrid
from sandbox.world import invent_world
from tests.contract.tap import ContractError, Contracts
from tests.contract.vendors.sendgrid import EVENT_SCHEMAS, check_event

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.webhooks import Webhook

DAY = 86_400
EXPORTS = "/sendgrid/v3/marketing/contacts/exports"


@pytest.mark.parametrize("kind", sendgrid.LISTS)
def test_every_list_of_suppressions_is_the_vendors(client: httpx.Client, contracts: Contracts, kind: str):
    rows = client.get(f"/sendgrid/v3/suppression/{kind}", params={"limit": 500}).json()
    assert [row["created"] for row in rows] == sorted((row["created"] for row in rows), reverse=True)
    assert contracts.checked["sendgrid"] == 1


def test_both_ends_of_a_span_of_time_are_included(client: httpx.Client):
    path = "/sendgrid/v3/suppression/blocks"
    rows = client.get(path).json()
    first, last = rows[-1]["created"], rows[0]["created"]
    assert client.get(path, params={"start_time": first, "end_time": last}).json() == rows
    assert client.get(path, params={"start_time": first + 1, "end_time": last - 1}).json() == rows[1:-1]
    assert client.get(path, params={"limit": 1, "offset": 1}).json() == rows[1:2]


def test_groups_count_who_unsubscribed_from_them(client: httpx.Client, contracts: Contracts):
    groups = client.get("/sendgrid/v3/asm/groups").json()
    left = client.get("/sendgrid/v3/asm/suppressions").json()
    assert sum(group["unsubscribes"] for group in groups) == len(left) > 0
    for group in groups:
        addresses = client.get(f"/sendgrid/v3/asm/groups/{group['id']}/suppressions").json()
        assert sorted(addresses) == sorted(one["email"] for one in left if one["group_id"] == group["id"])
    assert contracts.checked["sendgrid"] == 4


def test_contacts_are_exported_by_a_job(client: httpx.Client, contracts: Contracts):
    count = client.get("/sendgrid/v3/marketing/contacts/count").json()["contact_count"]
    job = client.post(EXPORTS, json={"file_type": "json"}).json()["id"]
    assert client.get(f"{EXPORTS}/{job}").json()["status"] == "pending"
    ready = client.get(f"{EXPORTS}/{job}").json()
    assert ready["status"] == "ready"
    files = [gzip.decompress(client.get(url).content) for url in ready["urls"]]
    assert ready["contact_count"] == count == sum(len(file.splitlines()) for file in files)
    assert client.get(f"{EXPORTS}/nothing").status_code == 404
    assert contracts.checked["sendgrid"] == 6


def test_statistics_by_day_and_by_category_agree(client: httpx.Client, contracts: Contracts):
    names = [one["category"] for one in client.get("/sendgrid/v3/categories").json()]
    span = {"start_date": "2026-11-01", "end_date": "2026-11-20", "aggregated_by": "day"}
    whole = client.get("/sendgrid/v3/stats", params=span).json()
    parts = client.get("/sendgrid/v3/categories/stats", params={**span, "categories": names}).json()
    assert [day["date"] for day in whole] == [f"2026-11-{day:02}" for day in range(1, 21)]
    for day, by_category in zip(whole, parts, strict=True):
        for name, figure in day["stats"][0]["metrics"].items():
            assert figure == sum(one["metrics"][name] for one in by_category["stats"])
    assert sum(day["stats"][0]["metrics"]["delivered"] for day in whole) > 0
    assert contracts.checked["sendgrid"] == 3


def test_refusals_have_the_vendors_shape(client: httpx.Client):
    refused = client.get("/sendgrid/v3/stats", headers={"Authorization": "Bearer wrong"})
    assert refused.status_code == 401
    assert refused.json()["errors"][0]["field"] is None
    assert client.get("/sendgrid/v3/stats", params={"start_date": "yesterday"}).status_code == 400


def test_the_tap_refuses_what_the_vendor_does_not_promise(contracts: Contracts):
    headers, rates = {"Authorization": "Bearer x"}, {"X-RateLimit-Reset": "1"}
    request = httpx.Request("GET", "http://sandbox/sendgrid/v3/suppression/bounces", headers=headers)
    with pytest.raises(ContractError, match="bounces"):
        contracts.check(request, httpx.Response(200, json=[{"email": "a@example.jp"}], headers=rates))
    with pytest.raises(ContractError, match="no X-RateLimit"):
        contracts.check(request, httpx.Response(200, json=[]))
    with pytest.raises(ContractError, match="no published path"):
        contracts.check(httpx.Request("GET", "http://sandbox/sendgrid/v3/everyone"), httpx.Response(200, json={}))


def test_the_real_limit_is_kept_and_says_when_it_ends(tmp_path: Path, contracts: Contracts):
    from sandbox.in_process import InProcess
    from tests.contract.tap import ContractTap

    app = create_app(invent_world(5, 3, date(2026, 11, 22)), tmp_path, sendgrid_requests_per_minute=2)
    headers = {"Authorization": "Bearer sandbox-token"}
    tap = ContractTap(InProcess(app), contracts)
    with httpx.Client(transport=tap, base_url="http://sandbox", headers=headers) as client:
        answers = [client.get("/sendgrid/v3/suppression/blocks") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[2].headers["X-RateLimit-Reset"]) - app.state.setting.clock.now() <= 61
    app.state.setting.state.close()


def events_of(webhook: Webhook) -> list[dict[str, object]]:
    events: list[dict[str, object]] = orjson.loads(webhook.body)
    return events


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory):
    app = create_app(invent_world(400, 3, date(2026, 11, 22)), tmp_path_factory.mktemp("sandbox"))
    yield app.state.setting
    app.state.setting.state.close()


def test_webhooks_hold_events_of_every_kind_in_the_vendors_shape(setting, shared: Path):
    webhooks = list(sendgrid.webhooks(setting, setting.world.starts_at - 700 * DAY, setting.world.starts_at))
    events = [event for webhook in webhooks for event in events_of(webhook)]
    assert {event["event"] for event in events} == set(EVENT_SCHEMAS)
    assert len({event["sg_event_id"] for event in events}) == len(events)
    for event in events:
        check_event(shared, event)


def test_every_moment_is_sent_in_one_span_only_and_in_order(setting):
    begin = setting.world.starts_at - 30 * DAY - 17
    cuts = [begin, begin + DAY + 31, begin + 3 * DAY, begin + 9 * DAY]
    parts = [w for since, until in pairwise(cuts) for w in sendgrid.webhooks(setting, since, until)]
    whole = list(sendgrid.webhooks(setting, cuts[0], cuts[-1]))
    assert [webhook.body for webhook in parts] == [webhook.body for webhook in whole]
    assert [webhook.at for webhook in whole] == sorted(webhook.at for webhook in whole)
    assert all(cuts[0] < webhook.at <= cuts[-1] for webhook in whole)


def test_the_published_key_verifies_the_signature_of_timestamp_and_body(setting, client: httpx.Client):
    shown = client.get(f"/sendgrid/v3/user/webhooks/event/settings/signed/{sendgrid.WEBHOOK_ID}").json()["public_key"]
    key = load_der_public_key(base64.b64decode(shown))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    webhook = next(iter(sendgrid.webhooks(setting, setting.world.starts_at - DAY, setting.world.starts_at)))
    signature = base64.b64decode(webhook.headers["X-Twilio-Email-Event-Webhook-Signature"])
    stamp = webhook.headers["X-Twilio-Email-Event-Webhook-Timestamp"].encode()
    key.verify(signature, stamp + webhook.body, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        key.verify(signature, stamp + webhook.body + b" ", ec.ECDSA(hashes.SHA256()))
