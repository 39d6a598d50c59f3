"""Webhooks on their way: sent when the clock moves, again while the vendor tries, and with the faults of networks."""

from __future__ import annotations

import base64
import hmac
from types import ModuleType
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import sandbox.app
from sandbox.webhooks import Webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.records import World
    from sandbox.setting import Setting

DAY = 86_400
URL = "http://receiver.example/webhooks"


class Receiver:
    """Takes what is sent, and answers as it is told."""

    def __init__(self) -> None:
        self.status = 200
        self.taken: list[tuple[str, str]] = []
        self.calls = 0

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        if self.status == 0:
            message = "nobody is there"
            raise httpx.ConnectError(message)
        if self.status == 200:
            self.taken.append((request.url.path.rsplit("/", 1)[1], request.content.decode()))
        return httpx.Response(self.status)

    def bodies(self) -> list[str]:
        return [body for _, body in self.taken]


def invented_vendor(name: str) -> ModuleType:
    """A vendor that has one webhook every hour, and says when one is sent again."""
    module = ModuleType(name)

    def webhooks(setting: Setting, since: int, until: int) -> Iterator[Webhook]:
        hours = range(since // 3600 + 1, until // 3600 + 1)
        return (Webhook(name, hour * 3600, str(hour * 3600 - setting.world.starts_at).encode()) for hour in hours)

    def redelivered(_setting: Setting, webhook: Webhook) -> Webhook:
        return Webhook(webhook.vendor, webhook.at, webhook.body + b" again", webhook.headers)

    module.__dict__.update(NAME=name, webhooks=webhooks, redelivered=redelivered, routes=lambda _setting: [])
    module.__dict__.update(webhook_secret=lambda _setting: "a-key")
    return module


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def client(
    world: World, open_sandbox: Callable[..., httpx.Client], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> httpx.Client:
    """A sandbox of two vendors: one that tries for four hours, and one that never tries again."""
    vendors = {name: invented_vendor(name) for name in ("shopify", "eccube")}
    monkeypatch.setattr(sandbox.app, "vendor_modules", lambda: vendors)
    return open_sandbox(world, webhook_transport=httpx.MockTransport(receiver.answer))


def subscribe(client: httpx.Client, vendor: str = "shopify", url: str = f"{URL}/shopify") -> Any:
    return client.post("/_sandbox/webhooks", json={"vendor": vendor, "url": url})


def advance(client: httpx.Client, hours: int) -> dict[str, Any]:
    sent: dict[str, Any] = client.post("/_sandbox/clock", json={"advance_seconds": hours * 3600}).json()["webhooks"]
    return sent


def hours(*numbers: int) -> list[str]:
    return [str(number * 3600) for number in numbers]


def test_nothing_is_sent_before_somebody_subscribes(client: httpx.Client, receiver: Receiver) -> None:
    assert advance(client, 3) == {}
    assert subscribe(client).status_code == 201
    assert advance(client, 2) == {"shopify": {"delivered": 2}}
    assert sorted(receiver.taken) == [("shopify", body) for body in hours(4, 5)]
    subscribe(client, url="")
    assert advance(client, 2) == {}


def test_a_vendor_without_webhooks_cannot_be_subscribed_to(client: httpx.Client) -> None:
    assert subscribe(client, vendor="nobody").status_code == 400


def test_the_console_shows_address_and_secret(client: httpx.Client) -> None:
    subscribe(client)
    assert client.get("/_sandbox/webhooks").json() == {
        "shopify": {"url": f"{URL}/shopify", "secret": "a-key"},
        "eccube": {"url": "", "secret": "a-key"},
    }


@pytest.mark.parametrize("status", [0, 401, 500, 503])
def test_what_is_not_taken_is_sent_again_as_long_as_the_vendor_does(
    client: httpx.Client, receiver: Receiver, status: int
) -> None:
    subscribe(client)
    receiver.status = status
    assert advance(client, 6) == {"shopify": {"given_up": 2, "waiting": 4}}
    receiver.status = 200
    assert advance(client, 1) == {"shopify": {"delivered": 5}}
    assert sorted(receiver.bodies()) == sorted([*(f"{body} again" for body in hours(3, 4, 5, 6)), *hours(7)])
    assert advance(client, 1) == {"shopify": {"delivered": 1}}


def test_eccube_never_sends_again(client: httpx.Client, receiver: Receiver) -> None:
    subscribe(client, "eccube", f"{URL}/eccube")
    receiver.status = 503
    assert advance(client, 2) == {"eccube": {"given_up": 2}}


def test_when_nobody_is_there_the_rest_is_not_tried(client: httpx.Client, receiver: Receiver) -> None:
    subscribe(client)
    receiver.status = 0
    advance(client, 100)
    assert receiver.calls == 8


def test_subscriptions_and_what_waits_survive_a_restart(
    client: httpx.Client, receiver: Receiver, world: World, open_sandbox: Callable[..., httpx.Client]
) -> None:
    subscribe(client)
    receiver.status = 503
    advance(client, 1)
    receiver.status = 200
    restarted = open_sandbox(world, webhook_transport=httpx.MockTransport(receiver.answer))
    assert advance(restarted, 1) == {"shopify": {"delivered": 2}}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("webhook_lost", [2, 3]), ("webhook_duplicate", [1, 1, 2, 3]), ("webhook_disorder", [2, 3, 1])],
)
def test_faults_of_networks_happen_once_per_delivery(
    client: httpx.Client, receiver: Receiver, kind: str, expected: list[int]
) -> None:
    subscribe(client)
    assert client.post("/_sandbox/faults", json={"vendor": "shopify", "kind": kind}).status_code == 201
    advance(client, 3)
    assert receiver.bodies() == hours(*expected)
    assert client.get("/_sandbox/faults").json() == []
    advance(client, 1)
    assert receiver.bodies() == hours(*expected, 4)


def test_a_fault_of_webhooks_waits_for_webhooks_and_one_of_answers_for_requests(client: httpx.Client) -> None:
    subscribe(client)
    for kind in ("webhook_lost", "server_error"):
        client.post("/_sandbox/faults", json={"vendor": "shopify", "kind": kind, "after": 1})
    advance(client, 1)
    assert [(fault["kind"], fault["after"]) for fault in client.get("/_sandbox/faults").json()] == [
        ("webhook_lost", 0),
        ("server_error", 1),
    ]


def test_headers_and_body_arrive_as_they_were_signed(world: World, open_sandbox: Callable[..., httpx.Client]) -> None:
    seen: list[tuple[bytes, str]] = []

    async def take(request: httpx.Request) -> httpx.Response:
        seen.append((request.content, request.headers["x-line-signature"]))
        return httpx.Response(200)

    client = open_sandbox(world, webhook_transport=httpx.MockTransport(take))
    subscribe(client, "line", f"{URL}/line")
    client.post("/_sandbox/clock", json={"advance_seconds": DAY})
    secret = client.get("/_sandbox/webhooks").json()["line"]["secret"]
    assert seen
    for body, signature in seen:
        assert base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode() == signature
