"""Where in a refused record the fault is, and how its value may be shown: by its form, never as it is."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SHOWN_CHARACTERS = 40
_FORMS = ((re.compile(r"\d"), "9"), (re.compile(r"[a-z]"), "a"), (re.compile(r"[A-Z]"), "A"))
_NO_ASCII = re.compile(r"[^\x20-\x7e]")


def masked(value: Any) -> str:  # noqa: ANN401 - a vendor's value: anything
    """Return the form of a value: `20206-01-01` becomes `99999-99-99`, a text that is long is cut and counted."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return f"object of {len(value)} fields"
    if isinstance(value, list):
        return f"array of {len(value)}"
    text = str(value)
    form = text[:SHOWN_CHARACTERS]
    for found, mark in _FORMS:
        form = found.sub(mark, form)
    form = _NO_ASCII.sub("?", form)
    return form if len(text) <= SHOWN_CHARACTERS else f"{form}… ({len(text)} characters)"


def unwritable(record: object) -> tuple[str, Any] | None:
    """Find the first value that JSON in UTF-8 cannot carry: half a character, no number, a number beyond any float."""
    return _first(record, _is_unwritable)


def with_nul(record: object) -> tuple[str, Any] | None:
    """Find the first text with the character NUL."""
    return _first(record, lambda value: isinstance(value, str) and "\0" in value)


def largest(record: object) -> tuple[str, Any] | None:
    """Find the longest text."""
    longest = max((len(value) for _, value in _leaves(record, "") if isinstance(value, str)), default=None)
    return _first(record, lambda value: isinstance(value, str) and len(value) == longest)


def _is_unwritable(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, str):
        return any("\ud800" <= character <= "\udfff" for character in value)
    return isinstance(value, Decimal) or (isinstance(value, float) and not math.isfinite(value))


def _first(record: object, is_it: Callable[[Any], bool]) -> tuple[str, Any] | None:
    try:
        return next((leaf for leaf in _leaves(record, "") if is_it(leaf[1])), None)
    except RecursionError:
        return None


def _leaves(value: Any, path: str) -> list[tuple[str, Any]]:  # noqa: ANN401
    """List what holds nothing else, with its path; the names of fields are values as well, of a place called so.

    Fields go by name: the same record has the same first fault, in whatever order it came.
    """
    if isinstance(value, dict):
        fields = sorted(value.items(), key=lambda field: field[0])
        names = [(f"{path}.<name>".lstrip("."), name) for name, _ in fields]
        return names + [leaf for name, inner in fields for leaf in _leaves(inner, f"{path}.{name}".lstrip("."))]
    if isinstance(value, list):
        return [leaf for number, inner in enumerate(value) for leaf in _leaves(inner, f"{path}[{number}]")]
    return [(path, value)]
