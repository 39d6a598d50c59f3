"""Running expectations with Great Expectations: first only yes or no for all, then details for those that failed."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from kizuna import warehouse
from kizuna.quality import fields
from kizuna.quality.masking import error_text, mask, observed
from kizuna.quality.suites import PLACEHOLDER, SQL_KEY, Expectation, SuiteError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SAMPLES = 5
# SQLAlchemy takes a word after a colon for a parameter.
COLON = re.compile(r"(?<![:\w\\]):(?=\w)")


@dataclass(frozen=True)
class Target:
    """Where a gate looks: the schema, the role it may look as, and the values for placeholders.

    In a `whole_schema` every table must have a suite; elsewhere only what has one is looked at.
    """

    warehouse_url: str
    schema: str
    role: str
    values: Mapping[str, Any]
    whole_schema: bool = True


@dataclass(frozen=True)
class TableSuite:
    """Everything to check on one table: its suite and the conventions, with the key that samples show."""

    table: str
    suite: str
    key: tuple[str, ...]
    expectations: tuple[Expectation, ...]


@dataclass(frozen=True)
class Outcome:
    """What one expectation found on one table; nothing in it is a person's value."""

    suite: str
    table: str
    expectation: Expectation
    success: bool
    observed: Mapping[str, object] = field(default_factory=dict)
    unexpected_count: int | None = None


@dataclass(frozen=True)
class Checked:
    """All outcomes of a gate, and the results Data Docs are drawn from."""

    outcomes: list[Outcome]
    results: dict[str, Any]
    import_seconds: float


def check(suites: Sequence[TableSuite], target: Target) -> Checked:
    """Run all suites in this process.

    Raises:
        SuiteError: when Great Expectations does not accept the arguments of a line.
    """
    started = time.monotonic()
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations  # noqa: PLC0415 - seconds to import; only the gates pay

    import kizuna.quality.field_types  # noqa: PLC0415 - these register our expectations by being imported
    import kizuna.quality.unwanted_rows  # noqa: F401, PLC0415

    import_seconds = time.monotonic() - started
    context = _context(great_expectations)
    source = context.data_sources.add_postgres("warehouse", connection_string=_gx_url(target))
    outcomes, results = [], {}
    try:
        for suite in suites:
            batch = source.add_table_asset(suite.table, table_name=suite.table, schema_name=target.schema)
            definition = batch.add_batch_definition_whole_table("whole")
            results[suite.table] = _run(context, definition, suite, suite.expectations, target, "BOOLEAN_ONLY")
            outcomes += _details(context, definition, suite, results[suite.table], target)
    finally:
        source.get_engine().dispose()
    return Checked(outcomes, results, import_seconds)


def _context(great_expectations: Any) -> Any:  # noqa: ANN401
    """A context in memory that shows no progress bars, calls nobody and leaves no files behind."""
    from great_expectations.data_context.types.base import (  # noqa: PLC0415
        DataContextConfig,
        InMemoryStoreBackendDefaults,
    )

    stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    config = DataContextConfig(store_backend_defaults=stores, analytics_enabled=False)
    context = great_expectations.get_context(mode="ephemeral", project_config=config)
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    return context


def fill(query: str, table: str, target: Target) -> str:
    """Put names and literals in the place of a query's {placeholders}, quoted for SQL."""
    names = {"table": sql.Identifier(target.schema, table), "table_name": table, "schema": target.schema}

    def _value(found: re.Match[str]) -> str:
        value = (names | dict(target.values))[found[1]]
        return value.as_string() if isinstance(value, sql.Identifier) else sql.Literal(value).as_string()

    return PLACEHOLDER.sub(_value, query)


def _details(context: Any, definition: Any, suite: TableSuite, result: Any, target: Target) -> list[Outcome]:  # noqa: ANN401
    outcomes = {index: _outcome(suite, index, entry) for index, entry in _by_index(result)}
    failed = [index for index, outcome in outcomes.items() if not outcome.success]
    if failed:
        wanted = {
            "result_format": "COMPLETE",
            "partial_unexpected_count": SAMPLES,
            "unexpected_index_column_names": list(suite.key),
            "return_unexpected_index_query": False,
        }
        again = tuple(suite.expectations[index] for index in failed)
        for index, entry in _by_index(_run(context, definition, suite, again, target, wanted)):
            found = _outcome(suite, failed[index], entry)
            outcomes[failed[index]] = _with_samples(replace(found, success=False), suite, target)
    return [outcomes[index] for index in sorted(outcomes)]


