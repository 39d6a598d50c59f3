"""Spelling: one Japanese name in kanji, kana and Latin letters, in forms that compare. Pure and deterministic."""

from __future__ import annotations

import re
from functools import lru_cache

_SYLLABLES = (
    "あa いi うu えe おo かka きki くku けke こko さsa しshi すsu せse そso たta ちchi つtsu てte とto "
    "なna にni ぬnu ねne のno はha ひhi ふfu へhe ほho まma みmi むmu めme もmo やya ゆyu よyo "
    "らra りri るru れre ろro わwa ゐi ゑe をo んn がga ぎgi ぐgu げge ごgo ざza じji ずzu ぜze ぞzo "
    "だda ぢji づzu でde どdo ばba びbi ぶbu べbe ぼbo ぱpa ぴpi ぷpu ぺpe ぽpo ぁa ぃi ぅu ぇe ぉo ゔvu"
)
_LETTERS = {syllable[0]: syllable[1:] for syllable in _SYLLABLES.split()}
_GLIDES = {"ゃ": "ya", "ゅ": "yu", "ょ": "yo"}
# As the macro normalize_reading: small kana large, ぢ and じ, づ and ず alike, one way to write a long vowel.
_SPOKEN = str.maketrans("ぁぃぅぇぉゃゅょゎっぢづをゐゑ", "あいうえおやゆよわつじずおいえ")
_LONG = (
    (re.compile("(?<=[おこそとのほもよろごぞどぼぽ])[おー]"), "う"),
    (re.compile("(?<=[えけせてねへめれげぜでべぺ])[えー]"), "い"),
    (re.compile("(?<=[いきしちにひみりぎじびぴ])ー"), "い"),
    (re.compile("(?<=[うくすつぬふむゆるぐずぶぷゔ])ー"), "う"),
    (re.compile("ー"), "あ"),
)
_IS_LONG = re.compile("[おえー]")
_HIRAGANA = str.maketrans({sign: chr(ord(sign) - 0x60) for sign in map(chr, range(0x30A1, 0x30F7))})
_KANA = re.compile("[ぁ-ゖー]+")
_ROMAJI = re.compile("[a-z'\\-]+")
_ENDEARMENTS = re.compile("(?:ちやん|さん|くん|きゆん|りん|つち|たん|ぴ|ぽん|ちん|まま|ぱぱ)$")
# Kunrei and passport spellings as Hepburn; then long vowels short, because people write them as they like.
_SPELLINGS = (
    (re.compile("(?<=[kgnhbpmr])iy(?=[auo])"), "y"),  # small kana are often typed large: きよ is kyo too
    (re.compile("(?<=sh|ch)iy(?=[auo])|(?<=j)iy(?=[auo])"), ""),
    (re.compile("tsu(?=([kstpc]))"), "\\1"),  # and so is っ: はつとり is hattori too
    (re.compile("tch|cch"), "tch"),
    (re.compile("sy(?=[aiueo])"), "sh"),
    (re.compile("(?:ty|cy)(?=[aiueo])"), "ch"),
    (re.compile("(?:zy|jy)(?=[aiueo])"), "j"),
    (re.compile("si"), "shi"),
    (re.compile("ti"), "chi"),
    (re.compile("tu"), "tsu"),
    (re.compile("(?<![sc])hu"), "fu"),
    (re.compile("zi|di"), "ji"),
    (re.compile("dzu|du"), "zu"),
    (re.compile("l"), "r"),
    (re.compile("m(?=[bp])"), "n"),
    (re.compile("oh(?![aiueoy])"), "o"),
    (re.compile("o[ou]+"), "o"),
    (re.compile("([aiue])\\1+"), "\\1"),
)


def script(word: str) -> str:
    """Say how a word is written: all in `kana` or `letters`, else in `kanji` (or what compares only as written)."""
    if _KANA.fullmatch(word):
        return "kana"
    if _ROMAJI.fullmatch(word):
        return "letters"
    return "kanji" if word else ""


def nickname_stem(heard: str) -> str:
    """Return what a nickname, as it sounds, keeps of the name: ゆかりん keeps ゆか; empty where that is no start."""
    stem = _ENDEARMENTS.sub("", heard)
    return stem if len(stem) >= 2 or (stem and stem != heard) else ""


def hiragana(text: str) -> str:
    """Write katakana as hiragana."""
    return text.translate(_HIRAGANA)


@lru_cache(maxsize=100_000)
def spoken(kana: str) -> str:
    """Write a reading (hiragana) as it sounds: no small kana, one じ and one ず, one way to write a long vowel."""
    heard = kana.translate(_SPOKEN)
    for pattern, vowel in _LONG if _IS_LONG.search(heard) else ():
        heard = pattern.sub(vowel, heard)
    return heard


@lru_cache(maxsize=100_000)
def romaji(kana: str) -> str:
    """Write a reading (hiragana) in the letters that `letters` makes of any romaji for it."""
    written: list[str] = []
    is_doubled = False
    for sign in kana:
        if sign == "っ":
            is_doubled = True
            continue
        if sign in _GLIDES and written and written[-1].endswith("i"):
            stem = written.pop()[:-1]
            syllable = stem + (_GLIDES[sign][1:] if stem.endswith(("sh", "ch", "j")) else _GLIDES[sign])
        else:
            syllable = _LETTERS.get(sign, _GLIDES.get(sign, ""))
        written.append(syllable[:1] + syllable if is_doubled else syllable)
        is_doubled = False
    return letters("".join(written))


@lru_cache(maxsize=100_000)
def letters(text: str) -> str:
    """Write romaji of any system in one spelling: `Ohno`, `Oono` and `ono` are one, `Syouji` is `shoji`."""
    text = re.sub("[^a-z]", "", text)
    for pattern, spelling in _SPELLINGS:
        text = pattern.sub(spelling, text)
    return text
