"""Versions of records in time, and the view of them that an API has at one moment: nothing later than its clock.

A record may change many times; at a moment only its latest version up to that moment exists. Filters on the change time
and cursors are answered by bisection, so a page costs the same wherever it lies.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

Node = dict[str, Any]
Positions = NDArray[np.int64]
# A walk reads each order once; keeping all of a large shop would cost hundreds of megabytes for nothing.
MOST_KEPT_NODES = 4_096
SearchT = TypeVar("SearchT", bound=Hashable)


class Timeline:
    """All versions of the records of one kind."""

    def __init__(
        self,
        keys: Sequence[str],
        versions: Sequence[Sequence[int]],
        sort_times: dict[str, Sequence[int]],
        build: Callable[[int, int], Node],
        ends: Mapping[int, int] | None = None,
    ) -> None:
        """Take each record's change times (`versions`), fixed times by name, and what builds a record at a change.

        `ends` says when a record, by its position, is gone for good.
        """
        self.ends = np.full(len(keys), np.iinfo(np.int64).max, dtype=np.int64)
        for position, at in (ends or {}).items():
            self.ends[position] = at
        self.keys = keys
        self.build = build
        self.sort_times = {name: np.asarray(times, dtype=np.int64) for name, times in sort_times.items()}
        self.position_of = {key: position for position, key in enumerate(keys)}
        counts = [len(times) for times in versions]
        record = np.repeat(np.arange(len(keys), dtype=np.int64), counts)
        changed = np.fromiter((at for times in versions for at in times), dtype=np.int64, count=len(record))
        order = np.lexsort((record, changed))
        self._record = record[order]
        self._changed = changed[order]

    def view(self, now: int) -> View:
        """Show the records as they are at `now`."""
        visible = int(np.searchsorted(self._changed, now, side="right"))
        records = self._record[:visible][::-1]
        present, last = np.unique(records, return_index=True)
        changed = self._changed[:visible][::-1][last]
        is_there = self.ends[present] > now
        return View(self, present[is_there], changed[is_there])


@dataclass(slots=True)
class Index:
    """The visible records in one order: the sorted values and, for each, the record's position."""

    values: Positions
    records: Positions

    def place(self, value: int, record: int, *, behind: bool) -> int:
        """Find where (value, record) stands, or the first place behind it."""
        low = int(np.searchsorted(self.values, value, side="left"))
        high = int(np.searchsorted(self.values, value, side="right"))
        side: Literal["left", "right"] = "right" if behind else "left"
        return low + int(np.searchsorted(self.records[low:high], record, side=side))


class View:
    """The records of one kind at one moment."""

    def __init__(self, timeline: Timeline, records: Positions, changed: Positions) -> None:
        """Keep the visible records (ascending positions) and when each changed last."""
        self._timeline = timeline
        self._records = records
        self._changed = changed
        self._nodes: dict[int, Node] = {}
        self._indexes: dict[str, Index] = {}
        self._selections: dict[tuple[str, Hashable], Index] = {}

    def __len__(self) -> int:
        """Count the visible records."""
        return len(self._records)

    @cached_property
    def _changed_at(self) -> dict[int, int]:
        return dict(zip(self._records.tolist(), self._changed.tolist(), strict=True))

    def key_of(self, record: int) -> str:
        """Name a record."""
        return self._timeline.keys[record]

    def values_of(self, name: str) -> Positions:
        """Give a time of every record of the timeline; of those not visible it says nothing."""
        if name != "updated_at":
            return self._timeline.sort_times.get(name, self._timeline.sort_times["created_at"])
        changed = np.zeros(len(self._timeline.keys), dtype=np.int64)
        changed[self._records] = self._changed
        return changed

    def node(self, record: int) -> Node:
        """Build the record as it is now, and keep it while it is likely to be asked for again."""
        node = self._nodes.get(record)
        if node is None:
            if len(self._nodes) >= MOST_KEPT_NODES:
                self._nodes.clear()
            node = self._nodes[record] = self._timeline.build(record, self._changed_at[record])
        return node

    def find(self, key: str) -> Node | None:
        """Look a record up by its key; None when it does not exist (yet)."""
        record = self._timeline.position_of.get(key)
        return None if record is None or record not in self._changed_at else self.node(record)

    def index(self, name: str) -> Index:
        """Give the order by `updated_at`, by `id`, or by one of the fixed times."""
        if name not in self._indexes:
            values = self._sort_values(name)
            order = np.lexsort((self._records, values))
            self._indexes[name] = Index(values[order], self._records[order])
        return self._indexes[name]

    def selection(self, sort: str, search: SearchT, select: Callable[[View, str, SearchT], Index]) -> Index:
        """Select records once: a client that walks pages asks the same search each time."""
        key = (sort, search)
        if key not in self._selections:
            self._selections[key] = select(self, sort, search)
        return self._selections[key]

    def _sort_values(self, name: str) -> Positions:
        if name == "updated_at":
            return self._changed
        if name == "id":
            return self._records
        return self._timeline.sort_times[name][self._records]
