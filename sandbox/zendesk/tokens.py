"""OAuth tokens of the sandbox's Zendesk: given for client credentials, gone after their time by the sandbox's clock."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.setting import Setting

DEFAULT_SECONDS = 1_800
SHORTEST_SECONDS, LONGEST_SECONDS = 300, 172_800
TABLE = "create table if not exists zendesk_token (token text primary key, expires_at integer not null)"


class Tokens:
    """The access tokens that were given out, besides the sandbox's own, which never expires."""

    def __init__(self, setting: Setting) -> None:
        """Remember where tokens are kept."""
        self._setting, self._kept = setting, setting.state.connection
        with self._kept:
            self._kept.execute(TABLE)

    def create(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Give a token.

        Raises:
            KeyError: with the OAuth error code, for a grant that does not exist or a lifetime out of bounds.
            PermissionError: for a wrong client secret.
        """
        if asked.get("grant_type") != "client_credentials":
            raise KeyError("unsupported_grant_type")  # noqa: EM101
        if not asked.get("client_id") or asked.get("client_secret") != self._setting.token:
            raise PermissionError
        seconds = int(asked.get("expires_in", DEFAULT_SECONDS))
        if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
            raise KeyError("invalid_request")  # noqa: EM101
        expires = self._setting.clock.now() + seconds
        (count,) = self._kept.execute("select count(*) from zendesk_token").fetchone()
        token = sha256(f"zendesk/{count}/{expires}".encode()).hexdigest()
        with self._kept:
            self._kept.execute("insert into zendesk_token (token, expires_at) values (?, ?)", (token, expires))
        scope = asked.get("scope", "read")
        return {"access_token": token, "token_type": "bearer", "scope": scope, "expires_in": seconds}

    def is_valid(self, token: str) -> bool:
        """Tell whether a token is accepted now."""
        if token == self._setting.token:
            return True
        found = self._kept.execute("select expires_at from zendesk_token where token = ?", (token,)).fetchone()
        return found is not None and found[0] > self._setting.clock.now()
