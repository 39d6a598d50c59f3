"""Random histories of evidence, decisions and rules, and what is true at their end whatever the way there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    import random

RECORDS, EVIDENCE = 8, 11
VALUES = (
    *(f"email:{letter}@example.jp" for letter in "abcd"),
    *("phone:0312340001", "phone:0312340002", "phone:0312340003"),
    *("line:p:U1", "line:p:U2", "line:q:U1", "login:main:1", "login:main:2", "login:other:1"),
    *("name_birth:佐藤花|1980-02-01", "address:1500001|東京都渋谷区神宮前1-1-1"),
)
PROFILES: tuple[dict[str, str], ...] = (
    {},
    {"family": "佐藤", "given": "花", "full": "佐藤花", "birth": "1980-02-01"},
    {"family": "佐藤", "given": "花", "full": "佐藤花"},
    {"family": "佐藤", "given": "太郎", "full": "佐藤太郎", "birth": "1978-11-30"},
    {"family": "佐藤"},
    {"family": "鈴木", "given": "花", "full": "鈴木花", "birth": "1980-02-01"},
    {"birth": "1980-02-01"},
)
# Small caps, so that a handful of records reach them; no breaker, so that a handful may merge.
BREAKER = "breaker: {most_merged_share: 1.0}\n"
KINDS = {
    "login": "{scope: brand, requires: nothing, max_names: 3, max_nameless_records: 4, max_per_customer: 1}",
    "line": "{scope: provider, requires: nothing, max_names: 3, max_nameless_records: 4, max_per_customer: 1}",
    "email": "{requires: nothing_against, max_names: 2, max_nameless_records: 3}",
    "phone": "{requires: nothing_against, max_names: 2, max_nameless_records: 3, is_household_evidence: true}",
    "name_birth": "{requires: nothing_against, max_names: 2, max_nameless_records: 3}",
    "address": "{requires: agreement, max_names: 3, max_nameless_records: 3, is_household_evidence: true}",
}


def _policy(rest: str = "", order: tuple[str, ...] = tuple(KINDS), **kinds: str) -> str:
    lines = [f"  {kind}: {({**KINDS, **kinds})[kind]}" for kind in order]
    return "\n".join(["kinds:", *lines, BREAKER, rest])


POLICIES = (
    _policy(),
    _policy("blocked: {email: {exact: [a@example.jp]}, phone: {patterns: ['2$']}}"),
    _policy("conflicts: {names: false}", phone="{requires: agreement, max_names: 4, max_nameless_records: 2}"),
    _policy("scored: {accept: 0.6, review: 0.5}\nblocked: {}", ("email", "phone", "login", "line")),
)


@dataclass(frozen=True)
class Put:
    """A staging row is new, says something else, or speaks for another record."""

    evidence: int
    record: int
    identifiers: frozenset[str]
    profile: int


@dataclass(frozen=True)
class Drop:
    """A staging row is gone."""

    evidence: int


@dataclass(frozen=True)
class Decide:
    """A person decides: two records are never or always one customer (said of them), or a value is shared."""

    decision: str
    said_of: tuple[int, int] | str


@dataclass(frozen=True)
class Revoke:
    """A person takes one of the decisions in force back."""

    place: int


@dataclass(frozen=True)
class Score:
    """The model finds two records alike, or withdraws that with probability 0."""

    records: tuple[int, int]
    probability: float


@dataclass(frozen=True)
class Rule:
    """The policy is another one from this run on."""

    policy: int


Step = Put | Drop | Decide | Revoke | Score | Rule
Batch = list[Step]

_PAIRS = st.tuples(st.integers(0, RECORDS - 1), st.integers(0, RECORDS - 1)).filter(lambda pair: pair[0] < pair[1])
_PUT = st.builds(
    Put,
    st.integers(0, EVIDENCE - 1),
    st.integers(0, RECORDS - 1),
    st.frozensets(st.sampled_from(VALUES), max_size=3),
    st.integers(0, len(PROFILES) - 1),
)
_OTHER = st.one_of(
    st.builds(Drop, st.integers(0, EVIDENCE - 1)),
    st.builds(Decide, st.sampled_from(["never", "always"]), _PAIRS),
    st.builds(Decide, st.just("shared"), st.sampled_from(VALUES)),
    st.builds(Revoke, st.integers(0, 3)),
    st.builds(Score, _PAIRS, st.sampled_from([0.0, 0.55, 0.7, 0.95])),
    st.builds(Rule, st.integers(0, len(POLICIES) - 1)),
)
_FIRST = st.lists(_PUT, min_size=5, max_size=9)
_LATER = st.lists(st.one_of(_PUT, _OTHER), min_size=1, max_size=6)
HISTORIES = st.builds(lambda first, later: [first, *later], _FIRST, st.lists(_LATER, min_size=1, max_size=2))


@dataclass
class State:
    """What is true after some steps: evidence, decisions, scores and the policy in force."""

    evidence: dict[int, Put] = field(default_factory=dict)
    decisions: list[Decide] = field(default_factory=list)
    scores: dict[tuple[int, int], float] = field(default_factory=dict)
    policy: int = 0

    def follow(self, step: Step) -> None:
        """Take one step."""
        match step:
            case Put():
                self.evidence[step.evidence] = step
            case Drop():
                self.evidence.pop(step.evidence, None)
            case Decide() if step not in self.decisions:
                self.decisions.append(step)
            case Revoke() if self.decisions:
                self.decisions.pop(step.place % len(self.decisions))
            case Score():
                self.scores[step.records] = step.probability
            case Rule():
                self.policy = step.policy

    def another_way(self, chance: random.Random) -> list[Batch]:
        """Return the same end reached in one or two batches and any order, without the detours."""
        steps: Batch = [*self.evidence.values(), *self.decisions]
        steps += [Score(pair, probability) for pair, probability in self.scores.items() if probability]
        chance.shuffle(steps)
        cuts = sorted(chance.randrange(len(steps) + 1) for _ in range(chance.randrange(2)))
        starts, ends = [0, *cuts], [*cuts, len(steps)]
        return [[Rule(self.policy), *steps[start:end]] for start, end in zip(starts, ends, strict=True)]


def end(history: list[Batch]) -> State:
    """Return what is true after a history."""
    state = State()
    for step in (step for batch in history for step in batch):
        state.follow(step)
    return state


def seen_at(evidence: int) -> datetime | None:
    """When a row was first seen: not in the order of its number, some at one moment, one never told."""
    if evidence == 4:
        return None
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=evidence * 5 % 7)
