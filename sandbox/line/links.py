"""Account linking: LINE's link tokens, the shop's nonces, and whose customer record each nonce stands for.

The user takes a link token to the shop's login; the shop issues a nonce and remembers for which customer; LINE is given
both and sends the nonce back in a webhook. The nonce is random on purpose: only the shop knows whom it means.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.records import Account, World
    from sandbox.state import State

TOKEN_LIFETIME_SECONDS = 600
SHORTEST_NONCE, LONGEST_NONCE = 10, 255
TABLES = """
create table if not exists line_link_token (token text primary key, user_id text not null, issued integer not null);
create table if not exists line_account_link (at integer not null, user_id text not null, nonce text not null);
"""


class Link(NamedTuple):
    """A nonce that LINE was given: when (seconds), for which user; `customer` is the key of the shop's account."""

    at: int
    user_id: str
    nonce: str
    customer: str | None
    is_ok: bool = True


class LinkTokens:
    """The link tokens that were issued and not used yet, and the links that were made with them."""

    def __init__(self, state: State) -> None:
        """Keep them in the state file."""
        self._connection = state.connection
        with self._connection:
            self._connection.executescript(TABLES)

    def issue(self, token: str, user_id: str, now: int) -> None:
        """Remember a token."""
        with self._connection:
            self._connection.execute("insert into line_link_token values (?, ?, ?)", (token, user_id, now))

    def redeem(self, token: str, nonce: str, now: int) -> bool:
        """Use a token up; False when it is unknown, used, too old, or the nonce has not the form LINE asks for."""
        with self._connection:
            found = self._connection.execute(
                "delete from line_link_token where token = ? and issued > ? returning user_id",
                (token, now - TOKEN_LIFETIME_SECONDS),
            ).fetchall()
            if not found or not SHORTEST_NONCE <= len(nonce) <= LONGEST_NONCE:
                return False
            # The clock stands still: what happens now is told in the next span of time.
            self._connection.execute("insert into line_account_link values (?, ?, ?)", (now + 1, found[0][0], nonce))
        return True

    def made(self, since: int, until: int) -> list[Link]:
        """Give the links made in (since, until]."""
        query = "select at, user_id, nonce from line_account_link where at > ? and at <= ? order by at, nonce"
        return [
            Link(at, user_id, nonce, None) for at, user_id, nonce in self._connection.execute(query, (since, until))
        ]


def links(world: World) -> Iterator[Link]:
    """Give the account links of the world's people; one in twelve fails once before it succeeds."""
    accounts: dict[int | None, Account] = {}
    for account in world.accounts:
        accounts.setdefault(account.truth, account)
    for human in world.humans:
        if human.line_user_id is None or human.linked_at is None or human.number not in accounts:
            continue
        account = accounts[human.number]
        at = max(human.linked_at, account.created_at) + 60
        if human.number % 12 == 0:
            yield Link(at - 30, human.line_user_id, nonce_of(account.key, 0), account.key, is_ok=False)
        yield Link(at, human.line_user_id, nonce_of(account.key, 1), account.key)


def nonce_of(customer: str, attempt: int) -> str:
    """Make the nonce that the shop issued: it tells nothing."""
    return sha256(f"line/nonce/{customer}/{attempt}".encode()).hexdigest()[:40]


def nonce_owners(world: World) -> dict[str, str]:
    """Tell for which customer the shop issued each nonce: the shop's own table, which no vendor shows."""
    return {link.nonce: link.customer for link in links(world) if link.customer is not None}
