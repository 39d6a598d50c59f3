"""What a request holds: one event or several, each with the id by which it is known when it is sent again.

An event is kept in its vendor's words. What is not of the shape we know is kept whole under the hash of its bytes:
it was signed, so it is not ours to drop.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Split = Callable[[Mapping[str, str], bytes, int], list["Event"]]

LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Event:
    """One event: `event_id` is unique for its vendor, `triggered_at` only where a header says it."""

    event_id: str
    topic: str
    body: bytes = field(repr=False)
    triggered_at: str | None = None


def line(_headers: Mapping[str, str], body: bytes, _now: int) -> list[Event]:
    """LINE: `events`, each with its `webhookEventId`; an empty list is LINE's test of the address."""
    return _each(body, "events", lambda event: (event["webhookEventId"], event["type"]))


def shopify(headers: Mapping[str, str], body: bytes, _now: int) -> list[Event]:
    """Shopify: one record a request; id, topic and time are in the headers."""
    event_id = _text(headers.get("x-shopify-webhook-id")) or _hash(body)
    topic, triggered_at = _text(headers.get("x-shopify-topic")), _text(headers.get("x-shopify-triggered-at"))
    return [Event(event_id, topic, body, triggered_at or None)]


def eccube(_headers: Mapping[str, str], body: bytes, now: int) -> list[Event]:
    """EC-CUBE: a list of hints without id or time, never sent again.

    The same hint means another change each time it comes, so its id is made with the second in which it came.
    """
    return [
        Event(_hash(b"%d %s" % (now, event.body)), event.topic, event.body)
        for event in _each(body, "", lambda hint: (None, f"{hint['entity']}.{hint['action']}"))
    ]


def sendgrid(_headers: Mapping[str, str], body: bytes, _now: int) -> list[Event]:
    """SendGrid: a list of events, each with its `sg_event_id`."""
    return _each(body, "", lambda event: (event["sg_event_id"], event["event"]))


def zendesk(headers: Mapping[str, str], body: bytes, _now: int) -> list[Event]:
    """Zendesk: one event; those of a trigger are as their administrator wrote them, and have the invocation's id."""
    event = _parsed(body)
    if isinstance(event, dict) and str(event.get("type", "")).startswith("zen:event-type:"):
        return [Event(_text(event.get("id")) or _hash(body), _text(event["type"]), body)]
    return [Event(_text(headers.get("x-zendesk-webhook-invocation-id")) or _hash(body), "", body)]


def klaviyo(_headers: Mapping[str, str], body: bytes, _now: int) -> list[Event]:
    """Klaviyo: up to 1,000 events under `data`, each with its `external_id`."""
    return _each(body, "data", lambda event: (event["external_id"], event["topic"]))


def intercom(_headers: Mapping[str, str], body: bytes, _now: int) -> list[Event]:
    """Intercom: one notification with its `id`, the same at every attempt to deliver it."""
    event = _parsed(body)
    if not isinstance(event, dict):
        return [Event(_hash(body), "", body)]
    return [Event(_text(event.get("id")) or _hash(body), _text(event.get("topic")), body)]


def _each(body: bytes, under: str, describe: Callable[[Any], tuple[object, object]]) -> list[Event]:
    """Split the list at the top, or `under` a field of it; `describe` gives an event's id and topic."""
    parsed = _parsed(body)
    found = parsed.get(under) if under and isinstance(parsed, dict) else parsed
    if not isinstance(found, list):
        return [Event(_hash(body), "", body)]
    return [_event(one, describe) for one in found]


def _event(one: object, describe: Callable[[Any], tuple[object, object]]) -> Event:
    text = orjson.dumps(one)
    try:
        event_id, topic = describe(one)
    except (KeyError, TypeError, IndexError):
        event_id, topic = None, ""
    return Event(_text(event_id) or _hash(text), _text(topic), text)


def _parsed(body: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _text(value: object) -> str:
    """Return a text that can be kept as an id or a topic, else nothing: Postgres knows no NUL, an index no novels."""
    return value if isinstance(value, str) and len(value) <= LONGEST_TEXT and value.isprintable() else ""


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()
