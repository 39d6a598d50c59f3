"""What a gate does with what it finds: decide, keep, show, and never show a person's value."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from kizuna import quality
from kizuna.sources import SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.quality.conftest import Gate

ADDRESS = "anna.yamada@example.jp"
USER_ID = "U" + "0a" * 16
PHONE = "09012345678"


def suites(folder: Path, table: str, *lines: str, gate: str = "marts", head: str = "key: customer_id\n") -> Path:
    file = folder / "expectations" / gate / f"{table}.yml"
    file.parent.mkdir(parents=True, exist_ok=True)
    every = "expect: expect_table_row_count_to_be_between, min_value: 0, severity: info, owner: data, reason: r"
    (file.parent / "_every_table.yml").write_text(f"expectations:\n  - {{ {every} }}\n", encoding="utf-8")
    described = [line.replace(" }", ', owner: data, reason: "because" }') for line in lines]
    file.write_text(head + "expectations:\n" + "".join(f"  - {line}\n" for line in described), encoding="utf-8")
    return folder / "expectations"


def pages(tmp_path: Path) -> dict[str, str]:
    return {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "docs").iterdir()}


@pytest.mark.parametrize(
    ("name", "only", "tables"),
    [
        ("raw", "shopify", len(SOURCES["shopify"].streams)),
        ("raw", "line", len(SOURCES["line"].streams)),
        ("identity", None, 1),
        ("marts", None, 5),
        ("sync", None, 1),
    ],
)
def test_a_world_in_which_all_is_right_passes(gate: Gate, name: str, only: str | None, tables: int) -> None:
    report = gate(name, only)
    assert (report.failed_critical, report.failed_warning, report.tables) == (0, 0, tables)
    assert report.expectations >= 7


def test_a_broken_mart_stops_the_path_and_the_text_says_why(
    gate: Gate, break_with: Callable[[str], None], results: Callable[[str], list[Any]]
) -> None:
    break_with("update marts_candidate.customers set net_spend_incl_tax = 8999 where customer_id = 'ben'")
    with pytest.raises(quality.GateFailed) as failed:
        gate("marts")
    text = str(failed.value)
    assert "Gate marts: 2 of" in text
    assert "readers keep the published version" in text
    assert "money_equals_core_per_customer on marts_candidate.customers: does not hold, 1 rows" in text
    assert "expectations/marts/customers.yml:" in text
    assert "such as -1" in text
    found = results("select expectation, unexpected_count from ops.quality_results where not success order by 1")
    assert found == [("money_equals_core_per_customer", 1), ("revenue_equals_core", 1)]


def test_every_expectation_leaves_a_result(gate: Gate, results: Callable[[str], list[Any]]) -> None:
    report = gate("marts")
    query = (
        "select count(*), count(distinct table_name), bool_and(success) from ops.quality_results where run_id = 'run'"
    )
    assert results(query) == [(report.expectations, 5, True)]


def test_a_warning_is_kept_and_lets_the_path_go_on(gate: Gate, break_with: Callable[[str], None]) -> None:
    break_with("update marts_candidate.rfm set decile_sales_share = 0.5")
    break_with("update marts_candidate.rfm set decile_sales_share = 0.9 where customer_id = 'ben'")
    report = gate("marts")
    assert (report.failed_critical, report.failed_warning) == (0, 1)


def test_no_personal_value_reaches_text_pages_or_results(
    gate: Gate, break_with: Callable[[str], None], results: Callable[[str], list[Any]], tmp_path: Path
) -> None:
    break_with("alter table marts_candidate.customers add column note text")
    break_with(f"update marts_candidate.customers set note = '{ADDRESS} {PHONE} {USER_ID} 山田'")
    folder = suites(
        tmp_path,
        "customers",
        "{ expect: expect_column_values_to_be_null, column: note, severity: critical }",
        '{ expect: expect_column_values_to_be_in_set, column: note, value_set: ["x"], severity: critical }',
        "{ expect: expect_column_value_lengths_to_be_between, column: note, max_value: 2, severity: critical }",
        '{ expect: expect_column_distinct_values_to_be_in_set, column: note, value_set: ["x"], severity: critical }',
        '{ expect: expect_column_most_common_value_to_be_in_set, column: note, value_set: ["x"], severity: critical }',
        '{ expect: expect_column_max_to_be_between, column: note, max_value: "0", severity: critical }',
        '{ name: by_sql, rows_that_must_not_exist: "select note from {table}", severity: critical }',
        '{ name: bad_cast, rows_that_must_not_exist: "select 1 from {table} where note::int = 1", severity: warning }',
        head="rows: required\nkey: note\n",
    )
    with pytest.raises(quality.GateFailed) as failed:
        gate("marts", suites=folder)
    kept = str(results("select * from ops.quality_results"))
    shown = pages(tmp_path)
    for text in (str(failed.value), kept, shown["index.html"], shown["customers.html"]):
        assert "sha256:" in text
        for personal in (ADDRESS, PHONE, USER_ID, "山田", "yamada"):
            assert personal not in text
    assert "by_sql on marts_candidate.customers: does not hold, 3 rows, such as sha256:" in str(failed.value)


def test_pages_open_without_a_network(gate: Gate, tmp_path: Path) -> None:
    gate("marts")
    shown = pages(tmp_path)
    assert set(shown) == {
        *("index.html", "customers.html", "rfm.html", "customer_phases.html", "f2_cohorts.html", "kpi_summary.html")
    }
    for page in shown.values():
        assert "<script src" not in page
        assert '<link rel="stylesheet" href="http' not in page
        assert "<img" not in page
    assert "money_equals_core_per_customer" in shown["index.html"]


def test_details_are_asked_only_for_what_failed(
    gate: Gate, break_with: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from kizuna.quality import checks

    asked: list[tuple[str, int]] = []
    run = checks._run

    def _count(*arguments: Any) -> Any:
        asked.append((arguments[5] if isinstance(arguments[5], str) else "details", len(arguments[3])))
        return run(*arguments)

    monkeypatch.setattr(checks, "_run", _count)
    gate("marts")
    assert {kind for kind, _ in asked} == {"BOOLEAN_ONLY"}
    asked.clear()
    break_with("update marts_candidate.customers set phase = 'vip' where customer_id = 'carl'")
    with pytest.raises(quality.GateFailed, match=r"value.*_set_of_phase .*1 rows, such as customer_id="):
        gate("marts")
    assert [count for kind, count in asked if kind == "details"] == [1]


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "drop table marts_candidate.rfm",
            "expect_table_to_exist on marts_candidate.rfm: marts_candidate.rfm is missing",
        ),
        ("truncate marts_candidate.rfm", "expect_table_to_have_rows on marts_candidate.rfm: 0 rows"),
        ("alter table marts_candidate.rfm drop column f_score", r"column f_score does not exist.*marts/rfm\.yml:\d"),
        ("alter table core.dim_customers rename customer_id to id", r"UndefinedColumn: .*marts/customers\.yml:\d"),
        (
            "create table marts_candidate.extra (id int)",
            "extra: kizuna_transform may not read it",
        ),
    ],
)
def test_what_could_not_be_checked_has_failed(
    gate: Gate, break_with: Callable[[str], None], statement: str, problem: str
) -> None:
    break_with(statement)
    with pytest.raises(quality.GateFailed, match=problem):
        gate("marts")


def test_a_warning_that_cannot_be_computed_is_critical(gate: Gate, tmp_path: Path) -> None:
    line = "{ expect: expect_column_values_to_be_null, column: gone, severity: warning }"
    folder = suites(tmp_path, "customers", line)
    with pytest.raises(quality.GateFailed, match="column gone does not exist"):
        gate("marts", suites=folder)


def test_a_gate_that_finds_nothing_to_check_fails(warehouse_url: str, tmp_path: Path) -> None:
    folder = suites(
        tmp_path, "_every_table", "{ expect: expect_column_to_exist, column: id, severity: info }", gate="sync"
    )
    with pytest.raises(quality.GateFailed, match="Gate sync checked nothing"):
        quality.run_gate("sync", warehouse_url, "run", docs_folder=tmp_path / "docs", suites_folder=folder)


def test_arguments_the_tool_refuses_are_named_with_their_line(gate: Gate, tmp_path: Path) -> None:
    line = "{ expect: expect_column_values_to_be_in_set, column: phase, value_set: 3, severity: critical }"
    with pytest.raises(quality.SuiteError, match=r"^expectations/marts/customers\.yml:3: .*value_set"):
        gate("marts", suites=suites(tmp_path, "customers", line))


def test_a_day_nobody_knows_fails_what_needs_it(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KIZUNA_AS_OF", raising=False)
    with pytest.raises(quality.GateFailed, match=r"\{as_of\} has no value: the run is not in ops.runs"):
        gate("marts", run_id="another run")


def test_raw_rows_that_passed_are_not_read_again(gate: Gate, results: Callable[[str], list[Any]]) -> None:
    gate("raw", "shopify")
    proven = "select (observed ->> 'proven_up_to')::int from ops.quality_results"
    assert results(f"{proven} where expectation = 'total_is_not_negative'") == [(4,)]
    results("update raw.shopify__orders set payload = '{}' returning 1")
    assert gate("raw", "shopify").failed_critical == 0


def test_a_bad_row_blocks_until_a_newer_version_puts_it_right(gate: Gate, break_with: Callable[[str], None]) -> None:
    newer = (
        "insert into raw.shopify__orders (_record_id, _source_updated_at, payload) select _record_id,"
        " _source_updated_at + interval '1 day', jsonb_set(payload, '{{totalPriceSet,shopMoney,amount}}', '\"{}\"')"
        " from raw.shopify__orders order by _sequence desc limit 1"
    )
    gate("raw", "shopify")
    break_with(newer.format("-5"))
    for run_id in ("second", "third"):
        with pytest.raises(quality.GateFailed, match=r"total_is_not_negative .* such as gid://shopify/Order/4"):
            gate("raw", "shopify", run_id)
    break_with(newer.format("5"))
    assert gate("raw", "shopify", "fourth").failed_critical == 0


def test_a_changed_policy_is_checked_on_every_row_again(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "strategy.yml").write_text("reporting_currency: JPY\n")
    monkeypatch.setenv("KIZUNA_STRATEGY", str(tmp_path / "strategy.yml"))
    gate("raw", "shopify", "first")
    (tmp_path / "strategy.yml").write_text("reporting_currency: USD\n")
    with pytest.raises(quality.GateFailed, match=r"currency_is_the_reporting_currency .* 4 rows"):
        gate("raw", "shopify", "second")


def test_importing_the_gates_does_not_import_the_tool() -> None:
    code = "import sys; import kizuna.quality; sys.exit(bool({'great_expectations', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
