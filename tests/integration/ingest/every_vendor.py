"""All vendors of one sandbox in this process, and every source that reads them over HTTP landing from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partialmethod
from typing import TYPE_CHECKING, Any

from kizuna import landing
from kizuna.http import Client
from kizuna.inbox import InboxStream
from kizuna.settings import Connection
from kizuna.sources import SOURCES
from kizuna.sources.shopify import SOURCE as SHOPIFY
from sandbox import accounts
from sandbox.app import create_app, vendor_modules
from sandbox.in_process import InProcess, time_out

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import httpx
    import pytest

    from kizuna.landing import Landing
    from kizuna.reading import Source, Span, Stream
    from sandbox.records import World

DAY = 86_400
# The first load of a shop is read in bulk; most of what is tried here is reading by page.
PAGED: dict[str, Source] = {**SOURCES, "shopify": replace(SHOPIFY, bulk_from=timedelta.max)}
# What the sandbox's vendors answer over HTTP: everything but what comes in files, as webhooks, or from a database.
POLLED = [
    (source.name, stream.name)
    for source in SOURCES.values()
    for stream in source.streams
    if source.name in vendor_modules() and not isinstance(stream, InboxStream) and stream.name != "carts"
]


class EveryVendor:
    """A sandbox whose rate limits run by a clock that only our waiting moves."""

    def __init__(self, world: World, folder: Path, warehouse_url: str, **limits: Any) -> None:
        self.now, self.slept, self.warehouse_url = 0.0, list[float](), warehouse_url
        self.app = create_app(world, folder, sleep=time_out, monotonic=lambda: self.now, **limits)
        self.setting, self.faults, self.stats = self.app.state.setting, self.app.state.faults, self.app.state.stats
        self.transport: httpx.BaseTransport = InProcess(self.app)
        self.sources = PAGED

    def connect(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let every client talk to this sandbox."""
        monkeypatch.setattr(Client, "__init__", partialmethod(Client.__init__, transport=self.transport))

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def account(self, source: str) -> Connection:
        shown = accounts.account(source, "http://sandbox")
        return Connection(source, shown["host"], shown["password"], shown["extra"], login=shown.get("login", ""))

    def land(self, source: str, stream: str, span: Span | None = None, run_id: str = "run") -> Landing:
        declared = stream_of(source, stream)
        return landing.land_stream(
            self.sources[source],
            declared,
            self.account(source),
            self.warehouse_url,
            run_id,
            span=span,
            sleep=self.sleep,
        )

    def land_all(self, streams: Sequence[tuple[str, str]] = tuple(POLLED), run_id: str = "run") -> list[Landing]:
        return [self.land(source, stream, run_id=run_id) for source, stream in streams]

    def advance(self, seconds: int) -> None:
        self.setting.clock.advance(seconds)

    def asked(self, source: str) -> int:
        """How many requests the vendor has had."""
        return sum(self.stats.requests.get(source, {}).values())

    def close(self) -> None:
        self.setting.state.close()


def stream_of(source: str, stream: str) -> Stream:
    return next(declared for declared in SOURCES[source].streams if declared.name == stream)
