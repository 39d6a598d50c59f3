"""A whole Airflow on loopback: its settings, its four processes, and its REST interface."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from kizuna import settings
from kizuna.local.processes import Daemon

if TYPE_CHECKING:
    from collections.abc import Callable

PROCESSES = {
    "api-server": ["api-server", "--workers", "1"],
    "scheduler": ["scheduler"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer"],
}
START_SECONDS = 120


class AirflowError(RuntimeError):
    """Airflow did not start or did not answer; the text names the process and its log."""


def environment(*, metadata_url: str, port: int) -> dict[str, str]:
    """Airflow's settings as environment variables; secrets are made once and kept in the home folder."""
    home = settings.home() / "airflow"
    (home / "plugins").mkdir(parents=True, exist_ok=True)
    kept = _secrets()
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(settings.PROJECT / "dags"),
        # Our own plugin comes by its entry point; Airflow would import every file of plugins/ as a module of its own.
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "3",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DEFAULT_TASK_RETRIES": os.environ.get("KIZUNA_TASK_RETRIES", "1"),
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "30",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__FERNET_KEY": kept["fernet"],
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__SECRET_KEY": kept["api"],
        "AIRFLOW__API_AUTH__JWT_SECRET": kept["jwt"],
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_url.replace("postgresql://", "postgresql+psycopg2://"),
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
        # Tasks of a system that was killed are found and run again within a minute, not within five.
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "60",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def migrate(variables: dict[str, str]) -> None:
    """Bring the metadata database up to date.

    Raises:
        AirflowError: with the end of what the command printed.
    """
    done = subprocess.run(  # noqa: S603 - our own command
        [_program(), "db", "migrate"], env=variables, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        message = f"`airflow db migrate` failed with status {done.returncode}: {(done.stdout + done.stderr)[-1500:]}"
        raise AirflowError(message)


def start(variables: dict[str, str]) -> None:
    """Start the four processes; those that run already stay."""
    for name, arguments in PROCESSES.items():
        daemon(name).start([_program(), *arguments], variables)


def daemon(name: str) -> Daemon:
    """The process of that name."""
    return Daemon(name, settings.home())


def _program() -> str:
    return str(Path(sys.executable).parent / "airflow")


def _secrets() -> dict[str, str]:
    file = settings.home() / "airflow" / "secrets.json"
    if not file.exists():
        sizes = {"fernet": 32, "api": 32, "jwt": 64}
        made = {name: urlsafe_b64encode(secrets.token_bytes(size)).decode() for name, size in sizes.items()}
        file.touch(mode=0o600)
        file.write_text(json.dumps(made))
    kept: dict[str, str] = json.loads(file.read_text())
    return kept


class AirflowClient:
    """Airflow's REST interface, version 2, as the local administrator."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._http = httpx.Client(base_url=base_url, timeout=60)

    def wait_until_ready(self, expected_dags: set[str], tell: Callable[[str], None]) -> None:
        """Return when the server answers and every DAG has been read.

        Raises:
            AirflowError: when a process ended, a DAG file does not import, or it takes longer than START_SECONDS.
        """
        deadline = time.monotonic() + START_SECONDS
        missing, told = expected_dags, -1
        while missing:
            time.sleep(0.5)
            for name in PROCESSES:
                if daemon(name).process() is None:
                    message = f"Airflow's {name} ended (log: {daemon(name).log}):\n{daemon(name).last_lines()}"
                    raise AirflowError(message)
            if time.monotonic() > deadline:
                logs = daemon("api-server").log.parent
                message = f"Airflow was not ready after {START_SECONDS} s: missing {sorted(missing)} (logs: {logs})"
                raise AirflowError(message)
            missing = expected_dags - self._known_dags()
            if len(missing) != told:
                told = len(missing)
                tell(f"{len(expected_dags) - told} of {len(expected_dags)} DAGs read")

    def trigger(self, dag_id: str) -> str:
        """Start a run and return its id."""
        answer = self._call("POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None})
        return str(answer["dag_run_id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The latest runs of a DAG, newest first."""
        answer = self._call("GET", f"/dags/{dag_id}/dagRuns", params={"order_by": "-run_after", "limit": 20})
        return list(answer["dag_runs"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        """queued, running, success or failed."""
        return str(self._call("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def forget_queued_events(self, dag_id: str) -> None:
        """Drop data events that an earlier, unfinished walk left waiting for `dag_id`."""
        self._request("DELETE", f"/dags/{dag_id}/assets/queuedEvents", allowed=frozenset({404}))

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of one run."""
        return list(self._call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"])

    def import_errors(self) -> list[str]:
        """Why DAG files do not import; empty when all do."""
        errors = self._call("GET", "/importErrors")["import_errors"]
        return [f"{error['filename']}: {error['stack_trace']}" for error in errors]

    def _known_dags(self) -> set[str]:
        try:
            known = {str(dag["dag_id"]) for dag in self._call("GET", "/dags", params={"limit": 200})["dags"]}
            errors = self.import_errors()
        except (httpx.HTTPError, AirflowError):
            return set()
        if errors:
            raise AirflowError("A DAG file does not import: " + errors[0][-1500:])
        return known

    def _request(
        self,
        method: str,
        path: str,
        *,
        allowed: frozenset[int] = frozenset(),
        **arguments: Any,  # noqa: ANN401 - httpx's own
    ) -> httpx.Response:
        if "Authorization" not in self._http.headers:
            token = self._http.get("/auth/token")
            if token.status_code not in {200, 201}:
                message = f"Airflow gave no token: {token.status_code} {token.text[:200]}"
                raise AirflowError(message)
            self._http.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        answer = self._http.request(method, f"/api/v2{path}", **arguments)
        if answer.is_error and answer.status_code not in allowed:
            message = f"Airflow answered {answer.status_code} to {method} {path}: {answer.text[:500]}"
            raise AirflowError(message)
        return answer

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401
        body: dict[str, Any] = self._request(method, path, **arguments).json()
        return body
