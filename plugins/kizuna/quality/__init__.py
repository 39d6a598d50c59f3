"""The gates: run the suites of one gate, keep what they found, and stop the path when something critical failed.

A gate that checked nothing fails: no suite, no table, no expectation, or no row where rows are required.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from kizuna import settings, strategy, warehouse
from kizuna.quality import data_docs
from kizuna.quality.checks import Checked, Outcome, Target, check
from kizuna.quality.planning import plan
from kizuna.quality.proven import with_proof
from kizuna.quality.suites import Gate, SuiteError, load_suites

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["GateFailed", "GateReport", "SuiteError", "run_gate"]

SCHEMAS = {"raw": "raw", "identity": "identity", "marts": "marts_candidate", "sync": "sync"}
ROLES = {
    "raw": "kizuna_transform",
    "identity": "kizuna_transform",
    "marts": "kizuna_transform",
    "sync": "kizuna_activate",
}
STOPPED = {
    "raw": "the transform does not start on these rows",
    "identity": "readers keep the published version, built on who was who before",
    "marts": "readers keep the published version",
    "sync": "nothing was sent to any vendor",
}
SHOWN = 10


class GateFailed(RuntimeError):  # noqa: N818 - the path's word for it
    """A critical expectation does not hold; the text says which, where, how often, since which line, and what next."""


@dataclass(frozen=True)
class GateReport:
    """What a gate checked; seconds are the whole, import_seconds the part that starting the tool took."""

    gate: str
    expectations: int
    failed_critical: int
    failed_warning: int
    tables: int
    seconds: float
    import_seconds: float


def run_gate(
    gate: Gate,
    warehouse_url: str,
    run_id: str,
    *,
    only: str | None = None,
    docs_folder: Path,
    suites_folder: Path | None = None,
) -> GateReport:
    """Check the tables of one gate (of one source with `only`), write the results and the Data Docs.

    Raises:
        GateFailed: when a critical expectation failed or nothing was checked; the results are written before.
        SuiteError: when a suite is wrong.
    """
    started = time.monotonic()
    suites = load_suites(suites_folder or settings.PROJECT / "expectations", gate)
    values = _values(warehouse_url, run_id, ROLES[gate])
    target = Target(warehouse_url, SCHEMAS[gate], ROLES[gate], values, whole_schema=gate != "identity")
    planned = plan(suites, target, only)
    checked = check(planned.suites, target) if planned.suites else Checked([], {}, 0.0)
    outcomes = [*planned.outcomes, *(with_proof(one, planned.ceilings.get(_key(one))) for one in checked.outcomes)]
    _record(outcomes, gate, run_id, target)
    data_docs.write(docs_folder, gate, run_id, outcomes, checked.results)
    report = _report(gate, outcomes, planned.tables, time.monotonic() - started, checked.import_seconds)
    _decide(report, outcomes, only)
    return report


def _key(outcome: Outcome) -> tuple[str, str]:
    return outcome.table, outcome.expectation.place


def _values(warehouse_url: str, run_id: str, role: str) -> dict[str, Any]:
    """What placeholders stand for: the run's own day and policy, else the policy in force."""
    with warehouse.connect(warehouse_url, role, read_only=True) as connection:
        row: Any = connection.execute("select as_of, strategy from ops.runs where run_id = %s", [run_id]).fetchone()
    as_of, policy = row or (settings.as_of(), strategy.load().model_dump(mode="json"))
    return {**policy, "run_id": run_id, "as_of": as_of}


def _record(outcomes: list[Outcome], gate: str, run_id: str, target: Target) -> None:
    rows = [
        (
            *(run_id, gate, outcome.suite, outcome.expectation.name, outcome.table),
            ", ".join(outcome.expectation.columns) or None,
            *(_severity(outcome), outcome.success, Jsonb(dict(outcome.observed)), outcome.unexpected_count),
            *(outcome.expectation.owner, outcome.expectation.reason, outcome.expectation.place),
        )
        for outcome in outcomes
    ]
    with warehouse.connect(target.warehouse_url, target.role) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.quality_results (run_id, gate, suite, expectation, table_name, column_name, severity,"
            " success, observed, unexpected_count, owner, reason, place)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            rows,
        )


def _severity(outcome: Outcome) -> str:
    """A check that could not be made is critical, whatever its line says: nobody knows what it would have found."""
    return "critical" if "problem" in outcome.observed else outcome.expectation.severity


def _failed(outcomes: list[Outcome], severity: str) -> list[Outcome]:
    return [outcome for outcome in outcomes if not outcome.success and _severity(outcome) == severity]


def _report(gate: str, outcomes: list[Outcome], tables: int, seconds: float, import_seconds: float) -> GateReport:
    critical, warning = len(_failed(outcomes, "critical")), len(_failed(outcomes, "warning"))
    return GateReport(gate, len(outcomes), critical, warning, tables, round(seconds, 2), round(import_seconds, 2))


def _decide(report: GateReport, outcomes: list[Outcome], only: str | None) -> None:
    name = f"Gate {report.gate}{f' of {only}' if only else ''}"
    if not outcomes:
        message = f"{name} checked nothing: no table in schema {SCHEMAS[report.gate]} and no suite for one. Build first"
        raise GateFailed(message)
    failed = _failed(outcomes, "critical")
    if failed:
        lines = [_line(outcome, report.gate) for outcome in failed[:SHOWN]]
        more = [f"… and {len(failed) - SHOWN} more in ops.quality_results"] if len(failed) > SHOWN else []
        head = f"{name}: {len(failed)} of {len(outcomes)} expectations failed; {STOPPED[report.gate]}."
        next_step = (
            "Next: open the Data Docs or ops.quality_results, correct the rows or the line named here, run again."
        )
        raise GateFailed("\n".join([head, *lines, *more, next_step]))


def _line(outcome: Outcome, gate: str) -> str:
    one, found = outcome.expectation, outcome.observed
    parts = [f"- {one.name} on {SCHEMAS[gate]}.{outcome.table}: {found.get('problem', 'does not hold')}"]
    if outcome.unexpected_count is not None:
        parts.append(f"{outcome.unexpected_count} rows")
    if "value" in found and outcome.unexpected_count is None:
        parts.append(f"observed {found['value']}")
    samples: Any = found.get("samples") or []
    if samples:
        parts.append(f"such as {'; '.join(map(str, samples))}")
    return f"{', '.join(parts)} ({one.reason}; {one.place})"
