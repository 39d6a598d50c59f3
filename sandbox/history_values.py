"""Reads the values of an order history: moments, money, quantities; what cannot be read names its place."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sandbox.tables import OrderHistoryError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

STATUSES: Final = ("paid", "pending", "cancelled", "refunded", "test", "refused")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?")
MONEY = re.compile(r"\d+(\.\d+)?")
YES_OR_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": None}
Place = tuple[str, int]


def problem(place: Place, column: str, value: str, expected: str) -> OrderHistoryError:
    """Name a value that cannot be read."""
    return OrderHistoryError(place[0], expected, line=place[1], column=column, value=value)


@cache
def currency_codes() -> frozenset[str]:
    """List the currencies the vendor knows."""
    text = (Path(__file__).parent / "vendors" / "shopify.graphql").read_text(encoding="utf-8")
    listed = text.partition("enum CurrencyCode {")[2].partition("}")[0]
    return frozenset(listed.split())


class HistoryValues:
    """The readers for one history. Texts repeat by the thousand, so what was read once is remembered."""

    def __init__(self, zone: ZoneInfo, currency: str) -> None:
        """Take the zone of times without an offset, and the currency of orders that name none."""
        self._zone = zone
        self._currency = currency
        self._money: dict[str, Decimal] = {}
        self._quantities: dict[str, int] = {}

    def moment(self, place: Place, column: str, text: str) -> int:
        """Read a date or time; a date alone is the start of that day."""
        try:
            moment = datetime.fromisoformat(text if MOMENT.fullmatch(text) else "")
        except ValueError:
            expected = "YYYY-MM-DD or YYYY-MM-DD HH:MM[:SS], with an offset or in the history's time zone"
            raise problem(place, column, text, expected) from None
        return int((moment if moment.tzinfo else moment.replace(tzinfo=self._zone)).timestamp())

    def money(self, place: Place, column: str, text: str) -> Decimal:
        """Read an exact amount of money."""
        known = self._money.get(text)
        if known is None:
            if not MONEY.fullmatch(text):
                raise problem(place, column, text, "a decimal number not below zero, like 1980 or 29.33")
            known = self._money[text] = Decimal(text)
        return known

    def quantity(self, place: Place, column: str, text: str) -> int:
        """Read a quantity."""
        known = self._quantities.get(text)
        if known is None:
            if not text.isdecimal() or int(text) == 0:
                raise problem(place, column, text, "a whole number above zero")
            known = self._quantities[text] = int(text)
        return known

    def currency(self, place: Place, column: str, text: str) -> str:
        """Read a currency code, or take the history's."""
        code = text or self._currency
        if code not in currency_codes():
            raise problem(place, column, code, "a currency code such as JPY or USD")
        return code

    def birth_date(self, place: Place, column: str, text: str) -> str | None:
        """Read a birth date; an unreadable one is shown without its digits, as it is personal."""
        if not text:
            return None
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            raise problem(place, column, re.sub(r"\d", "9", text), "YYYY-MM-DD") from None

    def yes_or_no(self, place: Place, column: str, text: str) -> bool | None:
        """Read a consent; empty is unknown."""
        if text.lower() not in YES_OR_NO:
            raise problem(place, column, text, "true, false or nothing")
        return YES_OR_NO[text.lower()]
