"""EC-CUBE 4 with its Web API plugin (api42 4.3): customers, orders with their items and shippings, products.

Surprises of this vendor:
- `orders` without `status` hides 購入処理中(8) and 決済処理中(7), `customers` hides 退会(3), `products` hides 廃止(3).
- A withdrawal overwrites the address with `<60 letters>@dummy.dummy`: the person did not change their address.
- Editing a shipping or an item leaves the order's `update_date` alone. Orders that are not shipped yet are therefore
  read again each time: there shippings are still edited, and they are few (the last days' orders). Once a day also the
  shipped ones of the last two weeks, for numbers corrected afterwards. What is older only a webhook tells.
- A customer without orders can be deleted for good: only a webhook tells, and asking by id proves it.
- `update_date` has seconds, is set before the commit: windows end two minutes before now and overlap by two.
- Money comes as a float of a DECIMAL: staging makes it numeric again.
- Nothing but the shop's own server limits the rate, and errors come with status 200.
- Carts are in the database only: with a connection of kind postgres or mysql the same streams are read there.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from kizuna.eccube import database
from kizuna.eccube.api import Reread, SearchReader, SearchStream, judge_eccube
from kizuna.http import READ_SECONDS, Client
from kizuna.inbox import InboxStream, open_inbox
from kizuna.oauth import CodeGrant, RenewedToken
from kizuna.reading import Reader, Stream, VendorCount, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from kizuna.settings import Connection

PERSON = "name01 name02 kana01 kana02 company_name postal_code addr01 addr02 phone_number Pref { id name }"

CUSTOMER = f"""
    id {PERSON} email birth first_buy_date last_buy_date buy_times buy_total point create_date update_date
    Status {{ id name }} Sex {{ id name }}
"""

ORDER = f"""
    id order_no pre_order_id {PERSON} email birth
    subtotal discount delivery_fee_total charge tax total payment_total add_point use_point currency_code
    payment_method create_date update_date order_date payment_date
    Customer {{ id }} OrderStatus {{ id name }} Sex {{ id name }} DeviceType {{ id name }} Payment {{ id method }}
    OrderItems {{
        id product_name product_code class_name1 class_category_name1 class_name2 class_category_name2
        price quantity tax tax_rate currency_code
        Product {{ id }} ProductClass {{ id }} OrderItemType {{ id name }} TaxDisplayType {{ id name }}
    }}
    Shippings {{
        id {PERSON} shipping_delivery_name shipping_delivery_time shipping_delivery_date shipping_date tracking_number
        create_date update_date
    }}
"""

PRODUCT = """
    id name create_date update_date Status { id name }
    ProductClasses {
        id code stock stock_unlimited price01 price02 visible currency_code create_date update_date
        ClassCategory1 { id name } ClassCategory2 { id name }
    }
"""

CHANGED = {"update_datetime_start": "DateTime", "update_datetime_end": "DateTime"}
SORTED = {"sortkey": "String", "sorttype": "String"}
EVERY_STATUS = ("1", "3", "4", "5", "6", "7", "8", "9")
# 新規受付, 対応中, 入金済み: placed, and not sent off yet. With 発送済み and 返品 once a day.
OPEN, OPEN_OR_SHIPPED = ("1", "4", "6"), ("1", "4", "5", "6", "9")

STREAMS = (
    SearchStream(
        "customers",
        updated="update_date",
        can_be_swept=True,
        node="customer",
        arguments={"customer_status": "[String]", **CHANGED, **SORTED},
        fixed={"customer_status": ("1", "2", "3"), "sortkey": "customer_id", "sorttype": "a"},
        limit=1000,
        selection=CUSTOMER,
    ),
    SearchStream(
        "orders",
        updated="update_date",
        can_be_swept=True,
        node="order",
        arguments={
            "status": "[String]",
            **CHANGED,
            "order_datetime_start": "DateTime",
            "order_datetime_end": "DateTime",
            **SORTED,
        },
        fixed={"status": EVERY_STATUS, "sortkey": "orderer", "sorttype": "a"},
        limit=200,
        selection=ORDER,
        reread=Reread("order_datetime", {"status": OPEN}, 90, {"status": OPEN_OR_SHIPPED}, 14),
    ),
    SearchStream(
        "products",
        updated="update_date",
        can_be_swept=True,
        node="product",
        arguments={"status": "[String]", **CHANGED},
        fixed={"status": ("1", "2", "3")},
        limit=500,
        selection=PRODUCT,
    ),
)


CARTS = Stream("carts", updated="update_date", is_snapshot=True)


class NoCarts(Reader):
    """What the Web API knows of carts: nothing. Its time never passes, so that no window of carts is ever read."""

    def start(self, lower: datetime, cursor: str | None) -> datetime:  # noqa: ARG002
        """Return a time that leaves nothing to read."""
        return lower

    def pages(self, window: Window) -> Iterator[list[object]]:  # noqa: ARG002
        """Yield nothing."""
        return iter(())

    def count(self, window: Window) -> VendorCount:  # noqa: ARG002
        """Count nothing."""
        return VendorCount(0)


@dataclass(frozen=True)
class EccubeSource:
    """A shop, read through its Web API, or with a connection of kind postgres or mysql from its database."""

    name: str
    streams: tuple[Stream, ...]
    oauth: CodeGrant
    overlap: timedelta = timedelta(minutes=2)
    hold_back: timedelta = timedelta(minutes=2)

    @contextmanager
    def open(
        self, stream_name: str, connection: Connection, sleep: Callable[[float], None], *, warehouse_url: str
    ) -> Iterator[Reader]:
        """Open one stream for reading."""
        if connection.kind in database.KINDS:
            with database.open_database(self.name, stream_name, connection) as reader:
                yield reader
            return
        if stream_name == CARTS.name:
            yield NoCarts()
            return
        stream = next(one for one in STREAMS if one.name == stream_name)
        seconds = float(connection.extra.get("read_seconds", READ_SECONDS))
        auth = RenewedToken(self.oauth, connection, warehouse_url, sleep)
        with ExitStack() as opened:
            inbox = opened.enter_context(open_inbox(self.name, warehouse_url))
            client = opened.enter_context(
                Client(
                    self.name, connection.base_url, {}, auth=auth, judge=judge_eccube, read_seconds=seconds, sleep=sleep
                )
            )
            yield SearchReader(stream, client, inbox)


SOURCE = EccubeSource(
    name="eccube",
    streams=(*STREAMS, CARTS, InboxStream()),
    oauth=CodeGrant("/{admin}/authorize", "/token", "read"),
)
