"""Delivers the vendors' webhooks to whoever subscribed, when the clock moves on; what is not taken is sent again.

What is due is written down before it is sent, so a sandbox killed in between sends it at the next advance.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import orjson

from sandbox.faults import DELIVERY
from sandbox.webhooks import Webhook

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

    from sandbox.faults import Faults
    from sandbox.setting import Setting

TABLES = """
create table if not exists webhook_subscription (vendor text primary key, url text not null) without rowid;
create table if not exists webhook_delivery (
  id integer primary key, vendor text not null, at integer not null, attempts integer not null default 0,
  headers text not null, body blob not null
);
"""
# For how long a vendor goes on trying. EC-CUBE sends once, within the shopper's own request. LINE says of its
# redelivery only that it ends; Zendesk tries three times and Intercom once more, all within minutes.
HOUR = 3_600
RETRY_SECONDS = {"shopify": 4 * HOUR, "eccube": 0, "line": HOUR, "sendgrid": 24 * HOUR, "klaviyo": 48 * HOUR}
OTHERS_RETRY_SECONDS = 5 * 60
ANSWER_SECONDS = 5.0
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook on its way, by its number in the state."""

    number: int
    attempts: int
    webhook: Webhook


class Deliveries:
    """Subscriptions, and what is on its way to them."""

    def __init__(self, setting: Setting, faults: Faults, modules: Mapping[str, ModuleType]) -> None:
        """Prepare the tables."""
        self._setting, self._faults = setting, faults
        self._modules = {name: module for name, module in modules.items() if hasattr(module, "webhooks")}
        self._state = setting.state.connection
        with self._state:
            self._state.executescript(TABLES)

    def subscribe(self, vendor: str, url: str) -> None:
        """Send a vendor's webhooks to `url` from now on; an empty one ends it.

        Raises:
            KeyError: when the vendor sends none.
        """
        if vendor not in self._modules:
            raise KeyError(vendor)
        with self._state:
            self._state.execute("delete from webhook_subscription where vendor = ?", (vendor,))
            if url:
                self._state.execute("insert into webhook_subscription (vendor, url) values (?, ?)", (vendor, url))

    def describe(self) -> dict[str, dict[str, str]]:
        """Show what a vendor's own console shows: where its webhooks go, and the secret to verify them with."""
        urls = self._urls()
        return {
            name: {"url": urls.get(name, ""), "secret": self._secret(module)} for name, module in self._modules.items()
        }

    def _secret(self, module: ModuleType) -> str:
        shown: str = (
            module.webhook_secret(self._setting) if hasattr(module, "webhook_secret") else self._setting.webhook_secret
        )
        return shown

    def _urls(self) -> dict[str, str]:
        return dict(self._state.execute("select vendor, url from webhook_subscription order by vendor"))

    async def deliver(self, since: int, until: int) -> dict[str, dict[str, int]]:
        """Send what is due in (since, until], and again what was not taken before; counts by vendor."""
        urls = self._urls()
        for vendor in urls:
            self._write_down(vendor, self._modules[vendor].webhooks(self._setting, since, until))
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, transport=self._setting.webhook_transport) as client:
            return {vendor: await self._send_all(client, vendor, url, until) for vendor, url in urls.items()}

    def _write_down(self, vendor: str, webhooks: Iterator[Webhook]) -> None:
        rows = ((vendor, one.at, orjson.dumps(dict(one.headers)).decode(), one.body) for one in webhooks)
        with self._state:
            self._state.executemany(
                "insert into webhook_delivery (vendor, at, headers, body) values (?, ?, ?, ?)", rows
            )

    async def _send_all(self, client: httpx.AsyncClient, vendor: str, url: str, now: int) -> dict[str, int]:
        """Send some at once, in order as far as that goes; when nobody is there the rest is not tried."""
        counts: Counter[str] = Counter()
        planned = list(self._with_faults(vendor))
        is_there = True
        for begin in range(0, len(planned), AT_ONCE):
            part = planned[begin : begin + AT_ONCE]
            tried = [self._send(client, url, delivery) for delivery in part] if is_there else []
            statuses = await asyncio.gather(*tried) if tried else [0] * len(part)
            is_there = any(statuses)
            for delivery, status in zip(part, statuses, strict=True):
                counts[self._settle(delivery, status, now)] += 1
        return dict(counts)

    def _with_faults(self, vendor: str) -> Iterator[Delivery]:
        """Give what waits, less what gets lost, twice what is doubled, and last what is out of order."""
        late = []
        for delivery in self._waiting(vendor):
            kinds = set()
            for fault in self._faults.due(vendor, DELIVERY):
                self._faults.spend(fault)
                kinds.add(fault.kind)
            if "webhook_lost" in kinds:
                self._forget(delivery)
                continue
            times = 2 if "webhook_duplicate" in kinds else 1
            if "webhook_disorder" in kinds:
                late += [delivery] * times
            else:
                yield from [delivery] * times
        yield from late

    def _waiting(self, vendor: str) -> list[Delivery]:
        query = "select id, attempts, at, body, headers from webhook_delivery where vendor = ? order by at, id"
        return [
            Delivery(number, attempts, Webhook(vendor, at, body, orjson.loads(headers)))
            for number, attempts, at, body, headers in self._state.execute(query, (vendor,))
        ]

    async def _send(self, client: httpx.AsyncClient, url: str, delivery: Delivery) -> int:
        """Send one and return the status; 0 when there was no answer."""
        webhook = delivery.webhook
        module = self._modules[webhook.vendor]
        if delivery.attempts and hasattr(module, "redelivered"):
            webhook = module.redelivered(self._setting, webhook)
        try:
            return (await client.post(url, content=webhook.body, headers=dict(webhook.headers))).status_code
        except httpx.HTTPError:
            return 0

    def _settle(self, delivery: Delivery, status: int, now: int) -> str:
        """Forget what was taken or is too old to be sent again; say which."""
        if 200 <= status < 300:
            self._forget(delivery)
            return "delivered"
        if delivery.webhook.at + RETRY_SECONDS.get(delivery.webhook.vendor, OTHERS_RETRY_SECONDS) <= now:
            self._forget(delivery)
            return "given_up"
        with self._state:
            self._state.execute("update webhook_delivery set attempts = attempts + 1 where id = ?", (delivery.number,))
        return "waiting"

    def _forget(self, delivery: Delivery) -> None:
        with self._state:
            self._state.execute("delete from webhook_delivery where id = ?", (delivery.number,))
