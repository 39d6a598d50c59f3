"""`kizuna ingest`, `replay` and `sources` on a warehouse of their own and a source that a test writes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "ingest"))
from scripted import NOON, ScriptedSource, record

from kizuna import pipeline, sources
from kizuna.cli import main


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, warehouse_url: str) -> ScriptedSource:
    scripted = ScriptedSource([[[record("1"), record("2") | {"updatedAt": "soon"}]]])
    monkeypatch.setitem(sources.SOURCES, "scripted", scripted)
    monkeypatch.setattr(pipeline, "gate_raw", lambda *_: None)
    monkeypatch.setenv("WAREHOUSE_URL", warehouse_url)
    monkeypatch.setenv("AIRFLOW_CONN_SCRIPTED", '{"host": "http://127.0.0.1:9", "password": "t"}')
    return scripted


def run(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == status, done.output
    return done.output


def test_ingest_reads_the_next_windows_and_says_both_numbers(source: ScriptedSource) -> None:
    assert "read 2 (vendor 2), new or changed 1, quarantined 1" in run("ingest", "scripted")


def test_a_span_is_read_as_it_was_asked_for(source: ScriptedSource) -> None:
    run("ingest", "scripted", "things", "--from", "2026-11-01", "--to", "2026-11-02T09:00:00+09:00")
    assert [(w.lower.isoformat(), w.upper.isoformat()) for w in source.windows] == [
        ("2026-11-01T00:00:00+00:00", "2026-11-02T09:00:00+09:00")
    ]


def test_what_cannot_be_landed_is_said_without_a_traceback(source: ScriptedSource) -> None:
    source.says = 7
    assert "the vendor counts 7 records" in run("ingest", "scripted", status=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ingest", "nobody"), "'nobody' is no source: expected one of"),
        (("ingest", "scripted", "orders"), "'orders' is no stream of scripted: expected one of things"),
        (("ingest", "scripted", "--from", "2026-11-02", "--to", "2026-11-01"), "is not before --to"),
        (("replay", "scripted", "things", "--set", "a"), "there is no '='"),
        (("replay", "scripted", "things", "--set", "a=Hana"), "'Hana' is no JSON"),
    ],
)
def test_mistakes_are_named_with_what_was_expected(
    source: ScriptedSource, arguments: tuple[str, ...], words: str
) -> None:
    assert words in run(*arguments, status=1)


def test_replay_says_why_and_lands_after_the_change(source: ScriptedSource) -> None:
    run("ingest", "scripted")
    assert "1 cannot land: updatedAt is not a time" in run("replay", "scripted", "things")
    mended = f'updatedAt="{NOON.isoformat()}"'
    assert "1 would land" in run("replay", "scripted", "things", "--set", mended, "--dry-run")
    assert "1 landed" in run("replay", "scripted", "things", "--record", "2", "--set", mended)


def test_sources_lists_connection_window_and_quarantine(source: ScriptedSource) -> None:
    def line(output: str) -> Any:
        return next(text.split() for text in output.splitlines() if text.strip().startswith("things"))

    assert line(run("sources"))[1] == "never"
    run("ingest", "scripted")
    output = run("sources")
    assert "scripted: connection http://127.0.0.1:9" in output
    assert line(output)[1:3] == ["2026-11-22", "11:58"]
    assert line(output)[-1] == "1"
