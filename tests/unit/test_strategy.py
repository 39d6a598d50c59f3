"""The strategy: defaults, overrides, and one clear line for every wrong key."""

from pathlib import Path

import pytest

from kizuna import strategy
from kizuna.settings import PROJECT
from kizuna.strategy import Strategy, StrategyError


@pytest.fixture
def write(tmp_path: Path):
    def _write(text: str) -> Path:
        file = tmp_path / "strategy.yml"
        file.write_text(text, encoding="utf-8")
        return file

    return _write


def test_the_shipped_file_states_the_defaults() -> None:
    assert strategy.load(PROJECT / "strategy.yml") == Strategy()


def test_an_empty_file_means_the_defaults(write) -> None:
    assert strategy.load(write("# nothing decided yet\n")) == Strategy()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("same_day_orders: join", "same_day_orders: Input should be 'merge' or 'count', found 'join'"),
        ("purchase_rules: {exclude_free: 1}", "purchase_rules.exclude_free: Input should be a valid boolean, found 1"),
        ("f2_windows_days: [30, 7]", "f2_windows_days: expected different windows in ascending order"),
        ("business_timezone: Asia/Edo", "business_timezone: expected a time zone of the IANA database"),
        ("reporting_currency: yen", "reporting_currency: String should match pattern"),
        ("at_risk_after_days: 365", "expected at_risk_after_days below dormant_after_days, found 365 and 365"),
        ("rfm_thresholds: {monetary: [1, 2, 2, 3]}", "rfm_thresholds.monetary: expected four cut points in ascending"),
        ("dormant_after: 10", "dormant_after: unknown key; known: business_timezone"),
        ("- a list", "expected `key: value` lines, found list"),
        ("a: [", "is not YAML"),
    ],
)
def test_a_wrong_key_or_value_is_named(write, text, expected) -> None:
    with pytest.raises(StrategyError, match=r"^strategy\.yml") as caught:
        strategy.load(write(text))
    assert expected in str(caught.value)


def test_all_wrong_keys_are_told_at_once(write) -> None:
    with pytest.raises(StrategyError) as caught:
        strategy.load(write("same_day_orders: 1\nloyal_from_purchases: 1\nunknown: 1\n"))
    assert len(str(caught.value).splitlines()) == 3


def test_a_missing_file_says_how_to_name_one(tmp_path) -> None:
    with pytest.raises(StrategyError, match="STRATEGY=<file>"):
        strategy.load(tmp_path / "absent.yml")


def test_the_environment_wins_over_the_file(write, monkeypatch) -> None:
    monkeypatch.setenv("KIZUNA_TIMEZONE", "Europe/London")
    monkeypatch.setenv("KIZUNA_CURRENCY", "GBP")
    loaded = strategy.load(write("business_timezone: Asia/Tokyo"))
    assert (loaded.business_timezone, loaded.reporting_currency) == ("Europe/London", "GBP")


def test_the_digest_changes_with_any_policy() -> None:
    assert Strategy().digest() == Strategy().digest()
    assert Strategy().digest() != Strategy(loyal_from_purchases=4).digest()
