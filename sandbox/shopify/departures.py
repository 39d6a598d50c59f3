"""Records that vanish: accounts the shop merges or deletes, persons it has to forget, test orders it clears away.

No query of the vendor shows any of it; only its webhooks tell. A replayed history has no people, and nothing vanishes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.records import World

DAY = 86_400


@dataclass(slots=True)
class Departures:
    """When what vanishes, by position in the world; a merged account also says into which other."""

    merged: dict[int, tuple[int, int]] = field(default_factory=dict)
    deleted_accounts: dict[int, int] = field(default_factory=dict)
    redacted_accounts: dict[int, int] = field(default_factory=dict)
    deleted_sales: dict[int, int] = field(default_factory=dict)

    def owner(self, account: int, at: int) -> int:
        """Give the account that has an account's orders at a moment."""
        merge = self.merged.get(account)
        return account if merge is None or merge[0] > at else merge[1]

    def ends_of_accounts(self) -> dict[int, int]:
        """Say when accounts vanish, merged or deleted."""
        return {**self.deleted_accounts, **{account: at for account, (at, _) in self.merged.items()}}


def find_departures(world: World) -> Departures:
    """Find what vanishes from a world; the same each time."""
    found = Departures()
    if not world.humans:
        return found
    buyers = {sale.account for sale in world.sales}
    owned: dict[int, list[int]] = {}
    for position, account in enumerate(world.accounts):
        if account.truth is not None:
            owned.setdefault(account.truth, []).append(position)
        if position not in buyers:
            leave(world, position, found)
    merge_some(world, owned, found)
    for position, sale in enumerate(world.sales):
        if sale.is_test and Random(f"shopify/test/{sale.key}").random() < 0.5:
            last = max([sale.at, *(event.at for event in sale.events)])
            found.deleted_sales[position] = last + 5 * DAY
    return found


def merge_some(world: World, owned: Mapping[int, Sequence[int]], found: Departures) -> None:
    """Merge the accounts of some who have two; the vendor refuses those that have subscription contracts."""
    regulars = {human.number for human in world.humans if human.is_regular}
    for number, accounts in owned.items():
        random = Random(f"shopify/merge/{number}")
        if len(accounts) > 1 and number not in regulars and random.random() < 0.4:
            kept, gone = accounts[0], accounts[1]
            found.merged[gone] = (world.accounts[gone].created_at + random.randint(10, 90) * DAY, kept)


def leave(world: World, position: int, found: Departures) -> None:
    """Let some who never bought be deleted or, at their wish, be forgotten."""
    account = world.accounts[position]
    random = Random(f"shopify/leave/{account.key}")
    chance = random.random()
    at = max(profile.since for profile in account.profiles) + random.randint(20, 200) * DAY
    if chance < 0.15:
        found.deleted_accounts[position] = at
    elif chance < 0.3:
        found.redacted_accounts[position] = at
