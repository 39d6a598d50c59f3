"""What the shop's pages saw of the invented people: GA4 events of a day, as known at a moment, and KARTE's log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sandbox.exports.people import DAY, digits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sandbox.records import Human, Sale, World

JAPAN_OFFSET = 9 * 3600
SHOP = "https://shop.example.jp"
VALUE = pa.struct(
    [
        ("string_value", pa.string()),
        ("int_value", pa.int64()),
        ("float_value", pa.float64()),
        ("double_value", pa.float64()),
    ]
)
ITEM = pa.struct(
    [("item_id", pa.string()), ("item_name", pa.string()), ("price", pa.float64()), ("quantity", pa.int64())]
)
SCHEMA = pa.schema(
    [
        ("event_date", pa.string()),
        ("event_timestamp", pa.int64()),
        ("event_name", pa.string()),
        ("event_params", pa.list_(pa.struct([("key", pa.string()), ("value", VALUE)]))),
        ("event_bundle_sequence_id", pa.int64()),
        ("user_pseudo_id", pa.string()),
        ("user_id", pa.string()),
        ("device", pa.struct([("category", pa.string()), ("operating_system", pa.string())])),
        ("geo", pa.struct([("country", pa.string()), ("region", pa.string())])),
        ("traffic_source", pa.struct([("source", pa.string()), ("medium", pa.string())])),
        ("platform", pa.string()),
        ("ecommerce", pa.struct([("transaction_id", pa.string()), ("purchase_revenue", pa.float64())])),
        ("items", pa.list_(ITEM)),
    ]
)
MESSAGE = '{"message_open": {"message": {"campaign_id": "k1"}}}'
Visit = tuple["Human", int, "Sale | None"]


class Web:
    """Visits by day; the events of a visit follow from it."""

    def __init__(self, world: World, sales: Mapping[tuple[int, int], Sale]) -> None:
        """Sort the purchases by their day in Japan, and the shop's ids by their owner."""
        self._world = world
        self._accounts = {account.truth: account.key for account in world.accounts}
        self._purchases: dict[int, list[Visit]] = {}
        for human in world.humans:
            for at in human.purchases:
                self._purchases.setdefault(day_number(at), []).append((human, at, sales.get((human.number, at))))

    def visits(self, day: int) -> Iterator[Visit]:
        """Give the visits of a day: those that bought, and some that only looked."""
        yield from self._purchases.get(day, ())
        random = Random(f"web/{day}")
        for _ in range(len(self._world.humans) // 200):
            human = random.choice(self._world.humans)
            at = day * DAY - JAPAN_OFFSET + random.randint(7 * 3600, DAY - 1800)
            if at > human.arrives_at:
                yield human, at, None

    def events(self, day: int, known_at: int) -> list[dict[str, Any]]:
        """Write a day as GA4 knows it at a moment: one event in ten arrives later, one in fifty is taken back."""
        found: list[dict[str, Any]] = []
        for human, at, sale in self.visits(day):
            for turn, event in enumerate(self._events_of(human, at, sale)):
                random = Random(f"ga4/{human.number}/{at}/{turn}")
                arrives = at + (random.randint(1, 3) * DAY if random.random() < 0.1 else 0)
                is_taken_back = random.random() < 0.02 and known_at > at + 2 * DAY
                if arrives <= known_at and not is_taken_back:
                    found.append(event)
        return sorted(found, key=lambda event: (event["event_timestamp"], event["user_pseudo_id"]))

    def karte_events(self, day: int) -> list[dict[str, Any]]:
        """Write a day of UTC, near enough, as KARTE's log has it."""
        return [
            {
                "sync_date": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
                "user_id": self._accounts.get(human.number) or client_id(human),
                "visitor_id": "v" + digits(f"karte/{human.number}", 12),
                "session_id": "s" + digits(f"karte/{human.number}/{at}", 12),
                "event_name": name,
                "values": MESSAGE if name == "message_open" else "{}",
            }
            for human, at, sale in self.visits(day)
            for name in ("view", "message_open", *(("buy",) if sale else ()))
        ]

    def _events_of(self, human: Human, at: int, sale: Sale | None) -> Iterator[dict[str, Any]]:
        names: Sequence[str] = ("session_start", "page_view", *(("view_item", "purchase") if sale else ("scroll",)))
        for turn, name in enumerate(names):
            moment = at - 60 * (len(names) - turn)
            yield {
                "event_date": datetime.fromtimestamp(moment, timezone(timedelta(hours=9))).strftime("%Y%m%d"),
                "event_timestamp": moment * 1_000_000 + turn,
                "event_name": name,
                "event_params": [
                    parameter("ga_session_id", at - 600),
                    parameter("page_location", f"{SHOP}/{'cart' if name == 'purchase' else 'products'}"),
                    parameter("page_title", "椿ラボ"),
                ],
                "event_bundle_sequence_id": turn + 1,
                "user_pseudo_id": client_id(human),
                "user_id": self._accounts.get(human.number) if sale else None,
                "device": {"category": "mobile", "operating_system": "iOS"},
                "geo": {"country": "Japan", "region": human.address.prefecture},
                "traffic_source": {"source": "google", "medium": "organic"},
                "platform": "WEB",
                "ecommerce": purchase(sale) if sale and name == "purchase" else None,
                "items": items(sale) if sale and name in {"view_item", "purchase"} else [],
            }


def client_id(human: Human) -> str:
    """The browser that a person mostly uses, as GA4 names it."""
    return f"{digits(f'ga4/{human.number}', 9)}.{human.arrives_at}"


def day_number(at: int) -> int:
    """Number the days of Japan."""
    return (at + JAPAN_OFFSET) // DAY


def parameter(key: str, value: str | int) -> dict[str, Any]:
    """Write an event's parameter."""
    return {"key": key, "value": {"int_value" if isinstance(value, int) else "string_value": value}}


def purchase(sale: Sale) -> dict[str, Any]:
    """Write what the shop tells GA4 of an order."""
    return {"transaction_id": sale.name, "purchase_revenue": float(sale.total)}


def items(sale: Sale) -> list[dict[str, Any]]:
    """Write an order's lines."""
    return [
        {"item_id": line.sku, "item_name": line.title, "price": float(line.unit_price), "quantity": line.quantity}
        for line in sale.lines
    ]
