"""Webhooks that the vendors send: what happened between two moments, signed as each vendor signs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Webhook:
    """One request: `at` is the moment (seconds) it is due, `headers` carry the vendor's signature of `body`."""

    vendor: str
    at: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
