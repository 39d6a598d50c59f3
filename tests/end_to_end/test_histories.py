"""Real purchases through the whole path: converted, served as Shopify, landed, and counted in the marts."""

from __future__ import annotations

import os
import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from kizuna import strategy, warehouse
from kizuna.local import direct
from kizuna.local.world import world_of_history
from sandbox.convert import convert

EXPECTED = {
    "cdnow_sample": {
        "as_of": date(1998, 6, 30),
        "customers": 2_357,
        "orders": 6_919,
        "repeat": 1_152,
        "revenue": Decimal("244091.94"),
        "converted": {"7": 174, "30": 436, "60": 621, "90": 705, "180": 901, "365": 1_087},
        "year": (1_087, 2_357),
    },
    "online_retail": {
        "as_of": date(2011, 12, 9),
        "customers": 4_338,
        "orders": 18_532,
        "repeat": 2_845,
        "revenue": Decimal("8911407.90"),
        "converted": {"7": 420, "30": 967, "60": 1_580, "90": 1_929, "180": 2_527},
        "year": (502, 573),
    },
}
FIGURES = """
    select metric, window_label, value, converted_count, matured_count, matured_converted_count from marts.kpi_summary
"""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch):
    # Not under pytest's own folder: the server's user must be able to reach it when the tests run as root.
    with tempfile.TemporaryDirectory(prefix="kizuna-history-") as folder:
        Path(folder).chmod(0o755)
        before = dict(os.environ)
        monkeypatch.setenv("KIZUNA_HOME", folder)
        yield Path(folder)
        os.environ.clear()
        os.environ.update(before)


@pytest.mark.slow
@pytest.mark.parametrize("dataset", EXPECTED)
def test_the_marts_show_what_really_happened(dataset: str, home: Path, shared: Path, monkeypatch: pytest.MonkeyPatch):
    history, expected = home / "history", EXPECTED[dataset]
    convert(dataset, shared / "data" / dataset, history)
    monkeypatch.setenv("KIZUNA_STRATEGY", str(history / "strategy.yml"))
    for name in ("WAREHOUSE_URL", "KIZUNA_AS_OF", "KIZUNA_TIMEZONE", "KIZUNA_CURRENCY"):
        monkeypatch.delenv(name, raising=False)
    world = world_of_history(history, expected["as_of"], strategy.load(), print)
    figures = {}

    def keep_figures(text: str) -> None:
        if text.startswith("published"):
            with warehouse.connect(os.environ["WAREHOUSE_URL"], "kizuna_bi", read_only=True) as connection:
                for metric, window, *values in connection.execute(FIGURES.encode()):
                    figures[metric, window] = values

    [delivery] = direct.run(world, keep_figures)
    counts = [figures[metric, "all"][0] for metric in ("buyers", "orders", "repeat_customers")]
    assert counts == [expected["customers"], expected["orders"], expected["repeat"]]
    assert round(figures["gross_revenue", "all"][0], 2) == expected["revenue"]
    assert {window: figures["f2_rate", window][1] for window in expected["converted"]} == expected["converted"]
    assert (figures["f2_rate", "365"][3], figures["f2_rate", "365"][2]) == expected["year"]
    assert (delivery.members, delivery.requests) == (0, 0)
