"""An invented Japanese D2C brand: who its customers truly are, and all they do before and after the clock's start.

Each person has their own random stream, so a person is the same whatever the number of others. Nothing here is a real
person, address or phone number; e-mail addresses end in the reserved `example` domains.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sandbox.records import Account, Event, Friend, Human, Product, Profile, Sale, World
from sandbox.world_behaviour import DAY, GOODS, SAMPLE, Shopper, Visit, invent_shopper
from sandbox.world_people import (
    ADDRESSES,
    Person,
    invent_home,
    invent_person,
    write_address,
    write_email,
    write_family_name,
    write_kana,
    write_phone,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEZONE = "Asia/Tokyo"
DAYS_BEFORE = 730
DAYS_AFTER = 180
OPENING_HOUR = 9


@dataclass(slots=True)
class Draft:
    """A sale before it has its number: who, through which of their accounts."""

    visit: Visit
    person: Person
    account: int | None
    email: str | None
    phone: str | None
    line_user_id: str | None


def invent_world(customers: int, seed: int, anchor: date) -> World:
    """Invent the brand: `customers` persons up to the anchor date, and those who come after it."""
    opens = int(datetime.combine(anchor, time(OPENING_HOUR), ZoneInfo(TIMEZONE)).timestamp())
    persons = customers + round(customers * DAYS_AFTER / DAYS_BEFORE)
    accounts: list[Account] = []
    drafts: list[Draft] = []
    friends: list[Friend] = []
    humans: list[Human] = []
    for person, shopper in invent_people(persons, customers, seed, opens):
        humans.append(describe(person, shopper, seed))
        live(person, shopper, accounts, drafts, friends, Random(f"{seed}/records/{person.number}"))
    friends.extend(invent_onlookers(customers, seed, opens))
    order = sorted(range(len(accounts)), key=lambda position: (accounts[position].created_at, position))
    place = {position: rank for rank, position in enumerate(order)}
    for rank, position in enumerate(order):
        accounts[position].key = str(7_000_000_000_001 + rank)
    return World(
        name="Tsubaki Labo",
        starts_at=opens,
        timezone=TIMEZONE,
        currency="JPY",
        products=list(catalogue(opens - (DAYS_BEFORE + 60) * DAY)),
        accounts=[accounts[position] for position in order],
        sales=[number_sale(rank, draft, place) for rank, draft in enumerate(sorted(drafts, key=lambda d: d.visit.at))],
        friends=friends,
        identity={"kind": "invented", "customers": customers, "seed": seed, "anchor": anchor.isoformat()},
        humans=humans,
    )


def describe(person: Person, shopper: Shopper, seed: int) -> Human:
    """Write a person down as they truly are."""
    return Human(
        number=person.number,
        family=person.family,
        given=person.given,
        birth_date=person.birth_date,
        email=person.email,
        other_email=person.email.replace("@", ".2@"),
        mobile=person.mobile,
        address=write_address(Random(f"{seed}/home/{person.number}"), person.home),
        arrives_at=shopper.arrives_at,
        purchases=tuple(visit.at for visit in shopper.visits),
        is_regular=shopper.is_regular,
        line_user_id=line_user_id(person.number, "person") if shopper.friend_spans else None,
        friend_spans=shopper.friend_spans,
        linked_at=shopper.linked_at,
    )


def catalogue(created_at: int) -> Iterator[Product]:
    """List what is on sale."""
    for number, (sku, title, category, price, _) in enumerate((*GOODS, SAMPLE)):
        yield Product(str(8_000_000_000_001 + number), sku, title, category, Decimal(price), created_at)


def invent_people(persons: int, customers: int, seed: int, opens: int) -> Iterator[tuple[Person, Shopper]]:
    """Invent everybody; some live together, and then share a home and often a family name."""
    previous: Person | None = None
    for number in range(persons):
        random = Random(f"{seed}/person/{number}")
        is_couple = Random(f"{seed}/household/{number // 2}").random() < 0.22
        partner = previous if is_couple and number % 2 == 1 else None
        home = partner.home if partner else invent_home(random, random.randrange(len(ADDRESSES)), is_shared=is_couple)
        family = partner.family if partner and random.random() < 0.85 else None
        person = invent_person(random, number, home, family)
        first = first_moment(random, opens, is_future=number >= customers)
        yield person, invent_shopper(random, first, opens + DAYS_AFTER * DAY)
        previous = person


def first_moment(random: Random, opens: int, *, is_future: bool) -> int:
    """Draw when a person first turns up: the brand grows slowly, and those to come are spread over the days after."""
    if is_future:
        return opens + int(random.random() * DAYS_AFTER * DAY)
    return opens - int(random.random() ** 1.15 * DAYS_BEFORE * DAY) - 1


def live(
    person: Person,
    shopper: Shopper,
    accounts: list[Account],
    drafts: list[Draft],
    friends: list[Friend],
    random: Random,
) -> None:
    """Write one person's records: accounts, sales through them or as a guest, LINE friendship."""
    friend = befriend(person, shopper, random)
    if friend is not None:
        friends.append(friend)
    gives_landline = random.random() < (0.5 if person.home.is_shared else 0.1)
    digits = person.home.landline if gives_landline else person.mobile
    own: list[int] = []
    if not shopper.is_guest:
        own.append(open_account(person, digits, person.email, shopper.arrives_at, accounts, random, shopper))
    second_from = len(shopper.visits) // 2 if shopper.has_second_account and len(shopper.visits) > 1 else None
    for number, visit in enumerate(shopper.visits):
        if number == second_from and own:
            other = person.email.replace("@", ".2@")
            own.append(open_account(person, digits, other, visit.at - 60, accounts, random, shopper))
        as_guest = not own or random.random() < 0.03
        line = friend.user_id if friend and shopper.linked_at is not None and visit.at >= shopper.linked_at else None
        email = write_email(random, person.email)
        phone = write_phone(random, digits) if as_guest or random.random() < 0.3 else None
        drafts.append(Draft(visit, person, None if as_guest else own[-1], email, phone, line))


