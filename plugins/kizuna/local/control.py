"""The sandbox's clock and faults, whether it runs (over HTTP) or not (in its state file)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from kizuna import settings
from kizuna.local.databases import LocalSystemError, Running
from kizuna.local.processes import Daemon

if TYPE_CHECKING:
    from sandbox.state import State

ADVANCE_SECONDS = 600


def advance(seconds: int) -> str:
    """Move the clock on and return its new moment.

    Raises:
        LocalSystemError: when no sandbox was ever started here.
    """
    if url := _running_url():
        # The answer waits until the vendors have sent their webhooks of that time.
        return str(
            _call("POST", f"{url}/_sandbox/clock", json={"advance_seconds": seconds}, timeout=ADVANCE_SECONDS)["now"]
        )
    from sandbox.clock import Clock  # noqa: PLC0415 - only for a stopped sandbox

    clock = Clock(_state(), starts_at=0)
    clock.advance(seconds)
    return clock.iso()


def add_fault(vendor: str, kind: str, times: int) -> None:
    """Let `vendor` commit a fault at its next fitting requests.

    Raises:
        LocalSystemError: when no sandbox was ever started here.
    """
    if url := _running_url():
        _call("POST", f"{url}/_sandbox/faults", json={"vendor": vendor, "kind": kind, "times": times})
        return
    from sandbox.faults import Faults  # noqa: PLC0415

    Faults(_state()).add(vendor, kind, times=times)  # type: ignore[arg-type]


def clear_faults() -> None:
    """Take all faults back.

    Raises:
        LocalSystemError: when no sandbox was ever started here.
    """
    if url := _running_url():
        _call("DELETE", f"{url}/_sandbox/faults")
        return
    from sandbox.faults import Faults  # noqa: PLC0415

    Faults(_state()).clear(None)


def _last() -> Running:
    running = Running.load()
    if running is None:
        message = "There is no sandbox yet: run `make demo` or `make up` first"
        raise LocalSystemError(message)
    return running


def _running_url() -> str | None:
    return _last().sandbox_url if Daemon("sandbox", settings.home()).process() else None


def _state() -> State:
    from sandbox.state import State  # noqa: PLC0415

    return State(settings.home() / "sandbox" / _last().origin)


def _call(method: str, url: str, **arguments: Any) -> Any:  # noqa: ANN401 - httpx's own, and JSON
    return httpx.request(method, url, **{"timeout": 30, **arguments}).raise_for_status().json()
