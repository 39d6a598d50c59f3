"""The records of the invented EC-CUBE shop: each is created once and changed from then on.

Columns are called as in EC-CUBE's tables (dtb_*). Times are seconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A record at one moment, or one row of a table.
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """New values from a moment on.

    A change of the row itself stamps `update_date`. Its parts (an order's `Shippings`) have stamps of their own, and
    changing only them leaves the row's as it was: EC-CUBE stamps what was changed and nothing above it.
    """

    at: int
    values: Mapping[str, Any] = field(default_factory=dict)
    shipping: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Record:
    """A customer, an order, a product or a cart: its changes in order of time, and its end where it has one.

    `truth` is the human behind it, `owner` the position of the customer that an order or cart belongs to.
    """

    changes: Sequence[Change]
    id: int = 0
    parts: Sequence[Row] = ()
    shipping_id: int = 0
    truth: int | None = None
    owner: Record | None = None
    deleted_at: int | None = None

    @property
    def created_at(self) -> int:
        """When it came into being."""
        return self.changes[0].at

    def is_there(self, now: int) -> bool:
        """Say whether it exists at a moment."""
        return self.created_at <= now and (self.deleted_at is None or now < self.deleted_at)

    def updated_at(self, now: int) -> int:
        """Give its `update_date` at a moment."""
        return max(change.at for change in self.changes if change.at <= now and change.values)

    def row(self, now: int) -> Row:
        """Give its columns at a moment."""
        row: Row = {}
        for change in self.changes:
            if change.at <= now:
                row.update(change.values)
        return {**row, "id": self.id, "create_date": self.created_at, "update_date": self.updated_at(now)}

    def shipping(self, now: int) -> Row | None:
        """Give the columns of an order's shipping at a moment; an order may still have none."""
        row: Row = {}
        stamp = 0
        for change in self.changes:
            if change.at <= now and change.shipping:
                row.update(change.shipping)
                stamp = change.at
        return {**row, "id": self.shipping_id, "create_date": self.created_at, "update_date": stamp} if row else None


@dataclass(slots=True)
class Shop:
    """Everything that the shop's database ever holds."""

    customers: Sequence[Record] = ()
    orders: Sequence[Record] = ()
    products: Sequence[Record] = ()
    carts: Sequence[Record] = ()

    def of(self, kind: str) -> Sequence[Record]:
        """Give the records of a kind: customers, orders, products or carts."""
        found: Sequence[Record] = getattr(self, kind)
        return found


# What the codes of master tables mean (mtb_*); the names are the ones a new shop is set up with.
ORDER_STATUSES = {
    1: "新規受付",
    3: "注文取消し",
    4: "対応中",
    5: "発送済み",
    6: "入金済み",
    7: "決済処理中",
    8: "購入処理中",
    9: "返品",
}
CUSTOMER_STATUSES = {1: "仮会員", 2: "本会員", 3: "退会"}
SEXES = {1: "男性", 2: "女性", 3: "その他", 4: "回答しない"}
ITEM_TYPES = {1: "商品", 2: "送料", 3: "手数料", 4: "割引", 5: "税", 6: "ポイント"}
TAX_TYPES = {1: "課税", 2: "不課税", 3: "非課税"}
TAX_DISPLAYS = {1: "税抜", 2: "税込"}
DEVICES = {2: "モバイル", 10: "PC"}
PRODUCT_STATUSES = {1: "公開", 2: "非公開", 3: "廃止"}
PAYMENTS = {1: "クレジットカード", 2: "代金引換", 3: "銀行振込"}
