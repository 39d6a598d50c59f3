"""What holds of every solution, tried on random stories: no order matters, components stand apart, guards hold."""

from __future__ import annotations

import dataclasses
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuna.identity.comparing import CONTRADICT, Profile, compare
from kizuna.identity.solving import solve
from tests.unit.identity.problems import POLICY, Story

if TYPE_CHECKING:
    from kizuna.identity.problem import Numbers, Problem, Solution

VALUES = (
    *(f"email:{letter}@example.jp" for letter in "abcd"),
    *("phone:0312340001", "phone:0312340002", "phone:0312340003"),
    *("line:p:U1", "line:p:U2", "line:q:U1", "login:main:1", "login:main:2", "login:other:1"),
    *("name_birth:佐藤花|1980-02-01", "address:1500001|東京"),
)
PROFILES = (
    None,
    Profile(family="佐藤", given="花", full="佐藤花", birth="1980-02-01"),
    Profile(family="佐藤", given="花", full="佐藤花"),
    Profile(family="佐藤", given="太郎", full="佐藤太郎", birth="1978-11-30"),
    Profile(family="佐藤"),
    Profile(family="鈴木", given="花", full="鈴木花", birth="1980-02-01"),
    Profile(birth="1980-02-01"),
)
COUNT = 9
RECORDS = st.integers(0, COUNT - 1)
PAIRS = st.tuples(RECORDS, RECORDS).filter(lambda pair: pair[0] != pair[1])
STORIES = st.builds(
    Story,
    profiles=st.lists(st.sampled_from(PROFILES), min_size=COUNT, max_size=COUNT),
    values=st.lists(st.tuples(RECORDS, st.sampled_from(VALUES)), min_size=12, max_size=30),
    always=st.lists(PAIRS, max_size=2),
    never=st.lists(PAIRS, max_size=2),
    scored=st.lists(
        st.builds(lambda pair, p: (*pair, p), PAIRS, st.sampled_from([0.5, 0.9, 0.95, 1.0])),
        max_size=3,
        unique_by=lambda row: frozenset(row[:2]),
    ),
)


def rows(solution: Solution) -> tuple[list[int], ...]:
    found = solution.refusals
    columns = (solution.components, solution.clusters, solution.households)
    refused = (found.record_a, found.record_b, found.kinds, found.values, found.reasons)
    return tuple(column.tolist() for column in (*columns, *refused))


def shuffled(problem: Problem, chance: np.random.Generator) -> Problem:
    order = chance.permutation(len(problem.link_records))
    links = {
        name: getattr(problem, name)[order]
        for name in ("link_records", "link_values", "link_kinds", "link_seen", "link_scopes")
    }
    pairs = {name: swapped(getattr(problem, name), chance) for name in ("always", "never", "scored")}
    return dataclasses.replace(problem, **links, **pairs)


def swapped(columns: tuple[Numbers, ...], chance: np.random.Generator) -> tuple[Numbers, ...]:
    order = chance.permutation(len(columns[0]))
    left, right, *rest = (column[order] for column in columns)
    turn = chance.random(len(order)) < 0.5
    return np.where(turn, right, left), np.where(turn, left, right), *rest


def part(problem: Problem, kept: Numbers) -> Problem:
    """Return the problem of some records alone, numbered anew in the same order."""
    place = np.full(problem.record_count, -1)
    place[kept] = np.arange(len(kept))
    inside = place[problem.link_records] >= 0

    def pairs(columns: tuple[Numbers, ...]) -> tuple[Numbers, ...]:
        here = (place[columns[0]] >= 0) & (place[columns[1]] >= 0)
        return place[columns[0][here]], place[columns[1][here]], *(column[here] for column in columns[2:])

    return dataclasses.replace(
        problem,
        record_count=len(kept),
        link_records=place[problem.link_records[inside]],
        link_values=problem.link_values[inside],
        link_kinds=problem.link_kinds[inside],
        link_seen=problem.link_seen[inside],
        link_scopes=problem.link_scopes[inside],
        profiles=problem.profiles[kept],
        always=pairs(problem.always),
        never=pairs(problem.never),
        scored=pairs(problem.scored),
    )


@settings(max_examples=300, deadline=None)
@given(STORIES, st.integers(0, 1000))
def test_no_order_of_links_pairs_or_ends_matters(story: Story, seed: int) -> None:
    problem = story.problem()
    other = shuffled(problem, np.random.default_rng(seed))
    assert rows(solve(problem, POLICY, compare)) == rows(solve(other, POLICY, compare))


@settings(max_examples=300, deadline=None)
@given(STORIES)
def test_components_solved_apart_are_what_they_are_together(story: Story) -> None:
    problem = story.problem()
    whole = solve(problem, POLICY, compare)
    refused: list[tuple[int, ...]] = []
    for label in np.unique(whole.components):
        kept = np.flatnonzero(whole.components == label)
        alone = solve(part(problem, kept), POLICY, compare)
        assert kept[alone.components].tolist() == [label] * len(kept)
        assert kept[alone.clusters].tolist() == whole.clusters[kept].tolist()
        assert kept[alone.households].tolist() == whole.households[kept].tolist()
        a, b, kinds, values, reasons = rows(alone)[3:]
        refused += zip(kept[a].tolist(), kept[b].tolist(), kinds, values, reasons, strict=True)
    # A never between components refuses nothing: nothing would join them.
    assert sorted(refused) == sorted(zip(*rows(whole)[3:], strict=True))


def contradictions(story: Story, members: list[int]) -> list[tuple[int, int]]:
    said = story.profiles
    return [
        (a, b)
        for a, b in combinations(members, 2)
        if said[a] and said[b] and compare(said[a], said[b]) & CONTRADICT  # type: ignore[arg-type]
    ]


def exclusive_values(story: Story, members: list[int]) -> list[str]:
    return sorted({value for record, value in story.values if record in members and value[:5] in {"line:", "login"}})


@settings(max_examples=300, deadline=None)
@given(STORIES)
def test_no_customer_holds_what_the_guards_refuse(story: Story) -> None:
    # What a record says against its own kind of value, or a person has joined, is not the solver's to refuse.
    carried = [exclusive_values(story, [record]) for record in range(COUNT)]
    story.values = [(r, v) for r, v in story.values if v not in carried[r] or v == carried[r][0]]
    story.always = []
    clusters = story.solve().clusters
    for label in np.unique(clusters):
        members = np.flatnonzero(clusters == label).tolist()
        assert contradictions(story, members) == []
        scopes = [value.rsplit(":", 1)[0] for value in exclusive_values(story, members)]
        assert all(one != other for one, other in pairwise(scopes))
    assert not any(clusters[a] == clusters[b] for a, b in story.never)


@settings(max_examples=300, deadline=None)
@given(STORIES)
def test_a_customer_lies_within_a_household_or_alone_and_within_one_component(story: Story) -> None:
    solution = story.solve()
    for fine, coarse in (("clusters", "components"), ("clusters", "households"), ("households", "components")):
        label = getattr(solution, coarse)
        assert (label == label[getattr(solution, fine)]).all(), (fine, coarse)


def test_the_stories_are_neither_all_joined_nor_all_refused() -> None:
    joined: list[int] = []
    refused: list[int] = []

    @settings(max_examples=60, deadline=None, database=None)
    @given(STORIES)
    def look(story: Story) -> None:
        solution = story.solve()
        joined.append(COUNT - len(np.unique(solution.clusters)))
        refused.append(len(solution.refusals.kinds))

    look()
    assert sum(map(bool, joined)) > 20
    assert sum(map(bool, refused)) > 10
