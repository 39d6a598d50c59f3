"""The decisions that lie in git: `dbt_project/seeds/identity_overrides.csv`, taken into `identity.overrides` every run.

The file is read directly and not through dbt, so that a wrong line is named with its number before anything is
decided, and so that a line taken out is revoked and not forgotten. Personal values must not lie in git: a value
enters by the hash that `kizuna identity hash <kind> <value>` prints.
"""

from __future__ import annotations

import csv
import os
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kizuna.identity import overrides
from kizuna.identity.overrides import Override, OverrideError
from kizuna.settings import PROJECT

if TYPE_CHECKING:
    from kizuna.identity.exchange import Connection

COLUMNS = ("decision", "record_key_a", "record_key_b", "value_hash", "who", "decided_on", "why")
LARGEST_HASH = 2**63
TAKEN_OUT = "taken out of identity_overrides.csv"


def path() -> Path:
    """The file in force: `KIZUNA_IDENTITY_OVERRIDES`, else the project's own."""
    given = os.environ.get("KIZUNA_IDENTITY_OVERRIDES")
    return Path(given) if given else PROJECT / "dbt_project" / "seeds" / "identity_overrides.csv"


def take_file(connection: Connection, file: Path | None = None) -> None:
    """Bring the decisions of the file into `identity.overrides`: new lines enter, those taken out are revoked.

    Raises:
        OverrideError: with one line `file:line: problem` per wrong line; nothing is changed then.
    """
    source = file or path()
    lines = read(source)
    connection.execute("select pg_advisory_xact_lock(hashtext('kizuna.identity.overrides'))")
    in_force = overrides.living(connection)
    signed = {_signature(one): one for one in in_force if one.is_from_file}
    wanted = {_signature(one) for one in lines.values()}
    said = [one for one in in_force if not one.is_from_file]
    gone = [one.override_id for signature, one in signed.items() if signature not in wanted]
    _require_peace(source, lines, said)
    overrides.end_all(connection, [number for number in gone if number], who="identity_overrides.csv", why=TAKEN_OUT)
    subjects = {one.subject() for one in said}
    for one in lines.values():
        if _signature(one) not in signed and one.subject() not in subjects:
            overrides.add(connection, one)


def read(file: Path) -> dict[int, Override]:
    """Return the file's decisions by their line numbers.

    Raises:
        OverrideError: with one line `file:line: problem` per wrong line.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.reader(text, strict=True)
            header = tuple(next(rows, []))
            if header != COLUMNS:
                message = f"{file.name}:1: the columns are {','.join(header)!r}: expected {','.join(COLUMNS)}"
                raise OverrideError(message)
            numbered = [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    except FileNotFoundError:
        message = (
            f"No file of decisions at {file}: restore it (a header line is enough), or set KIZUNA_IDENTITY_OVERRIDES"
        )
        raise OverrideError(message) from None
    except (UnicodeDecodeError, csv.Error) as error:
        message = f"{file.name}: not a comma-separated file in UTF-8: {error}"
        raise OverrideError(message) from None
    return _parse(file, numbered)


def _parse(file: Path, numbered: list[tuple[int, list[str]]]) -> dict[int, Override]:
    lines: dict[int, Override] = {}
    seen: dict[object, int] = {}
    problems = []
    for number, row in numbered:
        try:
            override = _override(row)
        except OverrideError as error:
            problems.append(f"{file.name}:{number}: {error}")
            continue
        if override.subject() in seen:
            problems.append(f"{file.name}:{number}: says the same as line {seen[override.subject()]}")
        seen.setdefault(override.subject(), number)
        lines[number] = override
    if problems:
        raise OverrideError("\n".join(problems))
    return lines


def _override(row: list[str]) -> Override:
    if len(row) != len(COLUMNS):
        message = f"{len(row)} fields: expected {len(COLUMNS)}; put quotes around a text with commas"
        raise OverrideError(message)
    decision, one, other, value_hash, who, decided_on, why = (cell.strip() for cell in row)
    if decision in {"never", "always"}:
        if not one or not other or value_hash:
            message = f"{decision} expects record_key_a and record_key_b, and no value_hash"
            raise OverrideError(message)
        made = overrides.on_records(decision, one, other, who=who, why=why)  # type: ignore[arg-type]
    elif decision == "shared":
        if one or other:
            message = "shared expects a value_hash, and no record keys"
            raise OverrideError(message)
        made = overrides.on_value(_hash(value_hash), who=who, why=why)
    else:
        message = f"decision is {decision!r}: expected never, always or shared"
        raise OverrideError(message)
    return Override(*made.subject(), made.who, made.why, _day(decided_on), is_from_file=True)  # type: ignore[arg-type]


def _hash(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,19}", text) or not -LARGEST_HASH <= int(text) < LARGEST_HASH:
        # What stands there may be somebody's address: it is not repeated.
        message = "value_hash is no number of 64 bits: expected what `kizuna identity hash <kind> <value>` prints"
        raise OverrideError(message)
    return int(text)


def _day(text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        message = f"decided_on is {text!r}: expected a date like 2026-11-22"
        raise OverrideError(message) from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _signature(override: Override) -> tuple[object, ...]:
    return (*override.subject(), override.who, override.why, override.at)


def _require_peace(source: Path, lines: dict[int, Override], said: list[Override]) -> None:
    numbers = {id(one): number for number, one in lines.items()}
    problems = []
    for never, chain in overrides.contradictions([*said, *lines.values()]):
        ours = sorted(numbers[id(one)] for one in (never, *chain) if id(one) in numbers)
        if ours:
            others = [one.name() for one in (never, *chain) if id(one) not in numbers]
            with_others = f"; with {', '.join(others)}" if others else ""
            lines_told = ", ".join(map(str, ours)) + with_others
            problems.append(
                f"{source.name}:{ours[-1]}: a never and a chain of always cannot both hold: lines {lines_told}"
            )
    if problems:
        raise OverrideError("\n".join(problems))
