"""What an answer means: one row per case a vendor documents or was seen to send."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from kizuna.answers import Answer, Verdict, judge, read_answer
from kizuna.shopify_admin import judge_shopify

DATE = {"date": "Sun, 22 Nov 2026 03:00:00 GMT"}


@pytest.mark.parametrize(
    ("status", "headers", "body", "verdict", "wait"),
    [
        (200, {}, {}, Verdict.OK, 0),
        (202, {}, {}, Verdict.OK, 0),
        (429, {"retry-after": "7"}, {}, Verdict.RETRY_AFTER, 7),
        (429, {"retry-after": "Sun, 22 Nov 2026 03:00:30 GMT"}, {}, Verdict.RETRY_AFTER, 30),
        (429, {"retry-after": "Sun, 22 Nov 2026 02:00:00 GMT"}, {}, Verdict.RETRY_AFTER, 0),
        (429, {"retry-after": "soon"}, {}, Verdict.RETRY_BACKOFF, 0),
        (429, {}, {"message": "The API rate limit has been exceeded. Try again later."}, Verdict.RETRY_BACKOFF, 0),
        (429, {}, {"message": "You have reached your monthly limit."}, Verdict.STOP_UNTIL, 0),
        (429, {}, None, Verdict.RETRY_BACKOFF, 0),
        (408, {}, {}, Verdict.RETRY_BACKOFF, 0),
        (500, {}, {}, Verdict.RETRY_BACKOFF, 0),
        (502, {}, {}, Verdict.RETRY_BACKOFF, 0),
        (503, {}, {}, Verdict.RETRY_BACKOFF, 0),
        (503, {"retry-after": "2"}, {}, Verdict.RETRY_AFTER, 2),
        (504, {}, {}, Verdict.RETRY_BACKOFF, 0),
        (301, {}, {}, Verdict.FATAL, 0),
        (400, {}, {}, Verdict.FATAL, 0),
        (401, {}, {}, Verdict.FATAL, 0),
        (403, {}, {}, Verdict.FATAL, 0),
        (404, {}, {}, Verdict.FATAL, 0),
        (409, {}, {}, Verdict.FATAL, 0),
        (413, {}, {}, Verdict.FATAL, 0),
    ],
)
def test_status_and_body_decide(
    status: int, headers: dict[str, str], body: object, verdict: Verdict, wait: float
) -> None:
    ruling = judge(Answer(status, {**DATE, **headers}, body))

    assert (ruling.verdict, ruling.wait_seconds) == (verdict, wait)


def throttled(
    requested: float = 900, available: float = 400, rate: float = 100, maximum: float = 2000
) -> dict[str, object]:
    status = {"maximumAvailable": maximum, "currentlyAvailable": available, "restoreRate": rate}
    return {
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": {"cost": {"requestedQueryCost": requested, "throttleStatus": status}},
    }


def failed(code: str) -> dict[str, object]:
    return {"errors": [{"message": "x", "extensions": {"code": code}}]}


@pytest.mark.parametrize(
    ("status", "body", "verdict", "wait"),
    [
        (200, {"data": {}}, Verdict.OK, 0),
        (200, throttled(), Verdict.RETRY_AFTER, 5),
        (429, throttled(), Verdict.RETRY_AFTER, 5),
        (200, {"errors": [{"message": "Throttled"}]}, Verdict.RETRY_BACKOFF, 0),
        (200, failed("THROTTLED"), Verdict.RETRY_BACKOFF, 0),
        (200, throttled(requested=900, maximum=800), Verdict.FATAL, 0),
        (200, failed("INTERNAL_SERVER_ERROR"), Verdict.RETRY_BACKOFF, 0),
        (200, failed("ACCESS_DENIED"), Verdict.FATAL, 0),
        (200, {"data": {"customers": None}, **failed("ACCESS_DENIED")}, Verdict.FATAL, 0),
        (200, failed("MAX_COST_EXCEEDED"), Verdict.FATAL, 0),
        (200, {"errors": [{"message": "Field 'x' does not exist"}]}, Verdict.FATAL, 0),
        (200, {}, Verdict.RETRY_BACKOFF, 0),
        (200, None, Verdict.RETRY_BACKOFF, 0),
        (200, ["data"], Verdict.RETRY_BACKOFF, 0),
        (401, {"errors": "[API] Invalid API key or access token"}, Verdict.FATAL, 0),
        (500, {"errors": "Internal Server Error"}, Verdict.RETRY_BACKOFF, 0),
    ],
)
def test_graphql_errors_decide_before_the_status(status: int, body: object, verdict: Verdict, wait: float) -> None:
    ruling = judge_shopify(Answer(status, DATE, body))

    assert (ruling.verdict, ruling.wait_seconds) == (verdict, wait)


@pytest.mark.parametrize(
    ("message", "until"),
    [
        ("You have reached your monthly limit.", datetime(2026, 11, 30, 15, tzinfo=UTC)),
        ("daily quota exceeded", datetime(2026, 11, 22, 15, tzinfo=UTC)),
    ],
)
def test_a_quota_is_renewed_at_midnight_in_japan(message: str, until: datetime) -> None:
    assert judge(Answer(429, DATE, {"message": message})).until == until


def test_half_an_emoji_does_not_cost_the_page() -> None:
    answer = read_answer(httpx.Response(200, content=b'{"names": ["\\ud83d", "ok"]}'))

    assert answer.body == {"names": ["\ud83d", "ok"]}


def test_a_number_that_no_float_can_hold_is_not_turned_to_null() -> None:
    answer = read_answer(httpx.Response(200, content=b'[{"amount": 1e999, "share": 0.5}]'))

    assert str(answer.body[0]["amount"]) == "1E+999"
    assert answer.body[0]["share"] == 0.5


@pytest.mark.parametrize("content", [b'{"cut":', b"<html>", b"[" * 100_000])
def test_a_body_that_is_not_json_is_tried_again(content: bytes) -> None:
    assert judge(read_answer(httpx.Response(200, content=content))).verdict is Verdict.RETRY_BACKOFF