def open_account(
    person: Person, digits: str, email: str, at: int, accounts: list[Account], random: Random, shopper: Shopper
) -> int:
    """Write one shop account, and the change that some owners make later."""
    has_kana = random.random() < 0.8
    profile = Profile(
        since=at,
        family_name=write_family_name(random, person.family[0]),
        given_name=person.given[0],
        family_name_kana=write_kana(random, person.family[1]) if has_kana else None,
        given_name_kana=write_kana(random, person.given[1]) if has_kana else None,
        email=write_email(random, email),
        phone=write_phone(random, digits) if random.random() < 0.85 else None,
        address=write_address(random, person.home),
        birth_date=person.birth_date.isoformat() if random.random() < 0.6 else None,
        consents_to_email=random.choice((True, True, True, False, None)),
        tags=("定期",) if shopper.is_regular else (),
    )
    profiles = [profile]
    if random.random() < 0.08:
        since = at + int(random.uniform(10, 400) * DAY)
        if random.random() < 0.5:
            profiles.append(replace(profile, since=since, consents_to_email=not profile.consents_to_email))
        else:
            moved = replace(person.home, place=(person.home.place + 1) % len(ADDRESSES))
            profiles.append(replace(profile, since=since, address=write_address(random, moved)))
    accounts.append(Account("", profiles, person.number))
    return len(accounts) - 1


def befriend(person: Person, shopper: Shopper, random: Random) -> Friend | None:
    """Make the person a LINE friend if they become one."""
    if not shopper.friend_spans:
        return None
    name = random.choice(
        (person.given[0], person.given[1], person.given[2].capitalize(), f"{person.family[0]}{person.given[0]}")
    )
    return Friend(
        line_user_id(person.number, "person"), name, shopper.friend_spans, person.number, random.random() < 0.9
    )


def invent_onlookers(customers: int, seed: int, opens: int) -> Iterator[Friend]:
    """Invent LINE friends who never buy."""
    for number in range(round(customers * 0.06)):
        random = Random(f"{seed}/onlooker/{number}")
        begin = opens + int(random.uniform(-DAYS_BEFORE, DAYS_AFTER) * DAY)
        end = begin + int(random.expovariate(1 / 300) * DAY) + 1 if random.random() < 0.4 else None
        yield Friend(
            line_user_id(number, f"onlooker/{seed}"), f"ゲスト{number}", ((begin, end),), None, random.random() < 0.8
        )


def line_user_id(number: int, kind: str) -> str:
    """Make a LINE user id that tells nothing."""
    return "U" + sha256(f"{kind}/{number}".encode()).hexdigest()[:32]


def number_sale(rank: int, draft: Draft, place: dict[int, int]) -> Sale:
    """Give a drafted sale its number in order of time."""
    visit = draft.visit
    return Sale(
        key=str(5_000_000_000_001 + rank),
        name=f"#{1001 + rank}",
        at=visit.at,
        account=None if draft.account is None else place[draft.account],
        total=Decimal(visit.total),
        currency="JPY",
        lines=visit.lines,
        email=draft.email,
        phone=draft.phone,
        channel=visit.channel,
        is_test=visit.is_test,
        is_paid=visit.is_paid,
        discount=Decimal(visit.discount),
        shipping=Decimal(visit.shipping),
        tax=Decimal(visit.total * 10 // 110),
        discount_code=visit.discount_code,
        attributes={"line_user_id": draft.line_user_id} if draft.line_user_id else {},
        events=[Event(at, kind, Decimal(amount)) for at, kind, amount in visit.events],
        truth=draft.person.number,
    )
