"""Which run writes, under which rules, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Stamp:
    """The run's number and id, its policy's digest, and its moment."""

    run_number: int
    run_id: str
    policy_version: str
    at: datetime
