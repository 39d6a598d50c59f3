"""A vendor's account is read as Airflow writes it, in JSON or as a URI."""

from __future__ import annotations

import pytest

from kizuna.settings import Connection, SettingsError, connection


@pytest.mark.parametrize(
    "text",
    [
        '{"host": "http://sandbox:8010/line", "password": "a/b", "extra": {"webhook_secret": "c d"}}',
        '{"host": "http://sandbox:8010/line", "password": "a/b", "extra": "{\\"webhook_secret\\": \\"c d\\"}"}',
        "http://:a%2Fb@sandbox:8010/line?webhook_secret=c+d",
    ],
)
def test_json_and_uri_say_the_same(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LINE", text)
    assert connection("line") == Connection("line", "http://sandbox:8010/line", "a/b", {"webhook_secret": "c d"})


def test_anything_else_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LINE", "my-token")
    with pytest.raises(SettingsError, match="neither JSON nor a URI") as refused:
        connection("line")
    assert "my-token" not in str(refused.value)
