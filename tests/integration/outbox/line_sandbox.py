"""The sandbox's LINE in a thread, with a place to interfere between its work and its answer."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import uvicorn

from kizuna.settings import Connection
from sandbox.app import create_app
from sandbox.records import Friend, World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

FRIENDS = [f"U{number:032x}" for number in range(40)]
STARTS_AT = 1_795_305_600


class Interference:
    """Calls `answered` with the place of each request once the vendor has done its work but not yet answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.requests: list[str] = []
        self.answered: Callable[[int], None] = lambda place: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kept: list[Any] = []

        async def keep(message: Any) -> None:
            kept.append(message)

        await self._app(scope, receive, keep)
        self.requests.append(f"{scope['method']} {scope['path'].removeprefix('/line/v2/bot/audienceGroup')}")
        self.answered(len(self.requests))
        for message in kept:
            await send(message)


class LineSandbox:
    """A LINE account with forty friends on a free port."""

    def __init__(self, state_dir: Path, **limits: Any) -> None:
        friends = [Friend(user_id, "", [(0, None)]) for user_id in FRIENDS]
        world = World("test", STARTS_AT, "Asia/Tokyo", "JPY", (), (), (), friends, {"kind": "test"})
        self.app = create_app(world, state_dir, **limits)
        self.wire = Interference(self.app)
        config = uvicorn.Config(self.wire, port=0, log_level="error", date_header=False, lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()), daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.base_url = f"http://127.0.0.1:{port}/line"

    def stop(self) -> None:
        """Stop serving and close the state."""
        self._server.should_exit = True
        self._thread.join()
        self.app.state.setting.state.connection.close()

    def connection(self, **extra: str) -> Connection:
        """The account as the project is given it."""
        return Connection("line", self.base_url, "sandbox-token", extra)

    def switch_on(self, **fault: Any) -> None:
        """Let the vendor misbehave."""
        self.app.state.faults.add("line", **fault)

    def query(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Look into the vendor's own books."""
        return self.app.state.setting.state.connection.execute(query, values).fetchall()  # type: ignore[no-any-return]

    def audiences(self) -> dict[int, set[str]]:
        """Return the members of every audience that exists."""
        return {
            audience_id: {
                user for (user,) in self.query("select user_id from audience_member where audience_id = ?", audience_id)
            }
            for (audience_id,) in self.query("select id from audience order by id")
        }

    def names(self) -> list[str]:
        """Return the name of every audience that exists."""
        return [name for (name,) in self.query("select description from audience order by id")]

    def forget_requests(self) -> None:
        """Count requests from here on."""
        self.wire.requests.clear()
