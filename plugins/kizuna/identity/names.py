"""Names: what a profile says of a person's name, and how alike two names are. Pure, symmetric, deterministic."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from kizuna.identity.readings import can_be_read, is_family_name, split
from kizuna.identity.spelling import hiragana, letters, romaji, script, spoken

if TYPE_CHECKING:
    from kizuna.identity.comparing import Profile

# Flowers, hearts and, beside letters, digits of display names.
_ORNAMENTS = re.compile(r"[^\w'\-]|_|(?<=[^\W\d_])\d+")


@dataclass(frozen=True, slots=True)
class Part:
    """A family name, a given name, or both in one word, in each script it is known in; empty where it is not."""

    kanji: str = ""
    kana: str = ""  # as it sounds
    letters: str = ""

    def __bool__(self) -> bool:
        return bool(self.kanji or self.letters)

    def in_scripts(self) -> tuple[str, str, str]:
        """Return what is known, from the script that says most."""
        return self.kanji, self.kana, self.letters


@dataclass(frozen=True, slots=True)
class Name:
    """The parts of a name as far as it is known where they meet, and all of it as one word."""

    family: Part = Part()
    given: Part = Part()
    whole: Part = Part()
    is_said: bool = False
    is_parted: bool = False


def part(written: str, reading: str = "") -> Part:
    """Put a word and, where known, its reading into the scripts they are in."""
    known = {script(word): word for word in (written, reading) if word}
    kana = known.get("kana", "")
    return Part(known.get("kanji", ""), spoken(kana), romaji(kana) if kana else letters(known.get("letters", "")))


@lru_cache(maxsize=200_000)
def read(profile: Profile) -> Name:
    """Read the name out of a profile."""
    written = _words(profile.family, profile.given, profile.full)
    reading = _words(profile.family_kana, profile.given_kana, profile.full_kana)
    whole = part("".join(written), "".join(reading))
    is_said = bool(whole)
    if len(written) != 2:
        written = _split_written("".join(written), reading)
    if len(written) == 2 and len(reading) != 2:
        reading = _split_reading("".join(reading), written)
    if not written and len(reading) != 2:
        return Name(whole=whole, is_said=is_said)
    family, given = zip(written or ("", ""), reading or ("", ""), strict=True)
    return Name(part(*family), part(*given), whole, is_said, is_parted=True)


def _words(family: str, given: str, full: str) -> list[str]:
    """Return family and given name, or the one word there is."""
    words = [_ORNAMENTS.sub("", hiragana(word)).lower() for word in (family, given, full)]
    if words[0] and (words[1] or not words[2]):
        return words[:2]
    return [word for word in (words[2] or words[1],) if word]


def _split_written(whole: str, reading: list[str]) -> list[str]:
    """Part a word in kanji by its reading, where that is in parts, else by the family names known."""
    if script(whole) != "kanji":
        return []
    if len(reading) == 2:
        if can_be_read(whole, spoken(reading[0])):
            return [whole, ""]
        places = [place for place in range(1, len(whole)) if can_be_read(whole[:place], spoken(reading[0]))]
        if places:
            return [whole[: places[0]], whole[places[0] :]]
    if is_family_name(whole):
        return [whole, ""]
    return list(split(whole)) if split(whole)[0] else []


def _split_reading(whole: str, written: list[str]) -> list[str]:
    """Part a reading where the kanji of both parts can be read so."""
    places = [place for place in range(1, len(whole)) if can_be_read(written[0], spoken(whole[:place]))]
    fitting = [place for place in places if can_be_read(written[1], spoken(whole[place:]))] or places[-1:]
    return [whole[: fitting[0]], whole[fitting[0] :]] if fitting else []
