"""Killed at any instant, a landing of files, of a bulk operation or of the inbox ends as after one clean run."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import standing_still
from standing_still import BY_PAGE, POLLS, land_files, land_inbox, land_orders, no_wait

from kizuna import bulk, warehouse

if TYPE_CHECKING:
    from pathlib import Path

Query = Callable[..., list[tuple[Any, ...]]]
KARTE = "sync_date,user_id,visitor_id,session_id,event_name,values\n{0}T03:00:00Z,u,v,s,view,\nnot {0},u,v,s,view,\n"
DAYS = ("2026-11-20", "2026-11-21")
LANDED = """
select
    (select count(*) from raw.karte__events),
    (select count(distinct _record_id) from raw.karte__events),
    (select count(*) from ops.landed_files),
    (select coalesce(sum(seen_count), 0)::int from ops.quarantine),
    (select count(*) from ops.watermarks),
    (select count(*) from ops.landings)
"""
NOTHING, EVERYTHING = (0, 0, 0, 0, 0, 0), (2, 2, 2, 2, 1, 1)
ORDERS = "select _record_id, encode(_payload_hash, 'hex') from raw.shopify__orders order by 1, 2"
EVENTS = "select _record_id from raw.line__webhooks order by _record_id"
LEAVE_FOUR_MORE = """
insert into shopify_bulk (query, created, polls_left)
select query, created, ? from shopify_bulk, (values (1), (2), (3), (4))
"""
RECEIVE = "insert into ops.webhook_inbox (vendor, event_id, topic, body) values ('line', %s, 'follow', '{}')"


def kill_at(instant: str, name: str, url: str, folder: Path) -> None:
    """Land in a process of its own until the instant, and kill it there."""
    command = [sys.executable, standing_still.__file__, name, instant, url, str(folder)]
    # What a killed process leaves lies beside the test's own files.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(folder.parent)}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == "here\n"
        victim.kill()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "folder"
    found.mkdir()
    return found


@pytest.mark.parametrize("instant", ["copying", "collected", "insert_files", "watermark", "committed"])
def test_files_are_landed_and_remembered_together_or_not_at_all_and_each_once(
    instant: str, warehouse_url: str, folder: Path, query: Query
) -> None:
    for day in DAYS:
        path = folder / f"karte_event_{day}.csv"
        path.write_text(KARTE.format(day), encoding="utf-8")
        os.utime(path, (0, 0))
    kill_at(instant, "files", warehouse_url, folder)
    assert query(LANDED) == [EVERYTHING if instant == "committed" else NOTHING]

    again = land_files(warehouse_url, folder, no_wait)
    assert again.landed_count == (0 if instant == "committed" else 2)
    assert query(LANDED)[0][:5] == EVERYTHING[:5]
    assert land_files(warehouse_url, folder, no_wait).read_count == 0


@pytest.mark.parametrize("instant", ["download", "file half read", "watermark", "committed"])
def test_a_bulk_operation_begun_again_lands_what_paging_lands(
    instant: str, warehouse_url: str, folder: Path, query: Query
) -> None:
    kill_at(instant, "orders", warehouse_url, folder)
    assert bool(query(ORDERS)) == (instant == "committed")
    assert not [path for path in folder.parent.glob("kizuna-bulk-*/*") if path.is_file()]

    again = land_orders(warehouse_url, folder, no_wait)
    landed = query(ORDERS)
    assert again.landed_count == (0 if instant == "committed" else len(landed))
    assert landed == paged(warehouse_url, folder, query)


def test_operations_that_killed_runs_left_are_waited_for(warehouse_url: str, folder: Path, query: Query) -> None:
    kill_at("polling", "orders", warehouse_url, folder)
    with closing(sqlite3.connect(folder / "sandbox.sqlite")) as shop, shop:
        shop.execute(LEAVE_FOUR_MORE, [POLLS])
    slept: list[float] = []

    land_orders(warehouse_url, folder, slept.append)

    assert slept[0] == bulk.LONGEST_POLL_SECONDS
    assert query(ORDERS) == paged(warehouse_url, folder, query)


def paged(warehouse_url: str, folder: Path, query: Query) -> list[tuple[Any, ...]]:
    """Forget what was landed, and land it by page."""
    with warehouse.connect(warehouse_url) as session:
        session.execute("truncate raw.shopify__orders")
        session.execute("delete from ops.watermarks")
    land_orders(warehouse_url, folder, no_wait, BY_PAGE)
    found = query(ORDERS)
    assert found
    return found


@pytest.mark.parametrize("instant", ["insert_versions", "watermark", "record", "committed"])
def test_no_event_of_the_inbox_is_lost_or_landed_twice(
    instant: str, warehouse_url: str, folder: Path, query: Query
) -> None:
    """Some are forgotten when a reading starts, one is committed late, and one comes after the kill."""
    with warehouse.connect(warehouse_url, "kizuna_webhooks") as session:
        session.execute(RECEIVE, ["a"])
    land_inbox(warehouse_url, folder, no_wait)
    with (
        warehouse.connect(warehouse_url, "kizuna_webhooks") as session,
        warehouse.connect(warehouse_url, "kizuna_webhooks") as late,
    ):
        late.execute(RECEIVE, ["late"])
        session.execute(RECEIVE, ["b"])
        session.commit()
        with warehouse.connect(warehouse_url) as owner:
            owner.execute("update ops.webhook_inbox set received_at = received_at - interval '31 days'")
        kill_at(instant, "inbox", warehouse_url, folder)
        assert query(EVENTS) == ([("a",), ("b",)] if instant == "committed" else [("a",)])
        session.execute(RECEIVE, ["c"])
        late.commit()

    land_inbox(warehouse_url, folder, no_wait)

    assert query(EVENTS) == [("a",), ("b",), ("c",), ("late",)]
    assert land_inbox(warehouse_url, folder, no_wait).read_count == 0
