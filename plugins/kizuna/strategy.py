"""The brand's relationship strategy: `strategy.yml`, validated, with its defaults."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from kizuna.settings import PROJECT

CutPoints = Annotated[list[float], Field(min_length=4, max_length=4)]
Days = Annotated[int, Field(ge=1, le=36_500)]


class StrategyError(ValueError):
    """strategy.yml is wrong; the text has one line per wrong key: file, key, value, what was expected."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PurchaseRules(_Section):
    """Which orders do not count as purchases."""

    exclude_test: bool = True
    exclude_cancelled: bool = True
    exclude_refused: bool = True
    exclude_fully_refunded: bool = True
    exclude_free: bool = True


class RfmThresholds(_Section):
    """Fixed cut points between the scores 1 to 5, ascending; used when `rfm_method` is thresholds."""

    recency_days: CutPoints = [30, 90, 180, 365]
    frequency: CutPoints = [1, 2, 3, 5]
    monetary: CutPoints = [3_000, 10_000, 30_000, 100_000]

    @field_validator("*")
    @classmethod
    def _ascending(cls, points: list[float]) -> list[float]:
        if points != sorted(set(points)):
            message = "expected four cut points in ascending order"
            raise ValueError(message)
        return points


class Strategy(_Section):
    """Every policy of docs/strategy.md; durations are in days, money in `reporting_currency`."""

    business_timezone: str = "Asia/Tokyo"
    reporting_currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "JPY"
    same_day_orders: Literal["merge", "count"] = "merge"
    purchase_rules: PurchaseRules = PurchaseRules()
    refused_order_tags: list[str] = ["受取拒否"]
    f2_windows_days: Annotated[list[Days], Field(min_length=1)] = [7, 30, 60, 90, 180, 365]
    rfm_window_days: Days | None = None
    rfm_method: Literal["quantile", "thresholds"] = "quantile"
    rfm_thresholds: RfmThresholds = RfmThresholds()
    dormant_after_days: Days = 365
    at_risk_after_days: Days = 180
    loyal_from_purchases: Annotated[int, Field(ge=2)] = 3

    @field_validator("business_timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            message = "expected a time zone of the IANA database, like Asia/Tokyo"
            raise ValueError(message) from None
        return name

    @field_validator("f2_windows_days")
    @classmethod
    def _windows_ascend(cls, windows: list[int]) -> list[int]:
        if windows != sorted(set(windows)):
            message = "expected different windows in ascending order"
            raise ValueError(message)
        return windows

    @model_validator(mode="after")
    def _at_risk_before_dormant(self) -> Strategy:
        if self.at_risk_after_days >= self.dormant_after_days:
            days = f"{self.at_risk_after_days} and {self.dormant_after_days}"
            message = f"expected at_risk_after_days below dormant_after_days, found {days}"
            raise ValueError(message)
        return self

    def digest(self) -> str:
        """Twelve hexadecimal digits that change with any policy; published versions carry it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


def path() -> Path:
    """The strategy file in force: `KIZUNA_STRATEGY`, else the project's own."""
    return Path(os.environ.get("KIZUNA_STRATEGY") or PROJECT / "strategy.yml")


def load(file: Path | None = None, *, timezone: str | None = None) -> Strategy:
    """Read and validate a strategy; `KIZUNA_TIMEZONE` and `KIZUNA_CURRENCY` win over the file, `timezone` over both.

    Raises:
        StrategyError: when the file is missing, is not YAML, or has a wrong key or value.
    """
    source = file or path()
    given = _read(source)
    environment = {"business_timezone": "KIZUNA_TIMEZONE", "reporting_currency": "KIZUNA_CURRENCY"}
    given |= {key: os.environ[variable] for key, variable in environment.items() if os.environ.get(variable)}
    if timezone:
        given["business_timezone"] = timezone
    try:
        return Strategy.model_validate(given)
    except ValidationError as error:
        lines = [f"{source.name}: {_where(problem['loc'])}: {_what(dict(problem))}" for problem in error.errors()]
        raise StrategyError("\n".join(lines)) from None


def _read(source: Path) -> dict[str, object]:
    try:
        given = yaml.safe_load(source.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        message = f"No strategy file at {source}: name one (make demo STRATEGY=<file>) or restore strategy.yml"
        raise StrategyError(message) from None
    except yaml.YAMLError as error:
        message = f"{source.name} is not YAML: {error}"
        raise StrategyError(message) from None
    if not isinstance(given, dict):
        message = f"{source.name}: expected `key: value` lines, found {type(given).__name__}"
        raise StrategyError(message)
    return given


def _where(location: tuple[object, ...]) -> str:
    return ".".join(str(part) for part in location) or "the file"


def _what(problem: dict[str, object]) -> str:
    if problem["type"] == "extra_forbidden":
        return f"unknown key; known: {', '.join(Strategy.model_fields)}"
    found = "" if isinstance(problem["input"], dict) else f", found {problem['input']!r}"
    return f"{str(problem['msg']).removeprefix('Value error, ')}{found}"
