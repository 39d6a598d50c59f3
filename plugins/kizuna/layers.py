"""Build one layer of the warehouse with dbt, in this process, as the layer's role."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from psycopg.conninfo import conninfo_to_dict

from kizuna import settings, warehouse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from kizuna.strategy import Strategy

Target = Literal["transform", "activate"]
PASSED = {"success", "pass", "warn", "no-op"}
# Postgres repeats the offending value after these words; values may be personal data.
VALUES_IN_ERRORS = re.compile(r'(DETAIL|CONTEXT|HINT):.*|(?<=: )"[^"]*"|\([^()]*\)=\([^()]*\)', re.DOTALL)


class LayerError(RuntimeError):
    """dbt could not build a layer; the text names the first nodes that failed and why, without values."""


@dataclass(frozen=True)
class Node:
    """One dbt node of a build: a model, seed or data test."""

    name: str
    status: str
    seconds: float
    row_count: int | None
    message: str


def build(
    select: str,
    target: Target,
    *,
    run_id: str,
    warehouse_url: str,
    strategy: Strategy,
    as_of: date,
    exclude: str | None = None,
    full_refresh: bool = False,
    folder: str = "",
    brands: Mapping[str, str] | None = None,
    blocked: Mapping[str, Any] | None = None,
) -> list[Node]:
    """Build and test the selected models, and keep every node's result in ops.dbt_nodes.

    `brands` is the brand of each source that is not of its `default_brand`; without it all are of one. What is built
    beside something else has a `folder` of its own for dbt's files, which two runs must not share.

    Raises:
        LayerError: when a node fails, or nothing was selected (a layer that did nothing is no success).
    """
    os.environ.update(connection_variables(warehouse_url))
    variables = {"strategy": strategy.model_dump(mode="json"), "as_of": str(as_of), "brands": dict(brands or {})}
    if blocked is not None:
        variables["identity_blocked"] = blocked
    arguments = _arguments(select, exclude, target, folder or target, variables)
    nodes = list(_run([*arguments, "--full-refresh"] if full_refresh else arguments, select))
    _record(nodes, select, target, run_id, warehouse_url)
    failed = [node for node in nodes if node.status not in PASSED and node.status != "skipped"]
    if failed:
        reasons = "; ".join(f"{node.name}: {node.message}" for node in failed[:5])
        message = f"dbt: {len(failed)} of {len(nodes)} nodes of {select!r} failed: {reasons}"
        raise LayerError(message)
    if not nodes:
        message = f"dbt: {select!r} selected nothing: expected a model; check the layer's folder in dbt_project/models"
        raise LayerError(message)
    return nodes


def parse() -> str:
    """Parse the project without a warehouse and return the manifest's path.

    Raises:
        LayerError: when the project does not parse.
    """
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - seconds to import

    os.environ.update({"DO_NOT_TRACK": "1"})
    project, folder = settings.PROJECT / "dbt_project", settings.home() / "dbt" / "parse"
    folders = ["--project-dir", str(project), "--profiles-dir", str(project), "--target-path", str(folder)]
    result = dbtRunner().invoke(["--no-send-anonymous-usage-stats", "parse", "--log-path", str(folder), *folders])
    if not result.success:
        message = f"dbt cannot parse {project.name}: {result.exception}"
        raise LayerError(message)
    return str(folder / "manifest.json")


def _arguments(
    select: str, exclude: str | None, target: Target, folder_name: str, variables: dict[str, Any]
) -> list[str]:
    project, folder = settings.PROJECT / "dbt_project", settings.home() / "dbt" / folder_name
    return [
        *("--log-level", "none", "--log-level-file", "none", "--no-send-anonymous-usage-stats", "--no-version-check"),
        # A test is asked when all that it compares is there: in the build that its last model is built in.
        *("build", "--select", select, "--exclude-resource-type", "unit_test", "--indirect-selection", "buildable"),
        *(["--exclude", exclude] if exclude else []),
        *("--project-dir", str(project), "--profiles-dir", str(project), "--target", target),
        *("--target-path", str(folder), "--log-path", str(folder / "logs"), "--vars", json.dumps(variables)),
    ]


def _run(arguments: list[str], select: str) -> Iterable[Node]:
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - seconds to import; only the tasks that build pay

    result = dbtRunner().invoke(arguments)
    if result.exception is not None:
        message = f"dbt could not build {select!r}: {_without_values(str(result.exception))}"
        raise LayerError(message) from None
    for node in getattr(result.result, "results", []):
        affected = (node.adapter_response or {}).get("rows_affected")
        yield Node(
            name=node.node.name,
            status=str(node.status),
            seconds=round(node.execution_time, 3),
            row_count=int(affected) if affected is not None and int(affected) >= 0 else None,
            message=_without_values(node.message or ""),
        )


def _record(nodes: list[Node], select: str, target: Target, run_id: str, warehouse_url: str) -> None:
    rows = [(run_id, select, node.name, node.status, node.seconds, node.row_count) for node in nodes]
    columns = "run_id, layer, node, status, seconds, row_count"
    with warehouse.connect(warehouse_url, f"kizuna_{target}") as connection, connection.cursor() as cursor:
        cursor.executemany(f"insert into ops.dbt_nodes ({columns}) values (%s, %s, %s, %s, %s, %s)", rows)  # noqa: S608


def connection_variables(warehouse_url: str) -> dict[str, str]:
    """The warehouse's address as the environment variables that dbt_project/profiles.yml reads."""
    parts = conninfo_to_dict(warehouse_url)
    return {
        "KIZUNA_DBT_HOST": str(parts.get("host", "localhost")),
        "KIZUNA_DBT_PORT": str(parts.get("port", 5432)),
        "KIZUNA_DBT_USER": str(parts.get("user", "")),
        "KIZUNA_DBT_PASSWORD": str(parts.get("password", "")),
        "KIZUNA_DBT_DATABASE": str(parts.get("dbname", "")),
        "DO_NOT_TRACK": "1",
    }


def _without_values(text: str) -> str:
    return VALUES_IN_ERRORS.sub("…", text).strip().replace("\n", " ")[:500]
