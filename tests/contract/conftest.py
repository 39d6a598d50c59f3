"""A client whose every exchange with a small sandbox is checked against the vendors' specifications."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import httpx
import pytest

from sandbox.app import create_app
from sandbox.in_process import InProcess
from sandbox.world import invent_world
from tests.contract.tap import Contracts, ContractTap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def contracts(shared: Path) -> Contracts:
    return Contracts(shared)


@pytest.fixture
def client(contracts: Contracts, tmp_path: Path) -> Iterator[httpx.Client]:
    app = create_app(invent_world(150, 3, date(2026, 11, 22)), tmp_path)
    headers = {"X-Shopify-Access-Token": "sandbox-token", "Authorization": "Bearer sandbox-token"}
    with httpx.Client(
        transport=ContractTap(InProcess(app), contracts), base_url="http://sandbox", headers=headers
    ) as opened:
        yield opened
    app.state.setting.state.close()
