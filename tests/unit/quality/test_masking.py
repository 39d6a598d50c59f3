"""Of a failing row its id may be seen, and nothing of the person."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.quality.masking import error_text, mask, observed

PERSONAL = ["taro@example.jp", "090-1234-5678", "09012345678", "山田太郎", "CHRIS", "U" + "0f" * 16, "東京都港区1-2-3"]


@pytest.mark.parametrize("value", PERSONAL)
def test_a_persons_value_becomes_a_digest(value: str) -> None:
    assert value not in mask(value)
    assert mask(value).startswith("sha256:")
    assert mask(value) == mask(value)


@pytest.mark.parametrize(
    "value",
    [
        *("gid://shopify/Order/123", "shopify:guest:gid://shopify/Order/00001", "5f0c2a1e-7d0b-5c59-9c2b-6b697a756e61"),
        *(42, Decimal("-12.50"), date(2026, 11, 22), None, True),
    ],
)
def test_an_id_a_date_or_a_small_number_stays(value: object) -> None:
    assert mask(value) == str(value)


def test_a_number_as_long_as_a_telephone_number_becomes_a_digest() -> None:
    assert mask(9012345678).startswith("sha256:")


@given(st.emails())
def test_no_address_survives(address: str) -> None:
    assert "@" not in mask(address)


def test_observed_lists_are_counted_not_shown() -> None:
    assert observed(PERSONAL) == {"count": len(PERSONAL)}
    assert observed(Decimal("1.5")) == "1.5"
    assert observed(0.25) == 0.25
    assert str(observed(PERSONAL[0])).startswith("sha256:")


def test_an_error_shows_its_text_only_where_it_cannot_hold_a_value() -> None:
    assert error_text('(psycopg2.errors.UndefinedColumn) column "x" does not exist\nLINE 1') == (
        'UndefinedColumn: column "x" does not exist'
    )
    shown = error_text('(psycopg2.errors.InvalidTextRepresentation) invalid input: "taro@example.jp"')
    assert shown == "InvalidTextRepresentation"
    assert error_text("anything else: taro@example.jp") == "the check could not be computed"
