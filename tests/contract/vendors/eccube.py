"""EC-CUBE's exchanges against its schema, the list of fields that may be read, and OAuth2's token answers."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from graphql import FieldNode, GraphQLSchema, TypeInfo, TypeInfoVisitor, Visitor, parse, visit

from tests.contract.graphql_contract import check_graphql, whole_schema
from tests.contract.refusal import ContractError
from tests.contract.vendors.eccube_overlays import SCALARS, overlaid

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

NEEDED = {
    "refresh_token": {"grant_type", "refresh_token", "client_id", "client_secret"},
    "authorization_code": {"grant_type", "code", "redirect_uri", "client_id", "client_secret"},
}


def check(shared: Path, path: str, request: httpx.Request, response: httpx.Response) -> None:
    """Check one exchange."""
    if path == "/token":
        check_token(request, response)
    elif path != "/api":
        message = f"{path} is no address of the Web API"
        raise ContractError(message)
    elif response.status_code == 200:
        schema = published(shared / "specs" / "eccube")
        check_allowed(schema, allow_list(shared / "specs" / "eccube"), json.loads(request.content)["query"])
        check_graphql(schema, request, response)
    elif response.status_code != 401:
        message = f"the API answers {response.status_code}, and only 200 and 401 are its own"
        raise ContractError(message)


@lru_cache(maxsize=1)
def published(folder: Path) -> GraphQLSchema:
    """Build the schema as the source has it."""
    schema = whole_schema(folder / "eccube-api42-schema.graphql", overlaid)
    schema.extensions["scalars"] = SCALARS
    return schema


@lru_cache(maxsize=1)
def allow_list(folder: Path) -> dict[str, frozenset[str]]:
    """Read which fields of each type the plugin shows."""
    listed = json.loads((folder / "eccube-api42-4.3.2-allow-list.json").read_text(encoding="utf-8"))
    return {entity.rpartition("\\")[2]: frozenset(fields) for entity, fields in listed.items()}


def check_allowed(schema: GraphQLSchema, listed: dict[str, frozenset[str]], query: str) -> None:
    """Check that a query reads only what the plugin shows: the rest is in the schema of 2020 and not in the shop."""
    info = TypeInfo(schema)

    class Fields(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            parent = info.get_parent_type()
            if parent is not None and node.name.value not in listed.get(parent.name, {node.name.value}):
                message = f"{parent.name}.{node.name.value} is not on the allow list"
                raise ContractError(message)

    visit(parse(query), TypeInfoVisitor(info, Fields()))


def check_token(request: httpx.Request, response: httpx.Response) -> None:
    """Check a request for tokens and its answer (RFC 6749, 4.1.3, 5 and 6)."""
    form = dict(parse_qsl(request.content.decode()))
    body = response.json()
    if response.status_code == 200:
        fits = form.keys() == NEEDED.get(form["grant_type"]) and body["token_type"] == "Bearer"
        fits = fits and {"access_token", "refresh_token", "expires_in"} <= body.keys()
    else:
        fits = response.status_code in (400, 401) and isinstance(body.get("error"), str)
    if not fits:
        message = f"the token endpoint answers {response.status_code} to {sorted(form)} with {sorted(body)}"
        raise ContractError(message)
