"""The receiver of webhooks in the local system, and the sandbox's vendors sending to it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from kizuna import settings
from kizuna.inbox import InboxStream
from kizuna.local.processes import Daemon
from kizuna.sources import SOURCES

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "webhooks"


def start(port: int, sandbox_url: str, variables: Mapping[str, str]) -> None:
    """Start the receiver, and have the sandbox's vendors send to it: those whose events a source reads."""
    address = f"{sandbox_url}/_sandbox/webhooks"
    consoles = httpx.get(address, timeout=30).raise_for_status().json() if sandbox_url else {}
    played = {vendor: shown for vendor, shown in consoles.items() if not os.environ.get(_variable(vendor))}
    secrets = {
        _variable(vendor): _with_secret(variables.get(_variable(vendor)), f"{sandbox_url}/{vendor}", shown["secret"])
        for vendor, shown in played.items()
    }
    command = [str(Path(sys.executable).parent / "kizuna"), "webhooks", "--port", str(port)]
    Daemon(NAME, settings.home()).start(command, {**variables, **secrets})
    for vendor in played:
        if vendor in SOURCES and any(isinstance(stream, InboxStream) for stream in SOURCES[vendor].streams):
            subscription = {"vendor": vendor, "url": f"http://127.0.0.1:{port}/webhooks/{vendor}"}
            httpx.post(address, json=subscription, timeout=30).raise_for_status()


def _variable(vendor: str) -> str:
    return f"AIRFLOW_CONN_{vendor.upper()}"


def _with_secret(connection: str | None, url: str, secret: str) -> str:
    """The sandbox's connection to a vendor, with what its console shows."""
    fields = json.loads(connection) if connection else {"conn_type": "http", "host": url}
    return json.dumps({**fields, "extra": {**fields.get("extra", {}), "webhook_secret": secret}})
