"""The long-running processes of the local system: start once, find again, stop with their children."""

from __future__ import annotations

import contextlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Airflow's triggerer takes up to ten to end by itself; whatever is cut off here is taken up again by the next start.
STOP_SECONDS = 5

# Children of this very process by id, so that a stopped one is reaped; those of earlier commands belong to init.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Daemon:
    """One background process, known by a file that holds its id and the moment it began."""

    name: str
    folder: Path

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.folder / "logs" / f"{self.name}.log"

    def start(self, command: list[str], environment: Mapping[str, str]) -> None:
        """Start the process in a session of its own, so that it outlives us; nothing happens when it runs."""
        if self.process():
            return
        for folder in (self.log.parent, self._file.parent):
            folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            started = subprocess.Popen(  # noqa: S603 - our own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
            )
        _children[started.pid] = started
        # A process id alone may be another program's by the time we look again.
        identity = {"pid": started.pid, "began": psutil.Process(started.pid).create_time()}
        self._file.write_text(json.dumps(identity))

    def process(self) -> psutil.Process | None:
        """The running process, or None."""
        if not self._file.exists():
            return None
        identity = json.loads(self._file.read_text())
        try:
            process = psutil.Process(identity["pid"])
            same = abs(process.create_time() - identity["began"]) < 1
            running = process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if same and running else None

    def stop(self) -> None:
        """Ask the process and its children to end, and end what is left after STOP_SECONDS."""
        stop_all([self])

    def forget(self) -> None:
        """Drop what was kept of a process that has ended."""
        if self._file.exists() and (child := _children.pop(json.loads(self._file.read_text())["pid"], None)):
            child.wait(timeout=5)
        self._file.unlink(missing_ok=True)

    def last_lines(self, count: int = 15) -> str:
        """The end of the log, for an error message."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])

    @property
    def _file(self) -> Path:
        return self.folder / "run" / f"{self.name}.json"


def stop_all(daemons: Iterable[Daemon]) -> None:
    """Ask all processes and their children to end at once, and end what is left after STOP_SECONDS."""
    stopping = list(daemons)
    running = [process for daemon in stopping if (process := daemon.process())]
    family = [member for process in running for member in [process, *process.children(recursive=True)]]
    _signal(family, "terminate")
    _, left = psutil.wait_procs(family, timeout=STOP_SECONDS)
    _signal(left, "kill")
    psutil.wait_procs(left, timeout=5)
    for daemon in stopping:
        daemon.forget()


def memory_bytes(processes: Iterable[psutil.Process]) -> tuple[int, int]:
    """The memory of the processes and their children: of those whose share is known, and of the others in full.

    Linux tells each process's share (PSS), but not of one that guards its memory, as Airflow's tasks do, unless we are
    root; the second figure counts what such processes share with others again for each.
    """
    known, guarded, seen = 0, 0, set()
    for process in processes:
        with contextlib.suppress(psutil.Error):
            for member in [process, *process.children(recursive=True)]:
                if member.pid not in seen:
                    seen.add(member.pid)
                    share = _share_bytes(member)
                    known += share or 0
                    guarded += member.memory_info().rss if share is None else 0
    return known, guarded


def _share_bytes(process: psutil.Process) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return None


def _signal(processes: Iterable[psutil.Process], action: str) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            getattr(process, action)()
