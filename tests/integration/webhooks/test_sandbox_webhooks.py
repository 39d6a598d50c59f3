"""What the sandbox's vendors send, through the receiver and the inbox into raw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from signed_requests import ReceiverClient, opened

from kizuna import landing, warehouse
from kizuna.inbox import InboxStream
from kizuna.settings import Connection
from kizuna.webhooks import events, signatures, storing
from kizuna.webhooks.receiver import create_receiver
from kizuna.webhooks.vendors import NAMES, Vendor
from sandbox.app import create_app, vendor_modules
from sandbox.world import invent_world

if TYPE_CHECKING:
    from pathlib import Path

    from kizuna.reading import Reader
    from sandbox.setting import Setting

Query = Callable[..., list[tuple[Any, ...]]]
DAY = 86_400
SENDERS = sorted(name for name, module in vendor_modules().items() if hasattr(module, "webhooks"))


@dataclass(frozen=True)
class Received:
    """A source with nothing but its webhooks."""

    name: str
    streams: tuple[InboxStream, ...] = (InboxStream(),)
    overlap: timedelta = timedelta(minutes=10)
    hold_back: timedelta = timedelta(minutes=2)
    opened: list[str] = field(default_factory=list)

    @contextmanager
    def open(self, stream_name: str, *_arguments: Any, **_named: Any) -> Iterator[Reader]:
        message = f"the vendor was asked for {stream_name}"
        raise AssertionError(message)


@dataclass
class Connected:
    """The sandbox and the receiver, connected."""

    sandbox: ReceiverClient
    setting: Setting
    warehouse_url: str

    def advance(self, days: int) -> dict[str, dict[str, int]]:
        answered = self.sandbox.post("/_sandbox/clock", json={"advance_seconds": days * DAY})
        sent: dict[str, dict[str, int]] = answered.json()["webhooks"]
        return sent

    def land(self, vendor: str) -> landing.Landing:
        account = Connection(vendor, "http://127.0.0.1:9", "")
        return landing.land_stream(Received(vendor), InboxStream(), account, self.warehouse_url, "run")


@pytest.fixture
def connected(warehouse_url: str, tmp_path: Path) -> Iterator[Connected]:
    vendors: dict[str, Vendor] = {}
    receiver = create_receiver(vendors, warehouse_url)
    sandbox = create_app(
        invent_world(150, 3, date(2026, 11, 22)), tmp_path, webhook_transport=httpx.ASGITransport(receiver)
    )
    with opened(receiver) as running:
        client = ReceiverClient(running.runner, sandbox)
        for name, shown in client.get("/_sandbox/webhooks").json().items():
            vendors[name] = Vendor(name, (shown["secret"],), getattr(signatures, name), getattr(events, name))
            url = f"http://receiver/webhooks/{name}"
            client.post("/_sandbox/webhooks", json={"vendor": name, "url": url})
        yield Connected(client, sandbox.state.setting, warehouse_url)
    sandbox.state.setting.state.close()


def test_every_vendor_that_sends_is_one_that_is_received() -> None:
    assert set(SENDERS) <= set(NAMES)


def test_what_every_vendor_sends_is_verified_and_landed_event_by_event(connected: Connected, query: Query) -> None:
    sent = connected.advance(30)

    assert sorted(sent) == SENDERS
    assert [counts for counts in sent.values() if set(counts) != {"delivered"}] == []
    received = dict(query("select vendor, count(*) from ops.webhook_inbox group by vendor"))
    assert sorted(received) == SENDERS
    assert query("select count(*) from ops.webhook_inbox where topic = ''") == [(0,)]
    for vendor in SENDERS:
        landed = connected.land(vendor)
        assert (landed.landed_count, landed.quarantined_count) == (received[vendor], 0)
        assert query(f"select count(distinct _record_id) from raw.{vendor}__webhooks") == [(received[vendor],)]


@pytest.mark.parametrize("vendor", [name for name in SENDERS if name != "eccube"])
def test_doubled_and_disordered_webhooks_land_as_if_nothing_had_happened(
    connected: Connected, query: Query, vendor: str
) -> None:
    for kind in ("webhook_duplicate", "webhook_disorder"):
        connected.sandbox.post("/_sandbox/faults", json={"vendor": vendor, "kind": kind, "times": 2})
    connected.advance(60)
    assert connected.sandbox.get("/_sandbox/faults").json() == []

    landed = connected.land(vendor)
    told = query(f"select count(*), count(distinct body) from ops.webhook_inbox where vendor = '{vendor}'")
    assert told == [(landed.landed_count, landed.landed_count)]


def test_what_came_while_the_inbox_was_closed_comes_again(
    connected: Connected, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "OPTIONS", storing.OPTIONS.replace("lock_timeout=2s", "lock_timeout=1ms"))
    since = connected.setting.clock.now()
    with warehouse.connect(connected.warehouse_url) as session:
        session.execute("lock table ops.webhook_inbox")
        refused = connected.sandbox.post("/_sandbox/clock", json={"advance_seconds": DAY}).json()["webhooks"][
            "sendgrid"
        ]
    connected.advance(1)

    assert set(refused) == {"waiting"}
    told = vendor_modules()["sendgrid"].webhooks(connected.setting, since, connected.setting.clock.now())
    expected = {event.event_id for webhook in told for event in events.sendgrid(webhook.headers, webhook.body, 0)}
    assert {row[0] for row in query("select event_id from ops.webhook_inbox where vendor = 'sendgrid'")} == expected


def test_a_lost_webhook_is_not_there(connected: Connected, query: Query) -> None:
    connected.sandbox.post("/_sandbox/faults", json={"vendor": "line", "kind": "webhook_lost", "times": 100_000})
    sent = connected.advance(10)
    assert "line" not in {vendor for vendor, counts in sent.items() if counts}
    assert query("select count(*) from ops.webhook_inbox where vendor = 'line'") == [(0,)]


def test_only_what_is_new_is_landed_and_a_late_commit_too(connected: Connected, warehouse_url: str) -> None:
    connected.advance(3)
    assert connected.land("line").landed_count > 0
    insert = "insert into ops.webhook_inbox (vendor, event_id, topic, body) values ('line', %s, 'follow', '{}')"
    with warehouse.connect(warehouse_url, "kizuna_webhooks") as late:
        late.execute(insert, ["late"])
        with warehouse.connect(warehouse_url, "kizuna_webhooks") as early:
            early.execute(insert, ["early"])
        first = connected.land("line")
    second, third = connected.land("line"), connected.land("line")
    assert [(one.read_count, one.landed_count) for one in (first, second, third)] == [(1, 1), (1, 1), (0, 0)]
