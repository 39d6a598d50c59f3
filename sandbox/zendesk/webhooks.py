"""The event webhooks that the sandbox's Zendesk sends, signed as Zendesk signs them."""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import orjson

from sandbox.support_cases import iso
from sandbox.webhooks import Webhook
from sandbox.zendesk.records import Desk, Ticket, show_ticket, status_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.setting import Setting
    from sandbox.zendesk.users import Requester

ACCOUNT, WEBHOOK = 12_345_678, "01HZXSANDBOXWEBHOOK0000001"
TICKET_EVENTS = {
    "answered": "ticket.comment_added",
    "solved": "ticket.status_changed",
    "closed": "ticket.status_changed",
    "merged": "ticket.merged",
    "deleted": "ticket.soft_deleted",
    "rated": "ticket.csat_received",
}
TICKET_FIELDS = ("assignee_id", "brand_id", "created_at", "description", "group_id", "is_public", "priority")
Event = tuple[int, str, dict[str, Any], dict[str, Any]]


def webhooks(setting: Setting, since: int, until: int) -> Iterator[Webhook]:
    """Give what Zendesk sends for all that happens in (since, until], one event a request, in order of time."""
    desk = Desk(setting.world)
    found = [event for ticket in desk.tickets for event in of_ticket(ticket)]
    found += [event for requester in desk.requesters.values() for event in of_requester(requester)]
    due = [event for event in found if since < event[0] <= until]
    for event in sorted(due, key=lambda event: (event[0], event[1], event[2]["id"])):
        yield sign(event, setting.webhook_secret)


def of_ticket(ticket: Ticket) -> Iterator[Event]:
    """Tell what happens to a ticket."""
    for position, (at, kind) in enumerate(ticket.happenings):
        topic = "ticket.created" if position == 0 else TICKET_EVENTS.get(kind)
        if topic is None:
            continue
        shown = show_ticket(ticket, at)
        detail = {field: shown.get(field) for field in TICKET_FIELDS}
        detail |= {"id": str(ticket.id), "status": shown["status"].upper(), "requester_id": str(shown["requester_id"])}
        change = {"previous": status_of(ticket.happenings[:position]).upper(), "current": detail["status"]}
        yield at, topic, detail, change if topic == "ticket.status_changed" else {}


def of_requester(requester: Requester) -> Iterator[Event]:
    """Tell what happens to a person: known, deleted, or merged into another."""
    detail = {"id": str(requester.id), "email": requester.email, "role": "end-user"}
    yield requester.created_at, "user.created", detail, {}
    if requester.deleted_at is not None:
        yield requester.deleted_at, "user.deleted", detail, {}
    if requester.merged_at is not None:
        # Of two merged users it is the remaining one that the event is about; it names the one that is gone.
        yield (
            requester.merged_at,
            "user.merged",
            {**detail, "id": str(requester.merged_into)},
            {"user": {"id": str(requester.id)}},
        )


def sign(event: Event, secret: str) -> Webhook:
    """Write one event and sign the time followed by the body."""
    at, topic, detail, change = event
    subject = f"zen:{topic.partition('.')[0]}:{detail['id']}"
    event_id = str(uuid5(NAMESPACE_URL, f"{subject}/{topic}/{at}"))
    body = orjson.dumps(
        {
            "account_id": ACCOUNT,
            "detail": detail,
            "event": change,
            "id": event_id,
            "subject": subject,
            "time": iso(at),
            "type": f"zen:event-type:{topic}",
            "zendesk_event_version": "2022-11-06",
        }
    )
    digest = hmac.new(secret.encode(), iso(at).encode() + body, sha256).digest()
    headers = {
        "content-type": "application/json; charset=utf-8",
        "x-zendesk-account-id": str(ACCOUNT),
        "x-zendesk-webhook-id": WEBHOOK,
        "x-zendesk-webhook-invocation-id": event_id,
        "x-zendesk-webhook-signature": base64.b64encode(digest).decode(),
        "x-zendesk-webhook-signature-timestamp": iso(at),
    }
    return Webhook("zendesk", at, body, headers)
