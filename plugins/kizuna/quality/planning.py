"""What a gate is going to check: the suites against the tables and columns that are really there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from psycopg import sql

from kizuna import warehouse
from kizuna.quality import fields
from kizuna.quality.checks import Outcome, TableSuite, Target
from kizuna.quality.proven import Ceiling, with_floor
from kizuna.quality.suites import EVERY_TABLE, PLACEHOLDER, Expectation, Suite, SuiteError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Plan:
    """What can be run, what fails without being run, and how far raw rows will be proven if it passes."""

    tables: int = 0
    suites: list[TableSuite] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    ceilings: dict[tuple[str, str], Ceiling] = field(default_factory=dict)


def plan(suites: Mapping[str, Suite], target: Target, only: str | None) -> Plan:
    """Match the suites with the tables of the gate: every table a suite expects, and every table of a whole schema.

    Raises:
        SuiteError: when a table has neither a suite of its own nor conventions.
    """
    catalog = {table: columns for table, columns in _catalog(target).items() if _belongs(table, only)}
    expected = {table for table in suites if _belongs(table, only)}
    wanted = sorted((expected | set(catalog) if target.whole_schema else expected) - {EVERY_TABLE})
    planned = Plan(tables=len(wanted))
    for table in wanted:
        suite = _suite_of(table, suites, target)
        if catalog.get(table):
            _plan_table(table, suite, catalog[table], target, planned)
        else:
            problem = f"{target.role} may not read it" if table in catalog else f"{target.schema}.{table} is missing"
            missing = _built_in("expect_table_to_exist", suite, "a table that is missing was not checked")
            planned.outcomes.append(_broken(table, suite, missing, problem))
    return planned


def _belongs(table: str, only: str | None) -> bool:
    return only is None or table.startswith(f"{only}__")


def _suite_of(table: str, suites: Mapping[str, Suite], target: Target) -> Suite:
    """A table's own suite with the conventions behind it; the conventions alone where it has none."""
    every, own = suites.get(EVERY_TABLE), suites.get(table)
    if not any(suite and suite.expectations for suite in (own, every)):
        message = f"{target.schema}.{table} has no expectation: add {table}.yml or lines to {EVERY_TABLE}.yml"
        raise SuiteError(message)
    parts = [suite for suite in (own, every) if suite]
    return Suite(
        name=f"{parts[0].name.split('/')[0]}/{table}",
        place=parts[0].place,
        rows=next((suite.rows for suite in parts if suite.rows), "required"),
        key=next((suite.key for suite in parts if suite.key), ()),
        expectations=tuple(one for suite in parts for one in suite.expectations),
    )


def _plan_table(table: str, suite: Suite, columns: set[str], target: Target, planned: Plan) -> None:
    if suite.rows == "required":
        rows = _built_in("expect_table_to_have_rows", suite, "an empty table passes every other check")
        passed = Outcome(suite.name, table, rows, success=True)
        planned.outcomes.append(_broken(table, suite, rows, "0 rows") if _is_empty(table, target) else passed)
    runnable = []
    names = [one.name for one in suite.expectations if one.kind == fields.KIND]
    floored: dict[str, tuple[str, Ceiling | None]] = {}
    for one in suite.expectations:
        problem = _cannot_run(one, columns, target)
        if problem:
            planned.outcomes.append(_broken(table, suite, one, problem))
            continue
        if one.query not in floored:
            ready, ceiling = with_floor(one, table, target, names if one.kind == fields.KIND else ())
            floored[one.query] = ready.query, ceiling
        query, ceiling = floored[one.query]
        runnable.append(replace(one, query=query))
        if ceiling:
            planned.ceilings[table, one.place] = ceiling
    if runnable:
        key = tuple(column for column in suite.key if column in columns)
        planned.suites.append(TableSuite(table, suite.name, key, tuple(runnable)))


def _cannot_run(one: Expectation, columns: set[str], target: Target) -> str | None:
    unknown = sorted(set(one.columns) - columns) if one.kind != "expect_column_to_exist" else []
    if unknown:
        return f"column {unknown[0]} does not exist; there are {', '.join(sorted(columns))}"
    if "as_of" in PLACEHOLDER.findall(one.query) and target.values["as_of"] is None:
        return "{as_of} has no value: the run is not in ops.runs and KIZUNA_AS_OF is not set"
    return None


def _built_in(name: str, suite: Suite, reason: str) -> Expectation:
    return Expectation(name, name, {}, "", "critical", "kizuna", reason, f"{suite.place}:1")


def _broken(table: str, suite: Suite, one: Expectation, problem: str) -> Outcome:
    return Outcome(suite.name, table, one, success=False, observed={"problem": problem})


def _is_empty(table: str, target: Target) -> bool:
    with warehouse.connect(target.warehouse_url, target.role, read_only=True) as connection:
        query = sql.SQL("select 1 from {} limit 1").format(sql.Identifier(target.schema, table))
        return connection.execute(query).fetchone() is None


def _catalog(target: Target) -> dict[str, set[str]]:
    """The columns of every table that is there; none where the gate's role may not read them."""
    catalog: dict[str, set[str]] = {}
    with warehouse.connect(target.warehouse_url, target.role, read_only=True) as connection:
        rows: list[Any] = connection.execute(
            "select relname, attname, has_table_privilege(pg_class.oid, 'select')"
            " from pg_class inner join pg_attribute on attrelid = pg_class.oid"
            " where relnamespace = to_regnamespace(%s) and relkind in ('r', 'p', 'v', 'm') and attnum > 0"
            " and not attisdropped and relname !~ '__dbt_(tmp|backup)$'",
            [target.schema],
        ).fetchall()
    for table, column, is_readable in rows:
        catalog.setdefault(table, set()).update([column] if is_readable else [])
    return catalog
