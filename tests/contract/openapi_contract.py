"""Checks REST exchanges against a vendor's own OpenAPI files."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import yaml
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from tests.contract.refusal import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

Spec = dict[str, Any]


def read_spec(file: Path, overlay: Callable[[Spec], Spec]) -> Spec:
    """Read one file, and add its overlay: what the vendor's pages say besides."""
    text = file.read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return overlay(json.loads(text) if file.suffix == ".json" else yaml.load(text, Loader=loader))


@lru_cache(maxsize=16)
def load_spec(file: Path, overlay: Callable[[Spec], Spec]) -> tuple[frozenset[str], OpenAPI]:
    """Load one file with its overlay, and the paths it knows."""
    spec = read_spec(file, overlay)
    return frozenset(spec["paths"]), OpenAPI.from_dict(spec, config=Config(spec_validator_cls=None))


def matches(known: frozenset[str], path: str) -> bool:
    """Tell whether a path is one of a file's."""
    return any(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) for template in known)


def check_openapi(openapi: OpenAPI, host: str, path: str, request: httpx.Request, response: httpx.Response) -> None:
    """Check a request that was accepted, and its answer, against a specification."""
    asked = MockRequest(
        host,
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
        message = f"{request.method} {path} → {response.status_code}: {details}"
        raise ContractError(message) from problem
