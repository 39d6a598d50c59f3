"""The client: it waits as told, gives up when hopeless, resends only what is safe, and its errors are safe to log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from kizuna.http import MAX_ATTEMPTS, Client, Request, VendorQuotaError, VendorRefusedError, VendorUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

READ = Request("GET", "/things", "things", params={"who": "taro@example.jp"})
SEND = Request("POST", "/send", "send", json={"to": "U123"}, resend=False)
Reply = httpx.Response | Exception


class Scene:
    """A vendor that replies by a list, and the client that talks to it without ever sleeping."""

    def __init__(self, *replies: Reply, jitter: float = 1.0) -> None:
        self.replies, self.asked, self.slept = list(replies), list[httpx.Request](), list[float]()
        self.client = Client(
            "line",
            "http://vendor.example",
            {"Authorization": "Bearer top-secret"},
            sleep=self.slept.append,
            jitter=lambda: jitter,
            transport=httpx.MockTransport(self.reply),
        )

    def reply(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply


def ok() -> httpx.Response:
    return httpx.Response(200, json={"fine": True})


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(500),
        httpx.Response(429),
        httpx.Response(200, content=b'{"cut":'),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
    ],
)
def test_passing_trouble_is_waited_out(trouble: Reply) -> None:
    scene = Scene(trouble, trouble, ok())

    assert scene.client.send(READ).body == {"fine": True}
    assert scene.slept == [0.5, 1.0]


def test_waits_grow_are_capped_and_end() -> None:
    scene = Scene(httpx.Response(503))

    with pytest.raises(VendorUnavailableError, match=f"answered 503 .* after {MAX_ATTEMPTS} attempts"):
        scene.client.send(READ)
    assert scene.slept == [0.5, 1, 2, 4, 8, 16, 30]


def test_jitter_never_takes_away_more_than_half() -> None:
    scene = Scene(httpx.Response(500), ok(), jitter=0.0)
    scene.client.send(READ)

    assert scene.slept == [0.25]


def test_a_told_wait_is_kept_however_often() -> None:
    scene = Scene(*[httpx.Response(429, headers={"Retry-After": "3"})] * (MAX_ATTEMPTS + 3), ok(), jitter=0.0)
    scene.client.send(READ)

    assert scene.slept == [3.0] * (MAX_ATTEMPTS + 3)


def test_patience_ends_without_sleeping_for_hours() -> None:
    scene = Scene(httpx.Response(429, headers={"Retry-After": "86400"}))

    with pytest.raises(VendorUnavailableError):
        scene.client.send(READ)
    assert scene.slept == []


def test_a_wrong_token_is_fatal_at_once_and_says_what_to_do() -> None:
    scene = Scene(httpx.Response(401, json={"message": "taro@example.jp"}))

    with pytest.raises(VendorRefusedError) as refused:
        scene.client.send(READ)
    assert str(refused.value) == (
        "line: things answered 401 (refused) after 1 attempt. Next: check the token of this connection."
    )
    assert len(scene.asked) == 1


def test_a_used_up_quota_is_not_asked_again() -> None:
    reply = httpx.Response(
        429, json={"message": "You have reached your monthly limit."}, headers={"Date": "Sun, 22 Nov 2026 03:00:00 GMT"}
    )
    scene = Scene(reply)

    with pytest.raises(VendorQuotaError, match="run again after 2026-12-01"):
        scene.client.send(READ)
    assert len(scene.asked) == 1


@pytest.mark.parametrize("trouble", [httpx.Response(500), httpx.ReadTimeout("slow")])
def test_what_may_have_been_done_is_not_sent_twice(trouble: Reply) -> None:
    scene = Scene(trouble, ok())

    with pytest.raises(VendorUnavailableError):
        scene.client.send(SEND)
    assert len(scene.asked) == 1


@pytest.mark.parametrize("trouble", [httpx.Response(429), httpx.ConnectError("refused")])
def test_what_was_certainly_not_done_is_sent_again(trouble: Reply) -> None:
    scene = Scene(trouble, ok())

    assert scene.client.send(SEND).status == 200


def test_an_accepted_status_is_an_answer() -> None:
    scene = Scene(httpx.Response(409, json={}))

    assert scene.client.send(Request("POST", "/send", "send", json={}, accept=(409,))).status == 409


@pytest.mark.parametrize(
    "make", [lambda: httpx.Response(400, text="taro@example.jp"), lambda: httpx.ReadTimeout("taro@example.jp")]
)
def test_errors_carry_no_person_and_no_token(make: Callable[[], Any]) -> None:
    scene = Scene(make())

    with pytest.raises((VendorRefusedError, VendorUnavailableError)) as error:
        scene.client.send(READ)
    text = str(error.value) + repr(READ) + repr(SEND)
    assert not any(secret in text for secret in ("taro", "top-secret", "U123", "vendor.example"))


def test_addresses_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    Scene(ok()).client.send(Request("GET", "/profile/U123", "profile"))

    assert "U123" not in caplog.text


def test_a_redirect_does_not_carry_the_token_elsewhere() -> None:
    scene = Scene(httpx.Response(302, headers={"Location": "http://elsewhere.example"}))

    with pytest.raises(VendorRefusedError):
        scene.client.send(READ)
    assert [request.url.host for request in scene.asked] == ["vendor.example"]
