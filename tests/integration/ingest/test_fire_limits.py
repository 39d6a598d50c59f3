"""With the vendors' own rate limits all sources ingest whole; what is refused is waited for as long as needed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Lock
from typing import TYPE_CHECKING, Any

import httpx
from every_vendor import POLLED, EveryVendor

from sandbox.world import invent_world

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

Query = Callable[..., list[tuple[Any, ...]]]
# What the vendors publish for the plans that such a brand is on.
LIMITS = {
    "shopify_points": 2_000.0,
    "shopify_restore_rate": 100.0,
    "line_requests_per_second": 2_000,
    "line_insights_per_hour": 60,
    "sendgrid_requests_per_minute": 600,
    "klaviyo_generosity": 1,
    "zendesk_requests_per_minute": 400,
    "zendesk_exports_per_minute": 10,
    "intercom_requests_per_ten_seconds": 166,
}


# How often each may be refused, and for how long all waiting may last: a bucket that is empty is waited for once.
MOST_SECONDS = 600
SOURCES_READ = tuple(dict.fromkeys(source for source, _ in POLLED))


class OneAtATime(httpx.BaseTransport):
    """Lets the sandbox, which is one process, answer one request after the other."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner, self._lock = inner, Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            return self._inner.handle_request(request)


def test_all_sources_are_read_side_by_side_within_their_vendors_limits(
    warehouse_url: str, query: Query, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = EveryVendor(invent_world(300, 3, date(2026, 11, 22)), tmp_path, warehouse_url, **LIMITS)
    every.transport = OneAtATime(every.transport)
    every.connect(monkeypatch)

    with ThreadPoolExecutor(len(SOURCES_READ)) as pool:
        parts = [[name for name in POLLED if name[0] == source] for source in SOURCES_READ]
        landed = [one for part in pool.map(every.land_all, parts) for one in part]

    assert {(one.source, one.stream) for one in landed} == set(POLLED)
    for one in landed:
        rows = query(f"select count(*) from raw.{one.source}__{one.stream}")
        assert (one.stream, rows) == (one.stream, [(one.landed_count,)])
    refused = {source: every.stats.statuses[source]["429"] for source in SOURCES_READ}
    # A refusal is followed by one wait that suffices: nobody asks again too early and is refused once more.
    assert sum(refused.values()) <= len(every.slept)
    assert max(refused.values()) <= 20
    assert sum(every.slept) < MOST_SECONDS
    every.close()
