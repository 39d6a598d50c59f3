"""Why records are one customer, told from hand-filled tables: chains of the strongest links, values masked."""

from __future__ import annotations

import json

import psycopg
import pytest

from tests.integration.identity.filled import START, Filled


@pytest.fixture
def filled(warehouse_url: str) -> Filled:
    return Filled(warehouse_url)


def steps(filled: Filled, one: str, other: str) -> list[tuple[object, ...]]:
    return filled.run(
        "select step, from_record, to_record, kind, masked_value from identity.explain(%s, %s)", one, other
    )


def test_a_chain_of_three_kinds_is_told_in_order_with_masked_values(filled: Filled) -> None:
    filled.record("shop", "email:hana@example.jp", "login:kizuna:17", customer="hana")
    filled.record("mail", "email:hana@example.jp", "phone:09012345678", customer="hana", source="klaviyo")
    filled.record("desk", "phone:09012345678", "name_birth:佐藤花|1980-02-01", customer="hana", source="zendesk")
    filled.record("card", "name_birth:佐藤花|1980-02-01", customer="hana", source="files")
    assert steps(filled, "shop", "card") == [
        (1, "shop", "mail", "email", "h…@e…"),
        (2, "mail", "desk", "phone", "…678"),
        (3, "desk", "card", "name_birth", "佐…|…01"),
    ]
    assert steps(filled, "card", "shop")[0][1:4] == ("card", "desk", "name_birth")


def test_a_step_has_source_date_strength_and_rules(filled: Filled) -> None:
    filled.record("shop", "email:hana@example.jp", customer="hana")
    filled.record("mail", "email:hana@example.jp", customer="hana", source="klaviyo")
    (found,) = filled.run(
        "select source, first_seen_at - %s, strength, rule_version from identity.explain('shop', 'mail')", START
    )
    assert (found[0], found[1].days, found[2], found[3]) == ("klaviyo", 2, 3, "rules-1")


def test_a_link_of_which_nobody_knows_when_has_no_date(filled: Filled) -> None:
    filled.record("shop", "email:hana@example.jp", customer="hana")
    filled.record("mail", "email:hana@example.jp", customer="hana")
    filled.run("update identity.stored_links set first_seen_at = 'infinity' where record_number = 2")
    filled.run("update identity.records set first_seen_at = 'infinity' where record_number = 2")
    assert filled.run("select first_seen_at from identity.explain('shop', 'mail')") == [(None,)]
    assert filled.run("select at from identity.explain('mail') where subject = 'mail'") == [(None,)]


def test_strong_links_are_told_before_a_short_weak_one(filled: Filled) -> None:
    filled.record("a", "email:x@example.jp", "name_address:佐藤花|東京", customer="hana")
    filled.record("b", "email:x@example.jp", "phone:0312345679", customer="hana")
    filled.record("c", "phone:0312345679", "name_address:佐藤花|東京", customer="hana")
    assert [step[3] for step in steps(filled, "a", "c")] == ["email", "phone"]


def test_among_equally_strong_chains_the_shortest_is_told(filled: Filled) -> None:
    filled.record("a", "email:x@example.jp", "email:z@example.jp", customer="hana")
    filled.record("b", "email:x@example.jp", "email:y@example.jp", customer="hana")
    filled.record("c", "email:y@example.jp", "email:z@example.jp", customer="hana")
    assert [step[1:3] for step in steps(filled, "a", "c")] == [("a", "c")]


def test_blocked_values_and_kinds_that_join_nobody_are_in_no_chain(filled: Filled) -> None:
    filled.record("a", "phone:0312345679", "login:kizuna:1", "name_birth:佐藤花|1980-02-01", customer="hana")
    filled.record("b", "phone:0312345679", "login:kizuna:1", "name_birth:佐藤花|1980-02-01", customer="hana")
    filled.block("phone:0312345679", "too many names")
    filled.run("update identity.kinds set strength = null where kind = 'login'")
    assert [step[3] for step in steps(filled, "a", "b")] == ["name_birth"]


