"""OAuth2 as EC-CUBE's plugin gives it: authorization code and refresh, nothing else; a refresh token works once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.setting import Setting

CLIENT_ID = "sandbox-client"
# The first refresh token of every sandbox, so that a demo needs nobody to approve.
FIRST_REFRESH_TOKEN = "sandbox-refresh-token"  # noqa: S105
SCOPES = ("read", "write")
CODE_SECONDS, ACCESS_SECONDS = 600, 3600
FOREVER = 2**40
TABLE = """
create table if not exists eccube_token (
  token text primary key, kind text not null, scope text not null, expires integer not null, access text not null,
  is_spent integer not null default 0
) without rowid
"""


class TokenError(Exception):
    """A refusal of the token endpoint, in the words of league/oauth2-server."""

    def __init__(self, status: int, error: str, message: str, hint: str | None = None) -> None:
        """Write the body."""
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "error_description": message, "message": message}
        if hint:
            self.body["hint"] = hint


@dataclass(slots=True)
class Tokens:
    """The codes and tokens that were given out, kept in the sandbox's state."""

    setting: Setting

    def __post_init__(self) -> None:
        """Create the table with the first refresh token."""
        connection = self.setting.state.connection
        with connection:
            connection.execute(TABLE)
            seeded = (FIRST_REFRESH_TOKEN, "refresh", "read", FOREVER, "")
            connection.execute("insert or ignore into eccube_token values (?, ?, ?, ?, ?, 0)", seeded)

    def scope_of(self, access_token: str) -> str | None:
        """Give the scope of an access token; None when it is unknown, expired or revoked."""
        found = self._find(access_token, "access")
        return found["scope"] if found and not found["is_spent"] and not self._is_old(found) else None

    def give_code(self, scope: str) -> str:
        """Give a code, as the page of approval does when a system administrator agrees."""
        code = "def50200" + secrets.token_hex(32)
        self._add(code, "code", scope, CODE_SECONDS, "")
        return code

    def exchange(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Answer the token endpoint."""
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, self.setting.token):
            raise TokenError(401, "invalid_client", "Client authentication failed")
        grant = form.get("grant_type")
        if grant == "authorization_code":
            return self._give(self._spend(form.get("code", ""), "code"))
        if grant == "refresh_token":
            return self._give(self._spend(form.get("refresh_token", ""), "refresh"))
        message = "The authorization grant type is not supported by the authorization server."
        hint = "Check that all required parameters have been provided"
        raise TokenError(400, "unsupported_grant_type", message, hint)

    def _spend(self, token: str, kind: str) -> str:
        """Use a code or refresh token up, and with it the access token it came with; give its scope."""
        found = self._find(token, kind)
        name = "authorization code" if kind == "code" else "refresh token"
        if found is None:
            raise self._refusal(kind, f"Cannot decrypt the {name}")
        if found["is_spent"]:
            raise self._refusal(
                kind, "Authorization code has been revoked" if kind == "code" else "Token has been revoked"
            )
        if self._is_old(found):
            raise self._refusal(kind, "Authorization code has expired" if kind == "code" else "Token has expired")
        with self.setting.state.connection as connection:
            connection.execute("update eccube_token set is_spent = 1 where token in (?, ?)", (token, found["access"]))
        return str(found["scope"])

    def _refusal(self, kind: str, hint: str) -> TokenError:
        if kind == "refresh":
            return TokenError(401, "invalid_request", "The refresh token is invalid.", hint)
        message = (
            "The request is missing a required parameter, includes an invalid parameter value, includes a parameter "
            "more than once, or is otherwise malformed."
        )
        return TokenError(400, "invalid_request", message, hint)

    def _give(self, scope: str) -> dict[str, Any]:
        access, refresh = f"eyJ0eXAiOiJKV1QifQ.{secrets.token_hex(24)}", "def50200" + secrets.token_hex(48)
        self._add(access, "access", scope, ACCESS_SECONDS, "")
        self._add(refresh, "refresh", scope, self.setting.eccube_refresh_seconds, access)
        return {
            "token_type": "Bearer",
            "expires_in": ACCESS_SECONDS,
            "access_token": access,
            "refresh_token": refresh,
        }

    def _add(self, token: str, kind: str, scope: str, seconds: int, access: str) -> None:
        row = (token, kind, scope, self.setting.clock.now() + seconds, access)
        with self.setting.state.connection as connection:
            connection.execute("insert into eccube_token values (?, ?, ?, ?, ?, 0)", row)

    def _find(self, token: str, kind: str) -> dict[str, Any] | None:
        query = "select scope, expires, access, is_spent from eccube_token where token = ? and kind = ?"
        row = self.setting.state.connection.execute(query, (token, kind)).fetchone()
        return dict(zip(("scope", "expires", "access", "is_spent"), row, strict=True)) if row else None

    def _is_old(self, found: Mapping[str, Any]) -> bool:
        return bool(self.setting.clock.now() >= found["expires"])
