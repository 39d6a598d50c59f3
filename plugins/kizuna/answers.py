"""What a vendor's answer means: good, wait, try again, stop until, or hopeless, told by (status, body).

The status alone says too little: Shopify throttles with 200, LINE uses 429 both for "slow down" and for "your month is
used up". `judge` holds the rules that every vendor shares; a word module may put its own judge in front of it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    import httpx

RETRIED_STATUSES = frozenset({408, 500, 502, 503, 504, 520, 522, 524})
# Vendors say "quota used up" with the same 429 as "slow down"; only the message differs (LINE: monthly messages).
QUOTA_MESSAGES = ("monthly limit", "monthly quota", "daily limit", "daily quota")
JAPAN = timezone(timedelta(hours=9))


class Verdict(StrEnum):
    """What to do with an answer."""

    OK = "ok"
    RETRY_AFTER = "retry_after"
    RETRY_BACKOFF = "retry_backoff"
    STOP_UNTIL = "stop_until"
    FATAL = "fatal"


@dataclass(frozen=True)
class Ruling:
    """A verdict with its reason (a code, never vendor text) and, where known, how long to wait."""

    verdict: Verdict
    reason: str = ""
    wait_seconds: float = 0.0
    until: datetime | None = None
    next_step: str = ""


@dataclass(frozen=True)
class Answer:
    """A complete answer: status, headers (lower case) and parsed body; `is_json` is false for a body that is not."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    is_json: bool = True

    @property
    def date(self) -> datetime | None:
        """Return the vendor's own clock at the time of the answer."""
        return _parse_http_date(self.headers.get("date"))


Judge = Callable[[Answer], Ruling]


def judge(answer: Answer) -> Ruling:
    """Apply the rules every vendor shares."""
    if answer.status == 429:
        return _judge_too_many(answer)
    if answer.status in RETRIED_STATUSES:
        wait = _retry_after_seconds(answer)
        return Ruling(Verdict.RETRY_BACKOFF if wait is None else Verdict.RETRY_AFTER, "server error", wait or 0.0)
    if 200 <= answer.status < 300:
        return Ruling(Verdict.OK) if answer.is_json else Ruling(Verdict.RETRY_BACKOFF, "body is not JSON")
    return Ruling(Verdict.FATAL, "refused", next_step=_next_step(answer.status))


def _judge_too_many(answer: Answer) -> Ruling:
    message = answer.body.get("message") if isinstance(answer.body, dict) else None
    text = message.lower() if isinstance(message, str) else ""
    if any(marker in text for marker in QUOTA_MESSAGES):
        return Ruling(Verdict.STOP_UNTIL, "quota used up", until=_quota_renewal(answer, text))
    wait = _retry_after_seconds(answer)
    if wait is None:
        return Ruling(Verdict.RETRY_BACKOFF, "rate limit")
    return Ruling(Verdict.RETRY_AFTER, "rate limit", wait)


def _quota_renewal(answer: Answer, text: str) -> datetime | None:
    """Return when a quota starts anew; LINE and most Japanese tools count in UTC+9."""
    if answer.date is None:
        return None
    midnight = answer.date.astimezone(JAPAN).replace(hour=0, minute=0, second=0, microsecond=0)
    if "daily" in text:
        return midnight + timedelta(days=1)
    return (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)


def _retry_after_seconds(answer: Answer) -> float | None:
    """Read Retry-After, which is either seconds or a date on the vendor's clock."""
    text = answer.headers.get("retry-after")
    if text is None:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        until = _parse_http_date(text)
        return max(0.0, (until - answer.date).total_seconds()) if until and answer.date else None


def _parse_http_date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC) if text else None
    except ValueError:
        return None


def _next_step(status: int) -> str:
    steps = {
        401: "check the token of this connection",
        403: "check what the token of this connection may read and write",
        404: "check base_url of this connection and the API version",
        413: "send less in one request",
    }
    return steps.get(status, "compare the request with the vendor's reference")


def read_answer(response: httpx.Response) -> Answer:
    """Parse a response; a body that is not JSON is told, not raised, because the judge decides what it means."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    if not response.content:
        return Answer(response.status_code, headers)
    try:
        return Answer(response.status_code, headers, parse(response.content))
    except ValueError:
        return Answer(response.status_code, headers, is_json=False)


def parse(content: bytes) -> Any:  # noqa: ANN401 - a vendor's answer: anything
    """Parse JSON; half an emoji, bytes that are no UTF-8, or 1e400 are kept, so that one bad record costs no page.

    Raises:
        ValueError: when it is no JSON.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        text = content.decode("utf-8-sig", errors="surrogateescape")
    try:
        return json.loads(text, parse_constant=Decimal, parse_float=_read_float)
    except RecursionError:
        message = "nested too deeply"
        raise ValueError(message) from None


def _read_float(text: str) -> float | Decimal:
    """Keep a number that no float can hold as it was written, so that it is refused later and not turned to null."""
    return Decimal(text) if math.isinf(float(text)) else float(text)
