"""Windows and counts: arithmetic that must hold for any clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kizuna.reading import EPOCH, VendorCount, Window, lower_bound

OVERLAP, HOLD_BACK = timedelta(minutes=10), timedelta(minutes=2)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.lists(MOMENTS, min_size=1, max_size=12))
def test_consecutive_windows_cover_all_time_with_overlap_and_without_a_gap(clocks: list[datetime]) -> None:
    watermark: datetime | None = None
    covered = EPOCH
    for now in sorted(clocks):
        window = Window(lower_bound(watermark, OVERLAP), now - HOLD_BACK)
        assert window.lower <= covered
        assert watermark is None or window.lower == watermark - OVERLAP
        assert window.upper == now - HOLD_BACK
        covered = watermark = max(covered, window.upper)


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_a_clock_behind_the_watermark_leaves_nothing_to_read(now: datetime, ahead: timedelta) -> None:
    window = Window(lower_bound(now - HOLD_BACK + OVERLAP + ahead, OVERLAP), now - HOLD_BACK)

    assert window.is_empty


def test_the_first_window_starts_at_the_epoch() -> None:
    assert lower_bound(None, OVERLAP) == EPOCH


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 100))
def test_counts_agree_within_the_tolerance_only(vendor: int, read: int, tolerance: int) -> None:
    assert VendorCount(vendor, tolerance).agrees_with(read) == (abs(vendor - read) <= tolerance)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_lower_bound_is_reached_or_not(vendor: int, read: int) -> None:
    assert VendorCount(vendor, is_lower_bound=True).agrees_with(read) == (read >= vendor)
