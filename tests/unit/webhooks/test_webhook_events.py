"""A request becomes its events, each under the id its vendor knows it by."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import orjson
import pytest
from starlette.datastructures import Headers

from kizuna.webhooks import events
from kizuna.webhooks.vendors import NAMES

NOW = 1_795_305_600


def split(vendor: str, body: object, headers: dict[str, str] | None = None, now: int = NOW) -> list[events.Event]:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    found: list[events.Event] = getattr(events, vendor)(Headers(headers or {}), content, now)
    return found


def ids(found: list[events.Event]) -> list[tuple[str, str]]:
    return [(event.event_id, event.topic) for event in found]


def test_line_sends_several_events_and_none_to_test_the_address() -> None:
    follow = {"type": "follow", "webhookEventId": "01A", "follow": {"isUnblocked": False}}
    unfollow = {"type": "unfollow", "webhookEventId": "01B"}
    found = split("line", {"destination": "U0", "events": [follow, unfollow]})
    assert ids(found) == [("01A", "follow"), ("01B", "unfollow")]
    assert [orjson.loads(event.body) for event in found] == [follow, unfollow]
    assert split("line", {"destination": "U0", "events": []}) == []


def test_shopify_says_id_topic_and_time_in_headers() -> None:
    headers = {
        "X-Shopify-Webhook-Id": "b54557e4",
        "X-Shopify-Topic": "customers/delete",
        "X-Shopify-Triggered-At": "2026-11-22T03:00:00.123456789Z",
    }
    [event] = split("shopify", b'{ "id": 1 }', headers)
    assert event == events.Event("b54557e4", "customers/delete", b'{ "id": 1 }', "2026-11-22T03:00:00.123456789Z")


def test_eccube_hints_are_new_each_second_because_each_means_another_change() -> None:
    hints = [{"entity": "order", "id": 1, "action": "updated"}, {"entity": "customer", "id": 2, "action": "deleted"}]
    found = split("eccube", hints)
    assert [event.topic for event in found] == ["order.updated", "customer.deleted"]
    assert ids(split("eccube", hints)) == ids(found)
    assert not set(ids(split("eccube", hints, now=NOW + 1))) & set(ids(found))


def test_sendgrid_and_klaviyo_send_batches() -> None:
    opened = {"sg_event_id": "e1", "event": "open", "timestamp": 1}
    assert ids(split("sendgrid", [opened, {**opened, "sg_event_id": "e2", "event": "click"}])) == [
        ("e1", "open"),
        ("e2", "click"),
    ]
    data = [{"external_id": "k1", "topic": "event:klaviyo.opened_email", "payload": {}}]
    assert ids(split("klaviyo", {"data": data, "meta": {"version": "2024-06-28"}})) == [
        ("k1", "event:klaviyo.opened_email")
    ]


def test_zendesk_events_have_ids_and_triggers_have_invocations() -> None:
    event = {"id": "z1", "type": "zen:event-type:ticket.created", "detail": {}}
    assert ids(split("zendesk", event, {"X-Zendesk-Webhook-Invocation-Id": "i1"})) == [
        ("z1", "zen:event-type:ticket.created")
    ]
    assert ids(split("zendesk", {"id": "9", "ticket": 1}, {"X-Zendesk-Webhook-Invocation-Id": "i1"})) == [("i1", "")]


def test_intercom_notifications_keep_their_id_over_attempts() -> None:
    notification = {"type": "notification_event", "id": "notif_1", "topic": "contact.deleted", "delivery_attempts": 1}
    first, second = (split("intercom", {**notification, "delivery_attempts": attempt}) for attempt in (1, 2))
    assert ids(first) == ids(second) == [("notif_1", "contact.deleted")]


@pytest.mark.parametrize("vendor", [name for name in NAMES if name != "eccube"])
@pytest.mark.parametrize("body", [b"not JSON", b"", b"\xff", b"17", b'"text"'])
def test_a_body_of_an_unknown_shape_is_kept_whole_under_its_hash(vendor: str, body: bytes) -> None:
    assert split(vendor, body) == [events.Event(sha256(body).hexdigest(), "", body)]


@pytest.mark.parametrize("event_id", [None, 17, "", "x" * 201, "a\u0000b", "a\nb", ["a"]])
def test_an_id_that_cannot_be_kept_is_replaced_by_the_hash(event_id: Any) -> None:
    event = {"webhookEventId": event_id, "type": "follow"}
    [found] = split("line", {"events": [event]})
    assert found.event_id == sha256(orjson.dumps(event)).hexdigest()


def test_a_strange_thing_among_events_does_not_cost_the_others() -> None:
    assert [event.topic for event in split("line", {"events": [1, {"webhookEventId": "01A", "type": "follow"}]})] == [
        "",
        "follow",
    ]


def test_contents_are_not_shown() -> None:
    assert "secret@example.jp" not in repr(split("sendgrid", [{"email": "secret@example.jp"}]))
