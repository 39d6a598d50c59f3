"""What a mapping would make of a sample file, told without a value of anybody's."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kizuna.files.formats import open_table
from kizuna.files.mapped import MappedRows, missing_columns
from kizuna.files.stores import StoredFile
from kizuna.files.values import shape_of
from kizuna.reading import UnfitRecord

if TYPE_CHECKING:
    from pathlib import Path

    from kizuna.files.mapping import Mapping

SHOWN_ROWS = 3


@dataclass
class Report:
    """What would come of the file: rows by their fate, columns that do not meet, and the form of the first rows."""

    row_count: int
    missing: list[str]
    unmapped: list[str]
    fit_count: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    shown: list[dict[str, str]] = field(default_factory=list)


def check(mapping: Mapping, sample: Path) -> Report:
    """Read the sample as a landing would; nothing is landed.

    Raises:
        kizuna.files.formats.FileError: when the file as a whole cannot be read.
    """
    table = open_table(sample, sample.name, mapping.format)
    used = {*mapping.columns, *mapping.key, *([mapping.updated] if mapping.updated else [])}
    report = Report(
        table.row_count, missing_columns(mapping, table.columns), [c for c in table.columns if c not in used]
    )
    if report.missing:
        return report
    rows, file = MappedRows(mapping), StoredFile(sample.name, 0, datetime.fromtimestamp(0, UTC))
    for row in table.rows:
        record = rows.record(row, file)
        if isinstance(record, UnfitRecord):
            report.reasons[record.reason] += 1
            continue
        report.fit_count += 1
        if len(report.shown) < SHOWN_ROWS:
            report.shown.append({name: shape_of(str(value)) for name, value in record["fields"].items()})
    return report
