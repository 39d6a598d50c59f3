"""The receiver as a process of the local system: the sandbox's vendors send to it what a source reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from kizuna import warehouse
from kizuna.inbox import InboxStream
from kizuna.local import system, webhooks
from kizuna.local.postgres import free_port
from kizuna.local.world import World
from kizuna.sources import SOURCES
from kizuna.webhooks.vendors import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORLD = World(60, 3, None, None, "Asia/Tokyo", "JPY")


class OnlyWebhooks:
    """A source with nothing but its webhooks."""

    name, streams = "line", (InboxStream(),)


@pytest.fixture
def own_warehouse(warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A warehouse that the local system uses instead of its embedded one."""
    monkeypatch.setenv("KIZUNA_HOME", str(tmp_path))
    monkeypatch.setenv("WAREHOUSE_URL", warehouse_url)
    for vendor in NAMES:
        monkeypatch.delenv(f"AIRFLOW_CONN_{vendor.upper()}", raising=False)
    for name in list(SOURCES):
        monkeypatch.delitem(SOURCES, name)
    monkeypatch.setitem(SOURCES, "line", OnlyWebhooks())
    yield warehouse_url
    with psycopg.connect(warehouse_url, autocommit=True) as session:
        name = session.info.dbname
        session.execute(f'drop database if exists "{name}_airflow" with (force)'.encode())


def test_what_a_source_reads_is_received_and_nothing_else(own_warehouse: str) -> None:
    with system.outside(WORLD, lambda _text: None) as variables:
        sandbox = json.loads(variables["AIRFLOW_CONN_LINE"])["host"].removesuffix("/line")
        port = free_port(0)
        webhooks.start(port, sandbox, variables)
        system._await_ready(webhooks.NAME, f"http://127.0.0.1:{port}", "/health")
        moved = httpx.post(f"{sandbox}/_sandbox/clock", json={"advance_seconds": 30 * 86_400}, timeout=60).json()
        running = system.processes()

    assert {vendor: set(counts) for vendor, counts in moved["webhooks"].items()} == {"line": {"delivered"}}
    assert (running["sandbox"], running["webhooks"]) == (True, True)
    with warehouse.connect(own_warehouse) as session:
        assert session.execute("select distinct vendor from ops.webhook_inbox").fetchall() == [("line",)]
    assert not any(system.processes().values())
