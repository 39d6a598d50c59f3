"""Checks GraphQL exchanges against a vendor's own schema: the query as a whole, and every answered value's type."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    get_named_type,
    is_enum_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    parse,
    validate,
)

from tests.contract.refusal import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

SCALARS: dict[str, str] = {
    "DateTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "Decimal": r"-?\d+\.\d+",
    "UnsignedInt64": r"\d+",
    "ID": r"gid://shopify/\w+/.+",
}
# A vendor that writes its scalars in another way says so in `schema.extensions["scalars"]`.
PYTHON_TYPES: dict[str, tuple[type, ...]] = {"Boolean": (bool,), "Int": (int,), "Float": (float,)}


@lru_cache(maxsize=4)
def whole_schema(file: Path, overlay: Callable[[str], str] = str) -> GraphQLSchema:
    """Build the vendor's whole schema, with what its source adds to the file (`overlay`).

    Shopify's own deprecations are why it must be assumed valid.
    """
    return build_schema(overlay(file.read_text(encoding="utf-8")), assume_valid=True)


def check_graphql(schema: GraphQLSchema, request: httpx.Request, response: httpx.Response) -> None:
    """Check a query, and its answer where it has data."""
    asked = json.loads(request.content)
    document = parse(asked["query"])
    problems = validate(schema, document)
    if problems:
        message = f"the query is not the vendor's: {problems[0].message}"
        raise ContractError(message)
    if response.status_code != 200 or "data" not in (answered := response.json()):
        return
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    if answered["data"] is not None:
        root = schema.mutation_type if operation.operation.value == "mutation" else schema.query_type
        check_shape(schema, fragments, operation.selection_set, root, answered["data"], "data")


def check_shape(schema: GraphQLSchema, fragments: Any, selections: Any, kind: Any, data: Any, place: str) -> None:
    """Check that an answered object has what was asked for, in the vendor's types."""
    for selection in selections.selections:
        if isinstance(selection, FragmentSpreadNode):
            check_shape(schema, fragments, fragments[selection.name.value].selection_set, kind, data, place)
        elif isinstance(selection, FieldNode):
            key = selection.alias.value if selection.alias else selection.name.value
            if key not in data:
                message = f"{place}.{key} is missing"
                raise ContractError(message)
            if not selection.name.value.startswith("__"):
                field_type = kind.fields[selection.name.value].type
                check_value(schema, fragments, selection, field_type, data[key], f"{place}.{key}")
        elif "__typename" not in data or data["__typename"] == selection.type_condition.name.value:
            inner = schema.type_map[selection.type_condition.name.value]
            check_shape(schema, fragments, selection.selection_set, inner, data, place)


def check_value(schema: GraphQLSchema, fragments: Any, selection: FieldNode, kind: Any, value: Any, place: str) -> None:
    """Check one answered value against its type."""
    if is_non_null_type(kind):
        if value is None:
            message = f"{place} is null, {kind} is promised"
            raise ContractError(message)
        check_value(schema, fragments, selection, kind.of_type, value, place)
    elif value is None:
        return
    elif is_list_type(kind):
        for number, entry in enumerate(value):
            check_value(schema, fragments, selection, kind.of_type, entry, f"{place}[{number}]")
    elif is_leaf_type(kind):
        check_leaf(schema, kind, value, place)
    else:
        check_shape(schema, fragments, selection.selection_set, get_named_type(kind), value, place)


def check_leaf(schema: GraphQLSchema, kind: Any, value: Any, place: str) -> None:
    """Check a scalar or enum value."""
    written = {**SCALARS, **PYTHON_TYPES, **schema.extensions.get("scalars", {})}.get(getattr(kind, "name", ""), ".*")
    if is_enum_type(kind):
        fits = value in kind.values
    elif isinstance(written, tuple):
        fits = type(value) in written
    else:
        fits = isinstance(value, str) and re.fullmatch(written, value, re.DOTALL) is not None
    if not fits:
        message = f"{place} is {value!r}, which is no {kind.name}"
        raise ContractError(message)
