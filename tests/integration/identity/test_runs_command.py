"""`kizuna identity runs`, `rebuild` and `verify`."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from kizuna.cli import main
from tests.integration.identity.landing_evidence import members, read, run, said


@pytest.fixture
def url(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("WAREHOUSE_URL", warehouse_url)
    return warehouse_url


def say(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(main, ["identity", *arguments])
    assert done.exit_code == status, done.output
    return done.output


def test_runs_are_told_the_latest_first_with_what_they_changed(url: str) -> None:
    assert say("runs") == "No run has found anything yet\n"
    run(url, {"a": said("email:x@example.jp"), "b": said("email:y@example.jp")}, "first")
    run(url, {"b": said("email:x@example.jp")}, "second")
    second, first = say("runs").splitlines()
    assert "second" in second
    assert "merged 1" in second
    assert "minted 2" in first
    assert say("runs", "--most", "1").count("\n") == 1


def test_a_rebuild_keeps_every_id_and_takes_decisions(url: str) -> None:
    run(url, {"a": said("email:x@example.jp"), "b": said("email:x@example.jp")})
    before = members(url)
    assert "2 records, 1 customers: no id changed" in say("rebuild")
    assert members(url) == before
    say("override", "never", "a", "b", "--why", "twins")
    assert "1 split" in say("rebuild")


def test_verify_finds_a_map_that_has_drifted_and_changes_nothing(url: str) -> None:
    run(url, {"a": said("email:x@example.jp"), "b": said("email:x@example.jp")})
    assert "Nothing differs: 2 records, 1 customers" in say("verify")
    read(url, "update identity.memberships set valid_to = now() where record_number = 2 returning 1")
    drifted = members(url)
    assert "drifted" in say("verify", status=1)
    assert members(url) == drifted
