"""How the invented customers behave: when they buy, come back and stay away, what they order, and what goes wrong.

The rates are set so that 30 to 40 % of first-time buyers buy again within 90 days, as such brands report.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from sandbox.records import EventKind, Line

if TYPE_CHECKING:
    from random import Random

DAY = 86_400
JAPAN_OFFSET = 9 * 3600
FREE_SHIPPING_FROM = 5_000
SHIPPING = 550
GOODS: tuple[tuple[str, str, str, int, float], ...] = (
    ("SK-001", "椿うるおい化粧水 150ml", "スキンケア", 3960, 10),
    ("SK-002", "米ぬか美容液 30ml", "スキンケア", 6600, 6),
    ("SK-003", "柚子保湿クリーム 50g", "スキンケア", 4950, 7),
    ("SK-004", "緑茶クレンジングバーム 90g", "スキンケア", 3300, 6),
    ("MK-001", "紅花リップティント", "メイク", 2420, 5),
    ("MK-002", "シルクフェイスパウダー", "メイク", 4180, 3),
    ("HC-001", "椿油ヘアオイル 60ml", "ヘアケア", 2970, 5),
    ("HC-002", "海藻シャンプー 400ml", "ヘアケア", 2640, 5),
    ("FD-001", "国産はちみつ 200g", "食品", 2160, 4),
    ("FD-002", "有機抹茶パウダー 80g", "食品", 1944, 4),
    ("SP-001", "コラーゲンゼリー 30包", "サプリメント", 5400, 5),
    ("SP-002", "乳酸菌サプリ 60粒", "サプリメント", 3240, 5),
)
SAMPLE = ("TR-000", "はじめてお試しサンプル", "お試し", 0, 0)
WEIGHTS = [goods[4] for goods in GOODS]
Happening = tuple[int, EventKind, int]


@dataclass(slots=True)
class Visit:
    """One order as it is placed, and what happens to it afterwards."""

    at: int
    lines: tuple[Line, ...]
    total: int
    discount: int
    shipping: int
    discount_code: str | None
    channel: str
    is_test: bool = False
    is_paid: bool = True
    events: list[Happening] = field(default_factory=list)


@dataclass(slots=True)
class Shopper:
    """What one person does."""

    arrives_at: int
    is_regular: bool
    is_guest: bool
    has_second_account: bool
    visits: list[Visit]
    friend_spans: tuple[tuple[int, int | None], ...]
    linked_at: int | None


def invent_shopper(random: Random, first: int, horizon: int) -> Shopper:
    """Invent one person's behaviour from their first moment on."""
    is_regular = random.random() < 0.14
    is_prospect = random.random() < 0.05
    moments = [] if is_prospect else buying_moments(random, first, horizon, is_regular=is_regular)
    channel = "subscription_contract" if is_regular else random.choice(("web", "web", "web", "web", "580111", "pos"))
    visits = [
        invent_visit(random, at, "web" if turn == 0 else channel, is_first=turn == 0) for turn, at in enumerate(moments)
    ]
    if visits and random.random() < 0.04:
        visits.insert(0, sample_visit(at_daytime(random, first - random.randint(5, 20) * DAY)))
    arrives = min([first, *(visit.at for visit in visits)]) - random.randint(60, 1800)
    spans = friend_spans(random, first)
    linked_at = None
    if spans and random.random() < 0.8:
        linked_at = spans[0][0] + random.choice((0, 0, 0, 0, 2, 20)) * DAY
    is_guest = bool(visits) and random.random() < 0.09
    return Shopper(arrives, is_regular, is_guest, random.random() < 0.08, visits, spans, linked_at)


def buying_moments(random: Random, first: int, horizon: int, *, is_regular: bool) -> list[int]:
    """Draw the moments of a person's purchases: regulars come monthly, others once in a while or never again."""
    moments = [first]
    while True:
        turn = len(moments)
        again = 0.92 if is_regular else (0.37 if turn == 1 else 0.58)
        if random.random() >= again:
            return moments
        at = at_daytime(random, moments[-1] + int(gap_days(random, is_regular=is_regular) * DAY))
        if at > horizon or len(moments) > 60:
            return moments
        moments.append(max(at, moments[-1] + 3600))


