"""What may be shown of a failing row: its id, or a digest of it, and never a person's value."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from decimal import Decimal
from typing import Any

# Ids by their form. Anything else (a LINE userId, an e-mail, a phone number, free text) becomes a digest.
ID = re.compile(
    r"(shopify:(customer|guest):)?gid://shopify/[A-Za-z]{1,30}/[\w-]{1,40}"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)
# Longer numbers could be telephone numbers.
LONGEST_NUMBER = 10**8
# The only errors of the server whose text never repeats a value.
ERRORS_WITHOUT_VALUES = (
    r"(?:UndefinedColumn|UndefinedTable|UndefinedFunction|UndefinedObject|SyntaxError|InsufficientPrivilege"
    r"|AmbiguousColumn|DatatypeMismatch|GroupingError|InvalidSchemaName)"
)
SERVER_ERROR = re.compile(r"psycopg2\.errors\.(\w+)\W+([^\n]*)")


def mask(value: Any) -> str:  # noqa: ANN401 - whatever a driver returns
    """The value if it is an id, a date or a small number; else the first digits of its SHA-256."""
    if value is None or isinstance(value, (bool, date)):
        return str(value)
    if isinstance(value, int | float | Decimal) and abs(float(value)) < LONGEST_NUMBER:
        return str(value)
    text = str(value)
    if ID.fullmatch(text):
        return text
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def observed(value: object) -> object:
    """An observed figure as it may be kept: numbers and dates as they are, lists by length, the rest as digests."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (list, tuple, set, dict)):
        return {"count": len(value)}
    return mask(value)


def error_text(problem: str) -> str:
    """An error of the check as it may be shown: its kind, and its text only where that cannot repeat a value."""
    found = SERVER_ERROR.search(problem)
    if found is None:
        return "the check could not be computed"
    kind, text = found.groups()
    return f"{kind}: {text}" if re.fullmatch(ERRORS_WITHOUT_VALUES, kind) else kind
