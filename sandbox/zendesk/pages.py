"""How the sandbox's Zendesk refuses, and how it reads where a page starts and how long it is."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.requests import Request

# What was changed within the last minute is not in the export yet.
YOUNGEST_SECONDS = 60
Record = dict[str, Any]


class RefusalError(Exception):
    """An answer that is an error, in one of the vendor's shapes."""

    def __init__(self, status: int, body: Record, headers: dict[str, str] | None = None) -> None:
        """Keep what is answered."""
        super().__init__(str(body))
        self.status, self.body, self.headers = status, body, headers or {}


def encode(place: str) -> str:
    """Write a cursor."""
    return base64.b64encode(place.encode()).decode()


def decode(cursor: str) -> tuple[int, int]:
    """Read a cursor: the moment and the id of the last row that was shown."""
    try:
        moment, _, key, _ = base64.b64decode(cursor, validate=True).decode().split("|")
        return int(moment.removesuffix(".0")), int(key)
    except (binascii.Error, ValueError):
        raise RefusalError(400, {"error": "InvalidCursor", "description": "cursor is not valid"}) from None


def read_position(request: Request, now: int) -> tuple[int, int]:
    """Read where an export goes on: behind its cursor, or from its start time on."""
    cursor = request.query_params.get("cursor")
    return decode(cursor) if cursor is not None else (start_time(request, now) - 1, 2**62)


def start_time(request: Request, now: int) -> int:
    """Read the start, which must be there and a minute ago."""
    start = bound(request, "start_time", None)
    if start > now - YOUNGEST_SECONDS:
        description = "Too recent start_time. Use a start_time older than 60 seconds"
        raise RefusalError(422, {"error": "StartTimeTooRecent", "description": description})
    return start


def bound(request: Request, name: str, default: int | None) -> int:
    """Read a moment from the query."""
    text = request.query_params.get(name)
    value = default if text is None else int(text) if text.isdigit() else None
    if value is None:
        raise RefusalError(400, {"error": "InvalidValue", "description": f"{name} must be an integer"})
    return value


def number(request: Request, name: str, default: int, largest: int) -> int:
    """Read a page's size."""
    size = bound(request, name, default)
    if not 1 <= size <= largest:
        description = f"{name} must be between 1 and {largest}"
        raise RefusalError(400, {"error": "InvalidPaginationParameter", "description": description})
    return size
