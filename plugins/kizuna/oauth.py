"""Access tokens: asked for with a client's own credentials, or renewed with a refresh token that changes each time.

A rotating refresh token works once. The current one is therefore kept in `ops.oauth_tokens`, encrypted under a key
derived from the connection's client secret, and changed under a lock that one task holds at a time.
"""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kizuna import warehouse
from kizuna.http import Client, Request, VendorContractError, VendorRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import psycopg

    from kizuna.answers import Answer
    from kizuna.settings import Connection

    Session = psycopg.Connection[Any]

# An access token is not used in its last minute: a request may take long to arrive.
MARGIN = timedelta(seconds=60)
LOCK_WAIT_SECONDS = 120
DEFAULT_REDIRECT = "http://127.0.0.1/kizuna"
REFUSALS = (400, 401)

_READ = """
select first_token_hash, refresh_token, access_token, now() + vendor_is_ahead_by < expires_at - %s
from ops.oauth_tokens
where connection = %s
"""

_KEEP = """
insert into ops.oauth_tokens (
    connection, first_token_hash, refresh_token, access_token, expires_at, vendor_is_ahead_by
)
values (%s, %s, %s, %s, %s, %s)
on conflict (connection) do update set
    first_token_hash = excluded.first_token_hash,
    refresh_token = excluded.refresh_token,
    access_token = excluded.access_token,
    expires_at = excluded.expires_at,
    vendor_is_ahead_by = excluded.vendor_is_ahead_by,
    renewed_at = now()
"""


def client_credentials(
    connection: Connection, client: Client, path: str, scope: str = "", lifetime_seconds: int | None = None
) -> dict[str, str]:
    """Ask for an access token with the client's own credentials and return it as the header that carries it.

    `connection.login` is the client's id, `connection.token` its secret; `client` sends no credentials yet. A vendor
    that lets one say how long the token shall be good is told `lifetime_seconds`.

    Raises:
        VendorRefusedError: when the vendor does not know the client, or does not allow it the scope.
        VendorContractError: when the answer holds no access token.
    """
    form = {"grant_type": "client_credentials", **_client_of(connection), **({"scope": scope} if scope else {})}
    if lifetime_seconds is not None:
        form["expires_in"] = str(lifetime_seconds)
    answer = client.send(Request("POST", path, "token", form=form, accept=REFUSALS))
    if answer.status in REFUSALS:
        step = "check login (client id), password (client secret) and the scopes of this connection"
        raise VendorRefusedError(connection.name, "token", answer.status, 1, _error_of(answer), step)
    return {"Authorization": f"Bearer {_text(connection, answer, 'access_token')}"}


@dataclass(frozen=True)
class CodeGrant:
    """A vendor where a person approves once, and refresh tokens carry on from there (authorization code grant).

    `authorize_path` is the page of approval; `{admin}` in it is the connection's extra `admin_route`.
    """

    authorize_path: str
    token_path: str
    scope: str

    def page(self, connection: Connection, state: str) -> str:
        """Return the address at which a person approves."""
        path = self.authorize_path.format(admin=connection.extra.get("admin_route", "admin"))
        asked = {
            "response_type": "code",
            "client_id": connection.login,
            "redirect_uri": redirect_of(connection),
            "scope": self.scope,
            "state": state,
        }
        return f"{connection.base_url}{path}?{urlencode(asked)}"

    def exchange(self, connection: Connection, warehouse_url: str, code: str) -> None:
        """Turn the code that the approval gave into tokens, and keep them.

        Raises:
            VendorRefusedError: when the code is not (or no longer) good.
        """
        with _locked(connection, warehouse_url) as session, Client(connection.name, connection.base_url, {}) as client:
            form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_of(connection)}
            answer = _ask(client, connection, self.token_path, form)
            if answer.status in REFUSALS:
                step = "approve again and paste the new code within ten minutes; it works once"
                raise VendorRefusedError(connection.name, "token", answer.status, 1, _error_of(answer), step)
            _keep(session, connection, answer)


