"""What a world consists of: shop accounts, sales, products and LINE friends, and all that happens to them.

Times are whole seconds since 1970-01-01 UTC: the vendors answer to the second, and integers sort and compare exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

EventKind = Literal["paid", "cancelled", "refunded", "refused"]


@dataclass(frozen=True, slots=True)
class Product:
    """A thing on sale."""

    key: str
    sku: str
    title: str
    category: str
    price: Decimal
    created_at: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order."""

    sku: str
    title: str
    quantity: int
    unit_price: Decimal
    category: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to an order after it was placed."""

    at: int
    kind: EventKind
    amount: Decimal = Decimal(0)


@dataclass(slots=True)
class Sale:
    """One order. `truth` is the person behind it, which no vendor shows."""

    key: str
    name: str
    at: int
    account: int | None
    total: Decimal
    currency: str
    lines: Sequence[Line] = ()
    email: str | None = None
    phone: str | None = None
    channel: str = "web"
    is_test: bool = False
    is_paid: bool = True
    discount: Decimal = Decimal(0)
    shipping: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    discount_code: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    events: Sequence[Event] = ()
    truth: int | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address as the customer typed it."""

    postal_code: str | None
    prefecture_code: str | None
    prefecture: str | None
    city: str | None
    line1: str | None
    line2: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """What a shop account says about its owner from one moment on."""

    since: int
    family_name: str | None = None
    given_name: str | None = None
    family_name_kana: str | None = None
    given_name_kana: str | None = None
    email: str | None = None
    phone: str | None = None
    address: Address | None = None
    birth_date: str | None = None
    consents_to_email: bool | None = None
    tags: Sequence[str] = ()


@dataclass(slots=True)
class Account:
    """A customer record of the shop: its profiles in order of time, and its owner (`truth`)."""

    key: str
    profiles: Sequence[Profile]
    truth: int | None = None

    @property
    def created_at(self) -> int:
        """When the account came into being."""
        return self.profiles[0].since


@dataclass(frozen=True, slots=True)
class Friend:
    """A LINE user and the spans of time (from, to) in which the shop's account was a friend, not blocked."""

    user_id: str
    display_name: str
    spans: Sequence[tuple[int, int | None]]
    truth: int | None = None
    discloses_language: bool = True


@dataclass(frozen=True, slots=True)
class Human:
    """One invented person as they truly are: every vendor's records of them are made from this, and none shows it.

    Names are (kanji, kana, romaji). `line_user_id` is None for who never is a LINE friend; `linked_at` is when the shop
    learned whose LINE account it is. Times are seconds since 1970.
    """

    number: int
    family: tuple[str, str, str]
    given: tuple[str, str, str]
    birth_date: date
    email: str
    other_email: str
    mobile: str
    address: Address
    arrives_at: int
    purchases: Sequence[int]
    is_regular: bool
    line_user_id: str | None
    friend_spans: Sequence[tuple[int, int | None]]
    linked_at: int | None


@dataclass(slots=True)
class World:
    """Everything that happens, past and to come, and the moment at which a fresh sandbox starts to look at it.

    `humans` are the invented persons; a replayed order history has none, and then only its own vendor has records.
    """

    name: str
    starts_at: int
    timezone: str
    currency: str
    products: Sequence[Product]
    accounts: Sequence[Account]
    sales: Sequence[Sale]
    friends: Sequence[Friend]
    identity: Mapping[str, str | int] = field(default_factory=dict)
    humans: Sequence[Human] = ()
