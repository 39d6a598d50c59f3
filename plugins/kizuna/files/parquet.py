"""Parquet: rows in batches, counted by the file's own metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow
import pyarrow.parquet as pq

from kizuna.files.formats import FileError, Row, Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BATCH_ROWS = 2_000
BUFFER_BYTES = 1024 * 1024


def open_table(path: Path, file_name: str) -> Table:
    """Read the metadata and open the rows.

    Raises:
        FileError: when the file is not Parquet or ends early.
    """
    try:
        opened = pq.ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False)
    except pyarrow.ArrowInvalid:
        message = f"{file_name}: not a whole Parquet file: expected its footer. Next: send it again"
        raise FileError(message) from None
    return Table(opened.metadata.num_rows, tuple(opened.schema_arrow.names), _rows(opened))


def _rows(opened: pq.ParquetFile) -> Iterator[Row]:
    number = 0
    with opened:
        for batch in opened.iter_batches(batch_size=BATCH_ROWS):
            for cells in batch.to_pylist():
                number += 1
                yield Row(number, cells)
