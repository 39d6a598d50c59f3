# ruff: noqa: E501
"""Invented customers of a Japanese shop, with the truth of who is who: worlds to measure 名寄せ on.

Nothing in them is taken from people. A world is persons in households, and for each person some records as shops,
tills, inboxes and LINE keep them: names in every script, phones and addresses as typed, what families share, what
forms are filled with when there is nothing to say, and what changes in a life. `World` says how much of each.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
from people_names import FAMILY_NAMES, GIVEN_MEN, GIVEN_WOMEN, NICKNAMES, Name, in_letters, misspelled, to_katakana

Row = dict[str, str | None]

TOWNS = [
    ("北海道", "札幌市北区北十条西", "0010"), ("宮城県", "仙台市青葉区本町", "9800"), ("東京都", "杉並区高円寺南", "1660"),
    ("東京都", "足立区千住", "1200"), ("神奈川県", "横浜市港北区日吉", "2230"), ("千葉県", "船橋市本町", "2730"),
    ("埼玉県", "川口市西川口", "3320"), ("愛知県", "名古屋市千種区今池", "4640"), ("京都府", "京都市左京区下鴨", "6060"),
    ("大阪府", "大阪市住吉区長居", "5580"), ("兵庫県", "神戸市灘区楠丘町", "6570"), ("広島県", "福山市三吉町", "7200"),
    ("福岡県", "福岡市早良区西新", "8140"), ("熊本県", "熊本市中央区水前寺", "8620"), ("沖縄県", "那覇市首里石嶺町", "9030"),
    ("新潟県", "長岡市東坂之上町", "9400"), ("長野県", "松本市蟻ケ崎", "3900"), ("高知県", "高知市旭町", "7800"),
]  # fmt: skip
BUILDINGS = ("コーポ青葉", "メゾン緑", "グランハイツ本町", "サンハイム", "レジデンス南")
PROVIDERS = (
    ("gmail.com", 34), ("yahoo.co.jp", 20), ("docomo.ne.jp", 12), ("ezweb.ne.jp", 8), ("au.com", 3), ("i.softbank.jp", 6),
    ("softbank.ne.jp", 4), ("icloud.com", 9), ("outlook.jp", 3), ("nifty.com", 2),
)  # fmt: skip
SOURCES = (("shop", 30), ("guest", 16), ("till", 14), ("line", 16), ("support", 12), ("newsletter", 12))
ERAS = ((2019, "令和", "R", 2018), (1989, "平成", "H", 1988), (1926, "昭和", "S", 1925))


@dataclass(frozen=True)
class World:
    """How people live and type; shares are of what they name (persons, households or records)."""

    name: str = "everyday"
    seed: int = 1
    persons: int = 6_000
    records: float = 2.2  # a person, on average
    household: tuple[int, ...] = (46, 28, 13, 10, 3)  # weights of 1, 2, 3, … persons
    landline: float = 0.12  # of households
    shared_mobile: float = 0.04  # of the younger members: they give a parent's number
    family_mail: float = 0.03  # of households of two and more
    twins: float = 0.02  # of households with children
    named_after: float = 0.25  # of the younger members: a kanji of a parent's given name
    married: float = 0.06  # of women: another family name from some day on
    moved: float = 0.15
    changed_mail: float = 0.25
    changed_phone: float = 0.12
    recycled_phone: float = 0.01  # of persons: their old number is a stranger's now
    placeholder: float = 0.01  # of the values of a record
    typing_slip: float = 0.03  # of names and readings
    digit_slip: float = 0.01  # of phones, birth dates and local parts
    missing: float = 0.15  # of the optional values of a record
    script: tuple[int, ...] = (
        66,
        10,
        6,
        10,
        4,
        4,
    )  # weights: kanji, kana, half width, unsplit, romaji, family name only


EVERYDAY = World()
FAMILIES = replace(
    EVERYDAY, name="families", seed=2, household=(12, 24, 26, 28, 10), landline=0.3, shared_mobile=0.12,
    family_mail=0.08, twins=0.06, named_after=0.5, married=0.1,
)  # fmt: skip
CARELESS = replace(
    EVERYDAY, name="careless", seed=3, typing_slip=0.1, digit_slip=0.03, placeholder=0.03, missing=0.3, records=2.8,
    script=(44, 14, 10, 18, 8, 6),
)  # fmt: skip
RESTLESS = replace(
    EVERYDAY, name="restless", seed=4, moved=0.5, changed_mail=0.6, changed_phone=0.4, recycled_phone=0.04, married=0.15,
    records=3.5,
)  # fmt: skip
WORLDS = (EVERYDAY, FAMILIES, CARELESS, RESTLESS)


@dataclass
class Person:
    """One person through the years; every list has what was, then what is."""

    number: int
    household: int
    family: list[Name]
    given: Name
    birth: tuple[int, int, int]
    phones: list[str]
    mails: list[str]
    addresses: list[tuple[str, str, str, str]]  # prefecture, town with its block, building, postal code
    line: str = ""
    shared: list[str] = field(default_factory=list)  # phones of the household


def generate(world: World) -> pd.DataFrame:
    """Return the records of a world in the columns of `kizuna identity evaluate`, with `cluster` and `household`."""
    chance = random.Random(f"{world.name}/{world.seed}")
    people: list[Person] = []
    number = 0
    while len(people) < world.persons:
        people += _household(world, chance, number, len(people))
        number += 1
    _tell_mails_apart(people)
    _recycle(world, chance, people)
    rows = [_record(world, chance, person) for person in people for _ in range(_count(world, chance))]
    chance.shuffle(rows)
    return pd.DataFrame(rows).rename_axis("unique_id").reset_index()


def _pick(chance: random.Random, weighted: Any) -> Any:
    return chance.choices([what for what, _ in weighted], [weight for _, weight in weighted])[0]


def _count(world: World, chance: random.Random) -> int:
    return 1 + min(int(chance.expovariate(1 / max(world.records - 0.6, 0.1))), 9)


def _household(world: World, chance: random.Random, number: int, first: int) -> list[Person]:
    size = chance.choices(range(1, len(world.household) + 1), world.household)[0]
    family, home = _pick(chance, FAMILY_NAMES), _address(chance)
    landline = [f"0{chance.choice('3456')}{chance.randrange(10**8):08}"] if chance.random() < world.landline else []
    members: list[Person] = []
    for place in range(size):
        is_child = place >= 2
        year = chance.randint(1985, 2007) if is_child else chance.randint(1945, 1984)
        given = _given(world, chance, members, is_child=is_child)
        birth = (year, chance.randint(1, 12), chance.randint(1, 28))
        if is_child and place > 2 and chance.random() < world.twins * 2:
            birth = members[-1].birth
        mails = [_mail(chance, family, given, birth[0])]
        person = Person(
            first + place, number, [family], given, birth, [_mobile(chance)], mails, [home], shared=landline
        )
        if is_child and chance.random() < world.shared_mobile:
            person.phones = members[chance.randrange(2)].phones
        members.append(person)
    if size > 1 and chance.random() < world.family_mail:
        mail = f"{in_letters(family.kana)}{chance.choice(['family', '_home', 'ke', '.ie'])}{chance.randrange(100)}@gmail.com"
        for person in members:
            person.mails = [mail] if chance.random() < 0.6 else [mail, *person.mails]
    for person in members:
        _live(world, chance, person)
    return members


def _given(world: World, chance: random.Random, elders: list[Person], *, is_child: bool) -> Name:
    names = GIVEN_WOMEN if chance.random() < 0.55 else GIVEN_MEN
    taken = {elder.given.kana for elder in elders}
    if is_child and chance.random() < world.named_after:
        kanji = chance.choice(elders).given.kanji[0]
        alike = [name for name in names if kanji in name.kanji and name.kana not in taken]
        if alike:
            return chance.choice(alike)
    return chance.choice([name for name in names if name.kana not in taken])


def _live(world: World, chance: random.Random, person: Person) -> None:
    """What changes in a life: name, home, addresses of mail, number."""
    person.line = f"U{chance.getrandbits(128):032x}"
    if chance.random() < world.married / 2:
        person.family = [*person.family, _pick(chance, FAMILY_NAMES)]
    if chance.random() < world.moved:
        person.addresses = [*person.addresses, _address(chance)]
    if chance.random() < world.changed_mail:
        old = person.mails[-1]
        moved = old.replace("ezweb.ne.jp", "au.com")
        same_local = f"{old.split('@')[0]}@{_pick(chance, PROVIDERS)}"
        new = _mail(chance, person.family[-1], person.given, person.birth[0])
        person.mails = [*person.mails, moved if moved != old else same_local if chance.random() < 0.3 else new]
    if chance.random() < world.changed_phone:
        person.phones = [*person.phones, _mobile(chance)]


def _tell_mails_apart(people: list[Person]) -> None:
    """No two households have one mailbox: the later one had to take another name."""
    owners: dict[str, int] = {}
    for person in people:
        for place, mail in enumerate(person.mails):
            if owners.setdefault(mail, person.household) != person.household:
                local, domain = mail.split("@")
                person.mails[place] = f"{local}.{person.number}@{domain}"


def _recycle(world: World, chance: random.Random, people: list[Person]) -> None:
    for person in people:
        if chance.random() < world.recycled_phone:
            person.phones = [*person.phones, chance.choice(people).phones[0]]


def _mobile(chance: random.Random) -> str:
    return f"0{chance.choice('789')}0{chance.randrange(1_000, 10_000)}{chance.randrange(10_000):04}"


def _address(chance: random.Random) -> tuple[str, str, str, str]:
    prefecture, town, postal = chance.choice(TOWNS)
    block = f"{town}{chance.randint(1, 8)}-{chance.randint(1, 40)}-{chance.randint(1, 20)}"
    building = f"{chance.choice(BUILDINGS)}{chance.randint(101, 912)}" if chance.random() < 0.5 else ""
    return prefecture, block, building, f"{postal}{chance.randrange(1_000):03}"


def _mail(chance: random.Random, family: Name, given: Name, year: int) -> str:
    """A mailbox by one of the ways people name theirs; no two persons have one."""
    f, g = in_letters(family.kana), in_letters(given.kana)
    odd = "".join(chance.choices("abcdefghijkmnprstuwxyz", k=chance.randint(4, 8)))
    styles = (f"{g}.{f}", f"{f}_{g}", f"{g}{year % 100:02}", f"{f}{chance.randrange(1_000)}", f"{g[0]}-{f}{year}")
    local = chance.choice([*styles, f"{odd}{chance.randrange(100)}", f"{g}{odd[:3]}", f"{odd}_{g}"])
    return f"{local}@{_pick(chance, PROVIDERS)}"


def _record(world: World, chance: random.Random, person: Person) -> Row:
    source = _pick(chance, SOURCES)
    place = -1 if chance.random() < 0.6 else 0
    has = {"shop": "nkpeab", "guest": "npea", "till": "nkpb", "line": "", "support": "npe", "newsletter": "ne"}[source]
    kept = {what for what in has if what in "ne" or chance.random() > world.missing}
    family = person.family[place]
    row: Row = {"cluster": str(person.number), "household": str(person.household), "source": source}
    row["name"] = _line_name(chance, family, person.given) if source == "line" else None
    if "n" in kept and chance.random() > world.missing / 8:
        row["name"] = _name(world, chance, family, person.given, source)
    row["name_kana"] = _reading(world, chance, family, person.given) if "k" in kept else None
    said = "p" in kept or (source == "line" and chance.random() < 0.35)
    row["phone"] = _phone(world, chance, person, place) if said else None
    row["email"] = _typed_mail(world, chance, person.mails[place]) if "e" in kept else None
    prefecture, block, building, postal = person.addresses[place]
    row["address"] = _typed_address(chance, prefecture, block, building) if "a" in kept else None
    is_postal_said = "a" in kept and chance.random() > world.missing / 2
    row["postal"] = (
        chance.choice([postal, f"{postal[:3]}-{postal[3:]}", f"〒{postal[:3]}-{postal[3:]}"])
        if is_postal_said
        else None
    )
    is_birth_said = "b" in kept or (source == "line" and chance.random() < 0.35)
    row["birthday"] = _birth(world, chance, person.birth) if is_birth_said else None
    row["line_id"] = person.line if source == "line" or (source == "shop" and chance.random() < 0.12) else None
    return row


def _line_name(chance: random.Random, family: Name, given: Name) -> str | None:
    kana = given.kana
    nickname = NICKNAMES.get(kana[:2], kana[:2] + chance.choice(["ちゃん", "りん", "っち", "くん"]))
    letters = in_letters(kana)
    names = [given.kanji, kana, letters, letters.title(), nickname, family.kanji + given.kanji, to_katakana(kana), None]
    name: str | None = chance.choices(names, (22, 16, 10, 10, 14, 14, 6, 8))[0]
    return f"{name}{chance.choice('🌸✨🐶☆♪')}" if name and chance.random() < 0.2 else name


def _name(world: World, chance: random.Random, family: Name, given: Name, source: str) -> str:
    script = chance.choices(range(6), world.script)[0]
    if source == "till" and script == 0 and chance.random() < 0.4:
        script = 2
    if chance.random() < world.typing_slip:
        family, given = (
            (misspelled(family, chance), given) if chance.random() < 0.3 else (family, misspelled(given, chance))
        )
    space = chance.choice([" ", " ", "　", ""]) if script == 0 else " "
    f, g = in_letters(family.kana), in_letters(given.kana)
    old_form = (
        family.kanji.translate(str.maketrans("高斎辺崎浜沢広", "髙齋邊﨑濱澤廣"))
        if chance.random() < 0.15
        else family.kanji
    )
    return [
        f"{old_form}{space}{given.kanji}", f"{to_katakana(family.kana)} {to_katakana(given.kana)}",
        to_katakana(f"{family.kana} {given.kana}", half=True), chance.choice([f"{family.kanji}{given.kanji}", f"{family.kanji} {given.kana}"]),
        chance.choice([f"{f} {g}".upper(), f"{g} {f}".title(), f"{f} {g}".title()]), family.kanji,
    ][script]  # fmt: skip


def _reading(world: World, chance: random.Random, family: Name, given: Name) -> str:
    if chance.random() < world.typing_slip:
        given = misspelled(given, chance)
    text = f"{family.kana}{chance.choice([' ', ' ', '　', ''])}{given.kana}"
    return chance.choice([to_katakana(text), to_katakana(text), to_katakana(text, half=True), text])


def _slip(chance: random.Random, text: str) -> str:
    """Two neighbours swapped, or one character another."""
    place = chance.randrange(max(len(text) - 1, 1))
    if chance.random() < 0.5 and len(text) > 1:
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return (
        text[:place]
        + (chance.choice("0123456789") if text[place].isdigit() else chance.choice("aeiou"))
        + text[place + 1 :]
    )


def _phone(world: World, chance: random.Random, person: Person, place: int) -> str:
    if chance.random() < world.placeholder:
        return chance.choice(["00000000000", "090-0000-0000", "0000000000", "09012345678", "080-1111-1111"])
    digits = chance.choice(person.shared) if person.shared and chance.random() < 0.4 else person.phones[place]
    if chance.random() < world.digit_slip:
        digits = digits[:3] + _slip(chance, digits[3:])
    cut = (3, 7) if len(digits) == 11 else (2, 6)
    parts = (digits[: cut[0]], digits[cut[0] : cut[1]], digits[cut[1] :])
    wide = str.maketrans("0123456789-", "０１２３４５６７８９－")
    return chance.choice(
        ["-".join(parts), digits, digits, f"+81{digits[1:]}", " ".join(parts), "-".join(parts).translate(wide)]
    )


def _typed_mail(world: World, chance: random.Random, mail: str) -> str:
    if chance.random() < world.placeholder / 2:
        return chance.choice(["noreply@example.com", "none@example.com", "dummy@example.com"])
    if chance.random() < world.digit_slip:
        local, domain = mail.split("@")
        mail = f"{_slip(chance, local)}@{domain}"
    return chance.choice([mail, mail, mail, mail.upper(), mail.capitalize(), f" {mail}"])


def _typed_address(chance: random.Random, prefecture: str, block: str, building: str) -> str:
    numbers = block.lstrip("".join(set(block) - set("0123456789-")))
    town = block[: len(block) - len(numbers)]
    chome, banchi, go = numbers.split("-")
    wide = str.maketrans("0123456789-", "０１２３４５６７８９－")
    typed = chance.choice(
        [f"{chome}-{banchi}-{go}", f"{chome}丁目{banchi}番{go}号", f"{chome}丁目{banchi}-{go}", numbers.translate(wide)]
    )
    head = "" if chance.random() < 0.15 else prefecture
    tail = "" if chance.random() < 0.3 else chance.choice([" ", "　", ""]) + building
    return f"{head}{town}{typed}{tail}".strip()


def _birth(world: World, chance: random.Random, birth: tuple[int, int, int]) -> str:
    if chance.random() < world.placeholder:
        return chance.choice(["1900-01-01", "1970-01-01"])
    year, month, day = birth
    if chance.random() < world.digit_slip:
        year, month, day = chance.choice(
            [(year + 1, month, day), (year, month % 12 + 1, day), (year, month, day % 28 + 1)]
        )
    _, era, letter, before = next(known for known in ERAS if year >= known[0])
    return chance.choice([
        f"{year}-{month:02}-{day:02}", f"{year}-{month:02}-{day:02}", f"{year}/{month}/{day}", f"{year}{month:02}{day:02}",
        f"{year}年{month}月{day}日", f"{era}{year - before}年{month}月{day}日", f"{letter}{year - before}.{month}.{day}",
    ])  # fmt: skip
