"""Reads values as Japanese systems and people write them: full-width digits, ¥1,234, 令和6年5月1日, 有効 / 無効."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal
from unicodedata import normalize

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

Kind = Literal["text", "code", "integer", "decimal", "boolean", "date", "timestamp"]
Value = str | int | bool | None

# The first day of each era, newest first; an era that has ended is still counted on by systems nobody updated.
ERAS = (
    ("令和", "令R", date(2019, 5, 1)),
    ("平成", "平H", date(1989, 1, 8)),
    ("昭和", "昭S", date(1926, 12, 25)),
    ("大正", "大T", date(1912, 7, 30)),
    ("明治", "明M", date(1868, 1, 25)),
)
OLDEST, NEWEST = date(1868, 1, 25), date(2200, 1, 1)

WORDS_FOR_TRUE = {
    *("1", "true", "t", "yes", "y", "on", "○", "〇", "◯"),
    *(
        "有効",
        "有",
        "あり",
        "はい",
        "可",
        "許可",
        "希望",
        "希望する",
        "購読",
        "受信",
        "受信する",
        "受け取る",
        "送る",
        "済",
    ),
}
WORDS_FOR_FALSE = {
    *("0", "false", "f", "no", "n", "off", "×", "x"),
    *("無効", "無", "なし", "いいえ", "不可", "拒否", "不要", "希望しない"),
    *("非購読", "受信拒否", "受信しない", "受け取らない", "送らない", "未"),
}

_ERA = rf"(?P<era>{'|'.join(name for name, _, _ in ERAS)}|[{''.join(letters for _, letters, _ in ERAS)}])?"
_DATE = re.compile(
    rf"{_ERA}(?P<year>\d{{1,4}}|元)(?:[-/.]|年)(?P<month>\d{{1,2}})(?:[-/.]|月)(?P<day>\d{{1,2}})日?", re.IGNORECASE
)
_COMPACT_DATE = re.compile(
    r"(?P<era>[RHSTM](?=\d{6}(?!\d)))?(?P<year>(?(era)\d\d|\d{4}))(?P<month>\d\d)(?P<day>\d\d)", re.IGNORECASE
)
_COMPACT_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?")
_TIME = re.compile(
    r"(?P<hour>\d{1,2})[:時](?P<minute>\d{1,2})(?:[:分](?:(?P<second>\d{1,2})(?P<fraction>\.\d{1,6})?\d*秒?)?)?"
    r"\s*(?P<offset>Z|UTC|[-+]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?P<sign>[-+▲△]?(?:[¥\\](?!-))?|[¥\\]-)(?P<digits>\d{1,3}(?:,\d{3})+|\d+)(?P<fraction>\.\d+)?"
    r"(?:円|個|点|回|件|歳|才|pt)?"
)
_DASHES = str.maketrans("−‐‑–—ー", "------")


class ValueReadError(ValueError):
    """A text is not what its field wants; the message says what was wanted and never repeats the text."""


def read(text: str, kind: Kind, zone: ZoneInfo) -> Value:
    """Read one cell: None where it is blank; decimals as exact text, dates and times in ISO 8601.

    Raises:
        ValueReadError: when the text is something else.
    """
    if not text or text.isspace():
        return None
    if kind == "text":
        return text.strip()
    if kind == "timestamp":
        return read_timestamp(text, zone).isoformat()
    return _READERS[kind](text)


def read_boolean(text: str) -> bool:
    """Read yes or no in the words of shop systems."""
    word = _plain(text).lower()
    if word in WORDS_FOR_TRUE:
        return True
    if word in WORDS_FOR_FALSE:
        return False
    message = "is neither yes nor no"
    raise ValueReadError(message)


def read_decimal(text: str) -> Decimal:
    """Read a number with its yen sign, thousands commas, unit, and ▲ for minus."""
    found = _NUMBER.fullmatch(_plain(text).translate(_DASHES).replace(" ", ""))
    if found is None:
        message = "is not a number"
        raise ValueReadError(message)
    number = Decimal(found["digits"].replace(",", "") + (found["fraction"] or ""))
    return -number if set(found["sign"]) & {"-", "▲", "△"} else number


def read_integer(text: str) -> int:
    """Read a whole number; 3.0 is one, as spreadsheets write it."""
    number = read_decimal(text)
    if number != number.to_integral_value():
        message = "is not a whole number"
        raise ValueReadError(message)
    return int(number)


def read_date(text: str) -> date:
    """Read a day of the Western or the Japanese calendar; a time of midnight behind it is what spreadsheets add."""
    plain = _plain(text)
    day, rest = _leading_date(plain)
    if rest.strip(" T") and _read_time(rest) != (time(0), None):
        message = "is a moment, not a day"
        raise ValueReadError(message)
    return day


def read_timestamp(text: str, zone: ZoneInfo) -> datetime:
    """Read a moment; where it has no offset of its own it is in `zone`, and a day alone is its midnight."""
    day, rest = _leading_date(_plain(text))
    at, offset = _read_time(rest) if rest.strip(" T") else (time(0), None)
    moment = datetime.combine(day, at, tzinfo=zone)
    return moment if offset is None else moment.replace(tzinfo=UTC) - offset


def shape_of(text: str) -> str:
    """Show how a text is written and nothing of what it says: digits as 9, letters as x."""
    shown = "".join("9" if letter.isdigit() else "x" if letter.isalnum() else letter for letter in text[:40])
    return shown + ("…" if len(text) > 40 else "")


def _plain(text: str) -> str:
    return text.strip() if text.isascii() else normalize("NFKC", text).strip()


def _leading_date(plain: str) -> tuple[date, str]:
    """Return the day that the text begins with, and the rest."""
    compact = _COMPACT_MOMENT.fullmatch(plain)
    if compact:
        plain = "{}-{}-{} {}:{}:{}".format(*compact.groups(default="00"))
    found = _DATE.match(plain) or _COMPACT_DATE.match(plain)
    day = _day(found) if found else None
    if found is None or day is None or (found[0][-1].isdigit() and plain[found.end() : found.end() + 1].isdigit()):
        message = "is not a date"
        raise ValueReadError(message)
    return day, plain[found.end() :]


def _day(found: re.Match[str]) -> date | None:
    """Return the day, or None where no calendar has it."""
    year = 1 if found["year"] == "元" else int(found["year"])
    first = None
    if found["era"]:
        sign = found["era"].upper()
        first = next(first for name, letters, first in ERAS if sign == name or sign in letters)
        year += first.year - 1
    elif len(found["year"]) != 4:
        return None
    try:
        day = date(year, int(found["month"]), int(found["day"]))
    except ValueError:
        return None
    return day if (first or OLDEST) <= day < NEWEST else None


def _read_time(text: str) -> tuple[time, timedelta | None]:
    found = _TIME.fullmatch(text.strip(" T"))
    if found is None or int(found["hour"]) > 23 or int(found["minute"]) > 59 or int(found["second"] or 0) > 59:
        message = "has no time of day that a clock shows"
        raise ValueReadError(message)
    microseconds = int((found["fraction"] or ".0")[1:].ljust(6, "0"))
    at = time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0), microseconds)
    return at, _offset(found["offset"])


def _offset(text: str | None) -> timedelta | None:
    if text is None:
        return None
    if text.upper() in {"Z", "UTC"}:
        return timedelta(0)
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timedelta(minutes=-minutes if text[0] == "-" else minutes)


_READERS: dict[str, Callable[[str], Value]] = {
    "code": _plain,
    "integer": read_integer,
    "decimal": lambda text: format(read_decimal(text), "f"),
    "boolean": read_boolean,
    "date": lambda text: read_date(text).isoformat(),
}
