"""The receiver as an ASGI application: `POST /webhooks/<vendor>` and `GET /health`.

200 means stored. 401: not signed by the vendor, and nothing is stored. 503: come again, as every vendor but EC-CUBE
does. Bodies and signatures are never logged.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kizuna.webhooks.storing import Storing, StoringError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from kizuna.webhooks.vendors import Vendor

LOG = logging.getLogger(__name__)

LARGEST_BODY_BYTES = 5 * 1024 * 1024
# Of all bodies being read at once, so that strangers cannot fill the memory.
MOST_READ_BYTES = 128 * 1024 * 1024
# Shopify, EC-CUBE and Klaviyo wait five seconds for the whole exchange.
ANSWER_SECONDS = 4.0


class _RefusedError(Exception):
    """Carries the status of an answer that is not 200."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class Receiver:
    """The endpoints."""

    def __init__(self, vendors: Mapping[str, Vendor], storing: Storing) -> None:
        """Receive for `vendors`."""
        self._vendors, self._storing = vendors, storing
        self._read_bytes = 0

    async def receive(self, request: Request) -> Response:
        """Take one request of a vendor."""
        name = request.path_params["vendor"]
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._take(name, request)
        except _RefusedError as refused:
            return self._refuse(name, refused.status, refused.reason)
        except StoringError as error:
            return self._refuse(name, 503, str(error))
        except TimeoutError:
            return self._refuse(name, 503, f"took longer than {ANSWER_SECONDS:g} s")
        except ClientDisconnect:
            return self._refuse(name, 400, "went away before the end of its body")
        return Response(status_code=200)

    async def _take(self, name: str, request: Request) -> None:
        vendor = self._vendors.get(name)
        if vendor is None:
            raise _RefusedError(404, "is not a vendor with a webhook_secret in its connection")
        body = await self._read(request)
        if not vendor.sent(request.headers, body):
            raise _RefusedError(401, "the signature does not fit")
        events = vendor.split(request.headers, body, int(time.time()))
        if events:
            await self._storing.store(name, events)

    async def _read(self, request: Request) -> bytes:
        """Read the body, and no more of it than is allowed."""
        announced = request.headers.get("content-length", "0")
        if announced.isdigit() and int(announced) > LARGEST_BODY_BYTES:
            raise _RefusedError(413, f"sends more than {LARGEST_BODY_BYTES} bytes")
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                self._read_bytes += len(chunk)
                if len(body) > LARGEST_BODY_BYTES:
                    raise _RefusedError(413, f"sends more than {LARGEST_BODY_BYTES} bytes")
                if self._read_bytes > MOST_READ_BYTES:
                    raise _RefusedError(503, "too much is being received at once")
        finally:
            self._read_bytes -= len(body)
        return bytes(body)

    def _refuse(self, name: str, status: int, reason: str) -> Response:
        # Whoever asks for a name we do not know may have made it up.
        LOG.warning("%s: %d, %s", name if name in self._vendors else "unknown vendor", status, reason)
        return Response(status_code=status)

    async def health(self, _request: Request) -> JSONResponse:
        """Tell whether an event would be stored now."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._storing.store("", [])
        except (StoringError, TimeoutError):
            return JSONResponse({"status": "the inbox cannot be reached"}, 503)
        return JSONResponse({"status": "ok", "vendors": sorted(self._vendors)})


def create_receiver(vendors: Mapping[str, Vendor], warehouse_url: str) -> Starlette:
    """Build the application for `vendors`, by name."""
    storing = Storing(warehouse_url)
    receiver = Receiver(vendors, storing)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(storing.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    routes = [
        Route("/webhooks/{vendor}", receiver.receive, methods=["POST"]),
        Route("/health", receiver.health, methods=["GET"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
