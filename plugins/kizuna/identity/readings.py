"""Readings: what kanji of names can be read as, from the two tables beside this module (name_tables/README.md).

The tables are static: what is compared today is compared alike tomorrow, so that an incremental run equals a full one.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from kizuna.identity.spelling import romaji, script, spoken

# After each vowel, the vowels that only make it long.
_LONG = {"a": "a", "i": "i", "u": "u", "e": "e", "o": "ou"}
_FOLDER = Path(__file__).parent / "name_tables"


def is_family_name(word: str) -> bool:
    """Whether a word in kanji is one of the 2,000 most common family names."""
    return word in _family_names()


def split(whole: str) -> tuple[str, str]:
    """Part a name in one word (高橋定彦) after its longest known family name; empty texts if there is none."""
    for length in (3, 2, 1):
        if len(whole) > length and is_family_name(whole[:length]):
            return whole[:length], whole[length:]
    return "", ""


@lru_cache(maxsize=200_000)
def can_be_read(written: str, reading: str) -> bool | None:
    """Say whether a name in kanji is read so: True as it usually is, None if it may be, False if nobody reads it so.

    Args:
        written: a family or a given name with kanji.
        reading: as `spelling.spoken` or `spelling.letters` gives it.
    """
    if not written:
        return not reading
    is_in_letters = script(reading) == "letters"
    sounds = romaji if is_in_letters else spoken
    if reading in map(sounds, _family_names().get(written, ())):
        return True
    signs = [written[place - 1] if sign == "々" and place else sign for place, sign in enumerate(written)]
    usual, possible = zip(*(_readings(sign, is_in_letters=is_in_letters) for sign in signs), strict=True)
    if _fits(usual, reading):
        return True
    return None if not all(possible) or _fits(possible, reading) else False


def _fits(choices: tuple[frozenset[str], ...], reading: str) -> bool:
    """Whether one reading of each sign, put together, is `reading`."""
    ends = {0}
    for readings in choices:
        ends = {end for start in ends for piece in readings for end in _ends(reading, start, piece)}
    return len(reading) in ends


def may_sound_alike(left: str, right: str) -> bool:
    """Whether two names differ in one kanji, by another with the same usual reading (太一, 太市)."""
    if len(left) != len(right):
        return False
    unlike = [pair for pair in zip(left, right, strict=True) if len(set(pair)) == 2]
    return len(unlike) == 1 and bool(_readings(unlike[0][0])[0] & _readings(unlike[0][1])[0])


def _ends(reading: str, start: int, piece: str) -> tuple[int, ...]:
    """Where `piece` may end when it begins at `start`; its first vowel may have merged with a long one before."""
    found = (start + len(piece),) if reading.startswith(piece, start) else ()
    before = reading[start - 1 : start]
    is_merged = piece[:1] in _LONG.get(before, "-") and reading.startswith(piece[1:], start)
    return (*found, start + len(piece) - 1) if is_merged else found


@cache
def _readings(sign: str, *, is_in_letters: bool = False) -> tuple[frozenset[str], frozenset[str]]:
    """The usual and all readings of one sign of a name; kana read themselves; none of a kanji not in the table."""
    usual, possible = ((sign,), (sign,)) if script(sign) == "kana" else _kanji().get(sign, ((), ()))
    sounds = romaji if is_in_letters else spoken
    return frozenset(map(sounds, usual)), frozenset(map(sounds, possible))


@cache
def _family_names() -> dict[str, tuple[str, ...]]:
    return {row[0]: tuple(row[1:]) for row in _table("family_names.txt")}


@cache
def _kanji() -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Per kanji its usual readings and all of them; a bar parts the usual from the rare."""
    found = {}
    for sign, *said in _table("kanji.txt"):
        usual = tuple(said[: said.index("|")] if "|" in said else said)
        found[sign] = (usual, tuple(reading for reading in said if reading != "|"))
    return found


def _table(name: str) -> list[list[str]]:
    lines = (_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]
