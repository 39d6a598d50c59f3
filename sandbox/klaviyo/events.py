"""Klaviyo's events of the invented people: orders, things looked at, and what becomes of two welcome mails.

An event carries its own time, and a few reach the vendor hours after it: whoever reads by that time reads them late.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sandbox.klaviyo.profiles import DAY, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.klaviyo.profiles import Profile, Profiles
    from sandbox.records import Sale, World

METRICS = (
    ("Placed Order", "Shopify"),
    ("Viewed Product", "API"),
    ("Received Email", "Klaviyo"),
    ("Opened Email", "Klaviyo"),
    ("Clicked Email", "Klaviyo"),
    ("Subscribed to Email Marketing", "Klaviyo"),
    ("Unsubscribed from Email Marketing", "Klaviyo"),
    ("Bounced Email", "Klaviyo"),
)
LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
LATEST_ARRIVAL = 5 * 3600
FLOW_DAYS = (1, 4)


@dataclass(frozen=True, slots=True, order=True)
class Happening:
    """One event: its own time, its id, when the vendor learned of it, and what it says."""

    at: int
    id: str
    recorded: int = field(compare=False)
    metric: str = field(compare=False)
    profile_id: str = field(compare=False)
    sale: Sale | None = field(default=None, compare=False, repr=False)


class Events:
    """All events of the account, in the order of their own times."""

    def __init__(self, world: World, profiles: Profiles) -> None:
        """Invent nothing yet."""
        self._world, self._profiles = world, profiles

    @cached_property
    def _all(self) -> list[Happening]:
        sales = {(sale.truth, sale.at): sale for sale in self._world.sales}
        return sorted(one for owned in self._profiles.of_owner.values() for one in happenings(owned, sales))

    def between(self, begin: tuple[int, str], end: int, now: int) -> Iterator[Happening]:
        """Give the events after (time, id) `begin` and before `end` that the vendor knows of now."""
        for position in range(bisect_left(self._all, begin, key=lambda one: (one.at, one.id)), len(self._all)):
            one = self._all[position]
            if one.at >= end or one.at > now:
                return
            if one.recorded <= now and (one.at, one.id) != begin:
                yield one


def happenings(owned: list[Profile], sales: dict[tuple[int | None, int], Sale]) -> Iterator[Happening]:
    """Invent all events of a person, each with the profile that was theirs then."""
    human = owned[-1].owner
    random = Random(f"klaviyo/events/{human.number}")
    for metric, at, sale in acts(owned[-1], random, sales):
        profile = next((one for one in owned if one.exists(at)), owned[-1])
        late = random.randint(60, LATEST_ARRIVAL) if random.random() < 0.03 else 0
        yield Happening(at, event_id(human.number, metric, at), at + late, metric, profile.id, sale)


def acts(
    profile: Profile, random: Random, sales: dict[tuple[int | None, int], Sale]
) -> Iterator[tuple[str, int, Sale | None]]:
    """Give what a person does and is sent, as (metric, time, order)."""
    human = profile.owner
    for at in human.purchases:
        yield "Viewed Product", at - random.randint(60, 3000), None
        yield "Placed Order", at, sales.get((human.number, at))
    for consent in profile.consents:
        if consent.suppression == "HARD_BOUNCE":
            yield "Bounced Email", consent.since, None
        elif consent.state == "SUBSCRIBED":
            yield "Subscribed to Email Marketing", consent.since, None
        elif consent.state == "UNSUBSCRIBED":
            yield "Unsubscribed from Email Marketing", consent.since, None
    if profile.consents[0].state == "SUBSCRIBED":
        yield from welcome(human.arrives_at, random)


def welcome(arrived: int, random: Random) -> Iterator[tuple[str, int, Sale | None]]:
    """Give what becomes of the mails of the welcome flow."""
    for days in FLOW_DAYS:
        sent = arrived + days * DAY
        yield "Received Email", sent, None
        if random.random() < 0.4:
            opened = sent + random.randint(60, 40_000)
            yield "Opened Email", opened, None
            if random.random() < 0.3:
                yield "Clicked Email", opened + random.randint(5, 300), None


def properties(one: Happening) -> dict[str, Any]:
    """Write what an event says besides its time."""
    if one.metric == "Placed Order":
        known = {"$event_id": one.sale.key, "OrderNumber": one.sale.name} if one.sale else {}
        value = {"$value": float(one.sale.total), "$currency_code": one.sale.currency} if one.sale else {}
        items = [{"SKU": line.sku, "Quantity": line.quantity} for line in one.sale.lines] if one.sale else []
        return {**known, **value, "Items": items}
    if "Email" in one.metric and "Marketing" not in one.metric:
        return {"Subject": "はじめまして、椿ラボです", "$flow": "WelcomeJ1", "Campaign Name": "ウェルカムシリーズ"}
    return {}


def event_id(*parts: object) -> str:
    """Make an id of the vendor's form, which tells nothing."""
    digest = sha256("/".join(["klaviyo/event", *map(str, parts)]).encode()).digest()
    return "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:11])


def metric_id(name: str) -> str:
    """Make the id of a metric."""
    digest = sha256(f"klaviyo/metric/{name}".encode()).digest()
    return "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:6])


def describe_event(one: Happening) -> dict[str, Any]:
    """Write an event's attributes."""
    return {
        "timestamp": one.at,
        "event_properties": properties(one),
        "datetime": text_of(one.at),
        "uuid": str(UUID(bytes=sha256(one.id.encode()).digest()[:16])),
    }
