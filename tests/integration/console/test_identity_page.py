"""The page of identity: it shows the last run and the changes of the runs, and loads nothing from elsewhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from kizuna import warehouse
from kizuna.console import drawing, identity_page

if TYPE_CHECKING:
    from psycopg import Connection

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
Figure = tuple[str, str, str, float]


def measured(connection: Connection, run: int, *figures: Figure) -> None:
    for metric, kind, label, value in (("records", "", "", 100 + run), *figures):
        connection.execute(
            "insert into identity.quality (run_id, metric, kind, label, value, at) values (%s, %s, %s, %s, %s, %s)",
            [f"run {run}", metric, kind, label, value, FIRST + timedelta(days=run)],
        )


@pytest.fixture
def connection(warehouse_url: str):
    with warehouse.connect(warehouse_url, "kizuna_transform") as opened:
        yield opened


def texts(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_before_the_first_run_the_page_says_so(connection: Connection) -> None:
    assert "No run yet / まだ実行されていません" in identity_page.page(connection)


def test_a_figure_is_of_the_last_run_and_one_of_full_runs_of_the_last_full_run(connection: Connection) -> None:
    measured(
        connection, 1, ("refusals", "phone", "names contradict", 41), ("top_shared_values", "phone", "0f 09…9", 77)
    )
    measured(connection, 2)
    page = texts(identity_page.page(connection))
    assert "102 Records / レコード" in page
    assert "phone · 0f 09…9: 77" in page
    assert "names contradict" not in page


def test_changes_are_drawn_run_by_run(connection: Connection) -> None:
    for run in range(1, 4):
        measured(connection, run, ("churn", "merge", "", run * 7), ("churn", "split", "", 0))
    page = identity_page.page(connection)
    drawn = page.split("merge per run")[1].split("</svg>")[0]
    assert re.findall(r"<title>11-\d\d 00:00: (\d+)</title>", drawn) == ["7", "14", "21"]
    assert "split per run" not in page


def test_the_page_is_whole_and_loads_nothing(connection: Connection) -> None:
    measured(connection, 1, ("customer_size", "", "1", 9), ("refusals", "", "<script>", 1), ("churn", "mint", "", 9))
    page = identity_page.page(connection)
    assert not re.search(r"<script|<link|<img|src=|https?:|url\(", page)
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(svg)


def test_sizes_are_drawn_in_classes_by_size(connection: Connection) -> None:
    sizes = {"10": 3, "7": 2, "1": 900, "200": 1, "2": 80}
    measured(connection, 1, *(("customer_size", "", size, count) for size, count in sizes.items()))
    drawn = identity_page.page(connection).split("customer sizes")[1].split("</svg>")[0]
    assert re.findall("<title>(.*?)</title>", drawn) == ["1: 900", "2: 80", "6–10: 5", "101+: 1"]


def test_bars_are_as_tall_as_their_values() -> None:
    drawn = drawing.columns([("a", 100), ("b", 50), ("c", 0), ("d", 0.001)], name="n", height=140)
    tall = [float(height) for height in re.findall(r'height="([\d.]+)" rx', drawn)]
    assert tall == [100, 50, 0, 1.5]
