"""One vendor record: what raw keeps of it, or the reason why raw cannot keep it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# Far above any order of any shop; Postgres would take more, but every reader of raw would suffer.
LARGEST_RECORD_BYTES = 4 * 1024 * 1024
BATCH_BYTES = 1024 * 1024
# Postgres indexes at most about 2,700 bytes.
LONGEST_ID = 500

# A backslash before `\u0000` may itself be escaped, and then it is six harmless characters.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True)
class RejectedRecord:
    """A record for the quarantine: whole, with the reason."""

    record_id: str | None
    reason: str
    payload: str = field(repr=False)
    payload_hash: bytes = field(repr=False)


@dataclass(frozen=True)
class Shape:
    """Which field of a stream's records holds the id, and which the time of the last change."""

    key: str
    updated: str | None


@dataclass
class Batch:
    """Some pages' records, checked and written for COPY."""

    lines: bytearray = field(default_factory=bytearray)
    rejects: list[RejectedRecord] = field(default_factory=list)
    record_count: int = 0
    page_count: int = 0


class _UnfitError(Exception):
    """Carries the reason."""


def batches(pages: Iterable[Sequence[object]], shape: Shape) -> Iterator[Batch]:
    """Check every record and put small pages together: Postgres is asked once per batch, and pages may be tiny."""
    batch = Batch()
    for page in pages:
        for record in page:
            line = copy_line(record, shape)
            if isinstance(line, RejectedRecord):
                batch.rejects.append(line)
            else:
                batch.lines += line
        batch.record_count += len(page)
        batch.page_count += 1
        if len(batch.lines) >= BATCH_BYTES:
            yield batch
            batch = Batch()
    yield batch


def copy_line(record: object, shape: Shape) -> bytes | RejectedRecord:
    """Return the record as one line for COPY (id, updated_at, hash, payload), or as rejected.

    The payload is canonical JSON (sorted keys), so that the same record hashes the same whatever order it came in.
    """
    try:
        canonical = _canonical(record)
    except _UnfitError as unfit:
        whole = json.dumps(record, default=str)
        return RejectedRecord(_name(record, shape), str(unfit), whole, sha256(whole.encode()).digest())
    digest = sha256(canonical)
    try:
        record_id, updated_at = _identify(record, canonical, shape)
    except _UnfitError as unfit:
        return RejectedRecord(_name(record, shape), str(unfit), canonical.decode(), digest.digest())
    # Canonical JSON has no raw tab or newline: the backslash is the only character COPY could take for its own.
    payload = canonical.replace(b"\\", b"\\\\")
    return b"%s\t%s\t\\\\x%s\t%s\n" % (record_id, updated_at, digest.hexdigest().encode(), payload)


def _canonical(record: object) -> bytes:
    try:
        return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # Half a surrogate pair, a number beyond any float, or nesting without end.
        reason = "holds a character or a number that JSON in UTF-8 cannot carry"
        raise _UnfitError(reason) from None


def _identify(record: object, canonical: bytes, shape: Shape) -> tuple[bytes, bytes]:
    """Return id and time of the last change as COPY text."""
    reason = _reason_against(record, canonical, shape)
    if reason:
        raise _UnfitError(reason)
    record_id = str(record[shape.key]).encode()  # type: ignore[index]
    if shape.updated is None:
        return _escape(record_id), b"\\N"
    try:
        updated_at = datetime.fromisoformat(record[shape.updated])  # type: ignore[index]
    except (KeyError, TypeError, ValueError):
        reason = f"{shape.updated} is not a time"
        raise _UnfitError(reason) from None
    if updated_at.tzinfo is None:
        reason = f"{shape.updated} has no offset from UTC"
        raise _UnfitError(reason)
    return _escape(record_id), updated_at.isoformat().encode()


def _reason_against(record: object, canonical: bytes, shape: Shape) -> str | None:
    if not isinstance(record, dict):
        return "is not an object"
    record_id = record.get(shape.key)
    if isinstance(record_id, bool) or not isinstance(record_id, str | int) or record_id == "":
        return f"has no {shape.key}"
    if len(str(record_id)) > LONGEST_ID:
        return f"{shape.key} is longer than {LONGEST_ID} characters"
    if len(canonical) > LARGEST_RECORD_BYTES:
        return f"is larger than {LARGEST_RECORD_BYTES} bytes"
    if b"\\u0000" in canonical and _NUL.search(canonical):
        return "holds the character NUL, which Postgres cannot store"
    return None


def _name(record: object, shape: Shape) -> str | None:
    """Return the id of a rejected record where it has one that can be stored."""
    record_id = record.get(shape.key) if isinstance(record, dict) else None
    if isinstance(record_id, bool) or not isinstance(record_id, str | int) or record_id == "":
        return None
    return str(record_id).encode(errors="replace").decode().replace("\0", "?")[:LONGEST_ID]


def _escape(text: bytes) -> bytes:
    if not text.isascii() or not text.isalnum():
        for raw, escaped in ((b"\\", b"\\\\"), (b"\t", b"\\t"), (b"\n", b"\\n"), (b"\r", b"\\r")):
            text = text.replace(raw, escaped)
    return text
