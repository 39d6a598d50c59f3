"""Background processes: started once, found again by a later command, stopped with their children."""

import os
import sys
from pathlib import Path

import psutil

from kizuna.local.processes import Daemon, memory_bytes

SLEEPER = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
SLEEPER += "print('ready', flush=True); time.sleep(600)"


def _family(daemon: Daemon) -> list[psutil.Process]:
    process = daemon.process()
    assert process
    while not process.children(recursive=True):
        pass
    return [process, *process.children(recursive=True)]


def test_a_second_start_and_a_second_object_find_the_first(tmp_path: Path):
    daemon = Daemon("sleeper", tmp_path)
    daemon.start([sys.executable, "-c", SLEEPER], os.environ)
    try:
        first = daemon.process()
        daemon.start([sys.executable, "-c", SLEEPER], os.environ)
        assert Daemon("sleeper", tmp_path).process() == first
        _family(daemon)  # it runs its program now, and is no longer the copy of us that will become it
        assert memory_bytes([first])[0] > 1_000_000
    finally:
        daemon.stop()


def test_stopping_leaves_no_child_behind(tmp_path: Path):
    daemon = Daemon("sleeper", tmp_path)
    daemon.start([sys.executable, "-c", SLEEPER], os.environ)
    family = _family(daemon)
    daemon.stop()
    assert daemon.process() is None
    assert not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in family)


def test_another_process_with_a_forgotten_id_is_not_ours(tmp_path: Path):
    daemon = Daemon("forgotten", tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "forgotten.json").write_text(f'{{"pid": {os.getpid()}, "began": 1.0}}')
    assert daemon.process() is None
    daemon.stop()
    assert psutil.pid_exists(os.getpid())


def test_a_program_that_ends_leaves_its_last_words(tmp_path: Path):
    daemon = Daemon("short", tmp_path)
    daemon.start([sys.executable, "-c", "raise SystemExit('no such option')"], os.environ)
    while daemon.process():
        pass
    daemon.stop()
    assert "no such option" in daemon.last_lines()
