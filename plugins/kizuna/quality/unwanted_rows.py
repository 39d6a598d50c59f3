"""The expectation behind `rows_that_must_not_exist`. Importing this module imports Great Expectations: seconds."""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.expectations import UnexpectedRowsExpectation


class ExpectNoUnwantedRows(UnexpectedRowsExpectation):  # type: ignore[misc] # the tool has no types here
    """Our SQL finds no row.

    The tool's own class runs every query twice, once to count and once to fetch rows. We show none of them.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002 - the tool's signature
        execution_engine: object = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        count = metrics["unexpected_rows_query.row_count"]
        return {"success": count == 0, "result": {"observed_value": count}}
