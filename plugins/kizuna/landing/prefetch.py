"""Reads the vendor's next page in a background thread while the last one is being landed."""

from __future__ import annotations

from contextlib import contextmanager
from queue import Full, Queue
from threading import Event, Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

Item = TypeVar("Item")

_LOOK_SECONDS = 0.1


class _End:
    """The last thing in the queue, with the error that ended the reading, if one did."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


@contextmanager
def prefetched(items: Iterator[Item], depth: int = 2) -> Iterator[Iterator[Item]]:
    """Iterate `items` in a thread that stays at most `depth` items ahead; leaving early stops the thread."""
    queue: Queue[Item | _End] = Queue(maxsize=depth)
    left = Event()
    thread = Thread(target=_fill, args=(items, queue, left), name="kizuna-prefetch", daemon=True)
    thread.start()
    try:
        yield _drain(queue)
    finally:
        left.set()
        thread.join()


def _fill(items: Iterator[Item], queue: Queue[Item | _End], left: Event) -> None:
    try:
        for item in items:
            if not _put(queue, item, left):
                return
    except BaseException as error:  # noqa: BLE001 - raised again where the items are taken
        _put(queue, _End(error), left)
    else:
        _put(queue, _End(), left)


def _put(queue: Queue[Item | _End], item: Item | _End, left: Event) -> bool:
    """Wait for room; return False when nobody will take it any more."""
    while not left.is_set():
        try:
            queue.put(item, timeout=_LOOK_SECONDS)
        except Full:
            continue
        return True
    return False


def _drain(queue: Queue[Item | _End]) -> Iterator[Item]:
    while True:
        item = queue.get()
        if not isinstance(item, _End):
            yield item
        elif item.error is not None:
            raise item.error
        else:
            return