def gap_days(random: Random, *, is_regular: bool) -> float:
    """Draw the days to the next purchase: a month for regulars, for others a week or until it is used up."""
    if is_regular:
        return max(0.3, random.gauss(30, 4))
    return random.uniform(0.5, 7) if random.random() < 0.13 else max(0.3, random.lognormvariate(3.8, 0.8))


def at_daytime(random: Random, moment: int) -> int:
    """Move a moment to an hour at which people shop in Japan."""
    midnight = moment - (moment + JAPAN_OFFSET) % DAY
    return midnight + int(random.triangular(7, 24, 21) * 3600) % DAY


def invent_visit(random: Random, at: int, channel: str, *, is_first: bool) -> Visit:
    """Invent one order."""
    lines = invent_lines(random)
    subtotal = int(sum(line.unit_price * line.quantity for line in lines))
    has_code = is_first and random.random() < 0.2
    discount = subtotal // 10 if has_code else 0
    shipping = 0 if subtotal - discount >= FREE_SHIPPING_FROM else SHIPPING
    total = subtotal - discount + shipping
    is_paid = random.random() >= 0.12
    code = "WELCOME10" if has_code else None
    visit = Visit(at, lines, total, discount, shipping, code, channel, is_paid=is_paid)
    let_go_wrong(random, visit)
    return visit


def invent_lines(random: Random) -> tuple[Line, ...]:
    """Fill a basket: mostly one to three things, rarely a gift of almost everything."""
    size = 11 if random.random() < 0.004 else random.choice((1, 1, 1, 2, 2, 3, 3, 4))
    chosen = random.sample(GOODS, size) if size > 4 else dict.fromkeys(random.choices(GOODS, WEIGHTS, k=size))
    return tuple(
        Line(sku, title, 1 if random.random() < 0.86 else random.randint(2, 3), Decimal(price), category)
        for sku, title, category, price, _ in chosen
    )


def let_go_wrong(random: Random, visit: Visit) -> None:
    """Let a few orders be tests, cancelled, refunded, or refused at the door; cash on delivery is paid days later."""
    chance = random.random()
    days = random.randint(3, 9) * DAY + random.randint(0, 36_000)
    if chance < 0.004:
        visit.is_test = True
    elif chance < 0.019:
        visit.events.append((visit.at + random.randint(600, 72_000), "cancelled", 0))
    elif chance < 0.029:
        visit.is_paid = True
        visit.events.append((visit.at + days + 3 * DAY, "refunded", visit.total))
    elif chance < 0.041:
        visit.is_paid = True
        visit.events.append((visit.at + days + 3 * DAY, "refunded", int(visit.lines[0].unit_price)))
    elif chance < 0.048:
        visit.is_paid = False
        visit.events.append((visit.at + days, "refused", 0))
    elif not visit.is_paid:
        visit.events.append((visit.at + days, "paid", 0))


def sample_visit(at: int) -> Visit:
    """Invent an order of the free sample."""
    sku, title, category, price, _ = SAMPLE
    return Visit(at, (Line(sku, title, 1, Decimal(price), category),), 0, 0, 0, None, "web")


def friend_spans(random: Random, first: int) -> tuple[tuple[int, int | None], ...]:
    """Draw when a person is a LINE friend: close to half become one, some block us, a few of those come back."""
    if random.random() >= 0.45:
        return ()
    begin = first + int(random.choice((-1.0, -0.01, -0.01, -0.01, 3.0, 30.0)) * random.random() * DAY)
    if random.random() >= 0.2:
        return ((begin, None),)
    blocked = begin + int(random.expovariate(1 / 150) * DAY) + 3600
    if random.random() >= 0.15:
        return ((begin, blocked),)
    return ((begin, blocked), (blocked + int(random.uniform(10, 90) * DAY), None))
