"""The controls of the sandbox: health, clock, faults, statistics. They belong to no vendor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.faults import FaultError, Faults

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from starlette.requests import Request

    from sandbox.deliveries import Deliveries
    from sandbox.exports.drops import Exports
    from sandbox.setting import Setting


class Counts(Protocol):
    """What counts the exchanges."""

    def describe(self) -> dict[str, Any]:
        """List the counts by vendor."""


@dataclass(frozen=True, slots=True)
class Control:
    """The endpoints under `/_sandbox`."""

    setting: Setting
    faults: Faults
    stats: Counts
    modules: Mapping[str, ModuleType]
    deliveries: Deliveries
    exports: Exports | None = None

    async def health(self, _request: Request) -> JSONResponse:
        """Say that the sandbox answers, and for whom."""
        return JSONResponse({"status": "ok", "vendors": sorted(self.modules), "now": self.setting.clock.iso()})

    async def read_clock(self, _request: Request) -> JSONResponse:
        """Tell the time."""
        return JSONResponse({"now": self.setting.clock.iso()})

    async def advance_clock(self, request: Request) -> JSONResponse:
        """Move time forward, and let the vendors send what happened meanwhile to whoever subscribed."""
        before = self.setting.clock.now()
        try:
            now = self.setting.clock.advance(int(orjson.loads(await request.body())["advance_seconds"]))
        except (KeyError, TypeError, ValueError) as problem:
            return JSONResponse({"error": f'send {{"advance_seconds": <positive number>}}: {problem}'}, 400)
        if self.exports:
            self.exports.catch_up()
        sent = await self.deliveries.deliver(before, now)
        return JSONResponse({"now": self.setting.clock.iso(), "webhooks": sent})

    async def read_webhooks(self, _request: Request) -> JSONResponse:
        """Show where each vendor's webhooks go, and the secret they are verified with."""
        return JSONResponse(self.deliveries.describe())

    async def subscribe(self, request: Request) -> JSONResponse:
        """Have a vendor's webhooks sent to a URL."""
        try:
            asked = orjson.loads(await request.body())
            self.deliveries.subscribe(str(asked["vendor"]), str(asked["url"]))
        except (KeyError, TypeError, ValueError) as problem:
            message = f'send {{"vendor": <one that sends webhooks>, "url": <where to, or empty>}}: {problem}'
            return JSONResponse({"error": message}, 400)
        return JSONResponse(self.deliveries.describe(), 201)

    async def read_faults(self, _request: Request) -> JSONResponse:
        """List the faults that are switched on."""
        return JSONResponse(self.faults.describe())

    async def add_fault(self, request: Request) -> JSONResponse:
        """Switch a fault on."""
        try:
            self.faults.add(**orjson.loads(await request.body()))
        except (FaultError, TypeError, orjson.JSONDecodeError) as problem:
            return JSONResponse({"error": str(problem)}, 400)
        return JSONResponse(self.faults.describe(), 201)

    async def clear_faults(self, request: Request) -> JSONResponse:
        """Switch the faults of a vendor, or all, off."""
        self.faults.clear(request.query_params.get("vendor"))
        return JSONResponse(self.faults.describe())

    async def read_stats(self, _request: Request) -> JSONResponse:
        """Show what was asked and what the vendors hold."""
        held = {
            name: module.describe(self.setting) for name, module in self.modules.items() if hasattr(module, "describe")
        }
        return JSONResponse({"requests": self.stats.describe(), **held})


def control_routes(control: Control) -> list[Route]:
    """Build the routes under `/_sandbox`."""
    return [
        Route("/_sandbox/health", control.health),
        Route("/_sandbox/clock", control.read_clock, methods=["GET"]),
        Route("/_sandbox/clock", control.advance_clock, methods=["POST"]),
        Route("/_sandbox/webhooks", control.read_webhooks, methods=["GET"]),
        Route("/_sandbox/webhooks", control.subscribe, methods=["POST"]),
        Route("/_sandbox/faults", control.read_faults, methods=["GET"]),
        Route("/_sandbox/faults", control.add_fault, methods=["POST"]),
        Route("/_sandbox/faults", control.clear_faults, methods=["DELETE"]),
        Route("/_sandbox/stats", control.read_stats, methods=["GET"]),
    ]
