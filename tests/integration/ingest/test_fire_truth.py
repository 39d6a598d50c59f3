"""Thirty days with faults at every vendor: in the end raw holds, record by record, what the vendors hold."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import date
from random import Random
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest
from every_vendor import DAY, EveryVendor, stream_of

from kizuna import landing
from kizuna.http import VendorError
from kizuna.inbox import InboxStream
from kizuna.landing import LandingError
from kizuna.sources import SOURCES
from kizuna.webhooks import events
from sandbox.app import vendor_modules
from sandbox.world import invent_world

if TYPE_CHECKING:
    from pathlib import Path

Query = Callable[..., list[tuple[Any, ...]]]
MAIN = (
    *(("shopify", name) for name in ("customers", "orders", "products")),
    *(("eccube", name) for name in ("customers", "orders", "products")),
    *(("klaviyo", name) for name in ("profiles", "events", "list_members")),
    *(("sendgrid", name) for name in ("contacts", "blocks", "bounces")),
    *(("zendesk", name) for name in ("tickets", "users")),
    *(("intercom", name) for name in ("contacts", "conversations")),
    ("line", "followers"),
)
HOOKED = [
    (source.name, stream.name)
    for source in SOURCES.values()
    for stream in source.streams
    if isinstance(stream, InboxStream) and source.name in vendor_modules()
]
PASSING = ("rate_limit", "server_error", "timeout", "cut_off", "duplicate_row", "dropped_page")
WEBHOOK = ("webhook_lost", "webhook_duplicate", "webhook_disorder")
STREAMS_OF_ECCUBE = ("customers", "orders", "products")
DAYS_A_STEP, STEPS = 3, 10


class Inbox:
    """Takes webhooks and puts their events into the inbox, as the receiver does with those that are verified."""

    def __init__(self, warehouse_url: str) -> None:
        self._url = warehouse_url

    async def take(self, request: httpx.Request) -> httpx.Response:
        vendor = request.url.path.rpartition("/")[2]
        split = getattr(events, vendor)
        with psycopg.connect(self._url) as session:
            for one in split(request.headers, request.content, int(time.time())):
                session.execute(
                    "insert into ops.webhook_inbox (vendor, event_id, topic, triggered_at, body)"
                    " values (%s, %s, %s, %s, %s) on conflict do nothing",
                    [vendor, one.event_id, one.topic, one.triggered_at, one.body],
                )
        return httpx.Response(200)


@pytest.fixture
def vendors(warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EveryVendor]:
    transport = httpx.MockTransport(Inbox(warehouse_url).take)
    every = EveryVendor(
        invent_world(300, 5, date(2026, 11, 22)),
        tmp_path,
        warehouse_url,
        line_largest_followers_page=40,
        webhook_transport=transport,
    )
    every.sources = SOURCES
    every.connect(monkeypatch)
    for vendor, _ in HOOKED:
        every.app.state.deliveries.subscribe(vendor, f"http://receiver/webhooks/{vendor}")
    yield every
    every.close()


def live(query: Query, source: str, stream: str) -> dict[str, bytes]:
    rows = query(
        f"select _record_id, _payload_hash from (select distinct on (_record_id) * from raw.{source}__{stream}"
        " order by _record_id, _source_updated_at desc nulls last, _sequence desc) as latest where not _is_deleted"
    )
    return {row[0]: bytes(row[1]) for row in rows}


def walk(vendors: EveryVendor, dice: Random) -> int:
    """Let some days pass with faults, and ingest; return how many streams could not be read."""
    for vendor in vendor_modules():
        for kind in dice.sample(PASSING, 2) + dice.sample(WEBHOOK, 2):
            # A refresh token whose answer is cut off is lost, and only an administrator can give another.
            operation = dice.choice(STREAMS_OF_ECCUBE) if vendor == "eccube" and kind in PASSING else None
            # A page dropped from every reading of a window shows only where the vendor counts: here it is dropped once.
            times = 1 if kind == "dropped_page" else dice.randint(1, 3)
            vendors.faults.add(vendor, kind, times=times, after=dice.randint(0, 12), operation=operation)
    since = vendors.setting.clock.now()
    vendors.advance(DAYS_A_STEP * DAY)
    asyncio.run(vendors.app.state.deliveries.deliver(since, vendors.setting.clock.now()))
    return sum(not is_landed(vendors, source, stream) for source, stream in (*MAIN, *HOOKED))


def is_landed(vendors: EveryVendor, source: str, stream: str) -> bool:
    try:
        vendors.land(source, stream)
    except (VendorError, LandingError):
        return False
    return True


def test_after_thirty_days_with_faults_raw_holds_what_the_vendors_hold(
    vendors: EveryVendor, query: Query, warehouse_url: str
) -> None:
    dice = Random(20261122)
    vendors.land_all(MAIN)
    failed = [walk(vendors, dice) for _ in range(STEPS)]

    # One healthy hour: what failed catches up, and who is in no list any more is found by the sweep.
    vendors.faults.clear()
    vendors.advance(3_600)
    vendors.land_all(MAIN)
    for source, stream in MAIN:
        declared = stream_of(source, stream)
        if declared.can_be_swept:
            landing.sweep_stream(
                SOURCES[source], declared, vendors.account(source), warehouse_url, "sweep", sleep=vendors.sleep
            )
    found = {name: live(query, *name) for name in MAIN}
    with psycopg.connect(warehouse_url) as session:
        tables = ", ".join(f"raw.{source}__{stream}" for source, stream in MAIN)
        session.execute(f"truncate {tables}, ops.watermarks".encode())
    vendors.land_all(MAIN, run_id="clean")

    for name in MAIN:
        clean = live(query, *name)
        differing = {key for key in clean.keys() | found[name].keys() if clean.get(key) != found[name].get(key)}
        assert (name, len(differing), len(clean) > 0) == (name, 0, True)
    assert sum(failed) < STEPS * len(MAIN) / 4
    until = vendors.setting.clock.now() - 120
    # The shop clears its test orders away.
    sold = {sale.name for sale in vendors.setting.world.sales if sale.at < until and not sale.is_test}
    assert sold <= {row[0] for row in query("select payload ->> 'name' from raw.shopify__orders")}
    for vendor, _ in HOOKED:
        doubled = f"select count(*) - count(distinct _record_id) from raw.{vendor}__webhooks"
        assert (vendor, query(doubled)) == (vendor, [(0,)])
