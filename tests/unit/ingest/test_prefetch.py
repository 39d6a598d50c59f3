"""Reading ahead: same items, same errors, never far ahead, and no thread left behind."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from kizuna.landing.prefetch import prefetched

if TYPE_CHECKING:
    from collections.abc import Iterator


def alive() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "kizuna-prefetch"]


def test_items_come_in_their_order() -> None:
    with prefetched(iter(range(100))) as items:
        assert list(items) == list(range(100))
    assert alive() == []


def test_an_error_comes_after_the_items_before_it() -> None:
    def broken() -> Iterator[int]:
        yield 1
        message = "page 2"
        raise ConnectionError(message)

    taken: list[int] = []
    with pytest.raises(ConnectionError, match="page 2"), prefetched(broken()) as items:
        taken.extend(items)
    assert taken == [1]
    assert alive() == []


def test_leaving_early_stops_the_reading() -> None:
    made = []

    def endless() -> Iterator[int]:
        while True:
            made.append(len(made))
            yield len(made)

    with prefetched(endless(), depth=2) as items:
        next(items)
    assert alive() == []
    assert len(made) <= 5
