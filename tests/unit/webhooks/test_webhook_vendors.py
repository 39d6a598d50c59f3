"""Which vendors are received: those whose connection has a secret."""

from __future__ import annotations

import json

import pytest

from kizuna.settings import SettingsError
from kizuna.webhooks.vendors import NAMES, known_vendors


@pytest.fixture(autouse=True)
def no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(f"AIRFLOW_CONN_{name.upper()}", raising=False)


def connect(monkeypatch: pytest.MonkeyPatch, name: str, **extra: str) -> None:
    account = {"host": "https://vendor.example", "password": "token", "extra": extra}
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(account))


def test_only_vendors_with_a_secret_are_received(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "line", webhook_secret="one")
    connect(monkeypatch, "shopify", read_seconds="60")
    connect(monkeypatch, "zendesk", webhook_secret="new old")
    assert {name: vendor.secrets for name, vendor in known_vendors().items()} == {
        "line": ("one",),
        "zendesk": ("new", "old"),
    }


def test_a_secret_that_is_no_key_is_refused_at_the_start_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "sendgrid", webhook_secret="not-a-key")
    with pytest.raises(SettingsError, match="AIRFLOW_CONN_SENDGRID is no public key") as refused:
        known_vendors()
    assert "not-a-key" not in str(refused.value)


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "line", webhook_secret="one-secret")
    assert "one-secret" not in repr(known_vendors())
