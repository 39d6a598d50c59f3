"""What we refuse: the YAML suites, read strictly; a misspelt line is an error, not a check that never ran."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import yaml

from kizuna.quality import fields
from kizuna.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Gate = Literal["raw", "identity", "marts", "sync"]
EVERY_TABLE = "_every_table"
SEVERITIES = ("critical", "warning", "info")
DESCRIPTION = {"severity", "owner", "reason", "name", "runbook"}
SQL_KEY = "rows_that_must_not_exist"
RAW_ONLY = {"new_rows", "proven_up_to"}
PLACEHOLDERS = {"table", "table_name", "schema", "run_id", "as_of", *RAW_ONLY, *Strategy.model_fields}
PLACEHOLDER = re.compile(r"\{([a-z_]\w*)\}")
# Arguments that steer the tool, not the check, and types that need what a one-line expectation does not have.
NOT_ARGUMENTS = {
    *("id", "meta", "notes", "result_format", "description", "catch_exceptions", "rendered_content", "severity"),
    *("windows", "batch_id", "metadata", "library_metadata", "condition_parser"),
}
NOT_OFFERED = {"unexpected_rows_expectation", "expect_query_results_to_match_comparison"}


class SuiteError(ValueError):
    """A suite cannot be used; the text names file, line, what was found and what was expected."""


@dataclass(frozen=True)
class Expectation:
    """One line of a suite: a type with arguments, SQL that must return nothing, or the types of a field."""

    name: str
    kind: str
    arguments: Mapping[str, Any]
    query: str
    severity: str
    owner: str
    reason: str
    place: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns its arguments name and that must therefore exist."""
        single = [self.arguments[key] for key in ("column", "column_A", "column_B") if key in self.arguments]
        return (*single, *self.arguments.get("column_list", ()))


@dataclass(frozen=True)
class Suite:
    """The expectations of one table; `rows` required means that an empty table fails."""

    name: str
    place: str
    rows: str | None
    key: tuple[str, ...]
    expectations: tuple[Expectation, ...]


def load_suites(folder: Path, gate: Gate) -> dict[str, Suite]:
    """All suites of a gate by table name, the conventions for every table among them as `_every_table`.

    Raises:
        SuiteError: when there is none, or one has a wrong line.
    """
    files = sorted((folder / gate).glob("*.yml"))
    if not files:
        message = (
            f"No suite in {folder.name}/{gate}: expected <table>.yml files; a gate that checks nothing never passes"
        )
        raise SuiteError(message)
    return {file.stem: _load(file, gate) for file in files}


def _load(file: Path, gate: Gate) -> Suite:
    place = f"{file.parent.parent.name}/{gate}/{file.name}"
    loader = yaml.SafeLoader(file.read_text(encoding="utf-8"))
    try:
        node = loader.get_single_node()
        sections = _pairs(node, loader, place)
        listed, declared = (sections.pop(name, (None, []))[0] for name in ("expectations", "fields"))
        rest = {key: value for key, (_, value) in sections.items()}
        expectations = (*_expectations(listed, loader, place), *_fields(declared, loader, place))
    except yaml.YAMLError as error:
        message = f"{place}: not YAML: {error}"
        raise SuiteError(message) from None
    finally:
        loader.dispose()
    unknown = set(rest) - {"rows", "key"}
    if unknown:
        _fail(place, 1, f"unknown key {sorted(unknown)[0]!r}: expected rows, key, fields, expectations")
    if rest.get("rows") not in (None, "required", "optional"):
        _fail(place, 1, f"rows is {rest['rows']!r}: expected required or optional")
    if not expectations and file.stem != EVERY_TABLE:
        _fail(place, 1, "no expectations: expected at least one line; a suite that checks nothing never passes")
    key = rest.get("key") or ()
    return Suite(
        f"{gate}/{file.stem}", place, rest.get("rows"), (key,) if isinstance(key, str) else tuple(key), expectations
    )


def _expectations(node: yaml.Node | None, loader: yaml.SafeLoader, place: str) -> Iterator[Expectation]:
    if node is None or node.tag == "tag:yaml.org,2002:null":
        return
    if not isinstance(node, yaml.SequenceNode):
        _fail(place, _line(node), "expectations: expected a list, one line an expectation")
    seen: dict[str, int] = {}
    for item in node.value:
        line = _line(item)
        fields = {key: value for key, (_, value) in _pairs(item, loader, place).items()}
        expectation = _expectation(fields, place, line)
        if expectation.name in seen:
            _fail(
                place, line, f"{expectation.name!r} is there already, in line {seen[expectation.name]}: give it a name"
            )
        seen[expectation.name] = line
        yield expectation


def _expectation(fields: dict[str, Any], place: str, line: int) -> Expectation:
    for key in ("severity", "owner", "reason"):
        if not isinstance(fields.get(key), str) or not fields[key].strip():
            _fail(place, line, f"{key} is missing: expected a text")
    if fields["severity"] not in SEVERITIES:
        _fail(place, line, f"severity is {fields['severity']!r}: expected one of {', '.join(SEVERITIES)}")
    if ("expect" in fields) == (SQL_KEY in fields):
        _fail(place, line, f"expected either expect: <type> or {SQL_KEY}: <select>")
    arguments = {key: value for key, value in fields.items() if key not in DESCRIPTION | {"expect", SQL_KEY}}
    kind = str(fields.get("expect", SQL_KEY))
    if kind == SQL_KEY:
        _check_query(fields, arguments, place, line)
    else:
        _check_arguments(kind, arguments, place, line)
    return Expectation(
        name=str(fields.get("name") or "_of_".join([kind, *_named_columns(arguments)])),
        kind=kind,
        arguments=arguments,
        query=str(fields.get(SQL_KEY, "")).strip().rstrip(";"),
        severity=fields["severity"],
        owner=fields["owner"],
        reason=fields["reason"],
        place=f"{place}:{line}",
    )


