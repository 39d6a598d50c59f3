"""Scoring finds people who share no value, writes only what changed, and gives by parts what it gives of the whole."""

from __future__ import annotations

import csv
import json
import random
import socket
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from kizuna.cli import main
from kizuna.identity import likeness, policy, quality, scoring, training
from tests.integration.identity.filled import Filled
from tests.integration.identity.landing_evidence import members, run, said

if TYPE_CHECKING:
    from pathlib import Path

PAIRS = "select record_key_a, record_key_b from identity.scored_pairs where probability > 0 order by 1, 2"
STATE = """
select record_key_a, record_key_b, probability, model_version from identity.scored_pairs where probability > 0
order by 1, 2
"""
TARO = {"family": "佐藤", "given": "太郎", "full": "佐藤太郎", "birth": "1980-02-01"}


@pytest.fixture
def shop(warehouse_url: str) -> Filled:
    return Filled(warehouse_url)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection to another machine fails; Postgres is reached by libpq, not from Python."""

    def refuse(*_: object) -> None:
        message = "somebody called the network"
        raise AssertionError(message)

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def people(shop: Filled, count: int, seed: int = 3) -> dict[str, str]:
    """Invent records, about two a person; the second has another mail provider, slips, or another family name."""
    chance = random.Random(seed)
    truth = {}
    for person in range(count):
        family, given = (
            chance.choice("佐藤鈴木高橋田中渡辺伊藤山本中村小林加藤"),
            chance.choice("一二三四五六七八九十葵蓮陽湊蒼翠律朔"),
        )
        birth = f"19{chance.randrange(50, 99)}-0{chance.randrange(1, 10)}-{chance.randrange(10, 28)}"
        local = f"{chance.randrange(10**9):x}-person"
        for record in range(2):
            name = chance.choice("林森原島岡") if record and chance.random() < 0.3 else family
            key = f"shop:{person:04}-{record}"
            truth[key] = str(person)
            profile = {"family": name, "given": given, "full": name + given}
            if chance.random() < 0.8:
                profile["birth"] = birth
            mail = (
                f"email:{local}@{record}.example.jp" if chance.random() < 0.8 else f"phone:0{chance.randrange(10**9)}"
            )
            shop.record(key, mail, customer=key, **profile)
    return truth


def test_the_project_has_a_trained_model_for_what_is_compared() -> None:
    model = likeness.load()
    compared = [comparison["output_column_name"] for comparison in model.settings["comparisons"]]
    assert compared == list(likeness.COMPARISONS)
    conditions = [
        [level["sql_condition"] for level in comparison["comparison_levels"]]
        for comparison in model.settings["comparisons"]
    ]
    assert conditions == [
        [level["sql_condition"] for level in comparison["comparison_levels"]]
        for comparison in likeness.untrained()["comparisons"]
    ], "the model was trained on other comparisons: train it again"
    assert model.settings["blocking_rules_to_generate_predictions"] == [
        rule | {"sql_dialect": "duckdb"} for rule in likeness.untrained()["blocking_rules_to_generate_predictions"]
    ]


def test_who_mistyped_a_phone_and_kept_the_mailbox_at_another_provider_is_found(shop: Filled, offline: None) -> None:
    shop.record("a", "email:taro-sato@ezweb.ne.jp", "phone:09012345679", customer="1", **TARO)
    shop.record("b", "email:taro-sato@au.com", "phone:09012345676", customer="2", **TARO)
    shop.record("c", "email:taro-sato@docomo.ne.jp", customer="3", **{**TARO, "given": "花子", "full": "佐藤花子"})
    shop.record("d", "email:someone-else@au.com", customer="4", family="鈴木", given="太郎", full="鈴木太郎")
    done = scoring.score(shop.url)
    assert shop.run(PAIRS) == [("a", "b")]
    ((probability, taken),) = shop.run("select probability, is_taken from identity.scored_pairs")
    assert probability > policy.load().scored.accept
    assert (done.records, done.changed, done.written, taken) == (4, 4, 1, False)


def test_the_next_run_joins_them_and_scoring_them_again_keeps_them_joined(warehouse_url: str) -> None:
    landed = {
        "a": said("email:taro-sato@ezweb.ne.jp", "phone:09012345679", **TARO),
        "b": said("email:taro-sato@au.com", "phone:09012345676", **TARO),
    }
    assert run(warehouse_url, landed, "first").customers == 2
    quality.measure(warehouse_url, "first")
    quality.release(warehouse_url, "first", "passed the gate")
    for run_id in ("second", "third"):
        assert scoring.score(warehouse_url).withdrawn == 0
        run(warehouse_url, {}, run_id)
        assert len(set(members(warehouse_url).values())) == 1
    figures = {row[:3]: row[3] for row in quality.measure(warehouse_url, "second")}
    assert (figures["churn", "merge", ""], figures["merged", "", ""], figures["moved", "", ""]) == (1, 1, 1)
    assert (figures["customer_size", "", "2"], figures["unresolved", "", ""]) == (1, 0)


def test_what_shares_a_value_is_not_scored_unless_the_value_is_blocked(shop: Filled) -> None:
    shop.record("a", "email:taro-sato@ezweb.ne.jp", "phone:09012345679", customer="1", **TARO)
    shop.record("b", "email:taro-sato@au.com", "phone:09012345679", customer="1", **TARO)
    scoring.score(shop.url)
    assert shop.run(PAIRS) == []
    shop.block("phone:09012345679", "too many names")
    assert scoring.score(shop.url).written == 1
    assert shop.run(PAIRS) == [("a", "b")]


def test_whom_people_parted_is_not_scored_until_they_take_it_back(shop: Filled) -> None:
    shop.record("a", "email:taro-sato@ezweb.ne.jp", customer="1", **TARO)
    shop.record("b", "email:taro-sato@au.com", customer="2", **TARO)
    scoring.score(shop.url)
    shop.run(
        "insert into identity.overrides (decision, record_key_a, record_key_b, who, why)"
        " values ('never', 'b', 'a', 'Hanako', 'twins')"
    )
    assert scoring.score(shop.url).withdrawn == 1
    assert shop.run("select probability, is_taken from identity.scored_pairs") == [(0.0, False)]
    shop.run("update identity.overrides set revoked_at = now()")
    assert scoring.score(shop.url).written == 1


def test_a_second_scoring_writes_nothing_even_of_everything(shop: Filled) -> None:
    people(shop, 60)
    first = scoring.score(shop.url)
    shop.run("update identity.scored_pairs set is_taken = true")
    again, whole = scoring.score(shop.url), scoring.score(shop.url, full=True)
    assert (first.changed, again.changed, whole.changed) == (120, 0, 120)
    assert first.written > 20
    assert (again.written, again.withdrawn, whole.written, whole.withdrawn) == (0, 0, 0, 0)
    assert shop.run("select count(*) from identity.scored_pairs where not is_taken") == [(0,)]


def test_scoring_what_changed_gives_what_scoring_everything_gives(shop: Filled) -> None:
    people(shop, 66)
    scoring.score(shop.url)
    hashes = [row[0] for row in shop.run("select profile_hash from identity.records order by record_number limit 40")]
    for number in range(0, 40, 3):
        shop.run(
            "update identity.records set profile_hash = %s where record_number = %s",
            *(hashes[39 - number], number + 1),
        )
    shop.run("update identity.records set is_gone = true where record_number in (5, 60, 61)")
    shop.record("new", "email:new-person@au.com", customer="new", **TARO)
    part = scoring.score(shop.url)
    by_parts = shop.run(STATE)
    assert 10 < part.changed < 20
    assert part.written
    shop.run("delete from identity.scored_pairs")
    shop.run("delete from identity.scored_records")
    scoring.score(shop.url)
    assert shop.run(STATE) == by_parts


def test_more_records_make_chance_likelier_by_doublings() -> None:
    model = likeness.load()
    versions = {model.version(count) for count in (1025, 1500, 2048)}
    assert len(versions) == 1
    assert model.version(2049) not in versions
    small, large = (model.settings_for(count)["probability_two_random_records_match"] for count in (1000, 10**7))
    assert large < small / 50


def test_a_trained_model_tells_its_people_apart(shop: Filled, tmp_path: Path) -> None:
    truth = people(shop, 120)
    file = tmp_path / "model.json"
    with shop.session() as connection:
        scoring.stage(connection)
        learned = training.train(connection, truth, policy.load(), file)
        connection.rollback()
        scoring.stage(connection)
        found = scoring.likeness_of(connection, likeness.load(file), 240, 0.9)
        keys = dict(connection.execute("select record_number, record_key from scoring_input").fetchall())
    right = [truth[keys[a]] == truth[keys[b]] for a, b, _ in found]
    assert learned["same"] > 60
    assert len(right) > 60
    assert sum(right) / len(right) > 0.95
    assert json.loads(file.read_text(encoding="utf-8"))["records"] == 240


def test_the_command_scores_and_says_what_is_missing(
    shop: Filled, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", shop.url)
    shop.record("a", "email:taro-sato@ezweb.ne.jp", customer="1", **TARO)
    shop.record("b", "email:taro-sato@au.com", customer="2", **TARO)
    done = CliRunner().invoke(main, ["identity", "score"])
    assert "Scored 2 changed of 2 records" in done.output
    assert "1 pairs stand, 1 written, 0 withdrawn" in done.output
    monkeypatch.setattr(scoring, "find_spec", lambda name: None if name == "splink" else object())
    missing = CliRunner().invoke(main, ["identity", "score"])
    assert missing.exit_code == 1
    assert "splink not installed: scoring is optional, `pip install kizuna[scoring]` installs it" in missing.output


def test_the_command_trains_from_a_file_of_truth(shop: Filled, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", shop.url)
    monkeypatch.setattr(likeness, "MODEL_FILE", tmp_path / "splink_model.json")
    truth = people(shop, 40)
    with (tmp_path / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("record_key", "person"), *truth.items()])
    done = CliRunner().invoke(main, ["identity", "score", "--train", str(tmp_path / "truth.csv")])
    assert "of one person: splink_model.json" in done.output, done.output
    assert likeness.load(tmp_path / "splink_model.json").records == 80


def test_without_a_model_it_says_how_to_get_one(shop: Filled, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(likeness, "MODEL_FILE", tmp_path / "none.json")
    shop.record("a", customer="1", **TARO)
    with pytest.raises(scoring.ScoringError, match=r"No model at none\.json"):
        scoring.score(shop.url)
