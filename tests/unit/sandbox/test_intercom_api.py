"""Intercom's protocol: searches by day and by second, contacts that vanish, the newest 500 parts, limits, webhooks."""

from __future__ import annotations

import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.intercom.records import NOTE_EVERY, Inbox, truth_of
from sandbox.vendors.intercom import webhooks

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from sandbox.records import World

DAY = 86_400
TOKYO = ZoneInfo("Asia/Tokyo")
ASCENDING = {"field": "updated_at", "order": "ascending"}


def since(moment: int, operator: str = ">") -> dict[str, Any]:
    return {"field": "updated_at", "operator": operator, "value": moment}


def search(client: httpx.Client, kind: str, query: dict[str, Any], size: int = 150) -> list[dict[str, Any]]:
    """Walk a search to its end; the total is the same on every page."""
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        asked = {"query": query, "sort": ASCENDING, "pagination": {"per_page": size, "starting_after": after}}
        page = client.post(f"/intercom/{kind}/search", json=asked).json()
        found += page.get("data", page.get("conversations"))
        if "next" not in page["pages"]:
            assert page["total_count"] == len(found)
            return found
        after = page["pages"]["next"]["starting_after"]


def listed(client: httpx.Client) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    after: dict[str, str] = {}
    while True:
        page = client.get("/intercom/contacts", params={"per_page": 50, **after}).json()
        found |= {row["id"]: row for row in page["data"]}
        if "next" not in page["pages"]:
            return found
        after = {"starting_after": page["pages"]["next"]["starting_after"]}


def advance(client: httpx.Client, seconds: int) -> None:
    client.post("/_sandbox/clock", json={"advance_seconds": seconds})


@pytest.mark.parametrize("kind", ["contacts", "conversations"])
@pytest.mark.parametrize("size", [7, 150])
def test_every_page_size_gives_the_same_rows_in_the_order_of_their_change(
    client: httpx.Client, kind: str, size: int
) -> None:
    rows = search(client, kind, since(0), size)
    assert len({row["id"] for row in rows}) == len(rows) > 50
    assert [row["updated_at"] for row in rows] == sorted(row["updated_at"] for row in rows)


def test_a_contacts_time_is_compared_by_its_day_in_the_workspaces_zone(client: httpx.Client) -> None:
    every = search(client, "contacts", since(0))
    middle = every[len(every) // 2]["updated_at"]

    def day(row: dict[str, Any]) -> Any:
        return datetime.fromtimestamp(row["updated_at"], UTC).astimezone(TOKYO).date()

    that_day = datetime.fromtimestamp(middle, UTC).astimezone(TOKYO).date()
    assert search(client, "contacts", since(middle)) == [row for row in every if day(row) > that_day]
    assert search(client, "contacts", since(middle, "<")) == [row for row in every if day(row) < that_day]
    assert middle in [row["updated_at"] for row in search(client, "contacts", since(middle, "="))]


def test_a_conversations_time_is_compared_to_the_second_and_both_ends_belong(client: httpx.Client) -> None:
    every = search(client, "conversations", since(0))
    low, high = every[10]["updated_at"], every[20]["updated_at"]
    both = {"operator": "AND", "value": [since(low), since(high, "<")]}
    assert search(client, "conversations", both) == every[10:21]


def test_a_new_contact_is_listed_at_once_and_found_some_minutes_later(client: httpx.Client, world: World) -> None:
    coming = min(
        (contact for contact in Inbox(world).contacts.values() if contact.created_at > world.starts_at),
        key=lambda contact: contact.created_at,
    )
    advance(client, coming.created_at - world.starts_at)
    assert coming.id in listed(client)
    assert coming.id not in [row["id"] for row in search(client, "contacts", since(0))]
    advance(client, 180)
    assert coming.id in [row["id"] for row in search(client, "contacts", since(0))]


def test_a_merged_contact_is_gone_and_the_conversation_belongs_to_the_other(client: httpx.Client, world: World) -> None:
    inbox = Inbox(world)
    gone = next(c for c in inbox.contacts.values() if c.merged_into and c.gone_at and c.gone_at < world.starts_at)
    assert gone.id not in listed(client)
    assert client.get(f"/intercom/contacts/{gone.id}").status_code == 404
    conversation = next(c for c in inbox.conversations if c.contact is gone)
    shown = client.get(f"/intercom/conversations/{conversation.number}").json()
    assert shown["contacts"]["contacts"][0]["id"] == gone.merged_into


def test_only_the_newest_500_parts_are_shown(world: World, open_sandbox: Callable[..., httpx.Client]) -> None:
    longest = Inbox(world).conversations[0]
    begin = longest.course[0][0] + 499 * NOTE_EVERY
    client = open_sandbox(replace(world, starts_at=begin))

    def parts() -> dict[str, Any]:
        shown: dict[str, Any] = client.get(f"/intercom/conversations/{longest.number}").json()["conversation_parts"]
        return shown

    earlier = parts()
    advance(client, 5 * NOTE_EVERY)
    later = parts()
    assert len(later["conversation_parts"]) == 500
    assert later["total_count"] == earlier["total_count"] + 5 > 500
    assert later["conversation_parts"][-6] == earlier["conversation_parts"][-1]


def test_a_deleted_conversation_is_not_found(client: httpx.Client, world: World) -> None:
    deleted = next(c for c in Inbox(world).conversations if c.case.fate == "deleted" and not c.exists(world.starts_at))
    assert client.get(f"/intercom/conversations/{deleted.number}").status_code == 404


def test_the_limit_is_dealt_out_in_slices_of_ten_seconds(
    world: World, open_sandbox: Callable[..., httpx.Client]
) -> None:
    seconds = [3.0]
    client = open_sandbox(world, intercom_requests_per_ten_seconds=2, monotonic=lambda: seconds[0])
    assert [client.get("/intercom/tags").headers["x-ratelimit-remaining"] for _ in range(2)] == ["1", "0"]
    refused = client.get("/intercom/tags")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (429, "rate_limit_exceeded")
    wait = int(refused.headers["x-ratelimit-reset"]) - world.starts_at
    assert 7 <= wait <= 8
    seconds[0] += wait
    assert client.get("/intercom/tags").status_code == 200


def test_webhooks_are_signed_in_order_and_cut_nowhere(client: httpx.Client, world: World) -> None:
    setting = client._transport._app.state.setting  # type: ignore[attr-defined]
    middle, end = world.starts_at + 10 * DAY, world.starts_at + 60 * DAY
    sent = list(webhooks(setting, world.starts_at, end))
    assert sent == [*webhooks(setting, world.starts_at, middle), *webhooks(setting, middle, end)]
    assert [hook.at for hook in sent] == sorted(hook.at for hook in sent)
    bodies = [json.loads(hook.body) for hook in sent]
    assert len({body["id"] for body in bodies}) == len(bodies) > 10
    assert {"conversation.user.created", "contact.lead.created"} <= {body["topic"] for body in bodies}
    for hook in sent:
        digest = hmac.new(setting.webhook_secret.encode(), hook.body, "sha1").hexdigest()
        assert hook.headers["x-hub-signature"] == f"sha1={digest}"


def test_some_contacts_carry_the_shops_customer_id(client: httpx.Client, world: World) -> None:
    numbers, accounts = truth_of(world), {account.key: account.truth for account in world.accounts}
    contacts = listed(client)
    known = {key: row["external_id"] for key, row in contacts.items() if row["external_id"]}
    assert 0 < len(known) < len(contacts)
    assert all(accounts[external] == numbers[key] for key, external in known.items())
