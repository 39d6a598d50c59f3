"""How vendors continue a list: by token, by link, by offset, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


def field_at(body: Any, dotted: str) -> Any:  # noqa: ANN401 - a vendor's answer: anything
    """Return the field of a field; "" is the body itself, None where the path ends early."""
    for name in dotted.split(".") if dotted else ():
        body = body.get(name) if isinstance(body, dict) else None
    return body


class Pagination(Protocol):
    """Subclassed for what most have in common; parameters are whole, as they are sent."""

    @property
    def is_kept(self) -> bool:
        """Whether the last token is where the next window goes on."""
        return False

    def first(self) -> Mapping[str, str]:
        """Return what the first page is asked with, besides the stream's own parameters."""
        return {}

    def following(self, body: Any, record_count: int, asked: Mapping[str, str]) -> Mapping[str, str] | None:  # noqa: ANN401
        """Return the parameters of the page after the one that was `asked` for; None at the end."""

    def token(self, body: Any) -> str | None:  # noqa: ANN401, ARG002
        """Return the token in a page, for those that have one."""
        return None

    def resume(self, token: str) -> Mapping[str, str]:
        """Return what the first page is asked with when going on from a kept token."""
        message = f"a list that is not continued by token cannot go on from {token!r}"
        raise NotImplementedError(message)


@dataclass(frozen=True)
class OnePage(Pagination):
    """All there is comes at once."""

    def following(self, body: Any, record_count: int, asked: Mapping[str, str]) -> None:  # noqa: ANN401, ARG002
        """Return None."""
        return


@dataclass(frozen=True)
class TokenPages(Pagination):
    """Each page carries the token of the next in `field`, to be sent as `parameter`.

    The last page has no token, or says so in the boolean field `end`. With `is_kept` the last token is the stream's
    cursor: the next window goes on from it. `instead_of` are parameters that a page asked for by token must not carry.
    """

    parameter: str
    field: str
    end: str = ""
    is_kept: bool = False
    instead_of: tuple[str, ...] = ()

    def following(self, body: Any, record_count: int, asked: Mapping[str, str]) -> Mapping[str, str] | None:  # noqa: ANN401, ARG002
        """Return the last page's parameters with the new token."""
        token = self.token(body)
        if token is None or (self.end and field_at(body, self.end) is True):
            return None
        kept = {name: value for name, value in asked.items() if name not in self.instead_of}
        return {**kept, **self.resume(token)}

    def token(self, body: Any) -> str | None:  # noqa: ANN401
        """Return the token in a page."""
        token = field_at(body, self.field)
        return str(token) if token else None

    def resume(self, token: str) -> Mapping[str, str]:
        """Return the token as a parameter."""
        return {self.parameter: token}


@dataclass(frozen=True)
class LinkPages(Pagination):
    """Each page carries the address of the next in `field`; only its query is used: no answer sends us elsewhere."""

    field: str = "links.next"

    def following(self, body: Any, record_count: int, asked: Mapping[str, str]) -> Mapping[str, str] | None:  # noqa: ANN401, ARG002
        """Return the parameters of the linked page."""
        link = field_at(body, self.field)
        return dict(parse_qsl(urlsplit(str(link)).query, keep_blank_values=True)) if link else None


@dataclass(frozen=True)
class OffsetPages(Pagination):
    """Pages of `size` records from an offset on; one with fewer is the last."""

    size: int
    size_parameter: str = "limit"
    parameter: str = "offset"

    def first(self) -> Mapping[str, str]:
        """Start at 0."""
        return {self.size_parameter: str(self.size), self.parameter: "0"}

    def following(self, body: Any, record_count: int, asked: Mapping[str, str]) -> Mapping[str, str] | None:  # noqa: ANN401, ARG002
        """Go on after what was read."""
        if record_count < self.size:
            return None
        return {**asked, self.parameter: str(int(asked[self.parameter]) + self.size)}
