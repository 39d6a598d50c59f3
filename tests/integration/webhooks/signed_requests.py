"""The receiver in this process, and requests signed as a vendor signs them."""

from __future__ import annotations

import asyncio
import base64
import hmac
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from kizuna.webhooks import events, signatures
from kizuna.webhooks.vendors import Vendor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.applications import Starlette

SECRETS = ("the-new-secret", "the-old-secret")
VENDORS = {
    name: Vendor(name, SECRETS, getattr(signatures, name), getattr(events, name)) for name in ("line", "shopify")
}


def line_request(*event_ids: str, secret: str = SECRETS[0], **fields: object) -> dict[str, Any]:
    """Write what LINE sends for some events, as arguments of `httpx.post`."""
    told = [{"type": "follow", "webhookEventId": event_id, **fields} for event_id in event_ids]
    body = orjson.dumps({"destination": "U0", "events": told})
    signature = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
    return {"content": body, "headers": {"X-Line-Signature": signature}}


class ReceiverClient:
    """Asks an application in this process; what runs beside it goes on while it is asked."""

    def __init__(self, runner: asyncio.Runner, app: Starlette) -> None:
        self.runner = runner
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://receiver")

    def post(self, path: str, **request: Any) -> httpx.Response:
        return self.runner.run(self._http.post(path, **request))

    def get(self, path: str) -> httpx.Response:
        return self.runner.run(self._http.get(path))


@contextmanager
def opened(app: Starlette) -> Iterator[ReceiverClient]:
    """Start the application, and stop it behind the block."""
    with asyncio.Runner() as runner:
        lifespan = app.router.lifespan_context(app)
        runner.run(lifespan.__aenter__())
        yield ReceiverClient(runner, app)
        runner.run(lifespan.__aexit__(None, None, None))
