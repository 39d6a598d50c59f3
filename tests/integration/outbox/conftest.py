"""LINE as the sandbox plays it, served on loopback, and the warehouse that delivers to it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from kizuna.destinations import DESTINATIONS
from tests.integration.outbox.line_sandbox import LineSandbox
from tests.integration.outbox.segments import Segments

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def line(tmp_path: Path) -> Iterator[LineSandbox]:
    """A running LINE that knows forty friends."""
    sandbox = LineSandbox(tmp_path / "line")
    yield sandbox
    sandbox.stop()


@pytest.fixture
def segments(warehouse_url: str) -> Segments:
    """The sync model, as a table that a test fills."""
    return Segments(warehouse_url)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three ids a request instead of ten thousand."""
    declared = DESTINATIONS["line__audiences"]
    monkeypatch.setitem(DESTINATIONS, "line__audiences", dataclasses.replace(declared, batch_size=3))
