"""Small worlds and sandboxes, talked to in process."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.app import create_app
from sandbox.in_process import InProcess, time_out
from sandbox.world import invent_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.records import World

HEADERS = {"X-Shopify-Access-Token": "sandbox-token", "Authorization": "Bearer sandbox-token"}


@pytest.fixture(scope="session")
def world() -> World:
    return invent_world(500, 5, date(2026, 11, 22))


@pytest.fixture
def open_sandbox(tmp_path: Path) -> Iterator[Callable[..., httpx.Client]]:
    """Start a sandbox over a world; called twice it is the same sandbox after a restart."""
    apps: list[Any] = []

    def start(world: World, **limits: Any) -> httpx.Client:
        while apps:
            apps.pop().state.setting.state.close()
        app = create_app(world, tmp_path, **{"sleep": time_out, **limits})
        apps.append(app)
        return httpx.Client(transport=InProcess(app), base_url="http://sandbox", headers=HEADERS)

    yield start
    for app in apps:
        app.state.setting.state.close()


@pytest.fixture
def client(world: World, open_sandbox: Callable[..., httpx.Client]) -> httpx.Client:
    return open_sandbox(world)
