"""Killed at any instant: what the receiver had answered with 200 is in the inbox; sending again doubles nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import Any

import httpx
import pytest
from signed_requests import SECRETS, line_request

EVENTS = [f"event {number:03}" for number in range(240)]
SENDERS = 8

# Runs in a process of its own, on a socket it is given; ends itself at the named instant of its third batch.
RECEIVER = """
import asyncio, os, signal, sys
import uvicorn
from kizuna.webhooks import storing
from kizuna.webhooks.receiver import create_receiver
from kizuna.webhooks.vendors import known_vendors

instant, listening, url = sys.argv[1:]
batches = 0
insert = storing.Storing._insert

async def dying(store, batch):
    global batches
    batches += 1
    if instant == "before_commit" and batches == 3:
        await asyncio.sleep(0.1)  # whatever would be answered too early has the time to be
        os.kill(os.getpid(), signal.SIGKILL)
    await insert(store, batch)
    if instant == "after_commit" and batches == 3:
        os.kill(os.getpid(), signal.SIGKILL)

storing.Storing._insert = dying
app = create_receiver(known_vendors(), url)
uvicorn.run(app, fd=int(listening), log_level="warning", timeout_graceful_shutdown=5)
"""
IDS = "select event_id from ops.webhook_inbox"

Query = Callable[..., list[tuple[Any, ...]]]


@contextmanager
def receiver(instant: str, url: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Start one; whoever connects before it is ready waits, because the socket listens already."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        account = {"host": "http://127.0.0.1", "extra": {"webhook_secret": " ".join(SECRETS)}}
        process = subprocess.Popen(
            [sys.executable, "-c", RECEIVER, instant, str(listening.fileno()), url],
            env={**os.environ, "AIRFLOW_CONN_LINE": json.dumps(account)},
            pass_fds=[listening.fileno()],
        )
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with process:
        yield address, process
        process.kill()


class Sender:
    """Sends events as a vendor does, from several connections, and knows which were answered with 200."""

    def __init__(self, address: str, at_answer: Callable[[int], None] = lambda _count: None) -> None:
        self.address, self.at_answer, self.lock = address, at_answer, Lock()
        self.answered: list[str] = []

    def send(self, event_ids: list[str]) -> list[str]:
        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(self._send_share, (event_ids[place::SENDERS] for place in range(SENDERS))))
        return self.answered

    def _send_share(self, event_ids: list[str]) -> None:
        with httpx.Client(base_url=self.address, timeout=30) as client:
            for event_id in event_ids:
                try:
                    response = client.post("/webhooks/line", **line_request(event_id))
                except httpx.TransportError:
                    continue
                if response.status_code == 200:
                    with self.lock:
                        self.answered.append(event_id)
                        self.at_answer(len(self.answered))


def send_again_to_another(url: str, query: Query) -> None:
    with receiver("never", url) as (address, _process):
        assert sorted(Sender(address).send(EVENTS)) == EVENTS
    assert sorted(query(IDS)) == [(event_id,) for event_id in EVENTS]


@pytest.mark.parametrize("instant", ["before_commit", "after_commit"])
def test_killed_around_a_commit(instant: str, warehouse_url: str, query: Query) -> None:
    with receiver(instant, warehouse_url) as (address, process):
        answered = Sender(address).send(EVENTS)
        assert process.wait() == -signal.SIGKILL
    stored = {event_id for (event_id,) in query(IDS)}
    assert set(answered) <= stored < set(EVENTS)
    if instant == "after_commit":
        assert set(answered) < stored, "the third batch was committed and not answered"

    send_again_to_another(warehouse_url, query)


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_a_random_moment(seed: int, warehouse_url: str, query: Query) -> None:
    last = random.Random(seed).randrange(1, 200)
    with receiver("never", warehouse_url) as (address, process):

        def kill_at(count: int) -> None:
            if count == last:
                process.kill()

        answered = Sender(address, kill_at).send(EVENTS)
    stored = {event_id for (event_id,) in query(IDS)}
    assert len(answered) >= last
    assert set(answered) <= stored < set(EVENTS)

    send_again_to_another(warehouse_url, query)


def test_asked_to_stop_it_answers_what_it_has_taken(warehouse_url: str, query: Query) -> None:
    with receiver("never", warehouse_url) as (address, process):

        def stop_at(count: int) -> None:
            if count == 100:
                process.terminate()

        answered = Sender(address, stop_at).send(EVENTS)
        process.wait()
    assert {event_id for (event_id,) in query(IDS)} == set(answered)
