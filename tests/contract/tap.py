"""Checks every exchange of an httpx client against the vendors' own specifications.

Put the tap between a client and the sandbox: `httpx.Client(transport=ContractTap(InProcess(app), contracts))`. An
exchange that the vendor's specification does not allow raises `ContractError`; what was checked is counted. How each
vendor is checked stands in `vendors/<vendor>.py`: `check(shared, path, request, response)`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

import httpx

from tests.contract.refusal import ContractError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ContractError", "ContractTap", "Contracts"]


@dataclass
class Contracts:
    """The specifications in the reference folder, and how many exchanges each vendor has seen."""

    shared: Path
    checked: Counter[str] = field(default_factory=Counter)

    def check(self, request: httpx.Request, response: httpx.Response) -> None:
        """Check one exchange with the vendor named by the first part of the path."""
        vendor, _, path = request.url.path.lstrip("/").partition("/")
        try:
            import_module(f"tests.contract.vendors.{vendor}").check(self.shared, f"/{path}", request, response)
        except ContractError as error:
            message = f"{vendor}: {error}"
            raise ContractError(message) from error
        self.checked[vendor] += 1


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