def _run(
    context: Any,  # noqa: ANN401
    definition: Any,  # noqa: ANN401
    suite: TableSuite,
    expectations: Sequence[Expectation],
    target: Target,
    result_format: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """The raw result of some expectations of one table; Great Expectations returns them in an order of its own."""
    import great_expectations  # noqa: PLC0415

    whole = result_format != "BOOLEAN_ONLY"
    configured = [_configured(one, index, suite.table, target, whole=whole) for index, one in enumerate(expectations)]
    name = f"{suite.suite} {'details' if whole else 'decision'}"
    added = context.suites.add(great_expectations.ExpectationSuite(name=name, expectations=configured))
    validation = great_expectations.ValidationDefinition(name=name, data=definition, suite=added)
    return context.validation_definitions.add(validation).run(result_format=result_format)


def _configured(one: Expectation, index: int, table: str, target: Target, *, whole: bool) -> Any:  # noqa: ANN401
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration  # noqa: PLC0415

    kind, arguments = one.kind, dict(one.arguments)
    try:
        if one.kind == SQL_KEY:
            kind, arguments = (
                "unexpected_rows_expectation",
                {"unexpected_rows_query": _query(one, table, target, whole)},
            )
        if one.kind == fields.KIND:
            arguments["query"] = COLON.sub(r"\:", fill(one.query, table, target))
        return ExpectationConfiguration(
            type=kind,
            kwargs=arguments,
            meta={"index": index, "place": one.place},
            severity=one.severity,
            notes=one.reason,
        ).to_domain_obj()
    except ValueError as error:
        refused: list[dict[str, Any]] = getattr(error, "errors", list)()
        problem = str(error)
        for each in refused[:1]:
            problem = f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
        message = f"{one.place}: {one.name}: {problem}"
        raise SuiteError(message) from None


def _query(one: Expectation, table: str, target: Target, whole: bool) -> str:  # noqa: FBT001
    """The rows as Great Expectations is to count them: never their content, and at most one while only deciding.

    It asks for {batch} in every query; ours names its table itself, so the word goes into a comment.
    """
    query = COLON.sub(r"\:", fill(one.query, table, target)).replace("{", "{{").replace("}", "}}")
    limit = "" if whole else " limit 1"
    return f"select 1 as unexpected from ({query}\n) as offending{limit} /* {{batch}} */"  # noqa: S608 - suites are code


def _by_index(result: Any) -> list[tuple[int, Any]]:  # noqa: ANN401
    return [(entry.expectation_config.meta["index"], entry) for entry in result.results]


def _outcome(suite: TableSuite, index: int, entry: Any) -> Outcome:  # noqa: ANN401
    found, problem = entry.result or {}, str(entry.exception_info or "")
    details: dict[str, object] = {"problem": found["problem"]} if "problem" in found else {}
    if "'raised_exception': True" in problem:
        details["problem"] = error_text(problem)
    if "observed_value" in found and suite.expectations[index].kind != SQL_KEY:
        details["value"] = observed(found["observed_value"])
    keys = found.get("partial_unexpected_index_list") or []
    if keys:
        details["samples"] = [", ".join(f"{name}={mask(row.get(name))}" for name in suite.key) for row in keys]
    one = suite.expectations[index]
    counted = found.get("observed_value") if one.kind == SQL_KEY else found.get("unexpected_count")
    return Outcome(suite.suite, suite.table, one, bool(entry.success), details, counted)


def _with_samples(outcome: Outcome, suite: TableSuite, target: Target) -> Outcome:
    """The first column of some rows that the expectation's own SQL found, masked."""
    one = outcome.expectation
    if one.kind != SQL_KEY or "problem" in outcome.observed:
        return outcome
    query = f"select * from ({fill(one.query, suite.table, target)}\n) as offending limit {SAMPLES}"  # noqa: S608
    try:
        with warehouse.connect(target.warehouse_url, target.role, read_only=True) as connection:
            rows = connection.execute(query.encode()).fetchall()
    except psycopg.Error as error:
        return replace(outcome, observed={**outcome.observed, "problem": type(error).__name__})
    return replace(outcome, observed={**outcome.observed, "samples": [mask(row[0]) for row in rows]})


def _gx_url(target: Target) -> str:
    """The warehouse's address in SQLAlchemy's form, with our role."""
    parts = {key: str(value) for key, value in conninfo_to_dict(target.warehouse_url).items() if value is not None}
    user, password = quote(parts.pop("user", ""), safe=""), quote(parts.pop("password", ""), safe="")
    host, port, database = parts.pop("host", "localhost"), parts.pop("port", "5432"), parts.pop("dbname", "")
    options = f"-c role={target.role} -c timezone=UTC -c default_transaction_read_only=on"
    parts |= {"options": options, "application_name": f"kizuna gate {target.schema}"}
    if host.startswith("/"):
        parts["host"], host = host, ""
    query = urlencode(parts, quote_via=quote)
    return f"postgresql+psycopg2://{user}:{password}@{host}:{port}/{quote(database, safe='')}?{query}"
