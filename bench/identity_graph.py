"""A record–identifier graph of any size, the same for the same seed: persons, households, one placeholder phone.

Shaped like a shop's: 20 million links are about 8.3 million records of 3.7 million persons. Every number is a person's,
a value's or a record's place; texts are made of them where they are loaded.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]

# In the order of strength; what part of the records carries one.
KINDS = {"line": 0.30, "login": 0.35, "email": 0.80, "phone": 0.70, "name_birth": 0.30}
LINKS_PER_PERSON = 5.45
LONELY = 0.45  # part of the persons with one record; the others have 1 + a geometric number
HOUSEHOLD_PHONES = 0.02
PLACEHOLDER_PHONE = 0.0005
FIRST_SEEN = 1_577_836_800_000_000  # 2020-01-01, µs of the epoch
SPAN = 6 * 365 * 86_400_000_000


@dataclass(frozen=True)
class Graph:
    """Records 0 … n-1 with their person and profile, and links as parallel columns ordered by record."""

    person: Numbers  # of each record
    profile: Numbers  # of each record; -1 says nothing. Profile p is person p // 4's: 0 as is, 1 married, 2 and 3 typos
    seen: Numbers  # µs of the epoch, ascending with the record
    link_record: Numbers
    link_kind: Numbers  # index into KINDS
    link_value: Numbers  # number of the value within its kind


def invent(link_count: int, seed: int = 7) -> Graph:
    """Return a graph of about `link_count` links."""
    chance = np.random.default_rng(seed)
    person_count = int(link_count / LINKS_PER_PERSON)
    more = np.where(chance.random(person_count) < LONELY, 0, chance.geometric(0.45, person_count))
    person = np.repeat(np.arange(person_count), 1 + more)
    chance.shuffle(person)
    kinds, records, values = [], [], []
    for kind, (name, part) in enumerate(KINDS.items()):
        carrying = np.flatnonzero(chance.random(len(person)) < part)
        records.append(carrying)
        values.append(_values(name, person[carrying], chance))
        kinds.append(np.full(len(carrying), kind))
    record = np.concatenate(records)
    order = np.argsort(record, kind="stable")
    seen = FIRST_SEEN + np.sort(chance.integers(0, SPAN, len(person)))
    return Graph(
        person,
        _profiles(person, chance),
        seen,
        record[order],
        np.concatenate(kinds)[order],
        np.concatenate(values)[order],
    )


def _values(kind: str, person: Numbers, chance: np.random.Generator) -> Numbers:
    """Choose each record's value; the last decimal digit tells which of a person's own values it is."""
    draw = chance.random(len(person))
    if kind == "email":
        return person * 10 + (draw > 0.75) + (draw > 0.95)
    if kind == "login":
        return person * 10 + (draw > 0.97)
    if kind == "phone":
        shared = np.where(draw < HOUSEHOLD_PHONES, person // 2 * 2, person)
        moved = (draw > 0.9).astype(np.int64)
        return np.where(draw > 1 - PLACEHOLDER_PHONE, -1, shared * 10 + moved)
    return person * 10


def _profiles(person: Numbers, chance: np.random.Generator) -> Numbers:
    draw = chance.random(len(person))
    variant = np.select([draw < 0.60, draw < 0.615, draw < 0.63, draw < 0.64], [0, 1, 2, 3], -1)
    return np.where(variant < 0, -1, person * 4 + variant)


FAMILY = ("佐鈴高田渡伊山中小加", "藤木橋中辺本村林川口")
GIVEN = ("一二三太健浩直和正明美由真恵智陽翔結彩咲", "郎子平介樹人也菜奈香美恵乃葉花実斗真希里")
FIRST_BIRTH = date(1945, 1, 1)


def name(person: int, variant: int = 0) -> tuple[str, str]:
    """Return the family and given name of a person; 1: after a marriage, 2: another given name by mistake."""
    family = person // 2 + (variant == 1)
    given = person * 7 + 3 * (variant == 2)
    return (
        FAMILY[0][family % 10] + FAMILY[1][family // 10 % 10],
        GIVEN[0][given % 20] + GIVEN[1][given // 20 % 20],
    )


def birth(person: int, variant: int = 0) -> str:
    """Return the birth date, another one for everybody of the same name; 3: its year is wrong by mistake."""
    day = FIRST_BIRTH + timedelta(days=(person * 37 + person // 20_000 * 101) % 20_000)
    return f"{day.year + 8 * (variant == 3)}-{day.month:02}-{day.day:02}"


def profile_text(profile: int) -> str:
    """Return what a profile says as the text Postgres gives a jsonb: keys by length, then by letter."""
    family, given = name(profile // 4, profile % 4)
    said = {"full": family + given, "birth": birth(profile // 4, profile % 4), "given": given, "family": family}
    return json.dumps(said, ensure_ascii=False)


def full_name(profile: int) -> str:
    """Return the whole name that a profile says."""
    return "".join(name(profile // 4, profile % 4))


def value_text(kind: str, value: int) -> str:
    """Return a value as records say it, normalized, without its kind."""
    if kind == "email":
        return f"u{value}@example.jp"
    if kind == "phone":
        return f"090{value:08}" if value >= 0 else "08012345999"
    if kind == "name_birth":
        return f"{''.join(name(value // 10))}|{birth(value // 10)}"
    return f"main:{value}" if kind == "login" else f"p:U{value}"


def hash_of(text: str) -> int:
    """Return a text's hash as identity.hash_value does."""
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big", signed=True)
