"""The fields that staging reads of a raw table's payloads, and what their types must be; all judged in one reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KIND = "expect_field_to_have_its_type"
TYPES = ("string", "number", "boolean", "object", "array", "null")
OPTIONAL = "optional"
# A holder's own type stands under the name that no field has.
ITSELF = ""


@dataclass(frozen=True)
class Field:
    """One field by its dotted path (`lines[].sku`: of each element), and the JSON types it may have."""

    path: str
    types: tuple[str, ...]
    is_optional: bool

    @classmethod
    def declared(cls, path: str, types: str) -> Field:
        """Read a line like `customer.id: string|null|optional`.

        Raises:
            ValueError: when the text is no such list of types.
        """
        words = types.split("|")
        kinds = tuple(word for word in words if word != OPTIONAL)
        if not kinds or not set(kinds) <= set(TYPES) or not all(path.removesuffix("[]").split(".")):
            message = f"{path}: {types!r}: expected some of {', '.join(TYPES)} with | between them, and | {OPTIONAL}"
            raise ValueError(message)
        return cls(path, kinds, OPTIONAL in words)

    @property
    def place(self) -> tuple[str, str]:
        """What holds the field ("" is the payload), and its name there."""
        if self.path.endswith("[]"):
            return self.path, ITSELF
        holder, _, name = self.path.rpartition(".")
        return holder, name


@dataclass(frozen=True)
class Finding:
    """How often a field of a holder had a JSON type."""

    holder: str
    name: str
    type: str | None
    count: int


@dataclass(frozen=True)
class Fault:
    """What is wrong with a field, and in how many places."""

    text: str
    count: int


def judge(field: Field, findings: Iterable[Finding]) -> Fault | None:
    """Return the field's fault: another type anywhere, or nowhere at all although it has to be there.

    Vendors leave fields out where they are empty: one place that has it is enough.
    """
    holder, name = field.place
    here = [finding for finding in findings if finding.holder == holder]
    found = {one.type: one.count for one in here if one.name == name}
    expected = "|".join(field.types)
    wrong = {kind: count for kind, count in found.items() if kind is not None and kind not in field.types}
    if wrong:
        return Fault(f"expected {expected}, found {'|'.join(sorted(wrong))}", sum(wrong.values()))
    holders = sum(one.count for one in here if one.name == ITSELF and one.type == "object")
    if found or field.is_optional or not holders:
        return None
    return Fault(f"expected {expected}, found no such field", holders)


def query_of(fields: Sequence[Field]) -> str:
    """Write the one query that counts the types of all these fields in a table's new rows.

    A payload is unpacked once: each look into a stored one would unpack it again.
    """
    names: dict[str, list[str]] = {}
    for field in fields:
        holder, name = field.place
        names.setdefault(holder, []).append(name)
    holders = "\n    union all\n    ".join(_holder(holder, listed) for holder, listed in names.items())
    return f"""
select holders.path as holder, found.name, found.type, count(*) as count
from {{new_rows}}
cross join lateral (select new_rows.payload || '{{}}'::jsonb as payload offset 0) as whole
cross join lateral (
    {holders}
) as holders
cross join lateral (
    select '{ITSELF}' as name, jsonb_typeof(holders.value) as type
    union all
    select each.key, jsonb_typeof(each.value)
    from jsonb_each(case when jsonb_typeof(holders.value) = 'object' then holders.value end) as each
    where each.key = any(holders.names)
) as found
group by 1, 2, 3"""  # noqa: S608 - suites are code


def _holder(path: str, names: Sequence[str]) -> str:
    """Select what holds fields: an object in the payload, or each element of an array there."""
    value, joined = "whole.payload", list[str]()
    for number, part in enumerate(_parts(path)):
        *fields, last = part
        keys = [*fields, last.removesuffix("[]")]
        value += "".join(f" -> {_text(key)}" for key in keys)
        if last.endswith("[]"):
            array = f"case when jsonb_typeof({value}) = 'array' then {value} end"
            joined.append(f"jsonb_array_elements({array}) as elements_{number} (value)")
            value = f"elements_{number}.value"
    source = f" from {' cross join lateral '.join(joined)}" if joined else ""
    listed = ", ".join(_text(name) for name in names)
    return f"select {_text(path)} as path, {value} as value, array[{listed}] as names{source}"


def _parts(path: str) -> list[list[str]]:
    """Split a path into spans of fields, each but the last ending with an array."""
    parts: list[list[str]] = [[]]
    for name in path.split(".") if path else ():
        parts[-1].append(name)
        if name.endswith("[]"):
            parts.append([])
    return [part for part in parts if part]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
