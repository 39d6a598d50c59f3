"""`kizuna authorize`: the page to open, the address to paste, and tokens that runs then live on."""

from __future__ import annotations

import json
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from click.testing import CliRunner

from kizuna import landing, oauth, settings
from kizuna.cli import main
from kizuna.http import Client
from kizuna.sources import eccube
from sandbox.app import create_app
from sandbox.in_process import InProcess
from sandbox.world import invent_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[InProcess]:
    app = create_app(invent_world(60, 3, date(2026, 11, 22)), tmp_path)
    transport = InProcess(app)
    for words in (eccube, oauth):
        monkeypatch.setattr(words, "Client", partial(Client, transport=transport))
    account = {"host": "http://sandbox/eccube", "login": "sandbox-client", "password": "sandbox-token"}
    monkeypatch.setenv("AIRFLOW_CONN_ECCUBE", json.dumps(account))
    monkeypatch.setenv("WAREHOUSE_URL", warehouse_url)
    monkeypatch.setattr(oauth, "new_state", lambda: "state-1")
    yield transport
    app.state.setting.state.close()


def authorize(pasted: str, source: str = "eccube") -> Any:
    return CliRunner().invoke(main, ["authorize", source], input=f"{pasted}\n")


def test_an_approval_becomes_tokens_that_runs_live_on(shop: InProcess, warehouse_url: str) -> None:
    page = eccube.SOURCE.oauth.page(settings.connection("eccube"), "state-1")
    with httpx.Client(transport=shop) as browser:
        sent_to = browser.get(page).headers["location"]
    done = authorize(sent_to)

    assert done.exit_code == 0, done.output
    assert page in done.output
    products = next(stream for stream in eccube.SOURCE.streams if stream.name == "products")
    landed = landing.land_stream(eccube.SOURCE, products, settings.connection("eccube"), warehouse_url, "run")
    assert landed.landed_count > 0


def test_what_cannot_be_used_is_said_without_a_traceback(shop: InProcess) -> None:
    for pasted, words in (
        ("http://127.0.0.1/kizuna?code=c&state=another", "not of this approval"),
        ("no-such-code", "approve again and paste the new code within ten minutes"),
    ):
        done = authorize(pasted)
        assert done.exit_code == 1
        assert words in done.output
        assert "sandbox-token" not in done.output
    assert "'line' needs no approval: expected one of eccube" in authorize("x", "line").output
