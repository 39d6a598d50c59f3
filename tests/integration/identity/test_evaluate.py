"""`kizuna identity evaluate`: the one path and the one policy on people whose truth is known."""

from __future__ import annotations

import gzip
import importlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from kizuna.cli import main
from kizuna.identity import evaluating
from kizuna.local import evaluation

if TYPE_CHECKING:
    from types import ModuleType

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIZUNA_HOME", str(tmp_path / "home"))


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The generator of invented customers, which the benchmarks use too."""
    monkeypatch.syspath_prepend(PROJECT / "bench")
    return importlib.import_module("people")


def test_invented_families_are_told_apart(warehouse_url: str, tmp_path: Path, people: ModuleType) -> None:
    file = tmp_path / "people.parquet"
    people.generate(replace(people.FAMILIES, persons=1_500, seed=77)).to_parquet(file)
    figures = evaluation.evaluate_in(warehouse_url, evaluating.read_truth(file)).figures
    assert figures.precision >= 0.99
    assert figures.f1 >= 0.80
    assert figures.household_false_merges is not None
    assert figures.household_false_merges <= 0.003
    assert figures.largest_customer <= 20


def test_japanese_customers_are_found_as_the_issue_demands(warehouse_url: str, shared: Path) -> None:
    truth = evaluating.read_truth(shared / "data" / "japan_people" / "jp_20k.parquet")
    figures = evaluation.evaluate_in(warehouse_url, truth).figures
    assert figures.precision >= 0.990
    assert figures.f1 >= 0.874
    assert figures.household_false_merges is not None
    assert figures.household_false_merges <= 0.0045


def test_the_command_prints_the_figures(tmp_path: Path) -> None:
    file = tmp_path / "truth.csv.gz"
    rows = ["person,household,name,phone", "1,a,佐藤 健,090-1234-5670", "1,a,サトウ ケン,09012345670"]
    file.write_bytes(gzip.compress("\n".join([*rows, "2,a,佐藤 舞,090-1234-5670"]).encode()))
    answer = CliRunner().invoke(main, ["identity", "evaluate", "--truth", str(file), "--json"])
    assert answer.exit_code == 0, answer.output
    figures = json.loads(answer.stdout)
    assert (figures["records"], figures["persons"], figures["customers"], figures["f1"]) == (3, 2, 2, 1.0)


def test_a_file_without_truth_is_told_and_nothing_starts(tmp_path: Path) -> None:
    file = tmp_path / "truth.csv"
    file.write_text("name\n佐藤 健\n")
    answer = CliRunner().invoke(main, ["identity", "evaluate", "--truth", str(file)])
    assert answer.exit_code == 1
    assert "expected a column that says the person" in answer.output
