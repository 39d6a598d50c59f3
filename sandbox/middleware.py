"""What every vendor request passes: the sandbox's Date, statistics, and the faults that are switched on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import orjson

from sandbox.faults import ROW_KINDS, Fault, Faults, RowLists, row_lists, with_row_fault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sandbox.setting import Setting


class Counter(Protocol):
    """What counts the exchanges."""

    def count(self, vendor: str, operation: str, status: int) -> None:
        """Count one exchange."""


@dataclass(slots=True)
class Answer:
    """A whole answer, kept back until the faults are through with it."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def take(self, message: Message) -> None:
        """Collect what the application sends."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message["headers"])
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    @classmethod
    def of_json(cls, status: int, body: object, headers: Mapping[str, str] | None = None) -> Answer:
        """Write an answer from a plain value, with the headers (lower case) that a vendor has besides."""
        written = {"content-type": "application/json; charset=utf-8", **(headers or {})}
        return cls(status, [(name.encode(), value.encode()) for name, value in written.items()], orjson.dumps(body))

    async def send(self, send: Send, date: str, *, cut_off: bool = False) -> None:
        """Send the answer with the sandbox's Date; a cut-off one stops in the middle of what it promised."""
        headers = [(name, value) for name, value in self.headers if name not in (b"content-length", b"date")]
        headers += [(b"date", date.encode()), (b"content-length", str(len(self.body)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if cut_off:
            # The web server closes a connection on which less came than was promised.
            await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})
            return
        await send({"type": "http.response.body", "body": self.body})


class Vendors:
    """The middleware."""

    def __init__(
        self, app: ASGIApp, setting: Setting, faults: Faults, stats: Counter, modules: Mapping[str, ModuleType]
    ) -> None:
        """Wrap the application."""
        self._app = app
        self._setting = setting
        self._faults = faults
        self._stats = stats
        self._modules = modules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        vendor = scope["path"].split("/", 2)[1]
        answer = Answer()
        if vendor not in self._modules:
            await self._app(scope, receive, answer.take)
            await answer.send(send, self._setting.clock.http_date())
            return
        body = await read_body(receive)
        path = scope["path"][len(vendor) + 1 :]
        operation = self._modules[vendor].operation_of(f"{scope['method']} {path}", body)
        due = list(self._faults.due(vendor, operation))
        answer = await self._answer(vendor, due, scope, body)
        self._stats.count(vendor, operation, answer.status)
        cut_off = next((fault for fault in due if fault.kind == "cut_off"), None)
        if cut_off is not None:
            self._faults.spend(cut_off)
        await answer.send(send, self._setting.clock.http_date(), cut_off=cut_off is not None)

    async def _answer(self, vendor: str, due: list[Fault], scope: Scope, body: bytes) -> Answer:
        for fault in due:
            if fault.kind == "timeout":
                self._faults.spend(fault)
                await self._setting.sleep(fault.seconds)
            elif fault.kind == "rate_limit":
                self._faults.spend(fault)
                return Answer.of_json(*self._modules[vendor].rate_limited(fault.status))
            elif fault.kind == "server_error":
                self._faults.spend(fault)
                return Answer.of_json(fault.status or 500, {"message": "Internal server error"})
        answer = Answer()
        await self._app(scope, replay_body(body), answer.take)
        for fault in due:
            if fault.kind in ROW_KINDS and answer.status == 200:
                changed = with_row_fault(answer.body, fault.kind, self._row_lists(vendor))
                if changed is not None:
                    self._faults.spend(fault)
                    answer.body = changed
        return answer

    def _row_lists(self, vendor: str) -> RowLists:
        """Where a vendor's answers hold rows: a vendor module may say so in a `row_lists` of its own."""
        found: RowLists = getattr(self._modules[vendor], "row_lists", row_lists)
        return found


async def read_body(receive: Receive) -> bytes:
    """Read a whole request body."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


def replay_body(body: bytes) -> Receive:
    """Give a read body to the application as if it came from the network."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
