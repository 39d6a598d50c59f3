"""Whose data the local system runs on: invented customers, or an order history."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from kizuna.strategy import Strategy


class WorldError(ValueError):
    """The input cannot be served as asked; the text says what to change."""


@dataclass(frozen=True)
class World:
    """Whose data the sandbox serves: invented customers, or an order history."""

    customers: int
    seed: int
    history: Path | None
    as_of: date | None
    timezone: str
    currency: str

    def key(self) -> str:
        """A name that is the same exactly when the data is: state folder and database are called by it."""
        if self.history is None:
            return f"invented_{self.customers}_{self.seed}"
        digest = hashlib.sha256(f"{self.timezone} {self.currency}".encode())
        for file in sorted(self.history.iterdir()):
            if file.suffix in {".csv", ".gz", ".parquet"}:
                digest.update(file.name.encode() + file.read_bytes())
        slug = re.sub(r"[^a-z0-9]+", "_", self.history.resolve().name.lower()).strip("_")[:30]
        return f"{slug or 'history'}_{digest.hexdigest()[:8]}"

    def arguments(self) -> list[str]:
        """The same world as options of `kizuna sandbox`."""
        options = ["--customers", str(self.customers), "--seed", str(self.seed)]
        options += ["--timezone", self.timezone, "--currency", self.currency]
        if self.history:
            options += ["--history", str(self.history)]
        if self.as_of:
            options += ["--as-of", str(self.as_of)]
        return options


def world_of_history(folder: Path, as_of: date | None, policy: Strategy, tell: Callable[[str], None]) -> World:
    """The world of an order history: read and checked whole; as of its last order's day when no day is given.

    Raises:
        WorldError: when the history does not load, or is not in the reporting currency alone.
    """
    from sandbox.replay import OrderHistoryError, read_order_history  # noqa: PLC0415 - reads whole files; only histories pay

    zone = policy.business_timezone
    try:
        history = read_order_history(folder, timezone=zone, currency=policy.reporting_currency)
    except OrderHistoryError as error:
        raise WorldError(str(error)) from None
    currency = _one_currency(history.currencies(), policy, tell)
    last_day = datetime.fromtimestamp(max(sale.at for sale in history.sales.values()), ZoneInfo(zone)).date()
    return World(0, 0, folder.resolve(), as_of or last_day, zone, currency)


def _one_currency(found: set[str], policy: Strategy, tell: Callable[[str], None]) -> str:
    """The strategy's word, else the one currency that the history is in."""
    if found == {policy.reporting_currency}:
        return policy.reporting_currency
    if len(found) == 1 and "reporting_currency" not in policy.model_fields_set:
        currency = found.pop()
        tell(f"The history is in {currency}: reporting in it (the strategy's reporting_currency would win)")
        return currency
    message = (
        f"orders: column currency: found {', '.join(sorted(found))}, expected only {policy.reporting_currency} "
        "(reporting_currency of the strategy): set it to the history's currency, or convert the amounts first"
    )
    raise WorldError(message)
