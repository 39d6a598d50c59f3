"""A delivery killed with SIGKILL at any instant and run again ends with the audience equal to the segment.

Between two instants of this list nothing happens that could be lost: a delivery does nothing but requests and writes,
and it is killed after each of either.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.outbox.line_sandbox import FRIENDS, LineSandbox

if TYPE_CHECKING:
    from tests.integration.outbox.segments import Segments

BEFORE, AFTER = FRIENDS[:7], FRIENDS[2:10]
CHANGES = [("seg_a", "added", f"customer {user}") for user in FRIENDS[:10]] + [
    ("seg_a", "removed", f"customer {user}") for user in FRIENDS[:2]
]
# What one change of a segment of three batches takes, and what its emptying takes; asserted below.
SWAP_REQUESTS = ["POST /upload", "PUT /upload", "PUT /upload", "GET /2", "GET /2", "GET /list", "DELETE /1"]
SWAP_WRITES = 12
REMOVAL_REQUESTS = ["GET /list", "DELETE /1"]
REMOVAL_WRITES = 6


def start(line: LineSandbox, segments: Segments, run_id: str, *, dies_after_write: int = 0) -> subprocess.Popen[str]:
    segments.pass_gate(run_id)
    script = Path(__file__).with_name("dying_delivery.py")
    return subprocess.Popen(
        [sys.executable, str(script), segments.url, line.base_url, run_id, str(dies_after_write)],
        stdout=subprocess.PIPE,
        text=True,
    )


def run_to_the_end(line: LineSandbox, segments: Segments, run_id: str) -> int:
    """Run a delivery that nothing kills; return how often it wrote."""
    out, _ = (process := start(line, segments, run_id)).communicate()
    assert process.returncode == 0
    return int(out.split()[-1])


def kill_after_request(line: LineSandbox, segments: Segments, run_id: str, place: int) -> None:
    """Kill the delivery when the vendor has done what its request number `place` asked, and before it hears of it."""
    line.forget_requests()
    process = start(line, segments, run_id)

    def kill(answered: int) -> None:
        if answered == place:
            process.kill()
            process.wait()

    line.wire.answered = kill
    process.communicate()
    line.wire.answered = lambda _: None
    assert process.returncode == -signal.SIGKILL


def kill_after_write(line: LineSandbox, segments: Segments, run_id: str, place: int) -> None:
    """Kill the delivery right after its write number `place`."""
    process = start(line, segments, run_id, dies_after_write=place)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def uploads(line: LineSandbox) -> int:
    """How many uploads the vendor took on."""
    return sum(request in ("POST /upload", "PUT /upload") for request in line.wire.requests)


@pytest.fixture
def changed(line: LineSandbox, segments: Segments) -> Segments:
    """A live audience whose segment has changed since."""
    segments.fill("seg_a", BEFORE)
    segments.deliver(line.connection(), "first")
    line.forget_requests()
    segments.fill("seg_a", AFTER)
    return segments


def assert_equal(line: LineSandbox, segments: Segments, members: list[str]) -> None:
    expected = {segments.live("seg_a"): set(members)} if members else {}
    assert line.audiences() == expected
    assert segments.open_jobs() == []
    acknowledged = segments.read("select customer_id from ops.sync_acknowledged")
    assert {customer for (customer,) in acknowledged} == {f"customer {user}" for user in members}


def test_the_list_of_instants_is_complete(line: LineSandbox, changed: Segments) -> None:
    assert run_to_the_end(line, changed, "second") == SWAP_WRITES
    assert line.wire.requests == SWAP_REQUESTS
    changed.fill("seg_a", [])
    line.forget_requests()
    assert run_to_the_end(line, changed, "third") == REMOVAL_WRITES
    assert line.wire.requests == [request.replace("/1", "/2") for request in REMOVAL_REQUESTS]


@pytest.mark.parametrize("place", range(1, len(SWAP_REQUESTS) + 1))
def test_killed_after_a_request_of_a_swap(line: LineSandbox, changed: Segments, place: int) -> None:
    kill_after_request(line, changed, "killed", place)
    live = changed.live("seg_a")
    assert line.audiences()[live] == set(BEFORE if live == 1 else AFTER), "there is no moment without a whole audience"
    sent = uploads(line)
    line.forget_requests()
    changed.deliver_in_small_batches(line.connection(), "again")
    assert_equal(line, changed, AFTER)
    assert sent + uploads(line) == 3, "a batch was sent twice"
    assert changed.ledger() == CHANGES


@pytest.mark.parametrize("place", range(1, SWAP_WRITES + 1))
def test_killed_after_a_write_of_a_swap(line: LineSandbox, changed: Segments, place: int) -> None:
    kill_after_write(line, changed, "killed", place)
    changed.deliver_in_small_batches(line.connection(), "again")
    assert_equal(line, changed, AFTER)
    assert uploads(line) == 3, "a batch was sent twice"
    assert changed.ledger() == CHANGES


@pytest.mark.parametrize(
    ("kill", "place"),
    [(kill_after_request, place) for place in range(1, len(REMOVAL_REQUESTS) + 1)]
    + [(kill_after_write, place) for place in range(1, REMOVAL_WRITES + 1)],
)
def test_killed_while_a_segment_is_emptied(line: LineSandbox, changed: Segments, kill: object, place: int) -> None:
    changed.fill("seg_a", [])
    kill(line, changed, "killed", place)  # type: ignore[operator]
    changed.deliver(line.connection(), "again")
    assert_equal(line, changed, [])
    assert changed.ledger() == sorted(
        ("seg_a", change, f"customer {user}") for user in BEFORE for change in ("added", "removed")
    )


@pytest.mark.parametrize("place", [1, 3, 5])
def test_a_segment_that_changed_since_the_kill_is_what_arrives(
    line: LineSandbox, changed: Segments, place: int
) -> None:
    kill_after_request(line, changed, "killed", place)
    changed.fill("seg_a", FRIENDS[20:24])
    changed.deliver_in_small_batches(line.connection(), "again")
    assert_equal(line, changed, FRIENDS[20:24])


@pytest.mark.parametrize("place", [1, 3, 5])
def test_a_segment_that_is_what_it_was_before_the_kill_keeps_its_audience(
    line: LineSandbox, changed: Segments, place: int
) -> None:
    kill_after_request(line, changed, "killed", place)
    changed.fill("seg_a", BEFORE)
    delivery = changed.deliver_in_small_batches(line.connection(), "again")
    assert_equal(line, changed, BEFORE)
    assert (changed.live("seg_a"), delivery.sent) == (1, 0)


def test_killed_again_and_again(line: LineSandbox, changed: Segments) -> None:
    for run in range(len(SWAP_REQUESTS) - 3):
        # The second request of each attempt: the first is often the look at what the last attempt left.
        kill_after_request(line, changed, f"killed-{run}", 2)
        if not changed.open_jobs():
            break
    changed.deliver_in_small_batches(line.connection(), "again")
    assert_equal(line, changed, AFTER)
    assert changed.ledger() == CHANGES
