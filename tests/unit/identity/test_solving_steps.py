"""The steps of solving on random problems: against the plainest solver, compiled or not, asked in any portion."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.identity import compiling, relating, solving
from kizuna.identity.capping import by_value
from kizuna.identity.comparing import Profile, Relation, compare
from kizuna.identity.policy import Conflicts, Kind, Policy
from kizuna.identity.solving import solve
from tests.unit.identity import plain_solving
from tests.unit.identity.problems import Story

if TYPE_CHECKING:
    from kizuna.identity.problem import Solution

RULES = {"max_names": 9, "max_nameless_records": 9}
POLICIES = [
    Policy(),
    Policy(
        blocked={},
        conflicts=Conflicts(birth_dates=False),
        kinds={
            "login": Kind(scope="brand", requires="nothing", max_per_customer=1, **RULES),
            "line": Kind(scope="provider", requires="nothing_against", max_per_customer=2, **RULES),
            "email": Kind(requires="nothing", **RULES),
            "phone": Kind(requires="agreement", is_household_evidence=True, **RULES),
        },
    ),
]
PROFILES = st.none() | st.builds(
    Profile,
    given=st.sampled_from(["", "太郎", "花子"]),
    given_kana=st.sampled_from(["", "たろう", "はなこ"]),
    full=st.sampled_from(["", "佐藤太郎", "佐藤花子"]),
    birth=st.sampled_from(["", "1980-02-01", "1980-02-02", "1991-07-01"]),
)
VALUES = ["login:a:1", "login:a:2", "login:b:1", "line:a:1", "line:a:2", "line:a:3", "line:b:1"]
VALUES += [f"{kind}:{place}" for kind in ("email", "phone") for place in range(5)]
COUNT = 12
RECORDS = st.integers(0, COUNT - 1)
PAIRS = st.lists(st.tuples(RECORDS, RECORDS).filter(lambda pair: pair[0] != pair[1]), max_size=3)
SCORED = st.lists(
    st.tuples(RECORDS, RECORDS, st.sampled_from([0.5, 0.9, 0.95])).filter(lambda p: p[0] != p[1]), max_size=4
)
STORIES = st.builds(
    Story,
    profiles=st.lists(PROFILES, min_size=COUNT, max_size=COUNT),
    values=st.lists(st.tuples(RECORDS, st.sampled_from(VALUES)), max_size=30),
    always=PAIRS,
    never=PAIRS,
    scored=SCORED,
)
CASES = st.tuples(STORIES, st.sampled_from(POLICIES))


def doubt(left: Profile, right: Profile) -> Relation:
    """Compare, with a doubt where nothing is known."""
    return compare(left, right) or Relation(Relation.NAMES_DOUBTFUL * (left.birth != right.birth))


def same(left: Solution, right: Solution) -> None:
    for name in ("components", "clusters", "households"):
        assert getattr(left, name).tolist() == getattr(right, name).tolist(), name
    for name in ("record_a", "record_b", "kinds", "values", "reasons"):
        assert getattr(left.refusals, name).tolist() == getattr(right.refusals, name).tolist(), name


@given(CASES)
def test_the_solver_finds_what_the_plainest_one_finds(case) -> None:
    story, policy = case
    problem = story.problem(policy)
    same(solve(problem, policy, doubt), plain_solving.solve(problem, policy, doubt))


@given(CASES)
@settings(deadline=None)  # the first example loads or makes the machine code
def test_compiled_and_interpreted_steps_say_the_same(case) -> None:
    story, policy = case
    problem = story.problem(policy)
    same(solve(problem, policy, doubt, compiling.machine(1 << 30)), solve(problem, policy, doubt))


@given(CASES)
def test_pairs_that_nobody_expected_are_asked_about_on_the_way(case) -> None:
    story, policy = case
    problem = story.problem(policy)
    expected = solve(problem, policy, doubt)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relating, "ALL_PAIRS_UP_TO", 1)
        same(solve(problem, policy, doubt), expected)


@given(CASES)
def test_notes_that_are_full_are_emptied_on_the_way(case) -> None:
    story, policy = case
    problem = story.problem(policy)
    expected = solve(problem, policy, doubt)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relating, "ALL_PAIRS_UP_TO", 1)
        patch.setattr(solving, "MOST_NOTES", 1)
        same(solve(problem, policy, doubt), expected)


@given(CASES)
def test_links_that_come_repeatedly_count_once(case) -> None:
    story, policy = case
    problem = story.problem(policy)
    names = [f"link_{name}" for name in ("records", "values", "kinds", "seen", "scopes")]
    twice = {name: np.tile(getattr(problem, name), 2) for name in names}
    twice["link_seen"][len(problem.link_seen) :] += 1000
    same(solve(replace(problem, **twice), policy, doubt), solve(problem, policy, doubt))


@given(CASES)
def test_links_that_the_order_leaves_out_are_not_looked_at(case) -> None:
    story, policy = case
    problem = story.problem(policy)
    kept = problem.link_values % 3 > 0
    names = [f"link_{name}" for name in ("records", "values", "kinds", "seen", "scopes")]
    fewer = replace(problem, **{name: getattr(problem, name)[kept] for name in names})
    order = by_value(problem.link_values)
    same(solve(replace(problem, link_order=order[kept[order]]), policy, doubt), solve(fewer, policy, doubt))
