"""Checks every exchange of an httpx client against the vendors' own specifications.

Put the tap between a client and the sandbox: `httpx.Client(transport=ContractTap(InProcess(app), contracts))`. An
exchange that the vendor's specification does not allow raises `ContractError`; what was checked is counted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import httpx
import yaml
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
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from tests.contract.overlays import overlaid

if TYPE_CHECKING:
    from pathlib import Path

LINE_FILES = ("messaging-api.yml", "manage-audience.yml", "insight.yml")
LINE_HOST = "https://api.line.me"
SCALARS: dict[str, str] = {
    "DateTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "Decimal": r"-?\d+\.\d+",
    "UnsignedInt64": r"\d+",
    "ID": r"gid://shopify/\w+/.+",
}
PYTHON_TYPES: dict[str, type] = {"Boolean": bool, "Int": int, "Float": float}


class ContractError(AssertionError):
    """An exchange that the vendor's specification does not allow."""


@lru_cache(maxsize=1)
def shopify_schema(file: Path) -> GraphQLSchema:
    """Build the vendor's whole schema; its own deprecations are why it must be assumed valid."""
    return build_schema(file.read_text(encoding="utf-8"), assume_valid=True)


@lru_cache(maxsize=4)
def line_spec(file: Path) -> tuple[frozenset[str], OpenAPI]:
    """Load one of LINE's files with its overlays."""
    spec = overlaid(yaml.load(file.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    return frozenset(spec["paths"]), OpenAPI.from_dict(spec)


@dataclass
class Contracts:
    """The specifications in the reference folder, and how many exchanges each has seen."""

    shared: Path
    checked: Counter[str] = field(default_factory=Counter)

    def check(self, request: httpx.Request, response: httpx.Response) -> None:
        """Check one exchange with the vendor named by the first part of the path."""
        vendor = request.url.path.split("/")[1]
        if vendor == "shopify":
            self._check_shopify(request, response)
        elif vendor == "line":
            self._check_line(request, response)
        self.checked[vendor] += 1

    def _check_shopify(self, request: httpx.Request, response: httpx.Response) -> None:
        schema = shopify_schema(self.shared / "specs" / "shopify" / "admin_2026-10.nodesc.graphql")
        asked = json.loads(request.content)
        document = parse(asked["query"])
        problems = validate(schema, document)
        if problems:
            message = f"shopify: the query is not the vendor's: {problems[0].message}"
            raise ContractError(message)
        if response.status_code != 200 or "data" not in (answered := response.json()):
            return
        fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
        if answered["data"] is not None:
            check_shape(schema, fragments, operation.selection_set, schema.query_type, answered["data"], "data")

    def _check_line(self, request: httpx.Request, response: httpx.Response) -> None:
        path = request.url.path.removeprefix("/line")
        for name in LINE_FILES:
            paths, openapi = line_spec(self.shared / "specs" / "line" / name)
            if any(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path) for known in paths):
                check_openapi(openapi, path, request, response)
                return
        message = f"line: no published path matches {request.method} {path}"
        raise ContractError(message)


def check_openapi(openapi: OpenAPI, path: str, request: httpx.Request, response: httpx.Response) -> None:
    """Check a request that was accepted, and its answer, against a specification."""
    asked = MockRequest(
        LINE_HOST,
        request.method.lower(),
        path,
        args=dict(request.url.params),
        headers=dict(request.headers),
        data=request.content or None,
        content_type=request.headers.get("content-type", "application/json"),
    )
    answered = MockResponse(
        response.content,
        response.status_code,
        dict(response.headers),
        response.headers["content-type"].partition(";")[0],
    )
    try:
        if response.status_code < 300:
            openapi.validate_request(asked)
        openapi.validate_response(asked, answered)
    except Exception as problem:
        cause = problem.__cause__ or problem
        details = "; ".join(str(error)[:200] for error in getattr(cause, "schema_errors", ())) or str(cause)[:300]
        message = f"line: {request.method} {path} → {response.status_code}: {details}"
        raise ContractError(message) from problem


def check_shape(schema: GraphQLSchema, fragments: Any, selections: Any, kind: Any, data: Any, place: str) -> None:
    """Check that an answered object has what was asked for, in the vendor's types."""
    for selection in selections.selections:
        if isinstance(selection, FragmentSpreadNode):
            check_shape(schema, fragments, fragments[selection.name.value].selection_set, kind, data, place)
        elif isinstance(selection, FieldNode):
            key = selection.alias.value if selection.alias else selection.name.value
            if key not in data:
                message = f"shopify: {place}.{key} is missing"
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
            message = f"shopify: {place} is null, {kind} is promised"
            raise ContractError(message)
        check_value(schema, fragments, selection, kind.of_type, value, place)
    elif value is None:
        return
    elif is_list_type(kind):
        for number, entry in enumerate(value):
            check_value(schema, fragments, selection, kind.of_type, entry, f"{place}[{number}]")
    elif is_leaf_type(kind):
        check_leaf(kind, value, place)
    else:
        check_shape(schema, fragments, selection.selection_set, get_named_type(kind), value, place)


def check_leaf(kind: Any, value: Any, place: str) -> None:
    """Check a scalar or enum value."""
    if is_enum_type(kind):
        fits = value in kind.values
    elif kind.name in PYTHON_TYPES:
        fits = type(value) is PYTHON_TYPES[kind.name]
    else:
        fits = isinstance(value, str) and re.fullmatch(SCALARS.get(kind.name, ".*"), value, re.DOTALL) is not None
    if not fits:
        message = f"shopify: {place} is {value!r}, which is no {kind.name}"
        raise ContractError(message)


class ContractTap(httpx.BaseTransport):
    """A transport that lets every exchange through and checks it."""

    def __init__(self, inner: httpx.BaseTransport, contracts: Contracts) -> None:
        """Sit on top of `inner`."""
        self._inner = inner
        self._contracts = contracts

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request and check both sides of it."""
        request.read()
        response = self._inner.handle_request(request)
        response.read()
        self._contracts.check(request, response)
        return response

    def close(self) -> None:
        """Close the transport below."""
        self._inner.close()
