"""A conversation as Intercom writes it at a moment: its state, rating and statistics, and its newest parts."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from sandbox.intercom.records import (
    FIRST_PART,
    MOST_PARTS_NUMBER,
    Conversation,
    Inbox,
    admin_of,
    author_of,
    contact_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

Record = dict[str, Any]
# Older parts than these are never shown.
MOST_PARTS = 500
PART_TYPES = {"asked": "comment", "answered": "comment", "closed": "close", "noted": "note"}


def show_conversation(inbox: Inbox, conversation: Conversation, now: int) -> Record:
    """Write a conversation without its parts, as lists do."""
    case, past = conversation.case, conversation.so_far(now)
    is_answered = any(kind == "answered" for _, kind, _ in past)
    is_closed = any(kind == "closed" for _, kind, _ in past)
    admin = {"type": "admin", "id": admin_of(case)["id"]}
    return {
        "type": "conversation",
        "id": str(conversation.number),
        "title": None,
        "created_at": case.opened_at,
        "updated_at": past[-1][0],
        "waiting_since": None if is_answered else case.opened_at,
        "snoozed_until": None,
        "open": not is_closed,
        "state": "closed" if is_closed else "open",
        "read": is_answered,
        "priority": "priority" if case.topic.tag == "skin_trouble" else "not_priority",
        "admin_assignee_id": int(admin["id"]) if is_answered else None,
        "team_assignee_id": None,
        "source": {
            "type": "conversation",
            "id": str(conversation.number + 1),
            "delivered_as": "customer_initiated",
            "subject": "",
            "body": f"<p>{case.messages[0].text}</p>",
            "author": author_of(conversation),
            "attachments": [],
            "url": None,
            "redacted": False,
        },
        "contacts": {"type": "contact.list", "contacts": [contact_of(conversation, inbox, now)]},
        "teammates": {"type": "admin.list", "teammates": [admin] if is_answered else []},
        "tags": {
            "type": "tag.list",
            "tags": [{**show_tag(case.topic.tag), "applied_at": case.opened_at}],
        },
        "custom_attributes": {},
        "first_contact_reply": {"created_at": case.opened_at, "type": "conversation", "url": None},
        "sla_applied": None,
        "statistics": show_statistics(conversation, past),
        "conversation_rating": show_rating(conversation, inbox, past, now),
        "linked_objects": {"type": "list", "data": [], "total_count": 0, "has_more": False},
        "ai_agent": None,
        "ai_agent_participated": False,
    }


def with_parts(inbox: Inbox, conversation: Conversation, now: int, *, is_plain: bool) -> Record:
    """Write a conversation with its newest parts; how many there are in all stands beside them."""
    parts = show_parts(conversation, conversation.so_far(now), is_plain=is_plain)
    whole = show_conversation(inbox, conversation, now)
    if is_plain:
        whole["source"]["body"] = conversation.case.messages[0].text
    whole["conversation_parts"] = {
        "type": "conversation_part.list",
        "conversation_parts": parts[-MOST_PARTS:],
        "total_count": len(parts),
    }
    return whole


def show_parts(conversation: Conversation, past: Sequence[tuple[int, str, str]], *, is_plain: bool) -> list[Record]:
    """Write all parts; the first message is the source of the conversation and no part of it."""
    admin, customer = admin_of(conversation.case), author_of(conversation)
    parts: list[Record] = []
    for number, (at, kind, text) in enumerate(past[1:]):
        if kind not in PART_TYPES:
            continue
        body = text if is_plain else f"<p>{text}</p>"
        part_number = FIRST_PART + (conversation.number % 1_000_000) * MOST_PARTS_NUMBER + number
        parts.append(
            {
                "type": "conversation_part",
                "id": str(part_number),
                "part_type": PART_TYPES[kind],
                "body": body if text else None,
                "created_at": at,
                "updated_at": at,
                "notified_at": at,
                "assigned_to": None,
                "author": customer if kind == "asked" else admin,
                "attachments": [],
                "external_id": None,
                "redacted": False,
                "email_message_metadata": None,
                "state": "closed" if kind == "closed" else "open",
                "tags": [],
                "app_package_code": None,
            }
        )
    return parts


def show_rating(
    conversation: Conversation, inbox: Inbox, past: Sequence[tuple[int, str, str]], now: int
) -> Record | None:
    """Write the rating as it is now: 1 to 5, changed in place."""
    moments = {kind: at for at, kind, _ in past}
    rating = conversation.case.rating
    if rating is None or "rated" not in moments:
        return None
    is_good = rating.is_good != ("rated again" in moments)
    return {
        "rating": (5 if rating.at % 2 else 4) if is_good else (1 if rating.at % 2 else 2),
        "remark": rating.comment,
        "created_at": moments["closed"],
        "updated_at": moments.get("rated again", moments["rated"]),
        "contact": contact_of(conversation, inbox, now),
        "teammate": {"type": "admin", "id": admin_of(conversation.case)["id"]},
    }


def show_statistics(conversation: Conversation, past: Sequence[tuple[int, str, str]]) -> Record:
    """Write the statistics; what has not happened is null, spans are seconds."""
    opened = conversation.case.opened_at
    answered = [at for at, kind, _ in past if kind == "answered"]
    asked = [at for at, kind, _ in past if kind == "asked"]
    closed = [at for at, kind, _ in past if kind == "closed"]
    first_answer, first_close = min(answered, default=None), min(closed, default=None)
    return {
        "type": "conversation_statistics",
        "time_to_assignment": None if first_answer is None else first_answer - opened,
        "time_to_admin_reply": None if first_answer is None else first_answer - opened,
        "time_to_first_close": None if first_close is None else first_close - opened,
        "time_to_last_close": max(closed) - opened if closed else None,
        "median_time_to_reply": int(median([first_answer - opened])) if first_answer is not None else None,
        "first_contact_reply_at": opened,
        "first_assignment_at": first_answer,
        "first_admin_reply_at": first_answer,
        "first_close_at": first_close,
        "last_assignment_at": first_answer,
        "last_assignment_admin_reply_at": first_answer,
        "last_contact_reply_at": max(asked),
        "last_admin_reply_at": max(answered, default=None),
        "last_close_at": max(closed, default=None),
        "last_closed_by_id": admin_of(conversation.case)["id"] if closed else None,
        "count_reopens": 0,
        "count_assignments": len(answered),
        "count_conversation_parts": len(past),
    }


def show_tag(tag: str) -> Record:
    """Write a tag."""
    return {"type": "tag", "id": str(5_000_000 + sum(tag.encode())), "name": tag}
