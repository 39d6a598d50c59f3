"""How an order goes at Yamato Chaho: begun, placed, paid, shipped, given up, sent back; and carts left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.eccube.goods import DAY
from sandbox.eccube.records import Change, Record, Row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

DELIVERY_FEE, FREE_FROM, CASH_CHARGE = 600, 5000, 330
CARRIER = "ヤマト運輸"
ORDERER = (
    *("name01", "name02", "kana01", "kana02", "email", "phone_number", "postal_code"),
    *("pref_id", "pref", "addr01", "addr02", "birth", "sex_id"),
)
RECIPIENT = tuple(name for name in ORDERER if name not in ("email", "birth", "sex_id"))


def invent_order(
    random: Random, at: int, typed: Row, owner: Record | None, products: list[Record], truth: int
) -> Record:
    """Invent one order of a person: its items, and all that will happen to it."""
    payment = random.choice((1, 1, 1, 2, 3))
    items = list(invent_items(random, products, payment))
    goods = sum((item["price"] + item["tax"]) * item["quantity"] for item in items if item["order_item_type_id"] == 1)
    others = {kind: sum(i["price"] for i in items if i["order_item_type_id"] == kind) for kind in (2, 3, 4, 6)}
    total = goods + sum(others.values())
    values = {
        **{name: typed[name] for name in ORDERER},
        "subtotal": goods,
        "discount": -others[4] - others[6],
        "delivery_fee_total": others[2],
        "charge": others[3],
        "tax": sum(item["tax"] * item["quantity"] for item in items),
        "total": total,
        "payment_total": total,
        "payment_id": payment,
        "add_point": goods // 100,
        "use_point": -others[6],
        "device_type_id": random.choice((2, 2, 10)),
        "currency_code": "JPY",
        "order_status_id": 8,
        "pre_order_id": f"{random.getrandbits(160):040x}",
    }
    recipient = {**{name: typed[name] for name in RECIPIENT}, "delivery_name": CARRIER}
    has_shipping = random.random() >= 0.002
    begun = Change(at - random.randint(60, 600), values, recipient if has_shipping else {})
    changes = [begun, *(fate(random, at, payment) if has_shipping else ())]
    return Record(changes, parts=items, truth=truth, owner=owner)


def invent_items(random: Random, products: list[Record], payment: int) -> Iterator[Row]:
    """Fill an order: goods at the reduced tax rate, then delivery, charge, discount and points as rows of their own."""
    goods = 0
    chosen = random.sample(products, random.choice((1, 1, 2, 3)))
    for product in chosen:
        sold = random.choice([row for row in product.parts if row["visible"]])
        price, quantity = sold["price02"], random.choice((1, 1, 1, 2, 3))
        goods += (price + price * 8 // 100) * quantity
        yield item(1, product.changes[0].values["name"], price, quantity, 8, product_id=product.id, sold=sold)
    yield item(2, "送料", 0 if goods >= FREE_FROM else DELIVERY_FEE, 1, 10)
    if payment == 2:
        yield item(3, "手数料", CASH_CHARGE, 1, 10)
    if random.random() < 0.10:
        yield item(4, "クーポン割引", -(goods // 10), 1, 0)
    if random.random() < 0.08:
        yield item(6, "ポイント", -100, 1, 0)


def item(
    kind: int, name: str, price: int, quantity: int, rate: int, *, product_id: int = 0, sold: Row | None = None
) -> Row:
    """Write one row of an order: prices of goods are without tax, those of the other rows have it in them."""
    return {
        "order_item_type_id": kind,
        "product_name": name,
        "product_code": sold["product_code"] if sold else None,
        "class_name1": "内容量" if sold and sold["class_category"] else None,
        "class_category_name1": (sold["class_category"] or None) if sold else None,
        "product_id": product_id or None,
        "product_class_id": sold["id"] if sold else None,
        "price": price,
        "quantity": quantity,
        "tax": price * rate // 100 if kind == 1 else 0,
        "tax_rate": rate,
        "tax_adjust": 0,
        "tax_type_id": 1 if rate else 2,
        "tax_display_type_id": 1 if kind == 1 else 2,
        "rounding_type_id": 2,
        "currency_code": "JPY",
    }


def fate(random: Random, at: int, payment: int) -> Iterator[Change]:
    """Draw what happens to an order that was begun. Labels and corrections touch its shipping alone."""
    chance = random.random()
    if chance < 0.05:
        return  # left in the middle: stays 購入処理中
    if payment == 1:
        yield Change(at - 30, {"order_status_id": 7})
        if chance < 0.06:
            return  # the card was never answered for: stays 決済処理中
    yield Change(at, {"order_status_id": 1, "order_date": at} | ({"payment_date": at} if payment == 1 else {}))
    if chance < 0.09:
        yield Change(at + random.randint(600, DAY), {"order_status_id": 3})
        return
    if payment == 3:
        at += random.randint(DAY // 2, 3 * DAY)
        yield Change(at, {"order_status_id": 6, "payment_date": at})
    elif random.random() < 0.3:
        at += random.randint(1800, DAY // 2)
        yield Change(at, {"order_status_id": 4})
    yield from shipped(random, at + random.randint(DAY // 2, 3 * DAY), is_returned=chance > 0.985)


def shipped(random: Random, at: int, *, is_returned: bool) -> Iterator[Change]:
    """Send an order off: sometimes the label comes first, sometimes its number is corrected afterwards."""
    number = f"{random.randrange(10**12):012d}"
    if random.random() < 0.3:
        yield Change(at - random.randint(1800, 7200), shipping={"tracking_number": number})
    yield Change(at, {"order_status_id": 5}, {"tracking_number": number, "shipping_date": at})
    if random.random() < 0.15:
        correction = at + random.randint(3600, 2 * DAY)
        yield Change(correction, shipping={"tracking_number": f"{random.randrange(10**12):012d}"})
    if is_returned:
        yield Change(at + random.randint(3, 9) * DAY, {"order_status_id": 9})


def invent_cart(random: Random, owner: Record, at: int, products: list[Record]) -> Record:
    """Invent a cart that is left behind, and cleared when it is bought or forgotten."""
    parts: list[Row] = []
    for product in random.sample(products, random.choice((1, 2))):
        sold = random.choice([row for row in product.parts if row["visible"]])
        parts.append({"product_class_id": sold["id"], "price": sold["price02"] * 108 // 100, "quantity": 1})
    total = sum(part["price"] for part in parts)
    values = {
        "cart_key": f"{random.getrandbits(128):032x}_1",
        "total_price": total,
        "delivery_fee_total": 0,
        "add_point": 0,
        "use_point": 0,
        "sort_no": 1,
    }
    ends = at + int(random.uniform(3, 120) * DAY) if random.random() < 0.7 else None
    return Record([Change(at, values)], parts=parts, owner=owner, truth=owner.truth, deleted_at=ends)
