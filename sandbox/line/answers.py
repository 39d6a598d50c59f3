"""What LINE's endpoints share: how they refuse, answer, read numbers and days, and the form of a user id."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

USER_ID = re.compile(r"U[0-9a-f]{32}")
JAPAN = timezone(timedelta(hours=9))
# The account itself, in `destination` of every webhook.
BOT_USER_ID = "U" + "0" * 31 + "1"


class RefusalError(Exception):
    """An answer that is an error, in the vendor's shape."""

    def __init__(self, status: int, message: str, *details: str) -> None:
        """Keep status, message and the codes that explain it."""
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message}
        if details:
            self.body["details"] = [{"message": detail} for detail in details]


def answer(body: object, status: int = 200) -> Response:
    """Write an answer."""
    return Response(orjson.dumps(body), status, media_type="application/json")


async def read_json(request: Request) -> dict[str, Any]:
    """Read a JSON object from the body."""
    try:
        asked = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise RefusalError(400, "The request body could not be parsed as JSON") from None
    if not isinstance(asked, dict):
        raise RefusalError(400, "The request body could not be parsed as JSON")
    return asked


def number(request: Request, name: str, *, default: int | None, smallest: int, largest: int | None) -> int:
    """Read a number from the query, within its limits."""
    text = request.query_params.get(name)
    value = default if text is None else int(text) if text.isdecimal() and len(text) < 19 else None
    if value is None or value < smallest or (largest is not None and value > largest):
        raise RefusalError(400, f"The request parameter is invalid. The value of '{name}' is out of range.")
    return value


def read_day(request: Request, name: str, default: date | None = None) -> date:
    """Read a day, written yyyyMMdd, from the query."""
    text = request.query_params.get(name)
    if text is None and default is not None:
        return default
    try:
        return datetime.strptime(text or "", "%Y%m%d").replace(tzinfo=JAPAN).date()
    except ValueError:
        raise RefusalError(400, f"The request parameter is invalid. The specified {name} is invalid.") from None


def day_of(moment: int) -> date:
    """Give the day in Japan of a moment."""
    return datetime.fromtimestamp(moment, UTC).astimezone(JAPAN).date()


def start_of(day: date) -> int:
    """Give the first second of a day in Japan."""
    return int(datetime.combine(day, time(), JAPAN).timestamp())


def end_of(day: date) -> int:
    """Give the last second of a day in Japan."""
    return start_of(day) + 86_400 - 1
