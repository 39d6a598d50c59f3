"""Reads out of the staging models which fields of a payload they read, in the few forms they are written in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from kizuna import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS = settings.PROJECT / "dbt_project" / "models" / "staging"
# `alias.column` and what follows of `-> 'a' ->> 'b'`, `-> 0` or `#>> '{a,b}'`, casts and closing brackets between them.
REFERENCE = re.compile(r"""\b(\w+)\.("[^"]+"|\w+)((?:\s*\)*\s*(?:->>?\s*(?:'[^']*'|\d+)|\#>>?\s*'\{[^']*\}'))*)""")
STEP = re.compile(r"->>?\s*(?:'([^']*)'|(\d+))|\#>>?\s*'\{([^']*)\}'")
RECORD = re.compile(r"\bjsonb_to_record(set)?\s*\(")
ELEMENTS = re.compile(r"\bjsonb_array_elements(?:_text)?\s*\(")
SOURCE = re.compile(r"""latest_versions\(source\("(\w+)", "(\w+)"\)\)""")
ANY_SOURCE = re.compile(r"""source\("(\w+)", "(\w+)"\)""")
REF = re.compile(r"""ref\("(\w+)"\)""")
# The only part of a JSON path that matters here: the fields it starts with.
PATH_QUERY = re.compile(r"jsonb_path_query_first\(\s*(\w+\.payload),\s*'(?:strict |lax )?\$((?:\.\w+)+)[^']*'[^)]*\)")
NAMED = re.compile(r"""\bas\s+("[^"]+"|\w+)\s*(?:,|\n)""")


@dataclass
class Reading:
    """One model: the table it reads, the fields, and under which names its columns pass them on."""

    table: tuple[str, str] | None = None
    fields: set[str] = field(default_factory=set)
    records: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)


def read_by_staging() -> dict[tuple[str, str], dict[str, set[str]]]:
    """Return, for each (source, stream), the fields and which models read them."""
    found: dict[tuple[str, str], dict[str, set[str]]] = {}
    for file in sorted(MODELS.glob("*/*.sql")):
        reading = read(file.stem)
        if reading.table:
            for name in reading.fields:
                found.setdefault(reading.table, {}).setdefault(name, set()).add(file.stem)
    return found


@cache
def read(model: str) -> Reading:
    """Read one model, after the models it is made of."""
    (file,) = MODELS.glob(f"*/{model}.sql")
    text = re.sub(r"--[^\n]*", "", file.read_text(encoding="utf-8"))
    reading = Reading()
    for parent in REF.findall(text):
        if any(MODELS.glob(f"*/{parent}.sql")):
            before = read(parent)
            reading.table = reading.table or before.table
            reading.columns |= before.columns
    named = SOURCE.search(text) or ANY_SOURCE.search(text)
    if named:
        reading.table = (named[1], named[2])
    # A macro's argument is SQL in a text: its quotes are escaped.
    text = re.sub(r"\{\{.*?\}\}", lambda found: found[0].replace('\\"', '"').replace('"fields.', "fields."), text)
    text = PATH_QUERY.sub(lambda found: found[1] + "".join(f" -> '{name}'" for name in found[2].split(".")[1:]), text)
    for _ in range(3):
        _bind(text, reading)
    reading.fields = {path for path in _paths(text, reading) if path}
    return reading


def _bind(text: str, reading: Reading) -> None:
    """Learn what stands for which part of the payload: records, elements, and columns of common table expressions."""
    for inner, rest in _calls(text, RECORD):
        base = _resolve(inner, reading)
        declared = re.match(r"\s*as\s+(\w+)\s*\(([^()]*)\)", rest)
        if base is not None and declared:
            is_set = f"recordset({inner})" in text
            reading.records[declared[1]] = f"{base}[]" if is_set else base
            for column in re.findall(r'("[^"]+"|\w+)\s+\w+', declared[2]):
                reading.fields.add(_join(reading.records[declared[1]], column.strip('"')))
    for inner, rest in _calls(text, ELEMENTS):
        base = _resolve(inner, reading)
        declared = re.match(r"\s*(?:with ordinality\s*)?as\s+(\w+)\s*\((\w+)", rest)
        if base is not None and declared:
            reading.columns[f"{declared[1]}.{declared[2]}"] = f"{base}[]"
    for found in NAMED.finditer(text):
        expression = _select_item(text[: found.start()])
        path = _resolve(expression, reading)
        if path and "->>" not in expression and "#>>" not in expression:
            reading.columns[found[1].strip('"')] = path


def _paths(text: str, reading: Reading) -> Iterator[str]:
    yield from reading.fields
    for found in REFERENCE.finditer(text):
        path = _path(found, reading)
        if path is not None:
            yield path


def _resolve(expression: str, reading: Reading) -> str | None:
    paths = [_path(found, reading) for found in REFERENCE.finditer(expression)]
    known = [path for path in paths if path is not None]
    return known[0] if known else None


def _path(found: re.Match[str], reading: Reading) -> str | None:
    alias, column = found[1], found[2].strip('"')
    if alias in reading.records:
        base = _join(reading.records[alias], column)
    elif f"{alias}.{column}" in reading.columns:
        base = reading.columns[f"{alias}.{column}"]
    elif column == "payload":
        base = ""
    elif column in reading.columns:
        base = reading.columns[column]
    else:
        return None
    for name, number, listed in STEP.findall(found[3]):
        for step in filter(None, [name, number, *listed.split(",")]):
            base = f"{base}[]" if step.isdigit() else _join(base, step)
    return base


def _join(base: str, name: str) -> str:
    return f"{base}.{name}" if base else name


def _calls(text: str, opening: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Give each call's argument and the text behind it."""
    for found in opening.finditer(text):
        depth, end = 1, found.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield text[found.end() : end - 1], text[end:]


def _select_item(before: str) -> str:
    """The expression that ends here: back to the comma or keyword at its own depth."""
    depth, at = 0, len(before)
    while at:
        at -= 1
        depth += {")": 1, "(": -1}.get(before[at], 0)
        if depth < 0 or (depth == 0 and before[at] == ","):
            return before[at + 1 :]
        if depth == 0 and re.match(r"\b(select|from|join)\b", before[at:]) and not before[at - 1].isalnum():
            return before[at:]
    return before
