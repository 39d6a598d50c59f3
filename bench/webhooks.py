"""Events a second through the receiver, against a bare loop that inserts and commits each event.

Run by hand: `.venv/bin/python bench/webhooks.py [--events 6000] [--record]`. Each request holds one event, signed as
LINE signs, and is answered after its commit; sender, receiver and a durable Postgres share the machine. The bare loop
has no HTTP, no signature and no parsing: it is what storing each event by itself costs.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hmac
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import psycopg
from results import record

from kizuna import warehouse
from kizuna.local.postgres import Cluster, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "0123456789abcdef0123456789abcdef"
CONNECTIONS = 64
MUST, GOAL = 1_000, 2_000
INSERT = "insert into ops.webhook_inbox (vendor, event_id, topic, body) values ('line', %s, 'follow', %s)"


def event(number: int) -> bytes:
    """Write an event of the size that LINE's have."""
    return orjson.dumps(
        {
            "type": "follow",
            "mode": "active",
            "timestamp": 1_795_305_600_000 + number,
            "source": {"type": "user", "userId": f"U{number:032x}"},
            "webhookEventId": f"01J{number:023}",
            "deliveryContext": {"isRedelivery": False},
            "replyToken": f"{number:032x}",
            "follow": {"isUnblocked": False},
        }
    )


def request(number: int) -> bytes:
    """Write a whole request beforehand, so that sending costs next to nothing."""
    body = b'{"destination":"U0","events":[%s]}' % event(number)
    signature = base64.b64encode(hmac.digest(SECRET.encode(), body, "sha256"))
    return (
        b"POST /webhooks/line HTTP/1.1\r\nHost: receiver\r\nContent-Type: application/json\r\n"
        b"X-Line-Signature: %s\r\nContent-Length: %d\r\n\r\n%s" % (signature, len(body), body)
    )


async def send_all(port: int, requests: list[bytes]) -> tuple[float, list[float]]:
    """Send over CONNECTIONS connections; the seconds of all, and of each until its 200."""
    waits: list[float] = []

    async def send_share(share: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for content in share:
            began = time.perf_counter()
            writer.write(content)
            answered = await reader.readuntil(b"\r\n\r\n")
            if not answered.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(answered.decode())
            waits.append(time.perf_counter() - began)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(send_share(requests[place::CONNECTIONS]) for place in range(CONNECTIONS)))
    return time.perf_counter() - began, waits


def insert_all(url: str, count: int) -> float:
    """Insert and commit one event after the other."""
    rows = [(f"01J{number:023}", event(number)) for number in range(count)]
    with psycopg.connect(url, autocommit=True) as session:
        began = time.perf_counter()
        for row in rows:
            session.execute(INSERT, row)
        return time.perf_counter() - began


@contextmanager
def receiver(url: str) -> Iterator[int]:
    """Run the receiver in a process of its own."""
    port = free_port(0)
    account = {"host": "https://api.line.me", "extra": {"webhook_secret": SECRET}}
    variables = {**os.environ, "WAREHOUSE_URL": url, "AIRFLOW_CONN_LINE": json.dumps(account)}
    command = [sys.executable, "-c", f"from kizuna.webhooks import serve; serve.run('127.0.0.1', {port})"]
    with subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL) as process:
        asyncio.run(listening(port))
        yield port
        process.terminate()


async def listening(port: int) -> None:
    """Wait until somebody listens."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


def run(events: int, rounds: int) -> str:
    """Measure both sides turn about and describe them."""
    requests = [request(number) for number in range(events)]
    received, bare, waits = [], [], list[float]()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder) / "postgres")
        cluster.start()
        try:
            warehouse.prepare(cluster.create_database("prepared"))
            for number in range(rounds):
                url = cluster.create_database(f"received_{number}", template="prepared")
                warehouse.prepare(url)
                with receiver(url) as port:
                    seconds, waited = asyncio.run(send_all(port, requests))
                received.append(events / seconds)
                waits += waited
                with psycopg.connect(url) as session:
                    row = session.execute("select count(*), count(distinct transaction_id) from ops.webhook_inbox")
                    stored, commits = row.fetchone() or (0, 0)
                if stored != events:
                    message = f"{events} events were answered with 200, {stored} are stored"
                    raise RuntimeError(message)
                url = cluster.create_database(f"bare_{number}", template="prepared")
                bare.append(events / insert_all(url, events))
        finally:
            cluster.stop()
    speed, bare_speed = statistics.median(received), statistics.median(bare)
    verdict = "goal met" if speed >= GOAL else "must met" if speed >= MUST else "NOT MET"
    slow = statistics.quantiles(waits, n=100)[98]
    return (
        f"webhooks: {speed:,.0f} events/s, each signed and answered after its commit ({verdict}; goal {GOAL:,}, must "
        f"{MUST:,}); a bare loop that commits each: {bare_speed:,.0f}/s, ratio {speed / bare_speed:.2f}; "
        f"{stored / commits:.0f} events a commit, 99 of 100 answered within {slow * 1000:.0f} ms; {events:,} events"
    )


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=6_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--record", action="store_true", help="append the result to bench/results.md")
    arguments = parser.parse_args()
    line = run(arguments.events, arguments.rounds)
    print(line)
    if arguments.record:
        record(line)


if __name__ == "__main__":
    main()
