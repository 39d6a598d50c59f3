"""The local system as a whole: Postgres, warehouse, sandbox, Airflow and receiver, up and down together."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from kizuna import settings, strategy
from kizuna.local import airflow, databases, vendors, webhooks
from kizuna.local.postgres import free_port
from kizuna.local.processes import Daemon, stop_all
from kizuna.sources import SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kizuna.local.world import World

PROCESSES = (*airflow.PROCESSES, "sandbox", webhooks.NAME)
READY_SECONDS = 120
DAGS = {"transform", "activate", "sweep", *(f"ingest_{name}" for name in SOURCES)}


def up(world: World, tell: Callable[[str], None], *, ingest_schedule: str) -> databases.Running:
    """Start what is not running for `world`; what runs for another world is restarted on this one.

    Raises:
        LocalSystemError: when the warehouse holds another world's data.
    """
    before = databases.Running.load()
    if before and before.started_with != _started_with(world):
        stop_processes()
    warehouse_url, metadata_url = databases.open_databases(world, tell)
    sandbox_url = _launch_sandbox(world, tell)
    port = _port(before.airflow_url if before else "")
    variables = (
        _environment(warehouse_url, sandbox_url, world)
        | airflow.environment(metadata_url=metadata_url, port=port)
        | {"KIZUNA_INGEST_SCHEDULE": ingest_schedule}
    )
    _migrate_once(variables, metadata_url, tell)
    tell("Airflow: starting api-server, scheduler, dag-processor, triggerer")
    airflow.start(variables)
    _await_ready("sandbox", sandbox_url, "/_sandbox/health")
    webhooks_port = _port(before.webhooks_url if before else "")
    webhooks.start(webhooks_port, sandbox_url, variables)
    running = databases.Running(
        warehouse_url,
        f"http://127.0.0.1:{port}",
        sandbox_url,
        world.key(),
        _started_with(world),
        f"http://127.0.0.1:{webhooks_port}",
    )
    running.save()
    airflow.AirflowClient(running.airflow_url).wait_until_ready(DAGS, lambda text: tell(f"Airflow: {text}"))
    _await_ready(webhooks.NAME, running.webhooks_url, "/health")
    return running


@contextmanager
def outside(world: World, tell: Callable[[str], None]) -> Iterator[dict[str, str]]:
    """Run the warehouse and the vendors, without Airflow, inside the block; gives the steps' environment."""
    warehouse_url, _ = databases.open_databases(world, tell)
    try:
        sandbox_url = _launch_sandbox(world, tell)
        _await_ready("sandbox", sandbox_url, "/_sandbox/health")
        yield _environment(warehouse_url, sandbox_url, world)
    finally:
        down()


def stop_processes() -> list[str]:
    """Stop Airflow, the sandbox and the receiver; returns the names of what ran."""
    daemons = [Daemon(name, settings.home()) for name in PROCESSES]
    ran = [daemon.name for daemon in daemons if daemon.process()]
    stop_all(daemons)
    return ran


def down() -> list[str]:
    """Stop everything; returns the names of what ran."""
    ran = stop_processes()
    if databases.cluster().port() is not None:
        ran.append("postgres")
    databases.cluster().stop()
    return ran


def _started_with(world: World) -> str:
    """What running processes cannot learn any more: another world, day, zone, currency or strategy restarts them."""
    return " ".join([world.key(), str(world.as_of), world.timezone, world.currency, str(strategy.path())])


def is_up() -> bool:
    """Whether every process of Airflow runs."""
    return all(airflow.daemon(name).process() for name in airflow.PROCESSES)


def processes() -> dict[str, bool]:
    """Each part of the system and whether it runs."""
    parts = {name: Daemon(name, settings.home()).process() is not None for name in PROCESSES}
    if not os.environ.get("WAREHOUSE_URL"):
        parts["postgres"] = databases.cluster().port() is not None
    return parts


def _launch_sandbox(world: World, tell: Callable[[str], None]) -> str:
    """Start the sandbox unless the environment has real accounts; it needs seconds to be ready."""
    if vendors.are_real():
        return ""
    daemon = Daemon("sandbox", settings.home())
    before = databases.Running.load()
    port = _port(before.sandbox_url if before else "")
    url = f"http://127.0.0.1:{port}"
    if daemon.process() and before and world.as_of:
        daemon.stop()  # a later AS_OF moves its clock
    tell("Sandbox: starting the vendors on loopback")
    state = vendors.state_folder(world.key())
    state.mkdir(parents=True, exist_ok=True)
    program = str(Path(sys.executable).parent / "kizuna")
    command = [program, "sandbox", "--port", str(port), "--state-dir", str(state), "--exports", *world.arguments()]
    daemon.start(command, os.environ)
    return url


def _await_ready(name: str, url: str, path: str) -> None:
    daemon = Daemon(name, settings.home())
    deadline = time.monotonic() + READY_SECONDS
    while url and not _answers(f"{url}{path}"):
        if daemon.process() is None or time.monotonic() > deadline:
            message = f"The process {name!r} did not start (log: {daemon.log}):\n{daemon.last_lines()}"
            raise databases.LocalSystemError(message)
        time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False


def _environment(warehouse_url: str, sandbox_url: str, world: World) -> dict[str, str]:
    given: dict[str, Any] = {
        "WAREHOUSE_URL": warehouse_url,
        "KIZUNA_PROJECT": str(settings.PROJECT),
        "KIZUNA_HOME": str(settings.home()),
        "KIZUNA_TIMEZONE": world.timezone,
        "KIZUNA_CURRENCY": world.currency,
        "KIZUNA_AS_OF": str(world.as_of or ""),
    }
    return vendors.variables(sandbox_url, world.key()) | dict(os.environ) | given


def _migrate_once(variables: dict[str, str], metadata_url: str, tell: Callable[[str], None]) -> None:
    """Migrating takes seconds even when there is nothing to do, so it is done once per version and database."""
    from importlib.metadata import version  # noqa: PLC0415 - only here

    done = settings.home() / "airflow" / "migrated"
    wanted = f"{version('apache-airflow')} {urlsplit(metadata_url).path}"
    if not done.exists() or done.read_text() != wanted:
        tell("Airflow: creating its metadata tables")
        airflow.migrate(variables)
        done.write_text(wanted)


def _port(previous_url: str) -> int:
    """The previous port when it is free or ours, else a free one."""
    preferred = urlsplit(previous_url).port or 0
    ours = ("/_sandbox/health", "/api/v2/version", "/health")
    if preferred and any(_answers(f"{previous_url}{path}") for path in ours):
        return preferred
    return free_port(preferred)
