"""Zendesk's exchanges against what is public of its specification: paths, parameters, and the shape of bodies.

The vendor's whole file declares no licence, so there are cuts of it (paths, without what they refer to) and schemas
derived from it (bodies). Both leave much open; `zendesk_overlays.py` says what the reference pages add.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker

from tests.contract.refusal import ContractError
from tests.contract.vendors.zendesk_overlays import ANSWERS, ERROR, PARAMETERS, TOKEN, overlaid

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

CUTS = ("incremental", "satisfaction-ratings", "deleted-tickets", "users")
FORMATS = FormatChecker(())


@FORMATS.checks("date-time", raises=ValueError)
def is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@lru_cache(maxsize=2)
def published_paths(shared: Path) -> frozenset[str]:
    """Read the paths that are asked with GET."""
    found: set[str] = set()
    for cut in CUTS:
        file = shared / "specs" / "zendesk" / f"ae-split-{cut}.yml"
        spec = yaml.load(file.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        found.update(path for path, operations in spec["paths"].items() if "get" in operations)
    return frozenset(found)


@lru_cache(maxsize=2)
def body_schemas(shared: Path) -> dict[str, Any]:
    """Read the schemas of the bodies, with what the reference pages add."""
    file = shared / "specs" / "zendesk" / "zendesk-derived-jsonschemas.json"
    return overlaid(json.loads(file.read_text(encoding="utf-8")))


def check(shared: Path, path: str, request: httpx.Request, response: httpx.Response) -> None:
    """Check one exchange."""
    if path == "/oauth/tokens":
        check_body(TOKEN if response.status_code == 200 else ERROR, path, response)
        return
    path = re.sub(r"/users/\d+$", "/users/{user_id}", path.removesuffix(".json"))
    if path not in published_paths(shared) or request.method != "GET":
        message = f"no published path matches {request.method} {path}"
        raise ContractError(message)
    if response.status_code == 200:
        unknown = sorted(set(request.url.params) - PARAMETERS[path])
        if unknown:
            message = f"GET {path} has no parameter {unknown[0]}"
            raise ContractError(message)
        check_body(body_schemas(shared)[ANSWERS[path]], path, response)
        return
    check_body(ERROR, path, response)


def check_body(schema: dict[str, Any], path: str, response: httpx.Response) -> None:
    """Check a body against its schema."""
    problem = next(Draft202012Validator(schema, format_checker=FORMATS).iter_errors(response.json()), None)
    if problem is not None:
        message = f"{path} → {response.status_code}: {problem.json_path} {problem.message[:300]}"
        raise ContractError(message)
