"""Comparing: what two profiles say of each other. Pure, symmetric, without side effects."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from functools import lru_cache

from rapidfuzz.distance import OSA, Indel

from kizuna.identity.names import Name, Part, part, read
from kizuna.identity.readings import can_be_read, may_sound_alike
from kizuna.identity.spelling import nickname_stem


class Relation(IntFlag):
    """Nothing known (0), agreement, or what contradicts; the policy says which contradictions refuse.

    A doubt (a reading that the kanji is not known to have) refuses what links the two records themselves, and parts
    no customers: tables of readings have gaps, and other evidence may be stronger.
    """

    UNKNOWN = 0
    AGREE = 1
    BIRTHS_DIFFER = 2
    NAMES_CONTRADICT = 4
    NAMES_DOUBTFUL = 8


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


class Likeness(IntEnum):
    """How two names, or one part of two names, stand to each other."""

    DIFFERENT = 0
    DOUBTFUL = 1  # one is not known to be a reading of the other
    SLIP = 2  # what one wrong key makes of a name
    OPEN = 3
    SAME = 4


DIFFERENT, DOUBTFUL, SLIP, OPEN, SAME = Likeness
Pair = tuple[Likeness, Likeness]  # of the family names and of the given names


def compare(left: Profile, right: Profile) -> Relation:
    """Say whether two profiles agree, contradict each other, or say nothing against each other.

    Given names decide: a family name changes with a marriage, so that another one alone contradicts nothing, and it
    agrees with none.
    """
    births_differ = left.birth != right.birth and _differing_parts(left.birth, right.birth) >= 2
    family, given = alike(read(left), read(right))
    if given == DIFFERENT:
        return CONTRADICT if births_differ else Relation.NAMES_CONTRADICT
    if births_differ:
        return Relation.BIRTHS_DIFFER
    if given == DOUBTFUL:
        return Relation.NAMES_DOUBTFUL
    return AGREE if given == SAME and family != DIFFERENT else UNKNOWN


def _differing_parts(left: str, right: str) -> int:
    """Count what differs of year, month and day; month and day changed places are one slip."""
    if not left or not right:
        return 0
    (a, b, c), (d, e, f) = left.split("-"), right.split("-")
    return 1 if a == d and (b, c) == (f, e) and b != c else (a != d) + (b != e) + (c != f)


def alike(left: Name, right: Name) -> Pair:
    """Say how alike two names are, family and given."""
    if not left.is_said or not right.is_said:
        return OPEN, OPEN
    if left.is_parted and right.is_parted:
        return _parted(left, right)
    if left.is_parted:
        return _one_word(right.whole, left)
    return _one_word(left.whole, right) if right.is_parted else _two_words(left.whole, right.whole)


def _parted(left: Name, right: Name) -> Pair:
    if left.whole.kanji and left.given and left.whole == right.whole:
        return SAME, SAME
    return of_parts(left.family, right.family), of_parts(left.given, right.given)


def of_parts(left: Part, right: Part) -> Likeness:
    """Say how alike two family names or two given names are, in the scripts both are known in."""
    if not (left.kanji or left.letters) or not (right.kanji or right.letters):
        return OPEN
    if left.kanji and left.kanji == right.kanji:
        return SAME
    if left.kana and right.kana:
        return _readings(left.kana, right.kana)
    if left.kanji and right.kanji:
        return _kanji(left, right)
    if left.letters and right.letters:
        return _readings(left.letters, right.letters)
    return _across(left, right) if left.kanji else _across(right, left)


def _readings(left: str, right: str) -> Likeness:
    """A sign left out, doubled or swapped inside a reading is a slip; another sign is another name (ひろし, ひろみ)."""
    if left == right:
        return SAME
    if len(left) == len(right):
        is_slip = sorted(left) == sorted(right) and OSA.distance(left, right) == 1
    else:
        short, long = sorted((left, right), key=len)
        is_slip = len(short) >= 3 and short[-1] == long[-1] and Indel.distance(short, long) == 1
    return SLIP if is_slip else DIFFERENT


def _kanji(left: Part, right: Part) -> Likeness:
    """Another kanji of the same sound and a sign typed twice are slips."""
    if left.kana or right.kana:
        one, other = (left, right) if left.kana else (right, left)
        if can_be_read(other.kanji, one.kana):
            return SLIP
    a, b = left.kanji, right.kanji
    return SLIP if may_sound_alike(a, b) or _is_doubled(a, b) or _is_doubled(b, a) else DIFFERENT


def _is_doubled(typed: str, meant: str) -> bool:
    """Whether one sign of `meant` was typed twice, in place of its neighbour or beside it."""
    twice = [place for place in range(1, len(typed)) if typed[place] == typed[place - 1]]
    return any(
        typed[:place] + typed[place + 1 :] == meant
        or (len(typed) == len(meant) and OSA.distance(typed, meant, score_cutoff=1) <= 1)
        for place in twice
    )


def _across(kanji: Part, other: Part) -> Likeness:
    """A name in kanji and one that is only heard."""
    readable = can_be_read(kanji.kanji, other.kana or other.letters)
    if readable is None:
        return OPEN
    return SAME if readable else DOUBTFUL


def _one_word(word: Part, name: Name) -> Pair:
    """A name in one word, be it all of a name, a part or a nickname, beside one whose parts are known."""
    if _same(word, name.whole):
        return SAME, SAME
    parted = _best_parting(word, name)
    if parted is not None:
        return SAME, parted
    if of_parts(word, name.family) == SAME:
        return SAME, OPEN
    if _ends_with(word, name.given):
        return DIFFERENT, SAME
    if _is_nickname(word, name.given):
        return OPEN, OPEN
    return OPEN, max(of_parts(word, name.given), min(of_parts(word, name.whole), OPEN))


def _best_parting(word: Part, name: Name) -> Likeness | None:
    """Part `word` wherever it may end its family name; return how alike the given name then is at best."""
    best: Likeness | None = None
    for text in filter(None, word.in_scripts()):
        for place in range(1, len(text)):
            start, end = _same_script(text[:place]), _same_script(text[place:])
            if of_parts(start, name.family) == SAME:
                best = max(best or DIFFERENT, of_parts(end, name.given))
            elif start.letters == text[:place] and of_parts(end, name.family) == SAME:  # Reiji Onoe
                best = max(best or DIFFERENT, of_parts(start, name.given))
    return best


@lru_cache(maxsize=100_000)
def _same_script(text: str) -> Part:
    return Part(letters=text) if text.isascii() else part(text)


def _two_words(left: Part, right: Part) -> Pair:
    """Two names in one word each, of which nobody knows where they are to be parted."""
    if _same(left, right):
        return (SAME if len(left.kanji) >= 4 or len(left.kana) >= 7 else OPEN), SAME
    if _ends_with(left, right) or _ends_with(right, left):
        return OPEN, SAME
    if _is_nickname(left, right) or _is_nickname(right, left) or _is_start(left, right) or _is_start(right, left):
        return OPEN, OPEN
    if len(left.letters) == len(right.letters) and left.letters in right.letters * 2 != "":
        return SAME, SAME  # Onoe Reiji, Reiji Onoe
    if left.kanji[-2:] == right.kanji[-2:] != "" and min(len(left.kanji), len(right.kanji)) > 3:
        return DIFFERENT, SAME
    return OPEN, max(of_parts(left, right), _given_alone(left, right), _given_alone(right, left))


def _given_alone(whole: Part, heard: Part) -> Likeness:
    """Whether the end of a name in kanji is a given name that is only heard."""
    if not whole.kanji or heard.kanji:
        return DIFFERENT
    ends = [whole.kanji[-length:] for length in (1, 2, 3) if length < len(whole.kanji)]
    return SAME if any(can_be_read(end, heard.kana or heard.letters) for end in ends) else DIFFERENT


def _same(left: Part, right: Part) -> bool:
    for ours, theirs in zip(left.in_scripts(), right.in_scripts(), strict=True):
        if ours and theirs:
            return ours == theirs
    return False


def _ends_with(word: Part, given: Part) -> bool:
    pairs = zip(word.in_scripts(), given.in_scripts(), (2, 3, 4), strict=True)
    return any(len(end) >= least and text != end and text.endswith(end) for text, end, least in pairs)


def _is_start(whole: Part, start: Part) -> bool:
    return len(start.letters) >= 4 and whole.letters.startswith(start.letters)


def _is_nickname(word: Part, given: Part) -> bool:
    """Whether a word in kana begins as the given name does (ゆかりん, 由香子)."""
    stem = nickname_stem(word.kana)
    if not stem or word.kanji:
        return False
    if given.kana or not given.kanji:
        return given.kana.startswith(stem)
    return any(can_be_read(given.kanji[:length], stem) for length in (1, 2))
