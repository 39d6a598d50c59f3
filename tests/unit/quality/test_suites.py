"""A suite that cannot be used says so with file and line, before anything is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kizuna import settings
from kizuna.quality.suites import SuiteError, known_types, load_suites

if TYPE_CHECKING:
    from pathlib import Path

GOOD = '{ expect: expect_column_values_to_not_be_null, column: id, severity: critical, owner: data, reason: "key" }'
SQL = '{ name: none, rows_that_must_not_exist: "select id from {table}", severity: critical, owner: data, reason: "r" }'


def written(folder: Path, *lines: str, gate: str = "marts", head: str = "") -> Path:
    file = folder / "expectations" / gate / "customers.yml"
    file.parent.mkdir(parents=True)
    listed = "\n".join(f"  - {line}" for line in lines)
    file.write_text(f"# Who they are.\n{head}expectations:\n{listed}\n", encoding="utf-8")
    return folder / "expectations"


def test_the_projects_own_suites_can_be_used() -> None:
    for gate in ("raw", "identity", "marts", "sync"):
        assert load_suites(settings.PROJECT / "expectations", gate)  # type: ignore[arg-type]


def test_a_line_says_everything(tmp_path: Path) -> None:
    (one,) = load_suites(written(tmp_path, GOOD, head="key: id\n"), "marts")["customers"].expectations
    assert (one.name, one.severity) == ("expect_column_values_to_not_be_null_of_id", "critical")
    assert one.place == "expectations/marts/customers.yml:4"
    assert one.columns == ("id",)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            GOOD.replace("not_be_null", "not_be_nul"),
            "unknown expectation .*did you mean expect_column_values_to_not_be_null",
        ),
        (GOOD.replace("critical", "fatal"), "severity is 'fatal': expected one of critical, warning, info"),
        (GOOD.replace(', reason: "key"', ""), "reason is missing"),
        (GOOD.replace('"key"', '" "'), "reason is missing"),
        (GOOD.replace("owner: data, ", ""), "owner is missing"),
        (GOOD.replace("column:", "colunm:"), "unknown key 'colunm' for expect_column_values_to_not_be_null"),
        (GOOD.replace("column: id, ", ""), "column is missing for expect_column_values_to_not_be_null"),
        (GOOD.replace("column: id", "column: id, column: name"), "'column' is there twice"),
        (GOOD.replace("not_be_null", "be_between"), "neither min_value nor max_value"),
        (GOOD.replace("expect: expect_column_values_to_not_be_null, ", ""), "expected either expect"),
        (SQL.replace("name: none, ", ""), "name is missing"),
        (SQL.replace("{table}", "{tabel}"), r"unknown placeholder \{tabel\}"),
        (SQL.replace("select id from", "delete from"), "must be one select"),
        (SQL.replace("{table}", "{table} where _sequence > {proven_up_to}"), "is for raw tables"),
        (SQL.replace("severity", "column: id, severity"), "unknown key 'column' beside rows_that_must_not_exist"),
        ("just a text", "expected `key: value`"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, problem: str) -> None:
    folder = written(tmp_path, GOOD.replace("id", "other"), line)
    with pytest.raises(SuiteError, match=rf"^expectations/marts/customers\.yml:4: .*{problem}"):
        load_suites(folder, "marts")


def test_the_same_expectation_twice_needs_names(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"customers\.yml:4: .*is there already, in line 3"):
        load_suites(written(tmp_path, GOOD, GOOD), "marts")


def test_a_gate_without_suites_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="No suite in expectations/sync"):
        load_suites(tmp_path / "expectations", "sync")


@pytest.mark.parametrize(
    ("head", "problem"), [("rows: some\n", "rows is 'some'"), ("row: required\n", "unknown key 'row'")]
)
def test_a_wrong_head_is_named(tmp_path: Path, head: str, problem: str) -> None:
    with pytest.raises(SuiteError, match=problem):
        load_suites(written(tmp_path, GOOD, head=head), "marts")


def test_a_suite_without_a_line_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="no expectations"):
        load_suites(written(tmp_path), "marts")


def test_text_that_is_not_yaml_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"customers\.yml: not YAML"):
        load_suites(written(tmp_path, "{ expect: [ }"), "marts")


def test_what_is_offered_is_what_the_installed_version_knows() -> None:
    import great_expectations.expectations as offered

    for name in known_types():
        words = [word.capitalize() for word in name.split("_")]
        found = {known.lower() for known in dir(offered)} | {known.lower() for known in dir(offered.core)}
        assert "".join(words).lower() in found
    assert len(known_types()) > 40