def test_an_address_counts_between_records_that_agree_and_a_scored_pair_before_the_others(filled: Filled) -> None:
    filled.run(
        "insert into identity.policies values ('rules-1', %s)",
        json.dumps({"kinds": {"address": {"requires": "agreement"}}}),
    )
    filled.record("a", "address:1500001|東京", customer="hana", full="佐藤花")
    filled.record("b", "address:1500001|東京", customer="hana", full="佐藤花", birth="1980-02-01")
    filled.record("c", "address:1500001|東京", customer="hana")
    filled.run("insert into identity.applied_pairs values (2, 3, 0.93)")
    filled.run("insert into identity.scored_pairs values ('b', 'c', 0.93, 'model-1')")
    assert [step[1:4] for step in steps(filled, "a", "b")] == [("a", "b", "address")]
    assert [step[1:4] for step in steps(filled, "a", "c")] == [("a", "b", "address"), ("b", "c", "scored")]
    filled.run("delete from identity.applied_pairs")
    assert [step[1:4] for step in steps(filled, "a", "c")] == [("a", "c", "address")]


def test_a_value_that_was_refused_to_others_counts_between_records_that_agree(filled: Filled) -> None:
    filled.record("a", "email:x@example.jp", customer="hana", full="佐藤花")
    filled.record("nameless", "email:x@example.jp", "phone:0312345679", customer="hana")
    filled.record("b", "email:x@example.jp", "phone:0312345679", customer="hana", full="佐藤花")
    filled.record("man", "email:x@example.jp", customer="taro", full="佐藤太郎")
    assert [step[1:4] for step in steps(filled, "a", "nameless")] == [("a", "nameless", "email")]
    filled.refuse("a", "man", "email:x@example.jp", "names contradict")
    assert [step[1:4] for step in steps(filled, "a", "nameless")] == [("a", "b", "email"), ("b", "nameless", "phone")]


def test_a_decision_is_a_link_before_all_others_and_told_with_who_decided(filled: Filled) -> None:
    filled.record("a", "login:kizuna:1", customer="hana")
    filled.record("b", "login:kizuna:1", customer="hana")
    filled.run(
        "insert into identity.overrides (override_id, decision, record_key_a, record_key_b, who, why) "
        "values (12, 'always', 'a', 'b', 'kei', 'she told us')"
    )
    filled.run("insert into identity.applied_overrides values (12, 'always', 1, 2, null)")
    query = "select kind, masked_value, rule_version from identity.explain('a', 'b')"
    assert filled.run(query) == [("always", None, "decision 12 by kei")]


def test_old_and_new_customer_ids_stand_for_their_records(filled: Filled) -> None:
    filled.record("a", "email:x@example.jp", customer="hana")
    filled.record("b", "email:x@example.jp", customer="hana")
    filled.run("insert into identity.redirections values (%s, %s, 1)", filled.customer("old"), filled.customer("hana"))
    filled.run("insert into identity.claims values (%s, 2)", filled.customer("old"))
    assert steps(filled, filled.id_of("hana"), filled.id_of("old"))[0][1:3] == ("a", "b")


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("a", "bb", "'bb' is no record and no customer that identity knows\nHINT:  nearest: a, b, c"),
        ("a", "a", "'a' and 'a' are the same record"),
        ("a", "c", "two customers\nHINT:  ask why not"),
        ("gone", "a", "'gone' belongs to no customer now"),
        ("00000000-0000-0000-0000-000000000000", "a", "no customer was ever"),
        ("a", "b", "nothing joins 'a' and 'b' any more"),
    ],
)
def test_what_cannot_be_explained_is_said(filled: Filled, one: str, other: str, words: str) -> None:
    filled.record("a", customer="hana")
    filled.record("b", customer="hana")
    filled.record("c", customer="taro")
    filled.run("insert into identity.records (record_number, record_key, is_gone) values (9, 'gone', true)")
    with pytest.raises(psycopg.Error) as caught:
        steps(filled, one, other)
    assert words in str(caught.value)


