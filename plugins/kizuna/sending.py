"""The words a destination is written in: what is declared about a vendor's object, and what it must be able to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from datetime import timedelta

    from kizuna.settings import Connection


class AudienceStatus(StrEnum):
    """How far the vendor is with an audience."""

    WORKING = "working"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True)
class NewAudience:
    """An audience the vendor has just taken on, and for how long it keeps one."""

    audience_id: int
    lifetime: timedelta | None


@dataclass(frozen=True)
class AudienceState:
    """What the vendor says of an audience; `uploads` are the notes of the uploads it has received."""

    status: AudienceStatus
    vendor_status: str
    member_count: int
    uploads: frozenset[str]
    working_uploads: int
    failed_uploads: int


@dataclass(frozen=True)
class ListedAudience:
    """An audience found by its name."""

    audience_id: int
    name: str
    is_usable: bool
    lifetime: timedelta | None


class AudienceAccount(Protocol):
    """An open account of a vendor whose audiences can be created, filled and deleted, but not shrunk."""

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""

    def create(self, name: str, note: str, member_ids: Sequence[str]) -> NewAudience:
        """Create an audience with its first members."""

    def add(self, audience_id: int, note: str, member_ids: Sequence[str]) -> None:
        """Add members."""

    def read(self, audience_id: int) -> AudienceState:
        """Ask how far the vendor is."""

    def find(self, prefix: str) -> list[ListedAudience]:
        """Return the audiences whose name begins with `prefix`."""

    def delete(self, audience_id: int) -> None:
        """Delete an audience; one that is gone already is fine."""


@dataclass(frozen=True)
class AudienceObject:
    """One kind of audience at one vendor: its limits, what a member looks like, how to reach it."""

    destination: str
    name: str
    member_column: str
    member_id: re.Pattern[str]
    largest_name: int
    batch_size: int
    most_working_uploads: int
    most_listed_uploads: int
    poll_seconds: float
    open_account: Callable[[Connection, Callable[[float], None]], AbstractContextManager[AudienceAccount]]

    @property
    def full_name(self) -> str:
        """The name shared by the sync model, the task and the ledger: `<destination>__<object>`."""
        return f"{self.destination}__{self.name}"
