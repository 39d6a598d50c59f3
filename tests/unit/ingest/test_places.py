"""A refused value is named by its place and shown by its form, so that nobody reads it in a log."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from kizuna.landing.places import largest, masked, unwritable, with_nul


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("20206-01-01T00:00:00Z", "99999-99-99A99:99:99A"),
        ("Hanako@例.jp", "Aaaaaa@?.aa"),
        (9012345678, "9999999999"),
        (None, "null"),
        (True, "true"),
        ({"email": "x"}, "object of 1 fields"),
        (["x"], "array of 1"),
        ("x" * 41, "a" * 40 + "… (41 characters)"),
        ("tab\t\0", "aaa??"),
    ],
)
def test_a_value_is_shown_by_its_form(value: object, form: str) -> None:
    assert masked(value) == form


def test_the_place_of_a_fault_is_its_path() -> None:
    record: Any = {"id": 1, "lines": [{"sku": "A"}, {"sku": "\ud83d"}], "note": "\0", "size": Decimal("1e400")}
    assert unwritable(record) == ("lines[1].sku", "\ud83d")
    assert with_nul(record) == ("note", "\0")
    assert largest({"a": {"b": "long"}, "c": "s"}) == ("a.b", "long")
    assert unwritable({"price": float("nan")}) is not None
    assert unwritable({"\udcff": 1}) == ("<name>", "\udcff")
    assert unwritable({"fine": ["x", 1, None]}) is None


def test_nesting_without_end_has_no_place() -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    assert unwritable({"x": nested}) is None
