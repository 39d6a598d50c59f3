"""The controls of the sandbox: health, clock, faults, statistics. They belong to no vendor."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, Protocol

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.faults import FaultError, Faults
from sandbox.setting import Setting


class Counts(Protocol):
    """What counts the exchanges."""

    def describe(self) -> dict[str, Any]:
        """List the counts by vendor."""


def control_routes(setting: Setting, faults: Faults, stats: Counts, modules: Mapping[str, ModuleType]) -> list[Route]:
    """Build the routes under `/_sandbox`."""

    async def health(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "vendors": sorted(modules), "now": setting.clock.iso()})

    async def read_clock(_request: Request) -> JSONResponse:
        return JSONResponse({"now": setting.clock.iso()})

    async def advance_clock(request: Request) -> JSONResponse:
        try:
            setting.clock.advance(int(orjson.loads(await request.body())["advance_seconds"]))
        except (KeyError, TypeError, ValueError) as problem:
            return JSONResponse({"error": f'send {{"advance_seconds": <positive number>}}: {problem}'}, 400)
        return JSONResponse({"now": setting.clock.iso()})

    async def read_faults(_request: Request) -> JSONResponse:
        return JSONResponse(faults.describe())

    async def add_fault(request: Request) -> JSONResponse:
        try:
            faults.add(**orjson.loads(await request.body()))
        except (FaultError, TypeError, orjson.JSONDecodeError) as problem:
            return JSONResponse({"error": str(problem)}, 400)
        return JSONResponse(faults.describe(), 201)

    async def clear_faults(request: Request) -> JSONResponse:
        faults.clear(request.query_params.get("vendor"))
        return JSONResponse(faults.describe())

    async def read_stats(_request: Request) -> JSONResponse:
        described = {name: module.describe(setting) for name, module in modules.items() if hasattr(module, "describe")}
        return JSONResponse({"requests": stats.describe(), **described})

    return [
        Route("/_sandbox/health", health),
        Route("/_sandbox/clock", read_clock, methods=["GET"]),
        Route("/_sandbox/clock", advance_clock, methods=["POST"]),
        Route("/_sandbox/faults", read_faults, methods=["GET"]),
        Route("/_sandbox/faults", add_fault, methods=["POST"]),
        Route("/_sandbox/faults", clear_faults, methods=["DELETE"]),
        Route("/_sandbox/stats", read_stats, methods=["GET"]),
    ]
