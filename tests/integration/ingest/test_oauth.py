"""Access tokens: one renewal at a time, a refresh token used once, nothing readable in the table, clear refusals."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import httpx
import psycopg
import pytest

from kizuna import oauth, warehouse
from kizuna.http import Client, Request, VendorContractError, VendorRefusedError
from kizuna.oauth import CodeGrant, RenewedToken, client_credentials, code_in
from kizuna.settings import Connection

GRANT = CodeGrant("/{admin}/authorize", "/token", "read")
ACCOUNT = Connection(
    "eccube", "http://shop.example", "client-secret", {"refresh_token": "refresh-0"}, login="client-id"
)
CLOCK = "Sun, 22 Nov 2026 00:00:00 GMT"
Query = Callable[..., list[tuple[Any, ...]]]


class Shop:
    """A vendor whose refresh tokens work once."""

    def __init__(self, lifetime: int = 3600) -> None:
        self.lifetime, self.number, self.forms = lifetime, 0, list[dict[str, str]]()
        self.refresh_token, self.access_tokens = "refresh-0", set[str]()
        self.lock = threading.Lock()
        self.arrived, self.before_renewal = 0, lambda: None

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.arrived += request.url.path == "/token"
        with self.lock:
            if request.url.path == "/token":
                self.before_renewal()
                return self.token(dict(parse_qsl(request.content.decode())))
            is_known = request.headers.get("authorization", "").removeprefix("Bearer ") in self.access_tokens
            return httpx.Response(200 if is_known else 401, json={}, headers={"Date": CLOCK})

    def token(self, form: dict[str, str]) -> httpx.Response:
        self.forms.append(form)
        if (form["client_id"], form["client_secret"]) != ("client-id", "client-secret"):
            return httpx.Response(401, json={"error": "invalid_client"})
        if form["grant_type"] == "refresh_token" and form["refresh_token"] != self.refresh_token:
            return httpx.Response(401, json={"error": "invalid_request", "hint": "Token has been revoked"})
        self.number += 1
        self.refresh_token = f"refresh-{self.number}"
        self.access_tokens = {f"access-{self.number}"}
        body = {"token_type": "Bearer", "expires_in": self.lifetime}
        tokens = {"access_token": f"access-{self.number}", "refresh_token": self.refresh_token}
        return httpx.Response(200, json=body | tokens, headers={"Date": CLOCK})


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop()
    monkeypatch.setattr(oauth, "Client", partial(Client, transport=httpx.MockTransport(shop.answer)))
    return shop


def ask(shop: Shop, warehouse_url: str, account: Connection = ACCOUNT) -> None:
    """What one task does: open a client and read."""
    auth = RenewedToken(GRANT, account, warehouse_url, sleep=lambda _seconds: None)
    transport = httpx.MockTransport(shop.answer)
    with Client("eccube", account.base_url, {}, auth=auth, transport=transport) as client:
        client.send(Request("POST", "/api", "orders", json={"query": "{}"}))


def test_an_access_token_is_reused_by_later_tasks(shop: Shop, warehouse_url: str) -> None:
    for _ in range(3):
        ask(shop, warehouse_url)

    assert [form["refresh_token"] for form in shop.forms] == ["refresh-0"]


def test_a_token_about_to_expire_by_the_vendors_clock_is_renewed_with_the_rotated_one(
    shop: Shop, warehouse_url: str
) -> None:
    shop.lifetime = 50  # less than the minute in which a token is not used any more
    for _ in range(3):
        ask(shop, warehouse_url)

    assert [form["refresh_token"] for form in shop.forms] == ["refresh-0", "refresh-1", "refresh-2"]


def test_a_token_that_the_vendor_refuses_is_renewed_and_the_request_sent_again(shop: Shop, warehouse_url: str) -> None:
    ask(shop, warehouse_url)
    shop.access_tokens.clear()
    ask(shop, warehouse_url)

    assert len(shop.forms) == 2


def test_tasks_at_the_same_time_renew_once(shop: Shop, warehouse_url: str, query: Query) -> None:
    waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"

    def hold_until_all_have_come() -> None:
        """Answer the first only when the others wait for the lock, or without one stand here too."""
        for _ in range(500):
            if query(waiting)[0][0] + shop.arrived >= 6:
                break
            threading.Event().wait(0.01)
        shop.before_renewal = lambda: None

    shop.before_renewal = hold_until_all_have_come
    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(ask, shop, warehouse_url) for _ in range(6)]:
            done.result()

    assert len(shop.forms) == 1


def test_a_task_killed_while_it_holds_the_lock_blocks_nobody(
    shop: Shop, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = oauth._locked(ACCOUNT, warehouse_url)
    monkeypatch.setattr(oauth, "LOCK_WAIT_SECONDS", 1)
    with pytest.raises(psycopg.errors.LockNotAvailable):
        ask(shop, warehouse_url)
    killed.close()
    ask(shop, warehouse_url)

    assert [form["refresh_token"] for form in shop.forms] == ["refresh-0"]


def test_the_table_alone_is_worth_nothing(shop: Shop, warehouse_url: str, query: Query) -> None:
    ask(shop, warehouse_url)
    row = query("select to_jsonb(kept)::text, refresh_token, access_token from ops.oauth_tokens as kept")[0]

    for secret in (b"refresh-", b"access-", b"client-secret"):
        assert all(secret not in bytes(part) and secret.hex() not in row[0] for part in row[1:])
    for role in ("kizuna_transform", "kizuna_activate", "kizuna_bi"):
        with (
            warehouse.connect(warehouse_url, role) as session,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            session.execute("select from ops.oauth_tokens")


def test_a_spent_token_says_what_to_do(shop: Shop, warehouse_url: str) -> None:
    shop.refresh_token = "somebody used it"
    with pytest.raises(VendorRefusedError, match="`kizuna authorize eccube`: it prints the page") as refused:
        ask(shop, warehouse_url)

    assert "refresh-0" not in str(refused.value)
    assert "client-secret" not in str(refused.value)


def test_a_wrong_client_is_no_spent_token(shop: Shop, warehouse_url: str) -> None:
    with pytest.raises(VendorRefusedError, match=r"\(invalid_client\).*Next: check login"):
        ask(shop, warehouse_url, replace(ACCOUNT, login="another"))


def test_another_refresh_token_in_the_connection_wins(shop: Shop, warehouse_url: str) -> None:
    ask(shop, warehouse_url)
    shop.refresh_token = "approved-again"
    shop.access_tokens.clear()
    ask(shop, warehouse_url, replace(ACCOUNT, extra={"refresh_token": "approved-again"}))

    assert [form["refresh_token"] for form in shop.forms] == ["refresh-0", "approved-again"]


def test_an_approval_takes_the_place_of_a_spent_token(shop: Shop, warehouse_url: str) -> None:
    shop.refresh_token = "nobody knows"
    page = GRANT.page(ACCOUNT, "state-1")
    assert page.startswith("http://shop.example/admin/authorize?response_type=code&client_id=client-id&")
    GRANT.exchange(ACCOUNT, warehouse_url, code_in("http://127.0.0.1/kizuna?code=code-1&state=state-1", "state-1"))
    ask(shop, warehouse_url)

    assert [form["grant_type"] for form in shop.forms] == ["authorization_code"]
    assert shop.forms[0]["code"] == "code-1"


def test_a_code_of_another_approval_is_refused() -> None:
    assert code_in(" abc ", "state-1") == "abc"
    for pasted in ("http://127.0.0.1/?code=c&state=other", "http://127.0.0.1/?error=access_denied&state=state-1"):
        with pytest.raises(ValueError, match="not of this approval"):
            code_in(pasted, "state-1")


def test_client_credentials_become_a_header() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert dict(parse_qsl(request.content.decode())) == {
            "grant_type": "client_credentials",
            "client_id": "client-id",
            "client_secret": "client-secret",
            "scope": "read",
        }
        return httpx.Response(200, json={"access_token": "granted", "token_type": "bearer"})

    with Client("zendesk", "http://x.example", {}, transport=httpx.MockTransport(answer)) as client:
        assert client_credentials(ACCOUNT, client, "/oauth/tokens", "read") == {"Authorization": "Bearer granted"}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [(401, {"error": "invalid_client"}, VendorRefusedError), (200, {"ok": True}, VendorContractError)],
)
def test_client_credentials_that_give_no_token_fail(status: int, body: Any, error: type[Exception]) -> None:
    transport = httpx.MockTransport(lambda _request: httpx.Response(status, json=body))
    with Client("zendesk", "http://x.example", {}, transport=transport) as client, pytest.raises(error):
        client_credentials(ACCOUNT, client, "/oauth/tokens")
