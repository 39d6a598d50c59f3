"""The notifications that the sandbox's Intercom sends, signed as Intercom signs them."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import orjson

from sandbox.intercom.conversations import show_conversation
from sandbox.intercom.records import WORKSPACE, Contact, Conversation, Inbox, show_contact
from sandbox.webhooks import Webhook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.setting import Setting

TOPICS = {
    "asked": "conversation.user.replied",
    "answered": "conversation.admin.replied",
    "closed": "conversation.admin.closed",
    "noted": "conversation.admin.noted",
    "rated": "conversation.rating.added",
}
# Moment, topic, id, and the record itself.
Event = tuple[int, str, str, dict[str, Any]]


def webhooks(setting: Setting, since: int, until: int) -> Iterator[Webhook]:
    """Give what Intercom sends for all that happens in (since, until], one notification a request, in order of time."""
    inbox = Inbox(setting.world)
    found = [event for known in inbox.conversations for event in of_conversation(inbox, known, since, until)]
    found += [event for contact in inbox.contacts.values() for event in of_contact(contact)]
    due = [event for event in found if since < event[0] <= until]
    for event in sorted(due, key=lambda event: event[:3]):
        yield sign(event, setting.webhook_secret)


def of_conversation(inbox: Inbox, conversation: Conversation, since: int, until: int) -> Iterator[Event]:
    """Tell what happens to a conversation; of a deleted one there is only its id."""
    number = str(conversation.number)
    for position, (at, kind, _) in enumerate(conversation.course):
        topic = "conversation.user.created" if position == 0 else TOPICS.get(kind)
        if topic is not None and since < at <= until and conversation.exists(at):
            yield at, topic, number, show_conversation(inbox, conversation, at)
    if conversation.case.fate == "deleted":
        yield conversation.case.fate_at, "conversation.deleted", number, {"type": "conversation", "id": number}


def of_contact(contact: Contact) -> Iterator[Event]:
    """Tell when a contact comes and goes; a merge says which contact took it in."""
    at = contact.created_at
    kind = "user" if contact.external_id else "lead"
    yield at, f"contact.{kind}.created", contact.id, show_contact(contact, at)
    if contact.gone_at is None:
        return
    gone = {"type": "contact", "id": contact.id, "external_id": contact.external_id}
    if contact.merged_into is not None:
        yield contact.gone_at, "contact.merged", contact.id, {**gone, "merged_into": contact.merged_into}
    else:
        yield contact.gone_at, "contact.deleted", contact.id, {**gone, "deleted": True}


def sign(event: Event, secret: str) -> Webhook:
    """Write one notification and sign its body."""
    at, topic, record_id, item = event
    body = orjson.dumps(
        {
            "type": "notification_event",
            "app_id": WORKSPACE,
            "data": {"type": "notification_event_data", "item": item},
            "links": {},
            "id": f"notif_{uuid5(NAMESPACE_URL, f'{topic}/{record_id}/{at}')}",
            "topic": topic,
            "delivery_status": "pending",
            "delivery_attempts": 1,
            "delivered_at": 0,
            "first_sent_at": at,
            "created_at": at,
            "self": None,
        }
    )
    digest = hmac.new(secret.encode(), body, "sha1").hexdigest()
    headers = {"content-type": "application/json; charset=utf-8", "x-hub-signature": f"sha1={digest}"}
    return Webhook("intercom", at, body, headers)
