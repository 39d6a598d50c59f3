"""Comparing: what two profiles say of each other. Pure, symmetric, without side effects."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntFlag


class Relation(IntFlag):
    """Nothing known (0), agreement, or what contradicts; the policy says which contradictions refuse."""

    UNKNOWN = 0
    AGREE = 1
    BIRTHS_DIFFER = 2
    NAMES_CONTRADICT = 4
    NAMES_DOUBTFUL = 8  # one is not known to be a reading of the other: no contradiction, but something against


UNKNOWN = Relation.UNKNOWN
AGREE = Relation.AGREE
CONTRADICT = Relation.BIRTHS_DIFFER | Relation.NAMES_CONTRADICT
AGAINST = CONTRADICT | Relation.NAMES_DOUBTFUL


@dataclass(frozen=True, slots=True)
class Profile:
    """What a record says of name and birth, normalized; an empty text where it says nothing."""

    family: str = ""
    given: str = ""
    full: str = ""
    family_kana: str = ""
    given_kana: str = ""
    full_kana: str = ""
    birth: str = ""

    @classmethod
    def parse(cls, text: str) -> Profile:
        """Read the JSON of a stored profile."""
        return cls(**json.loads(text))


def compare(left: Profile, right: Profile) -> Relation:
    """Say whether two profiles agree, contradict each other, or say nothing against each other."""
    births = _differing_parts(left.birth, right.birth)
    relation = Relation.BIRTHS_DIFFER if births >= 2 else UNKNOWN
    if _differ(left.given, right.given) or _differ(left.given_kana, right.given_kana):
        relation |= Relation.NAMES_CONTRADICT
    if relation:
        return relation
    same_name = _same(left.full, right.full) or _same(left.full_kana, right.full_kana)
    same_given = _same(left.given, right.given) or _same(left.given_kana, right.given_kana)
    return AGREE if same_name or (same_given and left.birth and births == 0) else UNKNOWN


def _same(left: str, right: str) -> bool:
    return left == right != ""


def _differ(left: str, right: str) -> bool:
    return bool(left and right and left != right)


def _differing_parts(left: str, right: str) -> int:
    if not left or not right:
        return 0
    return sum(a != b for a, b in zip(left.split("-"), right.split("-"), strict=True))
