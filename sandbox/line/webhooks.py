"""LINE's webhooks: several events in a body, each with an id of its own, signed over the exact bytes."""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import orjson

from sandbox.line.answers import BOT_USER_ID
from sandbox.line.happenings import happenings, link_happening
from sandbox.line.links import LinkTokens
from sandbox.webhooks import Webhook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.line.happenings import Happening
    from sandbox.setting import Setting

# What happens close together arrives together.
SECONDS_TOGETHER = 10
MOST_TOGETHER = 100
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ANSWERABLE = ("message", "follow", "postback", "accountLink", "videoPlayComplete")


def webhooks(setting: Setting, since: int, until: int) -> Iterator[Webhook]:
    """Send what happens in (since, until], seconds; first of all, whoever enters the address has it verified."""
    if since <= setting.world.starts_at < until:
        yield signed(setting, setting.world.starts_at + 1, [])
    made = [link_happening(link) for link in LinkTokens(setting.state).made(since, until)]
    told = sorted([*happenings(setting.world, since, until), *made], key=attrgetter("at_ms", "user_id", "kind"))
    for _, together in groupby(told, key=lambda happening: happening.second // SECONDS_TOGETHER):
        group = list(together)
        for begin in range(0, len(group), MOST_TOGETHER):
            part = group[begin : begin + MOST_TOGETHER]
            yield signed(setting, part[-1].second, [event(happening) for happening in part])


def redelivered(setting: Setting, webhook: Webhook) -> Webhook:
    """Send a webhook again that was not answered with 200: the same events, marked, signed anew."""
    body = orjson.loads(webhook.body)
    for told in body["events"]:
        told["deliveryContext"]["isRedelivery"] = True
    return signed(setting, webhook.at, body["events"])


def signed(setting: Setting, at: int, events: list[dict[str, Any]]) -> Webhook:
    """Write a body and sign it."""
    body = orjson.dumps({"destination": BOT_USER_ID, "events": events})
    digest = hmac.digest(setting.webhook_secret.encode(), body, "sha256")
    headers = {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "LineBotWebhook/2.0",
        "x-line-signature": base64.b64encode(digest).decode(),
    }
    return Webhook("line", at, body, headers)


def event(happening: Happening) -> dict[str, Any]:
    """Write one event."""
    token = sha256(f"{happening.at_ms}/{happening.kind}/{happening.user_id}".encode())
    return {
        "type": happening.kind,
        "mode": "active",
        "timestamp": happening.at_ms,
        "source": {"type": "user", "userId": happening.user_id},
        "webhookEventId": ulid(happening.at_ms, token.digest()),
        "deliveryContext": {"isRedelivery": False},
        **({"replyToken": token.hexdigest()[:32]} if happening.kind in ANSWERABLE else {}),
        **happening.fields,
    }


def ulid(at_ms: int, randomness: bytes) -> str:
    """Write a ULID: 48 bits of time, 80 bits of randomness, in base 32."""
    bits = at_ms << 80 | int.from_bytes(randomness[:10], "big")
    return "".join(CROCKFORD[bits >> shift & 31] for shift in range(125, -1, -5))
