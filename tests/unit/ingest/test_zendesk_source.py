"""Zendesk as a source: the export from its kept cursor, lists by link, and the three ways to sign in."""

from __future__ import annotations

import base64
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from kizuna.asking import Get
from kizuna.http import Client, VendorContractError
from kizuna.reading import EPOCH, Window
from kizuna.rest import RestReader, RestStream
from kizuna.settings import Connection, SettingsError
from kizuna.sources.zendesk import SOURCE, authorize

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
DATE = {"Date": "Sun, 22 Nov 2026 03:00:00 GMT"}
ADDRESS = "http://desk.example"


def reader(name: str, reply: Callable[[httpx.Request], Any]) -> RestReader:
    stream = next(one for one in SOURCE.streams if one.name == name)
    assert isinstance(stream, RestStream)

    def transport(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=reply(request), headers=DATE)

    client = Client("zendesk", ADDRESS, {}, transport=httpx.MockTransport(transport))
    return RestReader(SOURCE, stream, Get(client, lambda _seconds: None, Connection("zendesk", ADDRESS, "t"), ""))


def export(cursor: str | None, *, is_end: bool, ids: tuple[int, ...] = (1,)) -> dict[str, Any]:
    return {"tickets": [{"id": number} for number in ids], "after_cursor": cursor, "end_of_stream": is_end}


def test_an_export_starts_by_time_goes_on_by_cursor_and_never_sends_both() -> None:
    asked: list[dict[str, str]] = []
    answers = iter([export("a", is_end=False), export("b", is_end=True)])

    def reply(request: httpx.Request) -> Any:
        asked.append(dict(request.url.params))
        return next(answers)

    opened = reader("tickets", reply)
    assert opened.start(EPOCH, None) == NOW
    assert list(opened.pages(Window(EPOCH, NOW))) == [[{"id": 1}], [{"id": 1}]]
    always = {"per_page": "1000", "include": "metric_sets"}
    assert asked == [{**always, "start_time": "0"}, {**always, "cursor": "a"}]
    assert opened.cursor == "b"


def test_the_next_window_goes_on_from_the_kept_cursor_which_may_stay_the_same() -> None:
    def reply(request: httpx.Request) -> Any:
        assert "start_time" not in request.url.params
        assert request.url.params["cursor"] == "b"
        return export("b", is_end=True, ids=())

    opened = reader("tickets", reply)
    opened.start(NOW, "b")
    assert list(opened.pages(Window(NOW, NOW, "b"))) == [[]]
    assert opened.cursor == "b"


def test_an_empty_account_gives_no_cursor_and_is_asked_by_time_again() -> None:
    opened = reader("tickets", lambda _request: export(None, is_end=True, ids=()))
    opened.start(EPOCH, None)
    assert list(opened.pages(Window(EPOCH, NOW))) == [[]]
    assert opened.cursor is None


def test_a_cursor_that_goes_in_circles_ends() -> None:
    opened = reader("tickets", lambda _request: export("again", is_end=False))
    with pytest.raises(VendorContractError, match="the page token repeats"):
        list(opened.pages(Window(EPOCH, NOW)))


@pytest.mark.parametrize("stream", ["tickets", "users", "satisfaction_ratings", "deleted_tickets"])
def test_an_error_inside_a_good_answer_is_no_empty_page(stream: str) -> None:
    opened = reader(stream, lambda _request: {"error": "InternalError", "description": "customer@example.jp"})
    with pytest.raises(VendorContractError, match=f"no list '{stream}' in the page") as refused:
        list(opened.pages(Window(EPOCH, NOW)))
    assert "customer@example.jp" not in str(refused.value)


def test_a_list_is_followed_by_its_link_on_our_own_host() -> None:
    hosts: list[str] = []

    def reply(request: httpx.Request) -> Any:
        hosts.append(request.url.host)
        link = "https://elsewhere.example/x?page%5Bafter%5D=2&page%5Bsize%5D=100&start_time=0"
        is_last = "page[after]" in request.url.params
        return {"satisfaction_ratings": [{"id": len(hosts)}], "links": {"next": None if is_last else link}}

    opened = reader("satisfaction_ratings", reply)
    assert list(opened.pages(Window(EPOCH, NOW))) == [[{"id": 1}], [{"id": 2}]]
    assert hosts == ["desk.example", "desk.example"]


def signed(answer: httpx.Response | None = None, **account: Any) -> tuple[dict[str, str], list[httpx.Request]]:
    asked: list[httpx.Request] = []

    def transport(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer or httpx.Response(500)

    client = Client("zendesk", ADDRESS, {}, transport=httpx.MockTransport(transport))
    return dict(authorize(Connection("zendesk", ADDRESS, "secret", **account), client, "")), asked


def test_an_access_token_is_sent_as_it_is() -> None:
    assert signed() == ({"Authorization": "Bearer secret"}, [])


def test_client_credentials_get_a_token_that_lasts_as_long_as_zendesk_allows() -> None:
    token = httpx.Response(200, json={"access_token": "fresh", "token_type": "bearer"})
    headers, asked = signed(token, login="client", extra={"auth": "client_credentials"})
    assert headers == {"Authorization": "Bearer fresh"}
    assert asked[0].url.path == "/oauth/tokens"
    assert b"expires_in=172800" in asked[0].content


def test_an_api_token_is_named_as_what_ends(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        headers, _ = signed(login="a@b.example", extra={"auth": "api_token"})
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"a@b.example/token:secret"
    assert "removes on 2027-04-30" in caplog.text
    assert "secret" not in caplog.text.replace("client_credentials", "")


def test_another_word_for_auth_is_refused() -> None:
    with pytest.raises(SettingsError, match="extra auth is 'password': expected access_token, client_credentials or"):
        signed(extra={"auth": "password"})
