"""The review queue: who is asked about, what is shown, and what becomes of an answer."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from kizuna.cli import main
from kizuna.identity import review
from kizuna.identity.policy import Policy
from tests.integration.identity.filled import Filled

HANA = {"full": "佐藤花", "birth": "1980-02-01"}
HANAE = {"full": "佐藤花江", "birth": "1980-02-11"}


@pytest.fixture
def filled(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Filled:
    monkeypatch.setenv("WAREHOUSE_URL", warehouse_url)
    world = Filled(warehouse_url)
    world.record("a", "email:hana@example.jp", "phone:09012345678", customer="a", **HANA)
    world.record("b", "email:hana@example.jp", "phone:09087654321", customer="b", **HANAE)
    world.record("c", customer="c", **HANA)
    world.record("d", customer="d")
    return world


def score(filled: Filled, one: str, other: str, probability: float) -> None:
    filled.run("insert into identity.scored_pairs values (%s, %s, %s, 'model-1')", one, other, probability)


def waiting(filled: Filled, most: int = 10) -> list[tuple[str, str]]:
    with filled.session() as connection:
        return [(pair.name, pair.because()) for pair in review.queue(connection, Policy(), most)]


def run(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(main, ["identity", "review", *arguments])
    assert done.exit_code == status, done.output
    return done.output


def test_pairs_in_doubt_are_asked_best_first_and_others_are_not(filled: Filled) -> None:
    score(filled, "a", "c", 0.6)
    score(filled, "a", "d", 0.8)
    score(filled, "b", "c", 0.49)
    score(filled, "b", "d", 0.9)
    assert waiting(filled) == [("1-4", "scored 0.80"), ("1-3", "scored 0.60")]
    assert waiting(filled, most=1) == [("1-4", "scored 0.80")]


def test_a_strong_value_that_was_refused_is_asked_and_what_a_household_shares_is_not(filled: Filled) -> None:
    filled.refuse("a", "b", "email:hana@example.jp", "names contradict")
    filled.refuse("a", "c", "phone:09012345678", "names contradict")
    filled.refuse("c", "d", "line:p:U1", "never by decision")
    assert waiting(filled) == [("1-2", "same email h…@e… but names contradict")]


def test_refused_and_scored_pairs_take_turns(filled: Filled) -> None:
    filled.refuse("a", "b", "email:hana@example.jp", "names contradict")
    filled.refuse("c", "d", "line:p:U1", "two line ids")
    score(filled, "a", "d", 0.7)
    score(filled, "b", "d", 0.6)
    assert [name for name, _ in waiting(filled)] == ["3-4", "1-4", "1-2", "2-4"]


def test_two_customers_are_asked_about_once(filled: Filled) -> None:
    filled.record("e", "email:hana@example.jp", customer="a")
    filled.refuse("a", "b", "email:hana@example.jp", "names contradict")
    score(filled, "b", "e", 0.8)
    assert [name for name, _ in waiting(filled)] == ["1-2"]


def test_records_of_one_customer_are_not_asked_about(filled: Filled) -> None:
    filled.record("e", customer="a")
    score(filled, "a", "e", 0.8)
    assert waiting(filled) == []


def test_a_pair_behind_many_decided_ones_is_found(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "DEPTHS", (1, 2))
    score(filled, "a", "c", 0.8)
    score(filled, "a", "d", 0.6)
    run("decide", "1-3", "different", "--why", "x")
    assert waiting(filled, most=1) == [("1-4", "scored 0.60")]


@pytest.mark.parametrize(("answer", "decision"), [("same", "always"), ("different", "never")])
def test_an_answer_is_a_decision_and_is_not_asked_again(filled: Filled, answer: str, decision: str) -> None:
    score(filled, "a", "c", 0.6)
    told = run("decide", "1-3", answer, "--why", "wrote to us", "--who", "kei")
    assert f"Taken: decision 1 ({decision}: a and c; by kei" in told
    assert waiting(filled) == []
    assert filled.run("select decision, record_key_a, record_key_b, who, why from identity.overrides_in_force") == [
        (decision, "a", "c", "kei", "wrote to us")
    ]
    run("decide", "1-3", answer, "--why", "again")
    assert filled.run("select count(*) from identity.overrides") == [(1,)]
    other = "different" if answer == "same" else "same"
    assert "cannot both hold" in run("decide", "1-3", other, "--why", "no", status=1)


def test_later_leaves_the_pair_in_the_queue(filled: Filled) -> None:
    score(filled, "a", "c", 0.6)
    assert "Left for later" in run("decide", "1-3", "later", "--why", "ask her")
    assert waiting(filled) == [("1-3", "scored 0.60")]


def test_a_revoked_answer_is_asked_again(filled: Filled) -> None:
    score(filled, "a", "c", 0.6)
    run("decide", "1-3", "different", "--why", "x")
    filled.run("update identity.overrides set revoked_at = now()")
    assert waiting(filled) == [("1-3", "scored 0.60")]


def test_two_records_are_shown_side_by_side_masked_with_how_far_they_are_apart(filled: Filled) -> None:
    with filled.session() as connection:
        shown = {line.field: (line.one, line.other, line.verdict) for line in review.compare(connection, "1-2")}
    assert shown == {
        "name": ("佐…", "佐…", "different: by one character"),
        "birth": ("…01", "…11", "different: day"),
        "e-mail": ("h…@e…", "h…@e…", "same"),
        "phone": ("…678", "…321", "different"),
    }
    told = run("show", "1-2")
    assert "different: day" in told
    assert "花" not in told
    assert "1980" not in told


def test_where_one_says_nothing_there_is_no_verdict(filled: Filled) -> None:
    with filled.session() as connection:
        lines = review.compare(connection, "1-4")
    assert {(line.other, line.verdict) for line in lines} == {("–", "")}


def test_the_list_tells_pairs_and_reasons(filled: Filled) -> None:
    assert run("list") == "No pair waits for an answer\n"
    filled.refuse("a", "b", "email:hana@example.jp", "names contradict")
    assert run("list").split() == ["1-2", "same", "email", "h…@e…", "but", "names", "contradict", "a", "|", "b"]


@pytest.mark.parametrize("name", ["1-9", "hana", "1-1", ""])
def test_a_name_that_is_no_pair_is_said(filled: Filled, name: str) -> None:
    assert "names no pair of records" in run("decide", name, "same", "--why", "x", status=1)
