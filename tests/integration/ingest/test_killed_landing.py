"""A landing killed at any instant leaves all of its window or nothing, and a new run ends as if nothing happened."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Runs in a process of its own: lands two pages, and stands still at the named instant until it is killed.
VICTIM = """
import sys, time
sys.path.insert(0, sys.argv[3])
from scripted import CONNECTION, LISTED, ScriptedSource, record
from kizuna import landing

def stand_still():
    print("here", flush=True)
    sys.stdin.read()

instant, url, _, shape = sys.argv[1:5]
source = ScriptedSource([[[record("a")], [record("b")]]])
if shape == "kept cursor":
    source.cursor, source.says = "after b", "nothing"
elif shape == "part of a snapshot":
    source.stream, source.scopes = LISTED, ["day"]
    source.walks = [[[record("day/a")], [record("day/b")]]]

def before(owner, name):
    real = getattr(owner, name)
    setattr(owner, name, lambda *values, **named: (stand_still(), real(*values, **named))[1])

if instant == "second_page":
    source.at_page = lambda number: stand_still() if number == 1 else None
elif instant == "none":
    pass
elif instant == "committed":
    real = landing._commit
    landing._commit = lambda *values, **named: (real(*values, **named), stand_still())[0]
else:
    before(*{
        "collect": (landing.RawTable, "collect"),
        "vendor_count": (source, "count"),
        "insert_versions": (landing.RawTable, "insert_versions"),
        "insert_quarantine": (landing.RawTable, "insert_quarantine"),
        "watermark": (landing.RawTable, "move_watermark"),
        "record": (landing, "_record"),
    }[instant])
landing.land_stream(source, source.stream, CONNECTION, url, "killed")
"""
STATE = """
select
    (select count(*) from raw.scripted__things),
    (select count(*) from ops.watermarks),
    (select count(*) from ops.landings)
"""
INSTANTS = ("second_page", "collect", "vendor_count", "insert_versions", "insert_quarantine", "watermark", "record")

Query = Callable[..., list[tuple[Any, ...]]]


def start(instant: str, url: str, shape: str = "window") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", VICTIM, instant, url, str(Path(__file__).parent), shape]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def kill_at(instant: str, url: str, shape: str = "window") -> None:
    with start(instant, url, shape) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == "here\n"
        victim.kill()


def run_to_the_end(url: str, shape: str = "window") -> None:
    with start("none", url, shape) as run:
        run.communicate(timeout=60)
    assert run.returncode == 0


@pytest.mark.parametrize("instant", INSTANTS)
def test_killed_before_the_commit_nothing_is_there_and_a_new_run_lands_it_all(
    instant: str, warehouse_url: str, query: Query
) -> None:
    kill_at(instant, warehouse_url)
    assert query(STATE) == [(0, 0, 0)]

    run_to_the_end(warehouse_url)
    assert query(STATE) == [(2, 1, 1)]


def test_killed_after_the_commit_everything_is_there_and_a_new_run_adds_nothing(
    warehouse_url: str, query: Query
) -> None:
    kill_at("committed", warehouse_url)
    assert query(STATE) == [(2, 1, 1)]

    run_to_the_end(warehouse_url)
    assert query(STATE) == [(2, 1, 2)]


@pytest.mark.parametrize("instant", ["vendor_count", "insert_versions", "watermark", "committed"])
@pytest.mark.parametrize("shape", ["kept cursor", "part of a snapshot"])
def test_killed_at_any_instant_a_cursor_and_a_snapshot_end_as_after_one_clean_run(
    shape: str, instant: str, warehouse_url: str, query: Query
) -> None:
    kept = "select cursor from ops.watermarks"
    deleted = "select count(*) from raw.scripted__things where _is_deleted"
    kill_at(instant, warehouse_url, shape)
    is_there = instant == "committed"
    assert query(STATE) == [(2, 1, 1) if is_there else (0, 0, 0)]

    run_to_the_end(warehouse_url, shape)
    assert query(STATE) == [(2, 1, 2) if is_there else (2, 1, 1)]
    assert query(kept) == [("after b",) if shape == "kept cursor" else (None,)]
    assert query(deleted) == [(0,)]
