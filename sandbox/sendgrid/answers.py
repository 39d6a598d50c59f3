"""How SendGrid reads a query and words its answers and refusals."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request


class RefusalError(Exception):
    """An answer that is an error, in the vendor's shape."""

    def __init__(self, status: int, message: str, field: str | None = None) -> None:
        """Keep status, message and the field that is at fault."""
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"errors": [{"field": field, "message": message}]}


def answer(body: object, status: int = 200) -> Response:
    """Write an answer."""
    return Response(orjson.dumps(body), status, media_type="application/json")


def base_of(request: Request) -> str:
    """Give the address under which this vendor is served."""
    return f"{request.url.scheme}://{request.url.netloc}{request.scope['root_path']}"


def day_of(request: Request, name: str, default: date | None) -> date:
    """Read a day from the query."""
    text = request.query_params.get(name)
    if text is None and default is not None:
        return default
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        raise RefusalError(400, f"{name} must be a date in the format YYYY-MM-DD", name) from None


def number(request: Request, name: str, default: int | None, smallest: int = 0, largest: int | None = None) -> Any:  # noqa: ANN401 - a number, or the default where there is none
    """Read a number from the query, within its limits."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isdecimal() or len(text) > 18 or int(text) < smallest or (largest is not None and int(text) > largest):
        raise RefusalError(400, f"{name} is out of range", name)
    return int(text)
