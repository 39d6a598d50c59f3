"""Values as Japanese systems and people write them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuna.files import values
from kizuna.files.values import ValueReadError

TOKYO = ZoneInfo("Asia/Tokyo")
DAYS = st.dates(min_value=values.OLDEST, max_value=date(2199, 12, 31))
FULL_WIDTH = str.maketrans("0123456789,.-/:", "０１２３４５６７８９，．－／：")


def write_era(day: date) -> str:
    """Write a day in the Japanese calendar, like 令和6年5月1日; the first year of an era is 元年."""
    name, _, first = next(era for era in values.ERAS if day >= era[2])
    year = day.year - first.year + 1
    return f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日"


@given(DAYS)
def test_a_day_written_in_the_japanese_calendar_is_read_back(day: date) -> None:
    assert values.read_date(write_era(day)) == day


@given(DAYS, st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d"]), st.booleans())
def test_a_day_in_any_western_form_is_read_back(day: date, form: str, is_full_width: bool) -> None:
    text = day.strftime(form)

    assert values.read_date(text.translate(FULL_WIDTH) if is_full_width else text) == day


@given(st.integers(min_value=-(10**12), max_value=10**12), st.booleans())
def test_money_is_read_back_with_sign_commas_and_full_width_digits(amount: int, is_full_width: bool) -> None:
    text = f"{'▲' if amount < 0 else ''}¥{abs(amount):,}円"

    assert values.read_integer(text.translate(FULL_WIDTH) if is_full_width else text) == amount


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("令和6年5月1日", "2024-05-01"),
        ("令和元年5月1日", "2019-05-01"),
        ("㋿元年５月１日", "2019-05-01"),
        ("R6.5.1", "2024-05-01"),
        ("R060501", "2024-05-01"),
        ("S60/1/2", "1985-01-02"),
        ("s60-1-2", "1985-01-02"),
        ("昭64.1.7", "1989-01-07"),
        ("平成元年1月8日", "1989-01-08"),
        ("平成31年5月1日", "2019-05-01"),
        ("2024-05-01 00:00:00", "2024-05-01"),
    ],
)
def test_a_day_is_read_in_each_way_it_is_written(text: str, day: str) -> None:
    assert values.read(text, "date", TOKYO) == day


@pytest.mark.parametrize(
    "text",
    [
        "平成元年1月7日",
        "24/5/1",
        "2024-02-30",
        "20206-01-01",
        "060501",
        "平成元年",
        "2024-05-01 10:00",
        "きのう",
        "R0.5.1",
    ],
)
def test_what_no_calendar_has_or_nobody_can_tell_is_refused(text: str) -> None:
    with pytest.raises(ValueReadError):
        values.read(text, "date", TOKYO)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024/5/1 9:05", "2024-05-01T09:05:00+09:00"),
        ("２０２４年５月１日　９時５分", "2024-05-01T09:05:00+09:00"),
        ("2024-05-01T09:05:01Z", "2024-05-01T09:05:01+00:00"),
        ("2024-05-01 09:05:01.25 +0900", "2024-05-01T00:05:01.250000+00:00"),
        ("20240501093000", "2024-05-01T09:30:00+09:00"),
        ("令和6年5月1日 23時59分59秒", "2024-05-01T23:59:59+09:00"),
        ("2024-05-01", "2024-05-01T00:00:00+09:00"),
    ],
)
def test_a_moment_without_offset_is_in_the_time_zone_of_the_mapping(text: str, moment: str) -> None:
    assert values.read(text, "timestamp", TOKYO) == moment


@pytest.mark.parametrize("text", ["2024-05-01 25:00", "2024-05-01 10:60", "2024-05-01 おひる"])
def test_a_time_that_no_clock_shows_is_refused(text: str) -> None:
    with pytest.raises(ValueReadError):
        values.read(text, "timestamp", TOKYO)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("¥1,234", "1234"),
        ("\\1,234", "1234"),
        ("▲500円", "-500"),
        ("-0.5", "-0.5"),
        ("¥-300", "-300"),
        ("１２．５０", "12.50"),
    ],
)
def test_numbers_are_exact(text: str, number: str) -> None:
    assert values.read(text, "decimal", TOKYO) == number
    assert values.read_decimal(text) == Decimal(number)


@pytest.mark.parametrize("text", ["1,23", "12a", "約100", "1.2.3", "--1", "三"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueReadError, match="is not a number"):
        values.read_decimal(text)


def test_a_fraction_is_no_whole_number() -> None:
    assert values.read_integer("3.0") == 3
    with pytest.raises(ValueReadError, match="is not a whole number"):
        values.read_integer("3.5")


def test_yes_and_no_are_read_in_the_words_of_shop_systems() -> None:
    assert [values.read_boolean(text) for text in ("有効", "１", "TRUE", "受け取る", "○")] == [True] * 5
    assert [values.read_boolean(text) for text in ("無効", "０", "false", "受信拒否", "×")] == [False] * 5
    with pytest.raises(ValueReadError, match="is neither yes nor no"):
        values.read_boolean("たぶん")


@pytest.mark.parametrize("kind", ["text", "integer", "decimal", "boolean", "date", "timestamp"])
def test_a_blank_cell_is_no_value(kind: values.Kind) -> None:
    assert values.read("", kind, TOKYO) is None
    assert values.read(" 　", kind, TOKYO) is None


@given(st.text(max_size=60))
def test_the_shape_of_a_value_tells_no_letter_and_no_digit_of_it(text: str) -> None:
    shown = values.shape_of(text)

    assert {letter for letter in shown if letter.isalnum()} <= {"9", "x"}
