"""The expectation behind a suite's `fields`. Importing this module imports Great Expectations: seconds."""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

from kizuna.quality.fields import Field, Finding, judge


class FieldTypes(TableMetricProvider):  # type: ignore[misc] # the tool has no types here
    """What a query of `fields.query_of` finds; the tool asks once for all expectations with the same query."""

    metric_name = "table.field_types"
    value_keys = ("query",)

    @metric_value(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(
        cls,  # noqa: N805 - the tool's signature
        execution_engine: Any,  # noqa: ANN401
        metric_domain_kwargs: dict[str, Any],  # noqa: ARG002
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],  # noqa: ARG002
        runtime_configuration: dict[str, Any],  # noqa: ARG002
    ) -> list[Finding]:
        rows = execution_engine.execute_query(sqlalchemy.text(metric_value_kwargs["query"])).fetchall()
        return [Finding(*row) for row in rows]


class ExpectFieldToHaveItsType(BatchExpectation):  # type: ignore[misc] # the tool has no types here
    """A field of the payloads is there, and has one of its types wherever it is."""

    path: str
    types: str
    query: str
    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.field_types",)
    success_keys: ClassVar[tuple[str, ...]] = ("path", "types", "query")
    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id", "table")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002 - the tool's signature
        execution_engine: object = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        fault = judge(Field.declared(self.path, self.types), metrics["table.field_types"])
        found = {"problem": fault.text, "unexpected_count": fault.count} if fault else {}
        return {"success": fault is None, "result": found}
