"""One vendor record: what raw keeps of it, or the reason why raw cannot keep it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

from kizuna.landing.places import largest, masked, unwritable, with_nul
from kizuna.landing.shape import Shape, UnfitError
from kizuna.reading import UnfitRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from kizuna.reading import Stream

# Far above any order of any shop; Postgres would take more, but every reader of raw would suffer.
LARGEST_RECORD_BYTES = 4 * 1024 * 1024
BATCH_BYTES = 1024 * 1024
# A backslash before `\u0000` may itself be escaped, and then it is six harmless characters.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True)
class RejectedRecord:
    """A record for the quarantine: whole, with the reason, and the field it is about with its value's form."""

    record_id: str | None
    reason: str
    payload: str = field(repr=False)
    payload_hash: bytes = field(repr=False)
    place: str | None = None
    shown: str | None = None


@dataclass
class Batch:
    """Some pages' records, checked and written for COPY; `left_ids` are those left for the next window."""

    lines: bytearray = field(default_factory=bytearray)
    rejects: list[RejectedRecord] = field(default_factory=list)
    left_ids: list[str] = field(default_factory=list)
    record_count: int = 0
    page_count: int = 0


def batches(pages: Iterable[Sequence[object]], stream: Stream, upper: datetime) -> Iterator[Batch]:
    """Check every record and put small pages together: Postgres is asked once per batch, and pages may be tiny.

    Where the vendor cannot bound a window, records changed at or after `upper` are left for the next one.
    """
    shape = Shape(stream)
    batch = Batch()
    for whole_page in pages:
        page = whole_page if stream.is_bounded else _before(upper, whole_page, shape, batch)
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


def _before(upper: datetime, page: Sequence[object], shape: Shape, batch: Batch) -> Sequence[object]:
    """Return the records that changed before the window's end, and note the ids of the others."""
    kept = []
    for record in page:
        if not shape.is_from(record, upper):
            kept.append(record)
        elif name := shape.name(record):
            batch.left_ids.append(name)
    return kept


def copy_line(record: object, shape: Shape) -> bytes | RejectedRecord:
    """Return the record as one line for COPY (id, updated_at, hash, payload), or as rejected.

    The payload is canonical JSON (sorted keys), so that the same record hashes the same whatever order it came in.
    """
    if isinstance(record, UnfitRecord):
        whole = record.payload.replace("\0", "\N{REPLACEMENT CHARACTER}")
        return RejectedRecord(record.record_id, record.reason, whole, sha256(whole.encode()).digest())
    try:
        canonical = _canonical(record)
    except UnfitError as unfit:
        return _rejected(record, unfit, json.dumps(record, default=str), shape)
    digest = sha256(canonical)
    try:
        record_id = _escape(shape.identify(record))
        _check_storable(record, canonical)
        updated_at = shape.time_of(record)
    except UnfitError as unfit:
        return _rejected(record, unfit, canonical.decode(), shape)
    # Canonical JSON has no raw tab or newline: the backslash is the only character COPY could take for its own.
    payload = canonical.replace(b"\\", b"\\\\")
    when = b"\\N" if updated_at is None else updated_at.isoformat().encode()
    return b"%s\t%s\t\\\\x%s\t%s\n" % (record_id, when, digest.hexdigest().encode(), payload)


def _rejected(record: object, unfit: UnfitError, whole: str, shape: Shape) -> RejectedRecord:
    digest = sha256(whole.encode()).digest()
    return RejectedRecord(shape.name(record), str(unfit), whole, digest, unfit.field, unfit.shown)


def _canonical(record: object) -> bytes:
    try:
        return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # Half a surrogate pair, bytes that were no UTF-8, a number beyond any float, or nesting without end.
        reason = "holds a character or a number that JSON in UTF-8 cannot carry"
        raise _unfit(reason, unwritable(record)) from None


def _check_storable(record: object, canonical: bytes) -> None:
    if len(canonical) > LARGEST_RECORD_BYTES:
        reason = f"is larger than {LARGEST_RECORD_BYTES} bytes"
        raise _unfit(reason, largest(record))
    if b"\\u0000" in canonical and _NUL.search(canonical):
        reason = "holds the character NUL, which Postgres cannot store"
        raise _unfit(reason, with_nul(record))


def _unfit(reason: str, found: tuple[str, Any] | None) -> UnfitError:
    return UnfitError(reason, found[0], masked(found[1])) if found else UnfitError(reason)


def _escape(text: bytes) -> bytes:
    if not text.isascii() or not text.isalnum():
        for raw, escaped in ((b"\\", b"\\\\"), (b"\t", b"\\t"), (b"\n", b"\\n"), (b"\r", b"\\r")):
            text = text.replace(raw, escaped)
    return text
