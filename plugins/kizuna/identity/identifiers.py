"""One identifier as people name it: its kind and value, brought into the form that records are compared by."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING

from kizuna.identity import policy
from kizuna.identity.overrides import OverrideError

if TYPE_CHECKING:
    from kizuna.identity.exchange import Connection


def hash_value(kind: str, value: str) -> int:
    """Return the hash by which `value` is known everywhere but in `identity.values`; the same as SQL's.

    Raises:
        OverrideError: when the policy knows no such kind, or the value lacks its scope.
    """
    text = f"{kind}:{_tidy(kind, value)}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)


def known_hash(connection: Connection, kind: str, value: str) -> int:
    """Return the hash of a value that records carry.

    Raises:
        OverrideError: when no record carries it; the text shows it masked.
    """
    found = hash_value(kind, value)
    if connection.execute("select 1 from identity.stored_links where value_hash = %s limit 1", [found]).fetchone():
        return found
    row = connection.execute("select identity.mask(%s, %s)", [kind, _tidy(kind, value)]).fetchone()
    message = (
        f"no record carries the {kind} {row[0] if row else '…'}: expected it as identity compares it "
        "(e-mail in small letters, phone as 0 and digits, login and LINE ids after their brand or provider and a colon)"
    )
    raise OverrideError(message)


def _tidy(kind: str, value: str) -> str:
    """Undo what people add when they type a value; names and addresses must come as they are compared."""
    kinds = policy.load().kinds
    if kind not in kinds:
        message = f"{kind!r} is no kind of value: expected one of {', '.join(kinds)}"
        raise OverrideError(message)
    text = unicodedata.normalize("NFKC", value).strip()
    if kind == "email":
        return text.lower()
    if kind == "phone":
        return re.sub(r"\D", "", re.sub(r"^\+81\D*0?", "0", text))
    if kinds[kind].scope != "global" and ":" not in text:
        message = f"a {kind} belongs to a {kinds[kind].scope}: expected <{kinds[kind].scope}>:<{kind}>"
        raise OverrideError(message)
    return text
