"""Who buys at Yamato Chaho: about half of the people, with an account or as guests, as they typed themselves there."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Any

from sandbox.eccube.goods import DAY, invent_products
from sandbox.eccube.orders import invent_cart, invent_order
from sandbox.eccube.records import Change, Record, Row, Shop
from sandbox.world_people import write_email

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.records import Human, World

HORIZON_DAYS = 180
SHARE_OF_ACCOUNTS, SHARE_OF_GUESTS = 0.42, 0.10
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class _Shops:
    """The one shop of a world, invented when it is first asked for."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __hash__(self) -> int:
        return id(self.world)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shops) and other.world is self.world


def shop_of(world: World) -> Shop:
    """Give the EC-CUBE shop of a world; one without humans (a replayed history) has an empty shop."""
    return _invented(_Shops(world))


def truth_of(world: World) -> dict[int, int]:
    """Give the human behind each customer of the shop, by the customer's id: for tests only."""
    return {customer.id: customer.truth for customer in shop_of(world).customers if customer.truth is not None}


@lru_cache(maxsize=4)
def _invented(shops: _Shops) -> Shop:
    world = shops.world
    if not world.humans:
        return Shop()
    products = invent_products(world.starts_at)
    customers: list[Record] = []
    orders: list[Record] = []
    carts: list[Record] = []
    for human in world.humans:
        live(human, world.starts_at, products, customers, orders, carts)
    numbered(customers)
    numbered(orders)
    numbered(carts)
    number_parts(orders)
    number_parts(carts)
    return Shop(customers, orders, products, carts)


def numbered(records: list[Record]) -> None:
    """Give ids in the order in which the records came into being."""
    records.sort(key=lambda record: record.created_at)
    for number, record in enumerate(records, start=1):
        record.id = record.shipping_id = number


def number_parts(records: list[Record]) -> None:
    """Give the rows below the records ids of their own table."""
    number = 0
    for record in records:
        for part in record.parts:
            number += 1
            part["id"] = number


def live(
    human: Human,
    opens: int,
    products: list[Record],
    customers: list[Record],
    orders: list[Record],
    carts: list[Record],
) -> None:
    """Write one person's records at this shop."""
    random = Random(f"eccube/{human.number}")
    chance = random.random()
    if chance >= SHARE_OF_ACCOUNTS + SHARE_OF_GUESTS:
        return
    begins = max(human.arrives_at + int(random.uniform(-200, 300) * DAY), opens - 700 * DAY)
    typed = typed_by(human, random)
    moments = list(buying_moments(random, begins, opens + HORIZON_DAYS * DAY))
    if chance >= SHARE_OF_ACCOUNTS:
        orders.extend(invent_order(random, at, typed, None, products, human.number) for at in moments[:2])
        return
    customer = Record([], truth=human.number)
    is_unconfirmed = random.random() < 0.05
    moments = [] if is_unconfirmed or random.random() < 0.12 else moments
    own: list[Record] = []
    for at in moments:
        owner = None if random.random() < 0.08 else customer
        own.append(invent_order(random, at, typed, owner, products, human.number))
    customer.changes = history(random, begins - 900, typed, own, is_unconfirmed=is_unconfirmed)
    if not moments and random.random() < 0.2:
        customer.deleted_at = customer.changes[-1].at + int(random.uniform(1, 200) * DAY)
    if random.random() < 0.12:
        carts.append(invent_cart(random, customer, customer.changes[-1].at + 3600, products))
    customers.append(customer)
    orders.extend(own)


def buying_moments(random: Random, begins: int, horizon: int) -> Iterator[int]:
    """Draw when somebody orders: once, or again after some weeks."""
    at = begins
    while at < horizon:
        yield at
        if random.random() > 0.55:
            return
        at += int(max(1.0, random.lognormvariate(3.7, 0.7)) * DAY)


def typed_by(human: Human, random: Random) -> Row:
    """Write down what a person types into this shop's forms, in the shape the forms bring it into.

    The forms make phones and postal codes digits and kana full width; what was imported by CSV kept its hyphens. Less
    than half give another address than at the other brand.
    """
    address = human.address
    mobile = human.mobile
    hyphens = f"{mobile[:3]}-{mobile[3:7]}-{mobile[7:]}"
    code = address.prefecture_code or "JP-13"
    return {
        "name01": human.family[0],
        "name02": human.given[0],
        "kana01": human.family[1],
        "kana02": human.given[1],
        "email": write_email(random, human.other_email if random.random() < 0.45 else human.email),
        "phone_number": hyphens if random.random() < 0.12 else mobile,
        "postal_code": (address.postal_code or "").replace("-", "") or None,
        "pref_id": int(code[-2:]),
        "pref": address.prefecture,
        "addr01": address.city,
        "addr02": " ".join(filter(None, (address.line1, address.line2))),
        "birth": human.birth_date if random.random() < 0.6 else None,
        "sex_id": random.choice((1, 2, 2, 4, None)),
    }


def history(random: Random, at: int, typed: Row, orders: list[Record], *, is_unconfirmed: bool) -> list[Change]:
    """Write what happens to an account: confirmed, bought with, moved house, withdrawn."""
    start: dict[str, Any] = {"customer_status_id": 1, "point": 0, "buy_times": 0, "buy_total": 0, **typed}
    changes = [Change(at, start)]
    if is_unconfirmed:
        return changes
    changes.append(Change(at + random.randint(60, 600), {"customer_status_id": 2}))
    changes.extend(purchases(orders))
    last = max(change.at for change in changes)
    if random.random() < 0.10:
        last += int(random.uniform(1, 150) * DAY)
        changes.append(Change(last, {"addr02": f"{random.randint(1, 9)}-{random.randint(1, 30)}"}))
    if random.random() < 0.08:
        last += int(random.uniform(2, 200) * DAY)
        dummy = "".join(random.choices(LETTERS, k=60)) + "@dummy.dummy"
        changes.append(Change(last, {"customer_status_id": 3, "email": dummy}))
    return sorted(changes, key=lambda change: change.at)


def purchases(orders: list[Record]) -> Iterator[Change]:
    """Count an account's completed orders in its own row, as the shop does when an order is placed."""
    times = total = 0
    for order in orders:
        placed = next((change for change in order.changes if change.values.get("order_date")), None)
        if order.owner is not None and placed is not None:
            times, total = times + 1, total + order.changes[0].values["payment_total"]
            counted = {"buy_times": times, "buy_total": total, "last_buy_date": placed.at, "point": total // 100}
            yield Change(placed.at, counted | ({"first_buy_date": placed.at} if times == 1 else {}))