def test_a_customer_is_told_whole(filled: Filled) -> None:
    filled.record("shop", "email:hana@example.jp", customer="hana")
    filled.record("mail", "email:hana@example.jp", "phone:09012345678", customer="hana", source="klaviyo")
    filled.record("desk", "phone:09012345678", customer="hana", source="zendesk")
    filled.record("man", "phone:09012345678", customer="taro")
    hana, taro, old = filled.customer("hana"), filled.customer("taro"), filled.customer("old")
    filled.run("insert into identity.redirections values (%s, %s, 1)", old, hana)
    filled.run(
        "insert into identity.id_changes (kind, old_number, new_number, reason, run_number) "
        "values ('merge', %s, %s, 'a shared value', 1)",
        *(old, hana),
    )
    filled.run("insert into identity.household_members values (%s, %s), (%s, %s)", hana, hana, taro, hana)
    filled.run(
        "insert into identity.overrides (decision, record_key_a, record_key_b, who, why) "
        "values ('never', 'man', 'shop', 'kei', 'husband')"
    )
    query = "select part, subject, linked_to, kind, masked_value, note from identity.explain(%s)"
    told = filled.run(query, filled.id_of("old"))
    assert told == [
        (
            "customer",
            filled.id_of("hana"),
            None,
            None,
            None,
            f"asked for as {filled.id_of('old')}, which redirects here",
        ),
        ("record", "shop", None, None, None, "the oldest record"),
        ("record", "mail", "shop", "email", "h…@e…", "rules-1"),
        ("record", "desk", "mail", "phone", "…678", "rules-1"),
        ("former id", filled.id_of("old"), None, None, None, "its records came here"),
        ("event", "mint", None, None, None, f"– → {filled.id_of('hana')}: first seen"),
        ("event", "mint", None, None, None, f"– → {filled.id_of('old')}: first seen"),
        ("event", "merge", None, None, None, f"{filled.id_of('old')} → {filled.id_of('hana')}: a shared value"),
        ("household", filled.id_of("taro"), None, None, None, f"household {filled.id_of('hana')}"),
        ("decision", "1", None, "never", None, "man and shop; kei: husband"),
    ]
    assert filled.run(query, "desk")[1:] == told[1:]


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("email", "hana.sato@example.co.jp", "h…@e…"),
        ("email", "0901234@docomo.ne.jp", "…34@d…"),
        ("phone", "09012345678", "…678"),
        ("phone", "119", "…9"),
        ("birth", "1980-02-01", "…01"),
        ("full", "佐藤花", "佐…"),
        ("family", "林", "…"),
        ("name_birth", "佐藤花|1980-02-01", "佐…|…01"),
        ("address", "1500001|東京都渋谷区神宮前1-2-3", "…01|東…"),
        ("address", "1-2-3渋谷", "…"),
        ("login", "kizuna:1234567", "kizuna:…67"),
        ("line", "2001234567:Uabcdef", "2001234567:U…"),
        ("profile", '{"full": "佐藤花"}', "…"),
        ("anything", "𠮷野家", "𠮷…"),
        ("email", None, None),
    ],
)
def test_a_mask_shows_a_first_letter_or_last_digits_and_no_length(
    filled: Filled, kind: str, value: str | None, shown: str | None
) -> None:
    assert filled.run("select identity.mask(%s, %s)", kind, value) == [(shown,)]


def test_who_may_ask_need_not_see_the_values(filled: Filled, warehouse_url: str) -> None:
    with psycopg.connect(warehouse_url) as connection:
        connection.execute("set role kizuna_bi")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select identity.explain('a')")
