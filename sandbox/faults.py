"""Faults that can be switched on per vendor, and the middleware that commits them on the way out.

A fault waits for requests of its vendor (and operation, when one is named), skips the first `after` of them, and
happens `times` times. Row faults wait for an answer that has rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

import orjson

if TYPE_CHECKING:
    from sandbox.state import State

Kind = Literal[
    "rate_limit",
    "server_error",
    "timeout",
    "cut_off",
    "dropped_page",
    "duplicate_row",
    "webhook_lost",
    "webhook_duplicate",
    "webhook_disorder",
]
ROW_KINDS = ("dropped_page", "duplicate_row")
# The operation under which a vendor's own requests, its webhooks, meet their faults.
DELIVERY = "webhook"
# Finds the lists of rows in a parsed answer, each as its holder and the key it is held under.
RowLists = Callable[[object], Iterator[tuple[dict[str, Any], str]]]


class FaultError(ValueError):
    """A fault that cannot be switched on."""


@dataclass(slots=True)
class Fault:
    """One fault: what, to whom, how often."""

    vendor: str
    kind: Kind
    times: int = 1
    after: int = 0
    operation: str | None = None
    status: int = 0
    seconds: float = 60.0

    def __post_init__(self) -> None:
        """Refuse a kind that does not exist."""
        if self.kind not in get_args(Kind):
            message = f"fault kind {self.kind!r} is unknown: use one of {', '.join(get_args(Kind))}"
            raise FaultError(message)


@dataclass(slots=True)
class Faults:
    """The faults that are switched on."""

    state: State | None = None
    waiting: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Bring back what was switched on before a restart."""
        if self.state is not None and not self.waiting:
            self.waiting = [Fault(**known) for known in self.state.read("faults") or []]

    def add(self, vendor: str, kind: Kind, **details: Any) -> Fault:  # noqa: ANN401
        """Switch a fault on."""
        unknown = set(details) - {known.name for known in fields(Fault)}
        if unknown:
            message = f"fault setting {sorted(unknown)[0]!r} is unknown: use times, after, operation, status, seconds"
            raise FaultError(message)
        fault = Fault(vendor, kind, **details)
        self.waiting.append(fault)
        self._remember()
        return fault

    def clear(self, vendor: str | None = None) -> None:
        """Switch the faults of a vendor, or all, off."""
        self.waiting = [fault for fault in self.waiting if vendor is not None and fault.vendor != vendor]
        self._remember()

    def describe(self) -> list[dict[str, Any]]:
        """List what is switched on."""
        return [asdict(fault) for fault in self.waiting]

    def due(self, vendor: str, operation: str) -> Iterator[Fault]:
        """Give the faults that this request meets, counting down the ones it has to skip."""
        for fault in list(self.waiting):
            if fault.vendor != vendor or fault.operation not in (None, operation):
                continue
            if fault.kind.startswith("webhook_") != (operation == DELIVERY):
                continue
            if fault.after > 0:
                fault.after -= 1
                self._remember()
            else:
                yield fault

    def spend(self, fault: Fault) -> None:
        """Count a fault as committed once."""
        fault.times -= 1
        if fault.times <= 0 and fault in self.waiting:
            self.waiting.remove(fault)
        self._remember()

    def _remember(self) -> None:
        if self.state is not None:
            self.state.write("faults", self.describe())


def with_row_fault(body: bytes, kind: str, rows: RowLists) -> bytes | None:
    """Drop a page's rows or repeat its first; None when the body has no rows, or is a file and no JSON."""
    try:
        answered = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    changed = False
    for holder, key in rows(answered):
        if holder[key]:
            holder[key] = [] if kind == "dropped_page" else [holder[key][0], *holder[key]]
            changed = True
    return orjson.dumps(answered) if changed else None


def row_lists(answered: object) -> Iterator[tuple[dict[str, Any], str]]:
    """Find the lists of rows in an answer: the connections under `data`, or LINE's lists at the top."""
    if not isinstance(answered, dict):
        return
    for key in ("userIds", "audienceGroups"):
        if key in answered:
            yield answered, key
    data = answered.get("data")
    for connection in data.values() if isinstance(data, Mapping) else ():
        if isinstance(connection, dict) and "pageInfo" in connection:
            for key in ("nodes", "edges"):
                if key in connection:
                    yield connection, key
