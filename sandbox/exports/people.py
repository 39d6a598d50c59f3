"""What systems without an interface would export of the invented people: cards, 定期, reviews, NPS answers, DM lists.

Every list is (moment, row) in order of time; a row that changes is there again at the moment of its change.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

from sandbox.world_people import write_email, write_family_name, write_kana, write_phone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.records import Human, Sale, World

DAY = 86_400
JAPAN = timezone(timedelta(hours=9))
Row = dict[str, str]
Happening = tuple[int, Row]
STORES = (("S01", "渋谷店"), ("S02", "梅田店"), ("S03", "天神店"))
CANCEL_REASONS = ("価格が高い", "効果を感じない", "使い切れない", "肌に合わない", "その他")
COMMENTS = (
    "肌がしっとりします。",
    "香りが好みでした。\n次も買います。",
    '"お試し"から始めました。',
    "届くのが遅かった,残念。",
    "",
)


def card_number(human: Human) -> str:
    """The number on a person's store card."""
    return "7" + digits(f"pos/{human.number}", 11)


def contract_number(human: Human) -> str:
    """The number of a person's subscription contract."""
    return "T" + digits(f"tamago_repeat/{human.number}", 11)


def truth_of(world: World) -> dict[str, int]:
    """Tell whose each card and each contract is; for tests alone."""
    cards = {card_number(human): human.number for human in world.humans if has_card(human)}
    return cards | {contract_number(human): human.number for human in world.humans if is_subscriber(human)}


def has_card(human: Human) -> bool:
    """Three in ten hold a store card."""
    return Random(f"pos/{human.number}").random() < 0.3


def is_subscriber(human: Human) -> bool:
    """Regulars have a contract from their first purchase on."""
    return human.is_regular and bool(human.purchases)


def cards(world: World) -> Iterator[Happening]:
    """The till's card holders, again whenever their points change."""
    for human in world.humans:
        if not has_card(human):
            continue
        random = Random(f"pos/card/{human.number}")
        joined = human.arrives_at + random.randint(0, 90) * DAY
        code, name = random.choice(STORES)
        family = write_family_name(random, human.family[0])
        row = {
            "会員番号": card_number(human),
            "氏名": f"{family}　{human.given[0]}",
            "フリガナ": write_kana(random, f"{human.family[1]} {human.given[1]}"),
            "電話番号": write_phone(random, human.mobile),
            "生年月日": write_birthday(random, human.birth_date),
            "店舗コード": code,
            "店舗名": name,
            "DM": random.choice(("要", "要", "否")),
            "入会日": slashed(joined),
        }
        for number, at in enumerate([joined, *(at for at in human.purchases if at > joined)]):
            yield at, {**row, "ポイント": f"{number * 120:,}", "更新日": slashed_time(at)}


def contracts(world: World) -> Iterator[Happening]:
    """定期 contracts: at the start, after every delivery, and when one ends that nobody renewed for two months."""
    for human in world.humans:
        if not is_subscriber(human):
            continue
        random = Random(f"tamago_repeat/{human.number}")
        row = {
            "定期番号": contract_number(human),
            "顧客ID": digits(f"tamago_repeat/customer/{human.number}", 9),
            "メールアドレス": write_email(random, human.email),
            "商品名": "椿うるおい化粧水 150ml",
            "商品コード": "SK-001",
            "数量": "1",
            "定期価格": "¥3,564",
            "お届け周期": "30日ごと",
            "初回申込日": slashed_time(human.purchases[0]),
        }
        for count, at in enumerate(human.purchases, start=1):
            state = {"状態": "継続", "継続回数": str(count), "次回お届け日": slashed(at + 30 * DAY), "休止期限": ""}
            yield at, {**row, **state, "解約日": "", "解約理由": "", "更新日時": slashed_time(at)}
        ended = human.purchases[-1] + 60 * DAY
        state = {"状態": "解約", "継続回数": str(len(human.purchases)), "次回お届け日": "", "休止期限": ""}
        reason = {"解約日": slashed_time(ended), "解約理由": random.choice(CANCEL_REASONS)}
        yield ended, {**row, **state, **reason, "更新日時": slashed_time(ended)}