class RenewedToken(httpx.Auth):
    """Signs requests with the connection's access token; one that the vendor refuses is renewed, once, and sent again.

    The sandbox's clock jumps and people revoke tokens: that the vendor refuses it is what counts, not its age alone.
    """

    def __init__(
        self,
        grant: CodeGrant,
        connection: Connection,
        warehouse_url: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Ask for nothing yet."""
        self._grant, self._connection, self._warehouse_url, self._sleep = grant, connection, warehouse_url, sleep
        self._token = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send with the token at hand, and again with a new one when it is refused."""
        self._token = self._token or self._current("")
        request.headers["Authorization"] = f"Bearer {self._token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._token = self._current(self._token)
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request

    def _current(self, refused: str) -> str:
        """Return the kept access token, unless it is about to expire or is the one that was refused."""
        connection = self._connection
        with _locked(connection, self._warehouse_url) as session:
            kept = _kept(session, connection)
            if kept and kept.is_fresh and kept.access_token != refused:
                return kept.access_token
            refresh_token = kept.refresh_token if kept else connection.extra.get("refresh_token", "")
            if not refresh_token:
                _refuse(connection, None, "no refresh token is known")
            with Client(connection.name, connection.base_url, {}, sleep=self._sleep) as client:
                form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
                answer = _ask(client, connection, self._grant.token_path, form)
            if answer.status in REFUSALS:
                _refuse(connection, answer, _error_of(answer))
            # From here until the next line is committed, the old token is spent and the new one is only in memory.
            return _keep(session, connection, answer)


@dataclass(frozen=True)
class _Kept:
    """What the table holds for a connection, decrypted."""

    refresh_token: str
    access_token: str
    is_fresh: bool


def new_state() -> str:
    """Return a value that only our own approval brings back."""
    return secrets.token_urlsafe(16)


def code_in(pasted: str, state: str) -> str:
    """Take the code out of what a person pasted: the code, or the whole address they were sent to.

    Raises:
        ValueError: when the address belongs to another approval, or says that it was denied.
    """
    query = parse_qs(urlsplit(pasted.strip()).query)
    if not query:
        return pasted.strip()
    if query.get("state", [state]) != [state] or "code" not in query:
        message = "the address is not of this approval, or it was denied: expected …?code=…&state=… of this run"
        raise ValueError(message)
    return query["code"][0]


def redirect_of(connection: Connection) -> str:
    """Return where the vendor sends the browser after the approval; it must be registered with the client."""
    return connection.extra.get("redirect_uri", DEFAULT_REDIRECT)


def _locked(connection: Connection, warehouse_url: str) -> Session:
    """Open a session that alone may renew this connection's tokens; the lock ends with the session."""
    session = warehouse.connect(warehouse_url, "kizuna_ingest", autocommit=True)
    try:
        session.execute(f"set lock_timeout = '{LOCK_WAIT_SECONDS}s'")
        session.execute("select pg_advisory_lock(hashtext('kizuna.oauth'), hashtext(%s))", [connection.name])
    except BaseException:
        session.close()
        raise
    return session


def _kept(session: Session, connection: Connection) -> _Kept | None:
    """Read the table; None when it has nothing, or only what came from another refresh token or client secret."""
    row = session.execute(_READ, [MARGIN, connection.name]).fetchone()
    given = connection.extra.get("refresh_token", "")
    if row is None or (given and bytes(row[0]) != _hash(given)):
        return None
    cipher = _cipher(connection)
    try:
        refresh_token, access_token = (cipher.decrypt(bytes(text)).decode() for text in row[1:3])
    except InvalidToken:
        return None
    return _Kept(refresh_token, access_token, is_fresh=row[3])


def _keep(session: Session, connection: Connection, answer: Answer) -> str:
    """Commit the tokens of an answer and return the access token."""
    refresh_token, access_token = (_text(connection, answer, name) for name in ("refresh_token", "access_token"))
    now = datetime.now(UTC)
    vendor_now = answer.date or now
    lifetime = timedelta(seconds=float(answer.body.get("expires_in") or 0))
    cipher = _cipher(connection)
    row = [
        connection.name,
        _hash(connection.extra.get("refresh_token", "")),
        cipher.encrypt(refresh_token.encode()),
        cipher.encrypt(access_token.encode()),
        vendor_now + lifetime,
        vendor_now - now,
    ]
    session.execute(_KEEP, row)
    return access_token


def _ask(client: Client, connection: Connection, path: str, form: dict[str, str]) -> Answer:
    return client.send(Request("POST", path, "token", form={**form, **_client_of(connection)}, accept=REFUSALS))


def _client_of(connection: Connection) -> dict[str, str]:
    return {"client_id": connection.login, "client_secret": connection.token}


def _text(connection: Connection, answer: Answer, name: str) -> str:
    value = answer.body.get(name) if isinstance(answer.body, dict) else None
    if not isinstance(value, str) or not value:
        step = "compare base_url of this connection and the token path with the vendor's reference"
        raise VendorContractError(connection.name, "token", answer.status, 1, f"the answer has no {name}", step)
    return value


def _error_of(answer: Answer) -> str:
    """Return the error's code (RFC 6749, 5.2); other texts of the vendor may quote what was sent."""
    code = answer.body.get("error") if isinstance(answer.body, dict) else None
    return code if isinstance(code, str) and code.replace("_", "").isalnum() and len(code) < 60 else "refused"


def _refuse(connection: Connection, answer: Answer | None, why: str) -> NoReturn:
    """Say what a person has to do, because no retry will help."""
    if why == "invalid_client":
        step = "check login (client id) and password (client secret) of this connection"
    else:
        step = (
            f"authorize again with `kizuna authorize {connection.name}`: it prints the page where an administrator of "
            "the shop approves, takes the code and keeps the new tokens (a refresh token works once; this one is "
            "spent, expired or revoked)"
        )
    raise VendorRefusedError(connection.name, "token", answer.status if answer else None, 1, why, step)


def _cipher(connection: Connection) -> Fernet:
    """Return the cipher of this connection; another client secret makes what was kept unreadable, and so worthless."""
    derived = HKDF(SHA256(), 32, salt=None, info=f"kizuna oauth {connection.name}".encode())
    return Fernet(base64.urlsafe_b64encode(derived.derive(connection.token.encode())))


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
