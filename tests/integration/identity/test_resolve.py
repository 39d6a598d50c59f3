"""Identity on a real warehouse: the tables after resolve, run after run."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING

import psycopg
import pytest

from kizuna import identity, warehouse
from tests.integration.identity.landing_evidence import Said, fingerprints, groups, land, members, read, run, said

if TYPE_CHECKING:
    from pathlib import Path

X, Y, Z = "email:x@example.jp", "email:y@example.jp", "email:z@example.jp"
TARO = {"full": "佐藤太郎", "family": "佐藤", "given": "太郎"}
HANAKO = {"full": "佐藤花子", "family": "佐藤", "given": "花子"}
EVENTS = "select run_id, kind, old_customer_id, new_customer_id from identity.events order by run_number, event_id"


@pytest.fixture(autouse=True, params=["only what is touched", "everything"])
def reach(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every rule holds whether a run solves what is touched or everything."""
    most = 99 if request.param == "only what is touched" else -1
    monkeypatch.setattr("kizuna.identity.resolution.MOST_TOUCHED", most)


def people(*keys: str) -> set[frozenset[str]]:
    return {frozenset(key.split()) for key in keys}


def policy(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    file = folder / "identity.yml"
    file.write_text(text, encoding="utf-8")
    monkeypatch.setenv("KIZUNA_IDENTITY_POLICY", str(file))


def decide(url: str, decision: str, one: str | None, other: str | None, value: str | None = None) -> None:
    with warehouse.connect(url, "kizuna_transform") as connection:
        connection.execute(
            "insert into identity.overrides (decision, record_key_a, record_key_b, value_hash, who, why) "
            "values (%s, %s, %s, identity.hash_value(%s), 'somebody', 'asked them')",
            [decision, one, other, value],
        )


def score(url: str, one: str, other: str, probability: float) -> None:
    with warehouse.connect(url, "kizuna_transform") as connection:
        connection.execute(
            "insert into identity.scored_pairs (record_key_a, record_key_b, probability, model_version) "
            "values (%s, %s, %s, 'v1') on conflict (record_key_a, record_key_b) do update "
            "set probability = excluded.probability, is_taken = false",
            [one, other, probability],
        )


def test_records_that_share_a_value_are_one_customer(warehouse_url: str) -> None:
    resolution = run(warehouse_url, {"b": said(X, Y), "a": said(X), "c": said(Y), "d": said()})
    assert groups(warehouse_url) == people("a b c", "d")
    assert (resolution.touched_records, resolution.minted) == (4, 2)


def test_an_id_is_made_of_its_founders_key_alone(warehouse_url: str) -> None:
    run(warehouse_url, {"z": said(first_seen="2026-02-01"), "a": said(X), "b": said(X, first_seen="2025-01-01")})
    digits = hashlib.sha256(b"kizuna:customer:b").hexdigest()
    assert members(warehouse_url)["b"] == str(uuid.UUID(digits[:12] + "8" + digits[13:16] + "8" + digits[17:32]))
    founders = read(warehouse_url, "select founder_record_key from identity.issued_ids order by customer_number")
    assert founders == [("b",), ("z",)]


def test_links_are_read_in_words(warehouse_url: str) -> None:
    run(warehouse_url, {"order": said("login:main:7", X, record="a")})
    query = "select record_key, evidence_key, kind, scope, strength, source from identity.links order by strength"
    assert read(warehouse_url, query) == [
        ("a", "order", "login", "main", 1, "shopify"),
        ("a", "order", "email", "", 3, "shopify"),
    ]


def test_a_run_without_news_writes_nothing(warehouse_url: str) -> None:
    world = {"a": said(X, **TARO), "b": said(X), "c": said(Z), "d": said(Z, **HANAKO)}
    run(warehouse_url, world)
    before = fingerprints(warehouse_url)
    resolution = run(warehouse_url, world, "again")
    assert fingerprints(warehouse_url) == before
    assert resolution == identity.Resolution()


def test_changes_are_emptied_when_taken_and_read_up_to_moves(warehouse_url: str) -> None:
    land(warehouse_url, {"a": said(X)}, sequence=41)
    identity.resolve(warehouse_url, "run")
    assert read(warehouse_url, "select * from identity.int_identity__changes") == []
    assert read(warehouse_url, "select * from identity.read_up_to") == [("stg_test", 41)]


def test_gone_evidence_says_nothing_any_more_and_its_values_are_forgotten(warehouse_url: str) -> None:
    run(warehouse_url, {"a": said(X, **TARO), "b1": said(X, record="b"), "b2": said(Y, record="b")})
    run(warehouse_url, {"b1": None})
    assert groups(warehouse_url) == people("a", "b")
    run(warehouse_url, {"b2": None})
    assert groups(warehouse_url) == people("a")
    values = read(warehouse_url, "select kind, value from identity.values where kind <> 'profile'")
    assert values == [("email", "x@example.jp")]


def test_evidence_that_moves_to_another_record_takes_its_links_along(warehouse_url: str) -> None:
    run(warehouse_url, {"order": said(X, record="a"), "a": said(record="a"), "b": said(Y), "c": said(X)})
    assert groups(warehouse_url) == people("a c", "b")
    run(warehouse_url, {"order": said(X, record="b")})
    assert groups(warehouse_url) == people("a", "b c")


def test_the_profile_of_a_record_is_that_of_its_fullest_evidence(warehouse_url: str) -> None:
    phone = "phone:09012345679"
    run(warehouse_url, {"a1": said(phone, record="a", full="佐藤"), "a2": said(record="a", **TARO)})
    run(warehouse_url, {"b": said(phone, **HANAKO)})
    assert groups(warehouse_url) == people("a", "b")
    run(warehouse_url, {"a2": None})
    assert groups(warehouse_url) == people("a b")


def test_merge_split_retire_and_restore_are_told_by_events_and_redirects(warehouse_url: str) -> None:
    worlds: list[dict[str, Said | None]] = [
        {"a": said(X), "b": said(Y)},
        {"a": said(X, Y)},
        {"a": said(X)},
        {"b": None},
        {"b": said(Y)},
    ]
    for number, changes in enumerate(worlds):
        run(warehouse_url, changes, f"run-{number}")
        if number == 0:
            ids = members(warehouse_url)
            a, b = ids["a"], ids["b"]
        if number == 1:
            assert read(warehouse_url, "select old_customer_id, customer_id from identity.redirects") == [(b, a)]
    assert read(warehouse_url, EVENTS) == [
        ("run-0", "mint", None, a),
        ("run-0", "mint", None, b),
        ("run-1", "merge", b, a),
        ("run-2", "restore", a, b),
        ("run-2", "split", a, b),
        ("run-3", "retire", b, None),
        ("run-4", "restore", None, b),
    ]
    assert read(warehouse_url, "select * from identity.redirects") == []
    reasons = read(warehouse_url, "select distinct reason is null, rule_version from identity.events")
    assert len(reasons) == 1
    assert reasons[0][0] is False


def test_every_id_of_a_chain_of_merges_redirects_in_one_step(warehouse_url: str) -> None:
    run(warehouse_url, {"a": said(X), "b": said(Y), "c1": said(Z), "c2": said(Z), "c3": said(Z)})
    ids = members(warehouse_url)
    run(warehouse_url, {"b": said(Y, X)})
    run(warehouse_url, {"b": said(Y, X, Z)})
    redirects = dict(read(warehouse_url, "select old_customer_id, customer_id from identity.redirects"))
    assert redirects == {ids["a"]: ids["c1"], ids["b"]: ids["c1"]}


def test_a_split_that_reverses_a_merge_restores_the_old_id(warehouse_url: str) -> None:
    run(warehouse_url, {"a": said(X), "b": said(Y), "b2": said(Y)})
    before = members(warehouse_url)
    run(warehouse_url, {"bridge": said(X, Y)})
    run(warehouse_url, {"bridge": None})
    assert members(warehouse_url) == before


def test_members_can_be_read_as_of_any_moment(warehouse_url: str) -> None:
    run(warehouse_url, {"a": said(X), "b": said(Y)}, "one")
    before = members(warehouse_url)
    run(warehouse_url, {"b": said(X, Y)}, "two")
    after = members(warehouse_url)
    query = """
    select record_key, customer_id from identity.members
    inner join (select at from identity.runs where run_id = %s) as run
        on members.valid_from <= run.at and (run.at < members.valid_to or members.valid_to is null)
    """
    assert dict(read(warehouse_url, query, "one")) == before
    assert dict(read(warehouse_url, query, "two")) == after
    assert before != after


def test_an_id_that_its_founder_gave_away_is_not_given_twice(warehouse_url: str) -> None:
    run(warehouse_url, {"a": said(X), "b": said(X), "c": said(X)})
    [kept] = set(members(warehouse_url).values())
    run(warehouse_url, {"a": said()})
    ids = members(warehouse_url)
    assert ids["b"] == ids["c"] == kept
    assert ids["a"] != kept


def test_a_value_of_too_many_names_joins_nobody_until_fewer_carry_it(warehouse_url: str) -> None:
    crowd: dict[str, Said | None] = {f"r{n:02}": said("phone:0312345670", full=f"名前{n}") for n in range(11)}
    run(warehouse_url, crowd)
    query = "select kind, reason, record_count, name_count from identity.blocked_values"
    assert read(warehouse_url, query) == [("phone", "too many names", 11, 11)]
    assert read(warehouse_url, "select * from identity.refusals") == []
    run(warehouse_url, {"nameless": said("phone:0312345670"), "other": said("phone:0312345670")})
    assert len(groups(warehouse_url)) == 13
    run(warehouse_url, {"r00": None, "r01": said("phone:0312345670")})
    assert read(warehouse_url, query) == []
    assert frozenset(("nameless", "other", "r01")) in {
        frozenset(g & {"nameless", "other", "r01"}) for g in groups(warehouse_url)
    }
    identity.verify(warehouse_url, "check")


def test_a_value_blocked_by_the_policy_parts_its_records_and_joins_them_again(
    warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(warehouse_url, {"a": said(X), "b": said(X), "c": said(Y), "d": said(Y)})
    before = members(warehouse_url)
    policy(tmp_path, monkeypatch, "blocked: {email: {exact: [x@example.jp]}}")
    resolution = run(warehouse_url, {}, "blocked")
    assert groups(warehouse_url) == people("a", "b", "c d")
    assert read(warehouse_url, "select reason from identity.blocked_values") == [("placeholder",)]
    assert resolution.touched_records in {2, 4}
    policy(tmp_path, monkeypatch, "blocked: {}")
    run(warehouse_url, {}, "unblocked")
    assert members(warehouse_url) == before


def test_a_changed_rule_is_applied_to_who_carries_the_kind(
    warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = "phone:09012345679"
    run(warehouse_url, {"a": said(phone), "b": said(phone), "c": said(X), "d": said(X)})
    policy(
        tmp_path,
        monkeypatch,
        "blocked: {}\nkinds:\n  email: {requires: nothing, max_names: 5, max_nameless_records: 5}\n"
        "  phone: {requires: agreement, max_names: 5, max_nameless_records: 5}\n",
    )
    run(warehouse_url, {}, "stricter")
    assert groups(warehouse_url) == people("a", "b", "c d")
    versions = read(warehouse_url, "select distinct rule_version from identity.events")
    assert len(versions) == 2
    identity.verify(warehouse_url, "check")


def test_people_decide_and_take_it_back(warehouse_url: str) -> None:
    run(warehouse_url, {"a": said(X), "b": said(X), "c": said()})
    before = groups(warehouse_url)
    decide(warehouse_url, "never", "a", "b")
    decide(warehouse_url, "always", "b", "c")
    decide(warehouse_url, "always", "c", "later")
    run(warehouse_url, {})
    assert groups(warehouse_url) == people("a", "b c")
    assert read(warehouse_url, "select record_key_a, record_key_b, reason from identity.refusals") == [
        ("a", "b", "never by decision")
    ]
    run(warehouse_url, {"later": said()})
    assert groups(warehouse_url) == people("a", "b c later")
    with warehouse.connect(warehouse_url, "kizuna_transform") as connection:
        connection.execute("update identity.overrides set revoked_at = now()")
    run(warehouse_url, {"later": None})
    assert groups(warehouse_url) == before
    assert read(warehouse_url, "select * from identity.applied_overrides") == []


def test_a_value_that_people_call_shared_joins_nobody(warehouse_url: str) -> None:
    run(warehouse_url, {"a": said(X), "b": said(X)})
    decide(warehouse_url, "shared", None, None, X)
    run(warehouse_url, {})
    assert groups(warehouse_url) == people("a", "b")
    assert read(warehouse_url, "select reason from identity.blocked_values") == [("shared by decision",)]


def test_scored_pairs_join_from_accept_on_and_part_when_withdrawn(warehouse_url: str) -> None:
    run(warehouse_url, {"a": said(X), "b": said(Y), "c": said(Z)})
    score(warehouse_url, "a", "b", 0.95)
    score(warehouse_url, "b", "c", 0.6)
    run(warehouse_url, {})
    assert groups(warehouse_url) == people("a b", "c")
    assert read(warehouse_url, "select count(*) from identity.scored_pairs where not is_taken") == [(0,)]
    score(warehouse_url, "a", "b", 0)
    run(warehouse_url, {})
    assert groups(warehouse_url) == people("a", "b", "c")


def test_refused_phones_make_a_household_named_by_its_first_customer(warehouse_url: str) -> None:
    phone = "phone:0312345679"
    run(warehouse_url, {"a": said(phone, **TARO), "b": said(phone, **HANAKO), "c": said(X)})
    ids = members(warehouse_url)
    query = "select customer_id, household_id from identity.households"
    assert set(read(warehouse_url, query)) == {(ids["a"], ids["a"]), (ids["b"], ids["a"])}
    assert read(warehouse_url, "select record_key_a, record_key_b, kind, reason from identity.refusals") == [
        ("a", "b", "phone", "names contradict")
    ]
    run(warehouse_url, {"b": said(phone)})
    assert read(warehouse_url, query) == []
    assert read(warehouse_url, "select * from identity.refusals") == []


def test_a_customer_above_the_limit_publishes_nothing_and_says_no_raw_value(
    warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy(tmp_path, monkeypatch, "breaker: {largest_customer_records: 2}")
    run(warehouse_url, {"a": said(X), "b": said(X)})
    before = fingerprints(warehouse_url)
    with pytest.raises(
        identity.OversizedCustomerError, match=r"more than 2 records, the largest 3; .* kind email"
    ) as told:
        run(warehouse_url, {"c": said(X)})
    assert "example.jp" not in str(told.value)
    assert fingerprints(warehouse_url) == before
    assert read(warehouse_url, "select count(*) from identity.int_identity__changes") == [(1,)]


def test_two_texts_with_one_hash_are_loud(warehouse_url: str) -> None:
    run(warehouse_url, {"a": said(X)})
    with warehouse.connect(warehouse_url, "kizuna_transform") as connection:
        connection.execute("update identity.values set value = 'another' where kind = 'email'")
    before = fingerprints(warehouse_url)
    with pytest.raises(identity.HashCollisionError, match="1 hashes stand for two") as told:
        run(warehouse_url, {"b": said(X)})
    assert "example.jp" not in str(told.value)
    assert fingerprints(warehouse_url) == before


def test_an_erased_value_still_joins_who_carried_it(warehouse_url: str) -> None:
    run(warehouse_url, {"a": said(X, **TARO), "b": said(X)})
    with warehouse.connect(warehouse_url, "kizuna_transform") as connection:
        connection.execute("delete from identity.values")
    identity.verify(warehouse_url, "check")
    run(warehouse_url, {"c": said(X)})
    assert groups(warehouse_url) == people("a b c")


def test_evidence_that_is_all_gone_does_not_retire_every_customer(warehouse_url: str) -> None:
    run(warehouse_url, {"a": said(X)})
    with pytest.raises(identity.EvidenceVanishedError, match="all evidence is gone"):
        run(warehouse_url, {"a": None})
    assert list(members(warehouse_url)) == ["a"]


def test_missing_changes_are_named(warehouse_url: str) -> None:
    with pytest.raises(identity.EvidenceMissingError, match="int_identity__changes does not exist"):
        identity.resolve(warehouse_url, "run")


def test_a_full_run_changes_nothing(warehouse_url: str) -> None:
    run(warehouse_url, {"a": said(X), "b": said(X, Y), "c": said(Y), "d": said(Z)})
    run(warehouse_url, {"b": said(X)})
    before = fingerprints(warehouse_url)
    assert identity.resolve(warehouse_url, "full", full=True).written_rows == 0
    assert fingerprints(warehouse_url) == before


def test_a_map_that_has_drifted_is_told_with_counts_and_brought_back(warehouse_url: str) -> None:
    run(warehouse_url, {"a": said(X), "b": said(X), "c": said(Y)})
    before = groups(warehouse_url)
    identity.verify(warehouse_url, "check")
    with warehouse.connect(warehouse_url, "kizuna_transform") as connection:
        connection.execute("update identity.memberships set customer_number = 1 where record_number = 2")
    with pytest.raises(identity.IdentityDriftError, match="written_memberships"):
        identity.verify(warehouse_url, "check")
    assert groups(warehouse_url) != before
    identity.resolve(warehouse_url, "rebuild", full=True)
    assert groups(warehouse_url) == before
    identity.verify(warehouse_url, "check")


KILLED = """
import os, signal, sys
from kizuna import identity
from kizuna.identity import resolution
resolution.write_households = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
identity.resolve(sys.argv[1], "killed")
"""


def test_a_run_killed_before_its_end_leaves_everything_and_the_next_does_it(warehouse_url: str) -> None:
    run(warehouse_url, {"a": said(X), "b": said(Y)})
    before = fingerprints(warehouse_url)
    land(warehouse_url, {"b": said(X)})
    done = subprocess.run([sys.executable, "-c", KILLED, warehouse_url], check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert fingerprints(warehouse_url) == before
    identity.resolve(warehouse_url, "next")
    assert groups(warehouse_url) == people("a b")


def test_history_cannot_be_rewritten_by_the_role_that_writes_it(warehouse_url: str) -> None:
    for change in ("delete from identity.id_changes", "delete from identity.customers", "delete from identity.runs"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            read(warehouse_url, change)


def test_other_roles_see_no_value(warehouse_url: str) -> None:
    for role in ("kizuna_bi", "kizuna_activate", "kizuna_ingest"):
        with (
            warehouse.connect(warehouse_url, role) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("select * from identity.values")
