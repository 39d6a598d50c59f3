"""Files of any size are read in the same memory."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kizuna.files.mapped import MappedRows
from kizuna.files.mapping import Mapping
from kizuna.files.source import FileReader, Intake, LandedFiles
from kizuna.files.stores import LocalStore
from kizuna.reading import EPOCH, Window

if TYPE_CHECKING:
    from pathlib import Path

MAPPING = Mapping.model_validate(
    {"entity": "customers", "system": "pos", "files": "*", "key": ["n"], "columns": {"n": "customer_number"}}
)


def write(path: Path, rows: int) -> None:
    if path.suffix == ".parquet":
        pq.write_table(pa.table({"n": [str(n) for n in range(rows)], "x": ["x" * 200] * rows}), path)
    else:
        path.write_text("n,x\n" + "".join(f"{n},{'x' * 200}\n" for n in range(rows)))


def peak_of(folder: Path, ending: str, rows: int) -> int:
    """Read a file of so many rows and return the most bytes that were held at once."""
    folder.mkdir()
    write(folder / f"file.{ending}", rows)
    reader = FileReader(LocalStore(folder), [Intake("*", MappedRows(MAPPING).record)], LandedFiles(), timedelta(0))
    window = Window(EPOCH, datetime.now(UTC))
    tracemalloc.start()
    reader.start(EPOCH, None)
    assert sum(len(page) for page in reader.pages(window)) == rows
    assert reader.count(window).count == rows
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_memory_does_not_follow_the_size_of_the_file(tmp_path: Path, ending: str) -> None:
    peak_of(tmp_path / "first", ending, 10)  # imports and caches
    small, large = (peak_of(tmp_path / str(rows), ending, rows) for rows in (4_000, 20_000))

    assert large - small < 16_000 * 20, "a row may leave the hash of its id behind, and nothing else"