def _fields(node: yaml.Node | None, loader: yaml.SafeLoader, place: str) -> list[Expectation]:
    """Make an expectation of each line of `fields`; all of a suite share one query."""
    if node is None:
        return []
    lines = {path: (_line(value), str(text)) for path, (value, text) in _pairs(node, loader, place).items()}
    if place.split("/")[-2] != "raw":
        _fail(place, _line(node), "fields are for raw tables: the others have columns")
    declared = []
    for path, (line, text) in lines.items():
        try:
            declared.append(fields.Field.declared(path, text))
        except ValueError as error:
            _fail(place, line, str(error))
    query = fields.query_of(declared)
    return [
        Expectation(
            name=f"field {path}",
            kind=fields.KIND,
            arguments={"path": path, "types": text},
            query=query,
            severity="critical",
            owner="data",
            reason="A staging model reads this field",
            place=f"{place}:{line}",
        )
        for path, (line, text) in lines.items()
    ]


def _named_columns(arguments: Mapping[str, Any]) -> list[str]:
    columns = [str(arguments[key]) for key in ("column", "column_A", "column_B") if key in arguments]
    return [*columns, *map(str, arguments.get("column_list", ()))]


def _check_query(fields: dict[str, Any], arguments: dict[str, Any], place: str, line: int) -> None:
    if arguments:
        _fail(place, line, f"unknown key {sorted(arguments)[0]!r} beside {SQL_KEY}")
    if not fields.get("name"):
        _fail(place, line, f"name is missing: {SQL_KEY} needs a name that states the rule, like customers_match_core")
    if not str(fields[SQL_KEY]).lstrip().lower().startswith(("select", "with")):
        _fail(place, line, f"{SQL_KEY} must be one select: its first column is the id shown as a sample")
    used = set(PLACEHOLDER.findall(str(fields[SQL_KEY])))
    if used & RAW_ONLY and place.split("/")[-2] != "raw":
        _fail(place, line, f"{{{min(used & RAW_ONLY)}}} is for raw tables: only their rows never change")
    unknown = used - PLACEHOLDERS
    if unknown:
        _fail(
            place,
            line,
            f"unknown placeholder {{{sorted(unknown)[0]}}}: expected one of {', '.join(sorted(PLACEHOLDERS))}",
        )


def _check_arguments(kind: str, arguments: dict[str, Any], place: str, line: int) -> None:
    types = known_types()
    if kind not in types:
        _fail(place, line, f"unknown expectation {kind!r}; did you mean {_nearest(kind, types)}?")
    allowed, required = types[kind]
    unknown, missing = sorted(set(arguments) - allowed), sorted(required - set(arguments))
    if unknown:
        _fail(
            place, line, f"unknown key {unknown[0]!r} for {kind}: expected {', '.join(sorted(allowed | DESCRIPTION))}"
        )
    if missing:
        _fail(place, line, f"{missing[0]} is missing for {kind}")
    if "between" in kind and "min_value" in allowed and not {"min_value", "max_value"} & set(arguments):
        _fail(place, line, f"{kind} has neither min_value nor max_value: it would pass whatever it finds")


@cache
def known_types() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Every offered expectation type with its allowed and its required arguments, from the installed version.

    Read from the schema files beside the package: importing it takes seconds, and lint needs only the names.
    """
    package = find_spec("great_expectations")
    if package is None or package.origin is None:
        message = "great_expectations is not installed: run `uv sync`"
        raise SuiteError(message)
    types = {}
    for file in (Path(package.origin).parent / "expectations" / "core" / "schemas").glob("Expect*.json"):
        schema = json.loads(file.read_text(encoding="utf-8"))
        name = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", file.stem).lower()
        if "properties" in schema and name not in NOT_OFFERED:
            types[name] = (frozenset(schema["properties"]) - NOT_ARGUMENTS, frozenset(schema.get("required", ())))
    return types


def _nearest(word: str, words: Mapping[str, object]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only on the way to an error

    return " or ".join(get_close_matches(word, words, n=2, cutoff=0)) or "another name"


def _pairs(node: yaml.Node | None, loader: yaml.SafeLoader, place: str) -> dict[str, tuple[yaml.Node, Any]]:
    if not isinstance(node, yaml.MappingNode):
        _fail(place, _line(node) if node else 1, "expected `key: value`")
    pairs: dict[str, tuple[yaml.Node, Any]] = {}
    for key_node, value_node in node.value:
        if key_node.value in pairs:
            _fail(place, _line(key_node), f"{key_node.value!r} is there twice: the second would silently win")
        pairs[key_node.value] = (value_node, loader.construct_object(value_node, deep=True))
    return pairs


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _fail(place: str, line: int, problem: str) -> NoReturn:
    message = f"{place}:{line}: {problem}"
    raise SuiteError(message)
