"""Why two records are not one customer: every reason there is, from hand-filled tables."""

from __future__ import annotations

import psycopg
import pytest

from kizuna.identity.problem import REASONS
from tests.integration.identity.filled import Filled


@pytest.fixture
def filled(warehouse_url: str) -> Filled:
    world = Filled(warehouse_url)
    world.record("hana", "phone:0312345679", "email:family@example.jp", customer="hana")
    world.record("taro", "phone:0312345679", "email:family@example.jp", customer="taro")
    return world


def why_not(filled: Filled, one: str = "hana", other: str = "taro") -> list[tuple[object, ...]]:
    return filled.run(
        "select finding, record_a, record_b, kind, masked_value, note from identity.why_not(%s, %s) order by step",
        *(one, other),
    )


@pytest.mark.parametrize("reason", REASONS)
def test_a_refused_link_is_told_with_its_reason(filled: Filled, reason: str) -> None:
    filled.run(
        "delete from identity.stored_links where kind_number <> (select kind_number from identity.kinds "
        "where kind = 'phone')"
    )
    filled.refuse("hana", "taro", "phone:0312345679", reason)
    assert why_not(filled) == [(reason, "hana", "taro", "phone", "…679", "rules-1")]
    assert why_not(filled, "taro", "hana") == [(reason, "taro", "hana", "phone", "…679", "rules-1")]


def test_refusals_of_other_records_of_the_two_customers_count_strongest_first(filled: Filled) -> None:
    filled.record("hana's shop", customer="hana")
    filled.refuse("hana", "taro", "phone:0312345679", "names contradict")
    filled.refuse("hana", "taro", "email:family@example.jp", "birth dates differ")
    assert [row[:4] for row in why_not(filled, "hana's shop", "taro")] == [
        ("birth dates differ", "hana", "taro", "email"),
        ("names contradict", "hana", "taro", "phone"),
    ]


@pytest.mark.parametrize("reason", ["placeholder", "too many names", "shared by decision"])
def test_a_blocked_value_is_told_with_how_many_share_it(filled: Filled, reason: str) -> None:
    filled.refuse("hana", "taro", "email:family@example.jp", "names contradict")
    filled.block("phone:0312345679", reason, records=4000, names=3000)
    assert why_not(filled)[1] == (
        f"blocked: {reason}",
        "hana",
        "taro",
        "phone",
        "…679",
        "4000 records, 3000 names",
    )


def test_a_never_is_told_first_with_who_and_why_and_whether_it_is_applied(filled: Filled) -> None:
    filled.refuse("hana", "taro", "phone:0312345679", "never by decision")
    filled.refuse("hana", "taro", "email:family@example.jp", "never by decision")
    filled.run(
        "insert into identity.overrides (override_id, decision, record_key_a, record_key_b, who, why) "
        "values (12, 'never', 'hana', 'taro', 'kei', 'twins')"
    )
    assert why_not(filled)[0][::5] == ("never by decision", "decision 12 by kei: twins (from the next run on)")
    filled.run("insert into identity.applied_overrides values (12, 'never', 1, 2, null)")
    assert why_not(filled)[0][5] == "decision 12 by kei: twins"
    filled.run("update identity.overrides set revoked_at = now()")
    assert [row[3] for row in why_not(filled)] == ["email", "phone"]


def test_a_kind_that_joins_nobody_and_a_value_nobody_looked_at_are_told_apart(filled: Filled) -> None:
    filled.run("update identity.kinds set strength = null where kind = 'phone'")
    assert {row[0]: row[3] for row in why_not(filled)} == {
        "values of this kind join nobody": "phone",
        "not looked at yet": "email",
    }


def test_a_scored_pair_that_was_not_accepted_is_told_with_its_probability(filled: Filled) -> None:
    filled.run("delete from identity.stored_links")
    filled.run("insert into identity.scored_pairs values ('hana', 'taro', 0.72, 'model-1')")
    assert why_not(filled) == [("scored, and not accepted", "hana", "taro", "scored", None, "0.720 by model-1")]
    filled.run("update identity.scored_pairs set probability = 0")
    assert why_not(filled)[0][0] == "no shared value"


def test_without_a_shared_value_the_nearest_chain_of_refused_links_is_told(filled: Filled) -> None:
    filled.record("jiro", "email:jiro@example.jp", customer="jiro")
    filled.record("jiro's phone", customer="jiro")
    filled.refuse("hana", "taro", "phone:0312345679", "names contradict")
    filled.refuse("jiro's phone", "taro", "line:p:U1", "two line ids")
    assert why_not(filled, "hana", "jiro") == [
        ("no shared value", "hana", "jiro", None, None, None),
        ("the nearest chain breaks: names contradict", "hana", "taro", "phone", "…679", "rules-1"),
        ("the nearest chain breaks: two line ids", "taro", "jiro's phone", "line", "p:U…", "rules-1"),
    ]


def test_without_any_chain_there_is_just_no_shared_value(filled: Filled) -> None:
    filled.record("far", customer="far")
    assert why_not(filled, "hana", "far") == [("no shared value", "hana", "far", None, None, None)]


def test_one_customer_has_no_why_not(filled: Filled) -> None:
    filled.record("too", customer="hana")
    with pytest.raises(psycopg.Error, match="'hana' and 'too' are one customer\nHINT:  ask why"):
        why_not(filled, "hana", "too")
