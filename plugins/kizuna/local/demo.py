"""The guided demo: run every DAG to its end on the local system, show the progress, say what failed and where."""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import psycopg

from kizuna import settings
from kizuna.local import airflow, databases, system
from kizuna.local.postgres import PostgresUnavailableError
from kizuna.local.processes import Daemon, memory_bytes
from kizuna.pipeline import SOURCES_OF_MARTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from kizuna.local.world import World

POLL_SECONDS = 0.5
# A run that was cut off by a kill is finished first, and only then comes ours.
TRIGGER_SECONDS = 240
HEARTBEAT_SECONDS = 10
FAILURES = (
    airflow.AirflowError,
    databases.LocalSystemError,
    httpx.HTTPError,
    psycopg.OperationalError,
    PostgresUnavailableError,
)
ENDED = {"success", "failed", "upstream_failed", "skipped", "removed"}


class StepFailedError(RuntimeError):
    """A step of the demo failed; the text names the step, why, and its log."""


class Screen:
    """Progress for people: one line per step with the time since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._last = self._began

    def tell(self, text: str) -> None:
        """Print one line."""
        self._last = time.monotonic()
        print(f"[{self._last - self._began:6.1f} s] {text}", flush=True)  # noqa: T201 - this is the screen

    def heartbeat(self, running: Iterable[str]) -> None:
        """Say what runs when nothing has been said for HEARTBEAT_SECONDS."""
        if time.monotonic() - self._last >= HEARTBEAT_SECONDS:
            self.tell(f"  … {', '.join(running) or 'waiting for Airflow'}")

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began


class MemoryWatch(threading.Thread):
    """The peak memory of the whole system, sampled once a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self._available_before = psutil.virtual_memory().available
        self._stopped = threading.Event()

    def run(self) -> None:
        """Sample until stopped."""
        while not self._stopped.wait(1):
            known, guarded = memory_bytes(self._processes())
            # What the machine has less of than before bounds what guarded processes do not share.
            gone = self._available_before - psutil.virtual_memory().available
            self.peak_bytes = max(self.peak_bytes, known + min(guarded, max(0, gone - known)))

    def stop(self) -> int:
        """End sampling and return the peak in bytes."""
        self._stopped.set()
        return self.peak_bytes

    def _processes(self) -> list[psutil.Process]:
        daemons = [Daemon(name, settings.home()).process() for name in system.PROCESSES]
        found = [psutil.Process(), *(process for process in daemons if process)]
        if server := databases.cluster().process_id():
            found.append(psutil.Process(server))
        return found


@dataclass
class Walk:
    """One walk of the whole path through Airflow."""

    client: airflow.AirflowClient
    screen: Screen
    seconds_per_step: dict[str, float] = field(default_factory=dict)

    def run(self, sources: Sequence[str]) -> None:
        """Ingest these sources, then follow transform and activate, which start by themselves.

        Raises:
            StepFailedError: at the first DAG run that fails.
        """
        for dag in ("transform", "activate"):
            self.client.forget_queued_events(dag)
        before = {dag: self._newest(dag) for dag in ("transform", "activate")}
        # The transform starts with the last source of the marts: what else there is has landed by then.
        for are_of_marts in (False, True):
            dags = [f"ingest_{name}" for name in sorted(sources) if (name in SOURCES_OF_MARTS) is are_of_marts]
            self._follow({dag: self.client.trigger(dag) for dag in dags})
        for dag in ("transform", "activate"):
            self._follow({dag: self._wait_for_new(dag, before[dag])})

    def _newest(self, dag_id: str) -> str:
        runs = self.client.runs(dag_id)
        return str(runs[0]["dag_run_id"]) if runs else ""

    def _wait_for_new(self, dag_id: str, previous: str) -> str:
        deadline = time.monotonic() + TRIGGER_SECONDS
        while (newest := self._newest(dag_id)) == previous:
            if time.monotonic() > deadline:
                log = airflow.daemon("scheduler").log
                message = f"{dag_id} did not start within {TRIGGER_SECONDS} s of its data being ready (log: {log})"
                raise StepFailedError(message)
            time.sleep(POLL_SECONDS)
            self.screen.heartbeat([f"waiting for {dag_id}: an earlier run ends first"])
        return newest

    def _follow(self, runs: dict[str, str]) -> None:
        told: set[str] = set()
        waiting = dict(runs)
        while waiting:
            time.sleep(POLL_SECONDS)
            running: list[str] = []
            for dag_id, run_id in list(waiting.items()):
                # The state first: a run that has ended has ended all its tasks, and none is left untold.
                state = self.client.run_state(dag_id, run_id)
                tasks = self.client.tasks(dag_id, run_id)
                self._tell_ended(dag_id, tasks, told)
                running += [f"{dag_id}.{task['task_id']}" for task in tasks if task["state"] == "running"]
                if state == "failed":
                    raise StepFailedError(_failure(dag_id, run_id, tasks))
                if state == "success":
                    del waiting[dag_id]
            self.screen.heartbeat(running)

    def _tell_ended(self, dag_id: str, tasks: list[dict[str, Any]], told: set[str]) -> None:
        ended = [task for task in tasks if task["state"] in ENDED and f"{dag_id}.{task['task_id']}" not in told]
        for task in sorted(ended, key=lambda task: task["end_date"] or ""):
            step = f"{dag_id}.{task['task_id']}"
            told.add(step)
            self.seconds_per_step[step] = float(task["duration"] or 0)
            mark = "✓" if task["state"] == "success" else "✗"
            self.screen.tell(f"{mark} {step:<34} {self.seconds_per_step[step]:6.1f} s")


def _failure(dag_id: str, run_id: str, tasks: list[dict[str, Any]]) -> str:
    failed = next((task for task in tasks if task["state"] == "failed"), None)
    if failed is None:
        return f"{dag_id} failed without a failed task (log: {airflow.daemon('scheduler').log})"
    log = _task_log(dag_id, run_id, failed)
    return f"{dag_id}.{failed['task_id']} failed: {_reason(log)}\n  log: {log}"


def _task_log(dag_id: str, run_id: str, task: dict[str, Any]) -> Path:
    folder = settings.home() / "airflow" / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}"
    return folder / f"task_id={task['task_id']}" / f"attempt={task['try_number']}.log"


def _reason(log: Path) -> str:
    """The exception that ended the task, from the last error of its log."""
    reason = "the task ended without an error of its own; see the log"
    for line in log.read_text(errors="replace").splitlines() if log.exists() else []:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        details = record.get("error_detail") if isinstance(record, dict) else None
        if details:
            reason = f"{details[0]['exc_type']}: {details[0]['exc_value']}"
    return reason


def run(world: World, sources: Sequence[str]) -> int:
    """Run the demo on these sources; returns the exit status (0, or 1 after saying what failed)."""
    from kizuna.local.summary import tell_summary  # noqa: PLC0415 - only a finished demo needs it

    screen, memory = Screen(), MemoryWatch()
    memory.start()
    was_up = system.is_up()
    try:
        running = system.up(world, screen.tell, ingest_schedule="")
        walk = Walk(airflow.AirflowClient(running.airflow_url), screen)
        walk.run(sources)
        tell_summary(running, walk.seconds_per_step, screen.seconds, memory.stop())
    except (StepFailedError, *FAILURES) as error:
        print(f"\nThe demo stopped: {error}", file=sys.stderr)  # noqa: T201
        return 1
    finally:
        memory.stop()
        if not was_up:
            system.down()
            screen.tell("Stopped what was started; the data stays. `make up` keeps the system running with its UI.")
    return 0
