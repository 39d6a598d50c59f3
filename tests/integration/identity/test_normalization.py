"""Normalization in SQL against the gold list: what is the same, what is not, and nothing anybody types is an error."""

from __future__ import annotations

import csv
import json
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.macros import NORMALIZERS, normalizer, render
from kizuna.identity import policy
from kizuna.settings import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kizuna.local.postgres import Cluster

GOLD = PROJECT / "dbt_project" / "seeds" / "normalization_gold.csv"
with GOLD.open(encoding="utf-8", newline="") as lines:
    PAIRS = list(csv.DictReader(lines))
# Two characters a word: what people bear as different names.
KEPT_APART = """
斉斎 亙亘 耀燿 晃晄 澂澄 晧皓 薗園 埜野 苅刈 穐秋 椙杉 碕崎 埼崎 枡桝 栢柏 喆哲 悳徳 脩修 巳己 士土
"""
# What people type, in pieces that mean something to one of the rules.
WORDS = """
佐藤 髙 葛\U000e0100 ｻﾞ ー さん 様 🌸 〒 丁目 番地 十 郡 県 昭和 元
年 月 日 S 56 １ 0 99999999 - − / . @ gmail.com +81 内線 U ' % \\
"""
PIECES = st.sampled_from(WORDS.split()) | st.sampled_from(" 　\u200b\n")
TYPED = st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join).filter(lambda text: "\0" not in text)


@pytest.fixture(scope="module")
def warehouse_of_text(cluster: Cluster) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        yield connection


def normalize(connection: psycopg.Connection[Any], kind: str, values: list[str]) -> list[str | None]:
    normalized = normalizer(kind, "typed.value").replace("%", "%%")
    query = f"select {normalized} from unnest(%s::text[]) with ordinality as typed (value, place) order by place"
    return [row[0] for row in connection.execute(query.encode(), [values])]


@pytest.mark.parametrize("kind", NORMALIZERS)
def test_every_pair_of_the_gold_list_is_the_same_or_not_as_it_says(kind: str, warehouse_of_text) -> None:
    pairs = [pair for pair in PAIRS if pair["kind"] == kind]
    found = zip(
        pairs,
        normalize(warehouse_of_text, kind, [pair["typed"] for pair in pairs]),
        normalize(warehouse_of_text, kind, [pair["also_typed"] for pair in pairs]),
        strict=True,
    )
    wrong = [
        f"{pair['typed']!r} → {one!r}, {pair['also_typed']!r} → {other!r}: {pair['is_same']}, {pair['reason']}"
        for pair, one, other in found
        if (one is not None and one == other) != (pair["is_same"] == "true")
    ]
    assert wrong == []


def test_the_gold_list_has_two_thousand_pairs_of_every_kind_and_answer() -> None:
    answers = Counter((pair["kind"], pair["is_same"]) for pair in PAIRS)
    assert len(PAIRS) >= 2000
    assert len({(pair["kind"], pair["typed"], pair["also_typed"]) for pair in PAIRS}) == len(PAIRS)
    assert {kind for kind, _ in answers} == set(NORMALIZERS)
    assert min(answers.values()) >= 10
    assert all(pair["reason"] for pair in PAIRS)


@pytest.mark.parametrize("kind", NORMALIZERS)
def test_what_is_normalized_stays_as_it_is(kind: str, warehouse_of_text) -> None:
    typed = [pair[side] for pair in PAIRS for side in ("typed", "also_typed")]
    once = [value for value in normalize(warehouse_of_text, kind, typed) if value is not None]
    again = normalize(warehouse_of_text, kind, once)
    assert [(value, twice) for value, twice in zip(once, again, strict=True) if value != twice] == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TYPED, min_size=20, max_size=60))
def test_nothing_anybody_types_is_an_error(warehouse_of_text, values: list[str]) -> None:
    for kind in NORMALIZERS:
        assert "" not in normalize(warehouse_of_text, kind, values)


def test_null_is_null(warehouse_of_text) -> None:
    for kind in NORMALIZERS:
        row = warehouse_of_text.execute(f"select {normalizer(kind, 'null::text')}".encode()).fetchone()
        assert row == (None,)


def test_every_line_of_the_table_of_kanji_names_one_character_and_its_common_form() -> None:
    variants = [(variant, common) for variant, common, _ in render("kanji_variants")]
    targets = {common for _, common in variants}
    assert len(variants) >= 300
    assert len(dict(variants)) == len(variants)
    assert not targets & set(dict(variants)), (
        "a common form is itself a variant: folding twice would say something else"
    )
    assert all(len(variant) == len(common) == 1 for variant, common in variants)
    assert all(unicodedata.normalize("NFKC", variant) == variant for variant, _ in variants), "NFKC folds it already"


@pytest.mark.parametrize("pair", KEPT_APART.split())
def test_characters_of_different_names_are_kept_apart(pair: str) -> None:
    folded = {variant: common for variant, common, _ in render("kanji_variants")}
    assert folded.get(pair[0], pair[0]) != folded.get(pair[1], pair[1])


def test_what_is_blocked_without_a_policy_is_what_the_policy_blocks_by_default() -> None:
    by_default = json.loads(policy.Policy().model_dump_json())["blocked"]
    given = {kind: {"exact": [], "patterns": [], **blocked} for kind, blocked in render("blocked_values").items()}
    assert given == by_default


def test_a_policy_s_blocked_values_replace_the_defaults(warehouse_of_text) -> None:
    blocked = {"email": {"exact": ["shop@example.jp"], "patterns": ["^it's"]}}
    test = render("is_placeholder", "'email'", "typed.value", identity_blocked=blocked)
    values = "array['dummy@example.jp', 'shop@example.jp', 'it''s@example.jp']"
    query = f"select array_agg(value order by value) from unnest({values}) as typed (value) where {test}"
    assert warehouse_of_text.execute(query.encode()).fetchone() == (["it's@example.jp", "shop@example.jp"],)
