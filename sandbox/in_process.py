"""Lets an httpx client talk to a sandbox in the same process: no port, no server, the same answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from sandbox.middleware import replay_body

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Scope


@dataclass(slots=True)
class Received:
    """What the application sent."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    is_complete: bool = False

    async def take(self, message: Message) -> None:
        """Collect one message."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
            return
        self.body += message.get("body", b"")
        self.is_complete = not message.get("more_body", False)


class InProcess(httpx.BaseTransport):
    """An httpx transport to an ASGI application, for synchronous clients."""

    def __init__(self, app: ASGIApp) -> None:
        """Talk to `app`."""
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request; an answer cut short or a fault's time-out are the errors a socket would give."""
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": request.url.path,
            "raw_path": request.url.raw_path.split(b"?")[0],
            "query_string": request.url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "root_path": "",
            "client": ("127.0.0.1", 1),
            "server": (request.url.host, request.url.port or 80),
        }
        received = Received()

        async def exchange() -> None:
            await self._app(scope, replay_body(request.read()), received.take)

        try:
            asyncio.run(exchange())
        except TimeoutError:
            message = "the sandbox took longer than the client waits"
            raise httpx.ReadTimeout(message, request=request) from None
        if not received.is_complete:
            message = "the sandbox closed the connection in the middle of the body"
            raise httpx.RemoteProtocolError(message, request=request)
        return httpx.Response(received.status, headers=received.headers, content=received.body, request=request)


async def time_out(_seconds: float) -> None:
    """Stand in for sleeping in tests: the client gives up at once."""
    raise TimeoutError
