"""Decisions of people on a real warehouse: by command and by file, in force until revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from kizuna.cli import main
from kizuna.identity import overrides_file
from kizuna.identity.overrides import OverrideError
from tests.integration.identity.filled import Filled

if TYPE_CHECKING:
    from pathlib import Path

HEADER = ",".join(overrides_file.COLUMNS)


@pytest.fixture
def filled(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Filled:
    monkeypatch.setenv("WAREHOUSE_URL", warehouse_url)
    world = Filled(warehouse_url)
    world.record("shopify:customer:1", "email:hana@example.jp", "phone:0312345679", customer="hana")
    world.record("shopify:customer:2", "email:hana@example.jp", customer="hana")
    world.record("line:follower:U1", "phone:0312345679", customer="taro")
    return world


def run(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(main, ["identity", *arguments])
    assert done.exit_code == status, done.output
    return " ".join(done.output.split())


def in_force(filled: Filled) -> list[tuple[object, ...]]:
    return filled.run(
        "select decision, record_key_a, record_key_b, value_hash, who, why from identity.overrides_in_force "
        "order by override_id"
    )


def test_a_decision_is_kept_with_who_and_why_and_tells_what_the_next_run_does(filled: Filled) -> None:
    told = run("override", "never", "shopify:customer:2", "shopify:customer:1", "--why", "twins", "--who", "kei")
    assert f"splits customer {filled.id_of('hana')} (2 records)" in told
    assert in_force(filled) == [("never", "shopify:customer:1", "shopify:customer:2", None, "kei", "twins")]
    told = run("override", "always", "line:follower:U1", "shopify:customer:2", "--why", "she wrote to us")
    assert f"makes customers {filled.id_of('taro')} (1 record) and {filled.id_of('hana')} (2 records) one" in told


def test_who_decides_is_the_user_of_the_machine_unless_named(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "emi")
    run("override", "never", "shopify:customer:1", "line:follower:U1", "--why", "father and daughter")
    assert in_force(filled)[0][4] == "emi"


def test_a_shared_value_enters_by_its_hash_however_it_is_typed(filled: Filled) -> None:
    told = run("override", "shared", "phone", "+81 (0)3-1234-5679", "--why", "the office")
    assert "2 records of 2 customers carry it now" in told
    (value_hash,) = filled.run("select identity.hash_value('phone:0312345679')")[0]
    assert in_force(filled)[0][:4] == ("shared", None, None, value_hash)
    assert "12345679" not in told
    assert run("hash", "email", "Hana@Example.JP ") == str(
        filled.run("select identity.hash_value('email:hana@example.jp')")[0][0]
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("never", "shopify:customer:1", "shopify:customer:1"), "the same record twice"),
        (
            ("never", "shopify:customer:1", "shopify:customer:3"),
            "nearest by name: shopify:customer:1, shopify:customer:2",
        ),
        (("shared", "fax", "03-1234-5679"), "'fax' is no kind of value: expected one of login, line, email"),
        (("shared", "phone", "09011112222"), "no record carries the phone …222"),
        (("shared", "line", "U1"), "a line belongs to a provider: expected <provider>:<line>"),
        (("revoke", "7"), "no decision 7 is in force"),
    ],
)
def test_mistakes_are_named_with_what_was_expected(filled: Filled, arguments: tuple[str, ...], words: str) -> None:
    assert words in run("override", *arguments, "--why", "because", status=1)
    assert in_force(filled) == []


def test_contradicting_decisions_are_refused_until_one_is_revoked(filled: Filled) -> None:
    run("override", "always", "shopify:customer:1", "shopify:customer:2", "--why", "known", "--who", "kei")
    never = ("override", "never", "shopify:customer:1", "shopify:customer:2", "--why", "twins")
    assert "cannot both hold: decision 1 (always" in run(*never, status=1)
    told = run("override", "revoke", "1", "--why", "a mistake", "--who", "emi")
    assert "solves shopify:customer:1 and shopify:customer:2 anew" in told
    run(*never)
    assert run("override", "list").startswith("2 never")
    assert "(revoked by emi" in run("override", "list", "--all")
    assert filled.run("select count(*) from identity.overrides") == [(2,)]


def test_the_same_decision_is_taken_once(filled: Filled) -> None:
    run("override", "never", "shopify:customer:1", "line:follower:U1", "--why", "father and daughter")
    again = run("override", "never", "line:follower:U1", "shopify:customer:1", "--why", "again", status=1)
    assert "already: father and daughter" in again


def write(folder: Path, *lines: str) -> Path:
    file = folder / "identity_overrides.csv"
    file.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
    return file


def take(filled: Filled, file: Path) -> None:
    with filled.session() as connection:
        overrides_file.take_file(connection, file)


def test_lines_of_the_file_are_in_force_until_they_are_taken_out(filled: Filled, tmp_path: Path) -> None:
    lines = ["never,b,a,,kei,2026-11-01,twins", "shared,,,-42,kei,2026-11-02,the office"]
    take(filled, write(tmp_path, *lines))
    assert in_force(filled) == [
        ("never", "a", "b", None, "kei", "twins"),
        ("shared", None, None, -42, "kei", "the office"),
    ]
    before = filled.run("select ctid, xmin from identity.overrides")
    take(filled, write(tmp_path, *reversed(lines)))
    assert filled.run("select ctid, xmin from identity.overrides") == before
    take(filled, write(tmp_path, lines[1]))
    assert [row[0] for row in in_force(filled)] == ["shared"]
    assert filled.run("select revoked_by, revoked_why from identity.overrides where revoked_at is not null") == [
        ("identity_overrides.csv", overrides_file.TAKEN_OUT)
    ]


def test_what_the_file_says_is_revoked_in_the_file(filled: Filled, tmp_path: Path) -> None:
    take(filled, write(tmp_path, "never,a,b,,kei,2026-11-01,twins"))
    number = filled.run("select override_id from identity.overrides")[0][0]
    assert "take its line out there" in run("override", "revoke", str(number), "--why", "x", status=1)


def test_what_a_command_has_said_already_is_not_said_twice_by_the_file(filled: Filled, tmp_path: Path) -> None:
    run("override", "never", "shopify:customer:1", "line:follower:U1", "--why", "said", "--who", "kei")
    file = write(tmp_path, "never,line:follower:U1,shopify:customer:1,,emi,2026-11-01,filed")
    take(filled, file)
    assert [row[5] for row in in_force(filled)] == ["said"]
    run("override", "revoke", "1", "--why", "it is in the file")
    take(filled, file)
    assert [row[5] for row in in_force(filled)] == ["filed"]


def test_every_wrong_line_is_named_and_then_nothing_is_taken(filled: Filled, tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "never,a,b,,kei,2026-11-01,twins",
        "perhaps,a,c,,kei,2026-11-01,x",
        "never,a,,,kei,2026-11-01,x",
        "always,a,c,,kei,yesterday,x",
        "shared,,,hana@example.jp,kei,2026-11-01,x",
        "shared,,,9223372036854775808,kei,2026-11-01,x",
        "never,a,c,,,2026-11-01,x",
        "never,a,c",
        "never,b,a,,emi,2026-11-02,again",
    )
    with pytest.raises(OverrideError) as caught:
        take(filled, file)
    told = str(caught.value).splitlines()
    assert [line.split(":")[1] for line in told] == ["3", "4", "5", "6", "7", "8", "9", "10"]
    assert "expected never, always or shared" in told[0]
    assert "yesterday" in told[2]
    assert "hana@" not in str(caught.value)
    assert "same as line 2" in told[-1]
    assert in_force(filled) == []


def test_a_line_that_contradicts_a_decision_names_both(filled: Filled, tmp_path: Path) -> None:
    run("override", "always", "shopify:customer:1", "shopify:customer:2", "--why", "known", "--who", "kei")
    file = write(tmp_path, "never,shopify:customer:1,shopify:customer:2,,emi,2026-11-01,twins")
    with pytest.raises(OverrideError, match=r"identity_overrides.csv:2: .* decision 1 \(always"):
        take(filled, file)


def test_a_file_without_its_columns_or_not_there_is_named(filled: Filled, tmp_path: Path) -> None:
    (tmp_path / "wrong.csv").write_text("a,b\n")
    with pytest.raises(OverrideError, match=r"wrong.csv:1: .* expected decision,record_key_a"):
        take(filled, tmp_path / "wrong.csv")
    with pytest.raises(OverrideError, match="No file of decisions"):
        take(filled, tmp_path / "none.csv")


def test_the_project_ships_a_file_without_decisions() -> None:
    assert overrides_file.read(overrides_file.path()) == {}
