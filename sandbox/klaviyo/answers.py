"""How Klaviyo reads filters and pages, words its answers and refusals, and limits how often it is asked."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlencode
from uuid import NAMESPACE_DNS, uuid5

import orjson
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from sandbox.setting import Setting

JSON_API = "application/vnd.api+json"
CONDITION = re.compile(r"([a-z-]+)\(([a-z_.]+),([^()]+)\)")
# How often an endpoint may be asked: within a second, and within a minute.
XS, M, L, XL = (1, 15), (10, 150), (75, 750), (350, 3500)


class RefusalError(Exception):
    """An answer that is an error, in the vendor's shape."""

    def __init__(self, status: int, code: str, title: str, detail: str, **source: str) -> None:
        """Keep the one error that the answer tells."""
        super().__init__(title)
        self.status = status
        self.body: dict[str, Any] = {"errors": [error_of(status, code, title, detail, source)]}


def error_of(status: int, code: str, title: str, detail: str, source: Mapping[str, str]) -> dict[str, Any]:
    """Write one error."""
    known = str(uuid5(NAMESPACE_DNS, f"klaviyo/{status}/{code}/{detail}"))
    error = {"id": known, "status": status, "code": code, "title": title, "detail": detail}
    return {**error, "source": dict(source) or {"pointer": "/data/"}, "links": {}, "meta": {}}


def throttled(seconds: int) -> dict[str, Any]:
    """Write the refusal of too many requests."""
    plural = "" if seconds == 1 else "s"
    detail = f"Request was throttled. Expected available in {seconds} second{plural}."
    return {"errors": [error_of(429, "throttled", "Request was throttled.", detail, {})]}


def answer(body: object, status: int = 200) -> Response:
    """Write an answer."""
    return Response(orjson.dumps(body), status, media_type=JSON_API)


@dataclass(slots=True)
class Limiter:
    """Counts requests in fixed windows of a second and of a minute."""

    setting: Setting
    counts: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)

    def wait(self, name: str, tier: tuple[int, int]) -> int:
        """Count a request; return the seconds to wait when it is one too many, and otherwise 0."""
        now = self.setting.monotonic()
        for length, limit in zip((1, 60), tier, strict=True):
            window = int(now // length)
            begun, count = self.counts.get((name, length), (window, 0))
            count = count if begun == window else 0
            if count >= limit * self.setting.klaviyo_generosity:
                return max(1, int((window + 1) * length - now) + 1)
            self.counts[name, length] = (window, count + 1)
        return 0

    def headers(self, name: str, tier: tuple[int, int]) -> dict[str, str]:
        """Tell how much of the minute is left; the vendor does not say so when it refuses."""
        limit, now = tier[1] * self.setting.klaviyo_generosity, self.setting.monotonic()
        _, count = self.counts.get((name, 60), (0, 0))
        return {
            "RateLimit-Limit": str(limit),
            "RateLimit-Remaining": str(limit - count),
            "RateLimit-Reset": str(60 - int(now % 60)),
        }


def conditions(request: Request, allowed: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], str]:
    """Read the filter as (field, operator) → value; what an endpoint does not know is refused."""
    text = request.query_params.get("filter", "")
    found = CONDITION.findall(text)
    if text and not found:
        refuse(f"Invalid filter provided: '{text[:40]}'", "filter")
    for operator, name, _ in found:
        if operator not in allowed.get(name, ()):
            refuse(f"'{operator}' is not a valid operator for field '{name}'", "filter")
    return {(name, operator): value.strip("\"'") for operator, name, value in found}


def seconds_of(text: str) -> float:
    """Read a moment of a filter."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        refuse("The provided value is not a datetime", "filter")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def page_size(request: Request, default: int, largest: int) -> int:
    """Read the size of a page."""
    text = request.query_params.get("page[size]", str(default))
    if not text.isdecimal() or len(text) > 18 or not 1 <= int(text) <= largest:
        refuse(f"Page size must be an integer between 1 and {largest}", "page[size]")
    return int(text)


def cursor_of(request: Request, kind: type[str | float] = str) -> tuple[Any, str] | None:
    """Read where a page begins: behind a value of the order, which is of this kind, and an id."""
    text = request.query_params.get("page[cursor]")
    if text is None:
        return None
    try:
        value, known = orjson.loads(base64.b64decode(text, altchars=b"-_", validate=True))
    except (binascii.Error, orjson.JSONDecodeError, TypeError, ValueError):
        value, known = None, ""
    if not isinstance(value, str if kind is str else int | float):
        refuse("The cursor is invalid", "page[cursor]")
    return value, str(known)


def links(request: Request, last: tuple[Any, str] | None) -> dict[str, str]:
    """Write the links of a page; `last` is the order value and id of its last row when there are more."""
    base = f"{request.url.scheme}://{request.url.netloc}{request.url.path}"
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "page[cursor]"]
    written = {"self": str(request.url).replace(" ", "%20")}
    if last is not None:
        cursor = base64.urlsafe_b64encode(orjson.dumps(last)).decode()
        written["next"] = f"{base}?{urlencode([*kept, ('page[cursor]', cursor)])}"
    return written


def resource(request: Request, kind: str, known: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Write one object, with no more attributes than were asked for."""
    fields = request.query_params.get(f"fields[{kind}]")
    shown = attributes if fields is None else {n: v for n, v in attributes.items() if n in fields.split(",")}
    base = f"{request.url.scheme}://{request.url.netloc}{request.scope['root_path']}"
    return {"type": kind, "id": known, "attributes": shown, "links": {"self": f"{base}/api/{kind}s/{known}/"}}


def refuse(detail: str, parameter: str) -> NoReturn:
    """Refuse a parameter."""
    raise RefusalError(400, "invalid", "Invalid input.", detail, parameter=parameter)
