"""The files that systems drop every night at three: into `exports/` beside the sandbox's state, as of its clock.

`exports/files` is for mapped files, `exports/ga4` and `exports/karte` for these two. A file is written whole and
renamed into place, and is as old as the night it was dropped in.
"""

from __future__ import annotations

import csv
import io
import os
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
from pyarrow import parquet

from sandbox.exports import people
from sandbox.exports.people import DAY, JAPAN
from sandbox.exports.web import JAPAN_OFFSET, SCHEMA, Web

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sandbox.setting import Setting

DROP_HOUR = 3 * 3600
SOURCES = ("files", "ga4", "karte")
# Google rewrites a day for three days, and a first export takes a while back.
REWRITTEN_DAYS = 3
FIRST_DAYS = 10


class Exports:
    """The drops of one sandbox."""

    def __init__(self, setting: Setting) -> None:
        """Remember where to write; what is written is worked out with the first drop."""
        self._setting, self._world = setting, setting.world
        self.folder = setting.state.path.parent / "exports"

    def catch_up(self) -> None:
        """Write the drop of every night since the last one that was written; the first has all there was before."""
        for source in SOURCES:
            (self.folder / source).mkdir(parents=True, exist_ok=True)
        now = self._setting.clock.now()
        known = self._setting.state.read("exports_until")
        last_night = now - (now + JAPAN_OFFSET - DROP_HOUR) % DAY
        nights = [last_night] if known is None else range(int(known) + DAY, last_night + 1, DAY)
        for night in nights if self._world.humans else ():
            self._drop(night, None if known is None else night - DAY)
            self._setting.state.write("exports_until", night)

    @cached_property
    def _sales(self) -> dict[tuple[int, int], Any]:
        return {(sale.truth, sale.at): sale for sale in self._world.sales if sale.truth is not None}

    @cached_property
    def _web(self) -> Web:
        return Web(self._world, self._sales)

    @cached_property
    def _lists(self) -> dict[str, list[people.Happening]]:
        lists = {
            "pos/cards_{}.csv": people.cards(self._world),
            "tamago_repeat/contracts_{}.csv": people.contracts(self._world),
            "tamago_repeat/cycles_{}.csv": people.cycles(self._world, self._sales),
            "reviews/reviews_{}.xlsx": people.reviews(self._world, self._sales),
            "nps/responses_{}.csv": people.survey_answers(self._world),
        }
        return {name: sorted(happenings, key=lambda happening: happening[0]) for name, happenings in lists.items()}

    def _drop(self, night: int, since: int | None) -> None:
        day = datetime.fromtimestamp(night, JAPAN)
        for name, happenings in self._lists.items():
            rows = [row for at, row in happenings if (since is None or at > since) and at <= night]
            self._write(f"files/{name.format(day.strftime('%Y%m%d'))}", rows, night)
        if day.day == 1:
            self._write(f"files/dm/dm_{day:%Y%m}.tsv", list(people.mailing(self._world, night)), night)
        today = (night + JAPAN_OFFSET) // DAY
        for earlier in range(1, (FIRST_DAYS if since is None else REWRITTEN_DAYS) + 1):
            self._write_day(today - earlier, night)

    def _write_day(self, day: int, night: int) -> None:
        """Write a day's GA4 events as they are known this night, and once what KARTE logged."""
        text = datetime.fromtimestamp(day * DAY, UTC).strftime("%Y%m%d")
        if events := self._web.events(day, night):
            packed = io.BytesIO()
            parquet.write_table(pa.Table.from_pylist(events, schema=SCHEMA), packed)
            self._put(f"ga4/events_{text}.parquet", packed.getvalue(), night)
        if not (self.folder / f"karte/karte_event_{text}.jsonl").exists():
            lines = [orjson.dumps(event) for event in self._web.karte_events(day)]
            self._put(f"karte/karte_event_{text}.jsonl", b"\n".join([*lines, b""]), night)

    def _write(self, name: str, rows: Sequence[people.Row], night: int) -> None:
        if not rows:
            return
        if name.endswith(".xlsx"):
            self._put(name, as_workbook(rows), night)
        else:
            encoding = "cp932" if name.startswith("files/pos/") else "utf-8-sig"
            text = as_text(rows, "\t" if name.endswith(".tsv") else ",")
            self._put(name, text.encode(encoding, errors="replace"), night)

    def _put(self, name: str, content: bytes, night: int) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished: Path = path.with_name(path.name + ".tmp")
        unfinished.write_bytes(content)
        os.utime(unfinished, (night, night))
        unfinished.replace(path)


def as_text(rows: Sequence[people.Row], delimiter: str) -> str:
    """Write rows as delimited text."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_workbook(rows: Sequence[people.Row]) -> bytes:
    """Write rows as a workbook of one sheet."""
    from openpyxl import Workbook  # noqa: PLC0415 - a quarter of a second, for reviews alone

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("レビュー")
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(list(row.values()))
    packed = io.BytesIO()
    workbook.save(packed)
    return packed.getvalue()
