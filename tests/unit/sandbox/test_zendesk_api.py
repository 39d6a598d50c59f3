"""Zendesk's protocol: exports by cursor, what they show and what they hide, tokens, limits, and webhooks."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.support_cases import moment_of
from sandbox.vendors.zendesk import webhooks
from sandbox.zendesk.records import Desk, truth_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from sandbox.records import World

API = "/zendesk/api/v2"
DAY = 86_400


def export(client: httpx.Client, what: str, size: int = 1000, **start: Any) -> tuple[list[dict[str, Any]], str]:
    """Walk an export; give its rows and the cursor that it ends with."""
    found: list[dict[str, Any]] = []
    asked: dict[str, Any] = start or {"start_time": 0}
    while True:
        page = client.get(f"{API}/incremental/{what}/cursor", params={**asked, "per_page": size}).json()
        found += page[what]
        asked = {"cursor": page["after_cursor"]}
        if page["end_of_stream"]:
            return found, page["after_cursor"]


def advance(client: httpx.Client, seconds: int) -> None:
    client.post("/_sandbox/clock", json={"advance_seconds": seconds})


@pytest.mark.parametrize("what", ["tickets", "users"])
@pytest.mark.parametrize("size", [1, 7])
def test_every_page_size_gives_the_same_rows_in_the_order_of_their_change(
    client: httpx.Client, what: str, size: int
) -> None:
    whole, _ = export(client, what)
    assert export(client, what, size)[0] == whole
    assert len({row["id"] for row in whole}) == len(whole) > 50
    if what == "tickets":
        assert [row["generated_timestamp"] for row in whole] == sorted(row["generated_timestamp"] for row in whole)


def test_rows_of_the_same_second_are_parted_by_a_page_edge_and_none_is_lost(client: httpx.Client) -> None:
    agents = [user for user in export(client, "users", 2)[0] if user["role"] != "end-user"]
    assert len({agent["updated_at"] for agent in agents}) == 1
    assert len(agents) == 3


def test_the_last_cursor_goes_on_with_what_has_changed_since(client: httpx.Client) -> None:
    _, cursor = export(client, "tickets")
    assert export(client, "tickets", cursor=cursor) == ([], cursor)

    advance(client, 10 * DAY)
    changed, later = export(client, "tickets", cursor=cursor)
    whole, _ = export(client, "tickets")
    assert 0 < len(changed) < len(whole)
    assert changed == whole[-len(changed) :]
    assert later != cursor


def test_what_changed_in_the_last_minute_is_not_exported_yet(client: httpx.Client, world: World) -> None:
    at = next(
        ticket.happenings[0][0]
        for ticket in Desk(world).tickets
        if ticket.happenings[0][0] > world.starts_at and ticket.happenings[0][0] < ticket.happenings[1][0] - 120
    )
    advance(client, at + 59 - world.starts_at)
    before, _ = export(client, "tickets")
    advance(client, 1)
    after, _ = export(client, "tickets")
    assert [row["generated_timestamp"] for row in after if row not in before] == [at]


def test_a_system_change_is_exported_again_and_leaves_updated_at_behind(client: httpx.Client) -> None:
    tickets, _ = export(client, "tickets")
    moved = [ticket for ticket in tickets if ticket["generated_timestamp"] > moment_of(ticket["updated_at"])]
    assert moved
    shown, _ = export(client, "tickets", start_time=moved[0]["generated_timestamp"])
    assert moved[0] in shown


def test_a_deleted_ticket_is_a_stub_and_in_the_bin_for_thirty_days(client: httpx.Client, world: World) -> None:
    ticket = next(t for t in Desk(world).tickets if t.case.fate == "deleted" and t.case.fate_at > world.starts_at)
    advance(client, ticket.case.fate_at + 60 - world.starts_at)
    stub = next(row for row in export(client, "tickets")[0] if row["id"] == ticket.id)
    assert stub["status"] == "deleted"
    assert "description" not in stub
    binned = client.get(f"{API}/deleted_tickets", params={"page[size]": 100}).json()["deleted_tickets"]
    assert [row["previous_state"] for row in binned if row["id"] == ticket.id] != []
    advance(client, 30 * DAY)
    binned = client.get(f"{API}/deleted_tickets", params={"page[size]": 100}).json()["deleted_tickets"]
    assert ticket.id not in [row["id"] for row in binned]


def test_a_merged_user_is_gone_and_the_tickets_belong_to_the_other(client: httpx.Client, world: World) -> None:
    desk = Desk(world)
    gone = next(r for r in desk.requesters.values() if r.merged_at is not None and r.merged_at < world.starts_at - DAY)
    ids = {user["id"] for user in export(client, "users")[0]}
    assert gone.id not in ids
    assert gone.merged_into in ids
    ticket = next(ticket for ticket in desk.tickets if ticket.requester is gone)
    row = next(row for row in export(client, "tickets")[0] if row["id"] == ticket.id)
    assert (row["requester_id"], row["status"], row["tags"][-1]) == (gone.merged_into, "closed", "closed_by_merge")


def test_a_rating_is_changed_in_place(world: World, open_sandbox: Callable[..., httpx.Client]) -> None:
    rated = [ticket for ticket in Desk(world).tickets if ticket.happenings[-1][1] == "rated again"]
    ticket, rating = rated[0], rated[0].case.rating
    assert rating is not None
    assert rating.changed_at is not None
    client = open_sandbox(replace(world, starts_at=rating.at))

    def shown() -> dict[str, Any]:
        asked = {"page[size]": 100, "start_time": rating.at - 10 * DAY}
        rows = client.get(f"{API}/satisfaction_ratings", params=asked).json()["satisfaction_ratings"]
        return next(row for row in rows if row["ticket_id"] == ticket.id)

    first = shown()
    advance(client, rating.changed_at - rating.at)
    second = shown()
    assert {first["score"], second["score"]} == {"good", "bad"}
    assert first["id"] == second["id"]
    assert first["created_at"] == second["created_at"] < first["updated_at"] < second["updated_at"]


def test_a_token_ends_with_its_time_also_after_a_restart(
    world: World, open_sandbox: Callable[..., httpx.Client]
) -> None:
    client = open_sandbox(world)
    asked = {"grant_type": "client_credentials", "client_id": "k", "client_secret": "sandbox-token", "expires_in": 600}
    token = client.post("/zendesk/oauth/tokens", json=asked).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get(f"{API}/users/me", headers=headers).status_code == 200
    client = open_sandbox(world)
    advance(client, 599)
    assert client.get(f"{API}/users/me", headers=headers).status_code == 200
    advance(client, 1)
    assert client.get(f"{API}/users/me", headers=headers).json()["error"] == "invalid_token"


def test_an_export_is_limited_by_the_minute_and_says_how_long_to_wait(
    world: World, open_sandbox: Callable[..., httpx.Client]
) -> None:
    seconds = [0.0]
    client = open_sandbox(world, zendesk_exports_per_minute=10, monotonic=lambda: seconds[0])
    path = f"{API}/incremental/tickets/cursor"
    for _ in range(10):
        assert client.get(path, params={"start_time": 0}).status_code == 200
        seconds[0] += 1
    refused = client.get(path, params={"start_time": 0})
    assert (refused.status_code, refused.json()["error"]) == (429, "APIRateLimitExceeded")
    seconds[0] += float(refused.headers["retry-after"])
    assert client.get(path, params={"start_time": 0}).status_code == 200


def test_webhooks_are_signed_in_order_and_cut_nowhere(client: httpx.Client, world: World) -> None:
    setting = client._transport._app.state.setting  # type: ignore[attr-defined]
    middle, end = world.starts_at + 10 * DAY, world.starts_at + 30 * DAY
    sent = list(webhooks(setting, world.starts_at, end))
    assert sent == [*webhooks(setting, world.starts_at, middle), *webhooks(setting, middle, end)]
    assert [hook.at for hook in sent] == sorted(hook.at for hook in sent)
    bodies = [json.loads(hook.body) for hook in sent]
    assert len({body["id"] for body in bodies}) == len(bodies) > 10
    assert {"zen:event-type:ticket.created", "zen:event-type:user.created"} <= {body["type"] for body in bodies}
    for hook in sent:
        signed = hook.headers["x-zendesk-webhook-signature-timestamp"].encode() + hook.body
        digest = hmac.new(setting.webhook_secret.encode(), signed, sha256).digest()
        assert hook.headers["x-zendesk-webhook-signature"] == base64.b64encode(digest).decode()


def test_somebody_writes_from_both_addresses_and_nobody_shows_who_they_are(client: httpx.Client, world: World) -> None:
    numbers = list(truth_of(world).values())
    assert any(numbers.count(number) == 2 for number in numbers)
    shown = json.dumps(export(client, "users")[0] + export(client, "tickets")[0])
    assert "truth" not in shown
    assert '"number"' not in shown
