"""Whatever Schemathesis asks of the sandbox by the vendors' own OpenAPI files, the answer is one they document."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sandbox.app import create_app
from sandbox.world import invent_world
from tests.contract.openapi_contract import read_spec
from tests.contract.vendors import (
    intercom_overlays,
    klaviyo,
    klaviyo_overlays,
    line,
    line_overlays,
    sendgrid,
    sendgrid_overlays,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from schemathesis import Case
    from schemathesis.schemas import APIOperation
    from starlette.applications import Starlette

# Each vendor's files, what its pages add to them, and the headers that a request needs (`{}` is the token).
VENDORS = {
    "line": (line.FILES, line_overlays.overlaid, {"Authorization": "Bearer {}"}),
    "sendgrid": (sendgrid.FILES, sendgrid_overlays.overlaid, {"Authorization": "Bearer {}"}),
    "klaviyo": (
        klaviyo.FILES,
        klaviyo_overlays.overlaid,
        {"Authorization": "Klaviyo-API-Key {}", "revision": klaviyo.REVISION},
    ),
    "intercom": (("api.intercom.io-2.15.yaml",), intercom_overlays.overlaid, {"Authorization": "Bearer {}"}),
}
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SEEDED = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=10,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starlette]:
    created = create_app(invent_world(60, 3, date(2026, 11, 22)), tmp_path_factory.mktemp("sandbox"))
    yield created
    created.state.setting.state.close()


def shape(path: str) -> str:
    """Write a path without the names of its parameters."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def operations(shared: Path, app: Starlette, vendor: str) -> list[APIOperation]:
    """List the operations of a vendor's files that the sandbox serves."""
    routes = next(mount.routes for mount in app.routes if mount.path == f"/{vendor}")
    served = {(shape(route.path), method.lower()) for route in routes for method in route.methods}
    files, overlay, _ = VENDORS[vendor]
    found: list[APIOperation] = []
    # Whoever asks for some fields gets those only, which the files' lists of required fields do not allow for.
    # https://developers.klaviyo.com/en/reference/api_overview#sparse-fieldsets
    for file in files:
        spec = read_spec(shared / "specs" / vendor / file, overlay)
        spec["paths"] = {
            path: {key: part for key, part in parts.items() if key == "parameters" or (shape(path), key) in served}
            for path, parts in spec["paths"].items()
            if any((shape(path), key) in served for key in parts)
        }
        for part in (part for parts in spec["paths"].values() for part in parts.values() if "parameters" in part):
            part["parameters"] = [one for one in part["parameters"] if not one.get("name", "").startswith("fields[")]
        schema = schemathesis.openapi.from_dict(spec, config=SchemathesisConfig())
        schema.app = app
        found += [result.ok() for result in schema.get_all_operations()]
    return found


def headers_of(vendor: str, token: str) -> dict[str, str]:
    return {name: value.format(token) for name, value in VENDORS[vendor][2].items()}


def faults_of(operation: APIOperation, mode: GenerationMode, vendor: str, token: str, seen: set[int]) -> list[str]:
    """Ask an operation some things, and note the statuses; give what is wrong with the first answer that is wrong."""

    @SEEDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        headers = headers_of(vendor, token)
        answered = case.call(base_url=f"http://sandbox/{vendor}", headers=headers)
        # An id that is empty, dots, or has a slash or a line break makes it another path: no answer of this operation.
        sent = unquote(unquote(urlsplit(answered.request.url).path)).removeprefix(f"/{vendor}")
        assume(sent.count("/") == case.path.count("/") and all(sent.split("/")[1:]) and sent.isprintable())
        case.validate_response(answered, checks=CHECKS, headers=headers)
        seen.add(answered.status_code)

    try:
        ask()
    except (Exception, BaseExceptionGroup) as problem:  # noqa: BLE001 - told beside those of the other operations
        parts = getattr(problem, "exceptions", [problem])
        return [f"{operation.label} ({mode.value}): {type(part).__name__} {str(part)[:1200]}" for part in parts]
    return []


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
def test_every_answer_is_one_that_the_vendor_documents(shared: Path, app: Starlette, vendor: str, mode: GenerationMode):
    asked = operations(shared, app, vendor)
    assert asked
    seen: set[int] = set()
    faults = [fault for one in asked for fault in faults_of(one, mode, vendor, "sandbox-token", seen)]
    assert not faults, "\n\n".join(faults)
    assert (200 if mode is GenerationMode.POSITIVE else 400) in seen


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_wrong_token_is_refused_as_the_vendor_does(shared: Path, app: Starlette, vendor: str):
    asked = operations(shared, app, vendor)
    seen: set[int] = set()
    faults = [fault for one in asked for fault in faults_of(one, GenerationMode.POSITIVE, vendor, "wrong", seen)]
    assert not faults, "\n\n".join(faults)
    assert seen == {401}
