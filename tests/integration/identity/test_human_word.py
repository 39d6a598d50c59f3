"""Human word through whole runs: it acts from the next run on, outlives rebuilds, and is taken back without a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from kizuna import identity
from kizuna.cli import main
from kizuna.identity import overrides_file
from kizuna.identity.overrides import OverrideError
from tests.integration.identity.landing_evidence import groups, members, read, run, said

if TYPE_CHECKING:
    from pathlib import Path

HANA = {"full": "佐藤花", "family": "佐藤", "given": "花"}
TARO = {"full": "佐藤太郎", "family": "佐藤", "given": "太郎"}
MAIL, PHONE = "email:family@example.jp", "phone:0312345679"


@pytest.fixture
def url(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("WAREHOUSE_URL", warehouse_url)
    return warehouse_url


def say(*arguments: str) -> str:
    done = CliRunner().invoke(main, ["identity", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def decide(*arguments: str) -> None:
    say("override", *arguments, "--why", "so it is", "--who", "kei")


def findings(url: str, one: str, other: str) -> list[object]:
    return [row[0] for row in read(url, "select finding from identity.why_not(%s, %s) order by step", one, other)]


def test_a_never_after_a_merge_splits_and_the_old_id_comes_back(url: str) -> None:
    run(url, {"a": said(MAIL), "b": said(PHONE)})
    apart = members(url)
    run(url, {"b": said(PHONE, MAIL)})
    assert groups(url) == {frozenset("ab")}
    decide("never", "a", "b")
    run(url, {})
    assert members(url) == apart
    assert findings(url, "a", "b")[0] == "never by decision"


@pytest.mark.parametrize("decision", ["never", "always"])
def test_a_decision_outlives_every_rebuild(url: str, decision: str) -> None:
    run(url, {"a": said(MAIL, **HANA), "b": said(MAIL, **(HANA if decision == "never" else TARO))})
    before = groups(url)
    decide(decision, "a", "b")
    run(url, {})
    decided = members(url)
    assert groups(url) != before
    identity.resolve(url, "rebuild", full=True)
    run(url, {"a": said(MAIL, **HANA)}, full=True)
    assert members(url) == decided
    identity.verify(url, "verify")


@pytest.mark.parametrize("decision", ["never", "always"])
def test_a_revoked_decision_leaves_what_was(url: str, decision: str) -> None:
    run(url, {"a": said(MAIL, **HANA), "b": said(MAIL, **(HANA if decision == "never" else TARO)), "c": said(PHONE)})
    before = members(url)
    decide(decision, "a", "b")
    run(url, {})
    assert members(url) != before
    decide("revoke", "1")
    run(url, {})
    assert members(url) == before


def test_a_shared_value_links_nothing_until_it_is_revoked(url: str) -> None:
    run(url, {"a": said(PHONE), "b": said(PHONE, MAIL), "c": said(MAIL)})
    decide("shared", "phone", "03-1234-5679")
    run(url, {})
    assert groups(url) == {frozenset("a"), frozenset("bc")}
    assert findings(url, "a", "c") == ["blocked: shared by decision"]
    decide("revoke", "1")
    run(url, {})
    assert groups(url) == {frozenset("abc")}


def test_an_always_joins_records_that_share_nothing_and_is_told_with_who(url: str) -> None:
    run(url, {"a": said(MAIL), "b": said(PHONE)})
    decide("always", "a", "b")
    run(url, {})
    assert read(url, "select kind, rule_version from identity.explain('a', 'b')") == [("always", "decision 1 by kei")]


def test_lines_of_the_file_act_with_the_next_run_and_a_wrong_one_stops_it(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "identity_overrides.csv"
    monkeypatch.setenv("KIZUNA_IDENTITY_OVERRIDES", str(file))
    header = ",".join(overrides_file.COLUMNS)
    value_hash = say("hash", "phone", "03-1234-5679").strip()
    file.write_text(f"{header}\nnever,a,b,,kei,2026-11-01,twins\nshared,,,{value_hash},kei,2026-11-01,the office\n")
    run(url, {"a": said(MAIL), "b": said(MAIL), "c": said(PHONE), "d": said(PHONE)})
    assert groups(url) == {frozenset(name) for name in "abcd"}
    file.write_text(f"{header}\nnever,a,,,kei,2026-11-01,twins\n")
    with pytest.raises(OverrideError, match=r"identity_overrides\.csv:2: never expects"):
        run(url, {"e": said(MAIL)})
    assert groups(url) == {frozenset(name) for name in "abcd"}
    file.write_text(f"{header}\n")
    run(url, {})
    assert groups(url) == {frozenset("ab"), frozenset("cd")}


BORN, BORN_LATER = {"birth": "1980-02-01"}, {"birth": "1981-03-01"}
OTHER = "phone:08023456719"


@pytest.mark.parametrize(
    ("one", "other", "finding", "kind"),
    [
        (said("line:p:U1", MAIL), said("line:p:U2", MAIL), "two line ids", "email"),
        (said("login:main:1", MAIL), said("login:main:2", MAIL), "two logins", "email"),
        (said(PHONE, **HANA), said(PHONE, **TARO), "names contradict", "phone"),
        (said(MAIL, **BORN), said(MAIL, **BORN_LATER), "birth dates differ", "email"),
        (said("address:1500001|東京都"), said("address:1500001|東京都"), "no agreement", "address"),
        (said("phone:00000000000"), said("phone:00000000000"), "blocked: placeholder", "phone"),
        (said(MAIL), said(OTHER), "no shared value", None),
    ],
)
def test_every_refusal_is_found_by_why_not(url: str, one: object, other: object, finding: str, kind: str) -> None:
    run(url, {"a": one, "b": other})  # type: ignore[dict-item]
    assert read(url, "select finding, kind from identity.why_not('a', 'b')") == [(finding, kind)]


def test_a_value_of_too_many_names_is_found_by_why_not(url: str) -> None:
    crowd = {f"r{n:02}": said(PHONE, full=f"佐藤{chr(0x4E00 + n)}") for n in range(30)}
    run(url, crowd)
    assert findings(url, "r01", "r02") == ["blocked: too many names"]


def test_a_chain_through_other_customers_is_found_where_nothing_is_shared(url: str) -> None:
    run(url, {"a": said(MAIL, **HANA), "b": said(MAIL, OTHER, **TARO), "c": said(OTHER, **HANA)})
    assert findings(url, "a", "c") == [
        "no shared value",
        "the nearest chain breaks: names contradict",
        "the nearest chain breaks: names contradict",
    ]


def test_explain_tells_the_chain_that_a_run_has_followed(url: str) -> None:
    run(url, {"a": said(MAIL), "b": said(MAIL, PHONE), "c": said(PHONE, "line:p:U1"), "d": said("line:p:U1")})
    steps = read(url, "select from_record, to_record, kind, masked_value from identity.explain('a', 'd') order by step")
    assert steps == [
        ("a", "b", "email", "f…@e…"),
        ("b", "c", "phone", "…679"),
        ("c", "d", "line", "p:U…"),
    ]


def test_an_answer_of_the_review_is_in_force_with_the_next_run(url: str) -> None:
    run(url, {"a": said(MAIL, **HANA), "b": said(MAIL, **TARO)})
    (line,) = say("review", "list").splitlines()
    assert "but names contradict" in line
    say("review", "decide", line.split()[0], "same", "--why", "he ordered for her")
    run(url, {})
    assert groups(url) == {frozenset("ab")}
    assert say("review", "list") == "No pair waits for an answer\n"
