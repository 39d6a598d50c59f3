"""Runs the receiver as a process until it is asked to stop; then what has arrived is still stored and answered."""

from __future__ import annotations

import logging

import uvicorn

from kizuna import settings
from kizuna.webhooks.receiver import create_receiver
from kizuna.webhooks.vendors import known_vendors

LOG = logging.getLogger(__name__)

MOST_CONNECTIONS = 1_000
STOP_SECONDS = 5


def run(host: str, port: int) -> None:
    """Receive on `host`:`port`.

    Raises:
        kizuna.settings.SettingsError: when a setting cannot be read.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    vendors = known_vendors()
    LOG.info("receiving webhooks of %s", ", ".join(vendors) or "nobody: no connection has a webhook_secret")
    uvicorn.run(
        create_receiver(vendors, settings.warehouse_url()),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
