"""Where a stream's records hold their id and the time of their last change, and what both must look like."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from kizuna.landing.places import masked

if TYPE_CHECKING:
    from kizuna.reading import Stream

# Postgres indexes at most about 2,700 bytes.
LONGEST_ID = 500
PER_SECOND = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000}


class UnfitError(Exception):
    """A record that raw cannot keep; carries the reason and the field without its value, and the value's form."""

    def __init__(self, reason: str, field: str | None = None, shown: str | None = None) -> None:
        """Say why, where, and what the value looks like."""
        super().__init__(reason)
        self.field, self.shown = field, shown


class Shape:
    """Reads id and time out of the records of one stream."""

    def __init__(self, stream: Stream) -> None:
        """Split the dotted fields once, not for every record."""
        self._keys = [(name, name.split(".")) for name in ([stream.key] if isinstance(stream.key, str) else stream.key)]
        self._updated = stream.updated
        self._updated_path = stream.updated.split(".") if stream.updated else []
        self._per_second = PER_SECOND.get(stream.updated_unit)
        self._pattern = re.compile(stream.key_pattern) if stream.key_pattern else None
        self._is_hashed = stream.has_hashed_key

    def identify(self, record: object) -> bytes:
        """Return the record's id, as raw keys it.

        Raises:
            UnfitError: when the record has no usable id.
        """
        if not isinstance(record, dict):
            reason = "is not an object"
            raise UnfitError(reason, None, masked(record))
        parts = [self._part(record, name, path) for name, path in self._keys]
        record_id = parts[0] if len(parts) == 1 else "/".join(parts)
        if self._is_hashed:
            return sha256(record_id.encode()).hexdigest().encode()
        names = self._names()
        if len(record_id) > LONGEST_ID:
            reason = f"{names} is longer than {LONGEST_ID} characters"
            raise UnfitError(reason, names, masked(record_id))
        if self._pattern and not self._pattern.fullmatch(record_id):
            reason = f"{names} does not look as it should: {self._pattern.pattern}"
            raise UnfitError(reason, names, masked(record_id))
        return record_id.encode()

    def is_from(self, record: object, moment: datetime) -> bool:
        """Tell whether the record was last changed at `moment` or later; one without a time was not."""
        try:
            changed_at = self.time_of(record)
        except UnfitError:
            return False
        return changed_at is not None and changed_at >= moment

    def time_of(self, record: object) -> datetime | None:
        """Return the time of the record's last change; None where the stream has none.

        Raises:
            UnfitError: when there should be such a time and is none.
        """
        if self._updated is None:
            return None
        value = _at(record, self._updated_path)
        try:
            moment = datetime.fromisoformat(value) if self._per_second is None else self._since_epoch(value)
        except (TypeError, ValueError, OverflowError, OSError):
            reason = f"{self._updated} is not a time"
            raise UnfitError(reason, self._updated, masked(value)) from None
        if moment.tzinfo is None:
            reason = f"{self._updated} has no offset from UTC"
            raise UnfitError(reason, self._updated, masked(value))
        return moment

    def name(self, record: object) -> str | None:
        """Return what a rejected record is called: its id where it has one that can be stored."""
        if not isinstance(record, dict):
            return None
        try:
            parts = [self._part(record, name, path) for name, path in self._keys]
        except UnfitError:
            return None
        joined = "/".join(parts).encode(errors="replace")
        return sha256(joined).hexdigest() if self._is_hashed else joined.decode().replace("\0", "?")[:LONGEST_ID]

    def _part(self, record: dict[str, Any], name: str, path: list[str]) -> str:
        value = record.get(name) if len(path) == 1 else _at(record, path)
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            reason = f"has no {name}"
            raise UnfitError(reason, name, masked(value))
        return str(value)

    def _names(self) -> str:
        return "/".join(name for name, _ in self._keys)

    def _since_epoch(self, value: Any) -> datetime:  # noqa: ANN401
        """Read a number since 1970, exactly: a float of microseconds would lose the last ones."""
        if isinstance(value, bool) or not isinstance(value, int | float | str) or self._per_second is None:
            raise TypeError
        if not isinstance(value, int):
            return datetime.fromtimestamp(float(value) / self._per_second, UTC)
        seconds, rest = divmod(value, self._per_second)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1_000_000 // self._per_second)


def _at(record: Any, path: list[str]) -> Any:  # noqa: ANN401
    """Follow a path of fields; None where it ends early."""
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return record
