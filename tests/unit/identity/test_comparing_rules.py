"""What two profiles say of each other: each rule by the names that show it (names are invented)."""

from __future__ import annotations

from itertools import combinations

import pytest

from kizuna.identity.comparing import AGREE, UNKNOWN, Profile, Relation, compare

CONTRADICT, DOUBT, BIRTHS = Relation.NAMES_CONTRADICT, Relation.NAMES_DOUBTFUL, Relation.BIRTHS_DIFFER


def written(family: str, given: str, family_kana: str = "", given_kana: str = "", birth: str = "") -> Profile:
    """A name in parts, as int_identity__changes says it."""
    return Profile(family, given, family + given, family_kana, given_kana, family_kana + given_kana, birth)


def word(full: str, full_kana: str = "") -> Profile:
    """A name in one word."""
    return Profile(full=full, full_kana=full_kana)


def read(family_kana: str, given_kana: str) -> Profile:
    """A name typed in kana, which is also its own reading."""
    return written(family_kana, given_kana, family_kana, given_kana)


CASES = {
    "one name agrees": (written("高橋", "定彦"), written("高橋", "定彦"), AGREE),
    "an unsplit name is split by the other": (written("槙村", "定彦"), word("槙村定彦"), AGREE),
    "an unsplit name is split by its family name": (word("高橋定彦"), word("高橋正"), CONTRADICT),
    "a given name alone agrees": (word("定彦"), written("高橋", "定彦"), AGREE),
    "a family name alone says nothing": (word("高橋"), written("高橋", "定彦"), UNKNOWN),
    "a family name and a given name say nothing of each other": (word("高橋"), word("理央"), UNKNOWN),
    "nothing said says nothing": (Profile(), written("高橋", "定彦"), UNKNOWN),
    "two given names contradict": (written("高橋", "健太"), written("高橋", "美咲"), CONTRADICT),
    "brothers who share a kanji contradict": (written("高橋", "健太"), written("高橋", "健二"), CONTRADICT),
    "another family name contradicts nothing": (written("山口", "莉央"), written("遠藤", "莉央"), UNKNOWN),
    "a reading agrees with its kanji": (written("高橋", "貞彦"), read("タカハシ", "サダヒコ"), AGREE),
    "another reading than the kanji has is a doubt": (written("尾上", "円"), read("オノエ", "レイジ"), DOUBT),
    "a rare reading is neither": (written("高橋", "大"), read("タカハシ", "ハジメ"), UNKNOWN),
    "kana and kanji mixed in one word": (word("森山ミキ"), written("森山", "美希"), AGREE),
    "romaji agrees with kanji in either order": (word("ryoujihattori"), written("服部", "良二"), AGREE),
    "romaji agrees with kana typed with large kana": (word("hattoriryouji"), read("ハツトリ", "リヨウジ"), AGREE),
    "romaji agrees with romaji in the other order": (word("onoereiji"), word("reijionoe"), AGREE),
    "long vowels are romanized as people like": (word("ohno"), word("オオノ", "オウノ"), AGREE),
    "two given names in romaji contradict": (
        word("takahashikenta"),
        written("高橋", "ケンジ", "タカハシ", "ケンジ"),
        CONTRADICT,
    ),
    "a nickname says nothing": (word("ユカリン", "ユカリン"), written("佐藤", "由香子"), UNKNOWN),
    "a kanji of the same sound is a slip": (written("佐藤", "太一"), written("佐藤", "太市"), UNKNOWN),
    "a kanji typed twice is a slip": (written("三浦", "功夢"), written("三浦", "夢夢"), UNKNOWN),
    "a kana left out is a slip": (read("サトウ", "サダヒコ"), read("サトウ", "サヒコ"), UNKNOWN),
    "two kana swapped are a slip": (read("サトウ", "サダヒコ"), read("サトウ", "ダサヒコ"), UNKNOWN),
    "another kana is another name": (read("サトウ", "タカヒロ"), read("サトウ", "タカヒト"), CONTRADICT),
    "a name that goes on is another name": (read("サトウ", "マサミ"), read("サトウ", "マサミチ"), CONTRADICT),
    "one kanji read in two ways contradicts nothing": (
        written("東", "裕子", "ヒガシ", "ユウコ"),
        written("東", "裕子", "アズマ", "ヒロコ"),
        AGREE,
    ),
}


@pytest.mark.parametrize(("left", "right", "relation"), CASES.values(), ids=CASES.keys())
def test_names(left: Profile, right: Profile, relation: Relation) -> None:
    assert compare(left, right) == relation


BIRTHS_CASES = {
    "one day": ("1980-02-01", "1980-02-01", AGREE),
    "one part is a slip": ("1980-02-01", "1980-02-11", AGREE),
    "day and month in each other's place are a slip": ("1980-02-01", "1980-01-02", AGREE),
    "two parts differ": ("1980-02-01", "1981-02-11", BIRTHS),
    "father and son": ("1951-08-20", "1980-02-01", BIRTHS),
    "unsaid": ("1980-02-01", "", AGREE),
}


@pytest.mark.parametrize(("left", "right", "relation"), BIRTHS_CASES.values(), ids=BIRTHS_CASES.keys())
def test_births_of_one_name(left: str, right: str, relation: Relation) -> None:
    assert compare(written("高橋", "定彦", birth=left), written("高橋", "定彦", birth=right)) == relation


def test_births_and_names_are_told_apart() -> None:
    relation = compare(written("高橋", "健太", birth="1951-08-20"), written("高橋", "健二", birth="1980-02-01"))
    assert relation == BIRTHS | CONTRADICT


def test_a_family_name_alone_does_not_agree_with_itself() -> None:
    assert compare(word("高橋"), word("高橋")) == UNKNOWN


def test_comparing_is_symmetric() -> None:
    profiles = {profile for left, right, _ in CASES.values() for profile in (left, right)}
    unlike = [pair for pair in combinations(profiles, 2) if compare(*pair) != compare(*reversed(pair))]
    assert not unlike
