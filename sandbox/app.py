"""The sandbox as one ASGI application: every vendor under its own name, and the controls under `/_sandbox`."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.routing import Mount

import sandbox.vendors
from sandbox.clock import Clock
from sandbox.control import Control, control_routes
from sandbox.deliveries import Deliveries
from sandbox.faults import Faults
from sandbox.middleware import Vendors
from sandbox.setting import Setting
from sandbox.state import State

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from sandbox.exports.drops import Exports
    from sandbox.records import World


@dataclass(slots=True)
class Stats:
    """What has been asked, and what was answered."""

    requests: dict[str, Counter[str]] = field(default_factory=dict)
    statuses: dict[str, Counter[str]] = field(default_factory=dict)

    def count(self, vendor: str, operation: str, status: int) -> None:
        """Count one exchange."""
        self.requests.setdefault(vendor, Counter())[operation] += 1
        self.statuses.setdefault(vendor, Counter())[str(status)] += 1

    def describe(self) -> dict[str, Any]:
        """List the counts by vendor."""
        return {
            vendor: {"operations": dict(operations), "statuses": dict(self.statuses[vendor])}
            for vendor, operations in self.requests.items()
        }


def vendor_modules() -> dict[str, ModuleType]:
    """Find the vendors: one module each in the folder."""
    found = [
        importlib.import_module(f"sandbox.vendors.{m.name}") for m in pkgutil.iter_modules(sandbox.vendors.__path__)
    ]
    return {module.NAME: module for module in found}


def start_exports(setting: Setting) -> Exports | None:
    """Drop the files of the nights up to now, where that is wanted."""
    if not setting.writes_exports:
        return None
    from sandbox.exports.drops import Exports  # noqa: PLC0415 - brings pyarrow, for who wants files alone

    exports = Exports(setting)
    exports.catch_up()
    return exports


def create_app(world: World, state_dir: Path, *, faults: Faults | None = None, **limits: Any) -> Starlette:  # noqa: ANN401
    """Build the application over a world; `limits` are the fields of `Setting` to change."""
    state = State(state_dir)
    state.claim(world.identity)
    clock = Clock(state, world.starts_at)
    setting = Setting(world=world, clock=clock, state=state, **limits)
    switched = faults or Faults(state)
    stats = Stats()
    modules = vendor_modules()
    mounts = [Mount(f"/{name}", routes=module.routes(setting)) for name, module in modules.items()]
    deliveries = Deliveries(setting, switched, modules)
    control = Control(setting, switched, stats, modules, deliveries, start_exports(setting))
    app = Starlette(routes=[*mounts, *control_routes(control)])
    app.state.setting, app.state.faults, app.state.stats = setting, switched, stats
    app.state.deliveries = deliveries
    app.add_middleware(Vendors, setting=setting, faults=switched, stats=stats, modules=modules)
    return app