def cycles(world: World, sales: Mapping[tuple[int, int], Sale]) -> Iterator[Happening]:
    """The deliveries of the contracts: planned when the one before was shipped, skipped or shipped in time."""
    for human in world.humans:
        if not is_subscriber(human):
            continue
        number, customer = contract_number(human), digits(f"tamago_repeat/customer/{human.number}", 9)
        planned = human.purchases[0]
        for count, at in enumerate(human.purchases, start=1):
            sale = sales.get((human.number, at))
            row = {"定期番号": number, "回数": str(count), "顧客ID": customer, "お届け予定日": slashed(planned)}
            if at - planned > 15 * DAY:
                skipped = {"状態": "スキップ", "スキップ": "1", "受注番号": "", "出荷日": "", "金額": ""}
                yield planned, {**row, **skipped, "更新日時": slashed_time(planned)}
            amount = f"{int(sale.total):,}" if sale else ""
            shipped = {"状態": "出荷済", "スキップ": "0", "受注番号": sale.name if sale else "", "出荷日": slashed(at)}
            yield at, {**row, **shipped, "金額": amount, "更新日時": slashed_time(at)}
            planned = at + 30 * DAY


def reviews(world: World, sales: Mapping[tuple[int, int], Sale]) -> Iterator[Happening]:
    """One purchase in twelve is reviewed, some days later."""
    for human in world.humans:
        for turn, bought in enumerate(human.purchases):
            random = Random(f"reviews/{human.number}/{turn}")
            sale = sales.get((human.number, bought))
            if sale is None or not sale.lines or random.random() >= 0.08:
                continue
            at = bought + random.randint(5, 20) * DAY
            yield (
                at,
                {
                    "レビューID": "R" + digits(f"reviews/{human.number}/{turn}", 10),
                    "メールアドレス": write_email(random, human.email),
                    "注文番号": sale.name,
                    "商品コード": sale.lines[0].sku,
                    "商品名": sale.lines[0].title,
                    "評価": random.choice(("5", "5", "4", "4", "3", "２", "1")),
                    "タイトル": random.choice(("リピートします", "普通", "おすすめ", "")),
                    "本文": random.choice(COMMENTS),
                    "ニックネーム": human.given[1],
                    "公開": random.choice(("公開", "公開", "非公開")),
                    "投稿日時": slashed_time(at),
                    "更新日時": slashed_time(at),
                },
            )


def survey_answers(world: World) -> Iterator[Happening]:
    """One purchase in twenty is followed by an answer to the NPS survey, often from the other e-mail address."""
    for human in world.humans:
        for turn, bought in enumerate(human.purchases):
            random = Random(f"nps/{human.number}/{turn}")
            if random.random() >= 0.05:
                continue
            at = bought + random.randint(10, 25) * DAY
            yield (
                at,
                {
                    "回答ID": "N" + digits(f"nps/{human.number}/{turn}", 10),
                    "メールアドレス": random.choice((human.email, human.other_email)),
                    "おすすめ度": str(min(10, max(0, round(random.gauss(7.5, 2.2))))),
                    "理由": random.choice(COMMENTS),
                    "回答日時": slashed_time(at),
                },
            )


def mailing(world: World, at: int) -> Iterator[Row]:
    """The list that goes to the printer on the first of a month: one in twenty of the card holders who have bought."""
    month = datetime.fromtimestamp(at, JAPAN).strftime("%Y%m")
    for human in world.humans:
        if not has_card(human) or not human.purchases or human.purchases[0] > at:
            continue
        if Random(f"dm/{human.number}/{month}").random() < 0.05:
            home = human.address
            yield {
                "施策コード": f"DM{month}",
                "施策名": f"{int(month[4:])}月のご案内",
                "種別": "DM",
                "顧客番号": card_number(human),
                "氏名": f"{human.family[0]} {human.given[0]}",
                "郵便番号": home.postal_code or "",
                "住所": "".join(part or "" for part in (home.prefecture, home.city, home.line1, home.line2)),
                "発送日": slashed(at),
                "単価": "¥85",
            }


def write_birthday(random: Random, day: date) -> str:
    """Write a birthday as tills do, mostly in the Japanese calendar."""
    eras = (("平成", "H", date(1989, 1, 8)), ("昭和", "S", date(1926, 12, 25)))
    name, letter, first = next(era for era in eras if day >= era[2])
    year = day.year - first.year + 1
    long = f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日"
    return random.choice(
        (long, f"{letter}{year}.{day.month}.{day.day}", f"{letter}{year:02d}/{day:%m/%d}", f"{day:%Y/%m/%d}")
    )


def digits(text: str, count: int) -> str:
    """Make a number of so many digits that tells nothing."""
    return str(int(sha256(text.encode()).hexdigest(), 16))[:count]


def slashed(at: int) -> str:
    """Write a moment's day in Japan."""
    return datetime.fromtimestamp(at, UTC).astimezone(JAPAN).strftime("%Y/%m/%d")


def slashed_time(at: int) -> str:
    """Write a moment in Japan to the second."""
    return datetime.fromtimestamp(at, UTC).astimezone(JAPAN).strftime("%Y/%m/%d %H:%M:%S")
