"""The policy of identity: `identity.yml`, validated, with its defaults."""

from __future__ import annotations

import hashlib
import os
import re
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    computed_field,
    field_validator,
    model_validator,
)

from kizuna.settings import PROJECT

KindName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,30}$")]
BrandName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")]  # schemas and roles are named by it
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Probability = Annotated[float, Field(gt=0, le=1)]


class PolicyError(ValueError):
    """identity.yml is wrong; the text has one line per wrong key: file, key, value, what was expected."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Kind(_Section):
    """What a shared value of one kind is worth."""

    scope: Literal["global", "brand", "provider"] = "global"
    requires: Literal["nothing", "nothing_against", "agreement"]
    max_names: Count
    max_nameless_records: Count
    max_per_customer: Count | None = None
    is_household_evidence: bool = False


class Blocked(_Section):
    """Values that say nothing about a person: whole values, and regular expressions found anywhere in a value."""

    exact: list[str] = []
    patterns: list[str] = []

    @field_validator("patterns")
    @classmethod
    def _compile(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                message = f"expected regular expressions, {pattern!r} is none: {error}"
                raise ValueError(message) from None
        return patterns

    def has(self, value: str) -> bool:
        """Whether a normalized value (without its kind) is blocked."""
        return value in self.exact or any(re.search(pattern, value) for pattern in self.patterns)


class Conflicts(_Section):
    """Which contradictions between two profiles refuse to make them one customer."""

    birth_dates: bool = True
    names: bool = True


class Scored(_Section):
    """Whether runs score pairs; the probabilities from which a pair is the weakest link, or a person is asked."""

    enabled: bool = False
    accept: Probability = 0.9
    review: Probability = 0.5

    @model_validator(mode="after")
    def _review_below_accept(self) -> Scored:
        if self.review > self.accept:
            message = f"expected review not above accept, found {self.review} and {self.accept}"
            raise ValueError(message)
        return self


class Breaker(_Section):
    """What no run may publish."""

    largest_customer_records: Count = 2_000
    largest_component_records: Count = 200_000
    most_merged_share: Probability = 0.05  # of the customers there were before the run


KINDS = {
    "login": Kind(scope="brand", requires="nothing", max_names=6, max_nameless_records=200, max_per_customer=1),
    "line": Kind(scope="provider", requires="nothing", max_names=6, max_nameless_records=200, max_per_customer=1),
    "email": Kind(requires="nothing_against", max_names=10, max_nameless_records=30),
    "phone": Kind(requires="nothing_against", max_names=10, max_nameless_records=20, is_household_evidence=True),
    "name_birth": Kind(requires="nothing_against", max_names=4, max_nameless_records=10),
    "name_address": Kind(requires="nothing_against", max_names=4, max_nameless_records=10),
    "address": Kind(requires="agreement", max_names=8, max_nameless_records=8, is_household_evidence=True),
    "given_birth": Kind(requires="agreement", max_names=4, max_nameless_records=4),
}
BLOCKED = {
    "email": Blocked(
        patterns=[
            r"^(no-?_?reply|do-?not-?reply|dummy|nomail|no-?mail|none|mailer-daemon|postmaster)[0-9]*@",
            r"@marketplace\.amazon\.(co\.jp|com)$",
            r"@(pc|mb)\.fw\.rakuten\.ne\.jp$",
        ],
    ),
    "phone": Blocked(
        exact=["0123456789", "1234567890", "12345678901", "0312345678", "0612345678"],
        patterns=[
            r"^(\d)\1+$",
            r"^0\d{1,3}(\d)\1{6,}$",
            r"^0[5-9]0(12345678|98765432|87654321)$",
            r"^(0120\d{6}|0800\d{7}|0570\d{6})$",
        ],
    ),
    "name_birth": Blocked(patterns=[r"\|(0001|1900|1970)-01-01$"]),
}


# What decides beside the policy: how values are normalized, and how profiles are compared and records joined.
RULES_IN_CODE = (
    "dbt_project/macros/*.sql",
    "dbt_project/models/identity/*.sql",
    "plugins/kizuna/identity/name_tables/*.txt",
    "plugins/kizuna/identity/*.py",
)


class Policy(_Section):
    """Every rule of docs/identity.md; `kinds` go from the strongest to the weakest."""

    kinds: Annotated[dict[KindName, Kind], Field(min_length=1)] = KINDS
    blocked: dict[KindName, Blocked] = BLOCKED
    conflicts: Conflicts = Conflicts()
    scored: Scored = Scored()
    breaker: Breaker = Breaker()
    default_brand: BrandName = "main"
    brands: dict[str, BrandName] = {"eccube": "second"}  # an EC-CUBE shop beside Shopify is another brand's

    @model_validator(mode="after")
    def _blocked_kinds_exist(self) -> Policy:
        for kind in self.blocked:
            if kind not in self.kinds:
                message = f"expected a kind of `kinds` ({', '.join(self.kinds)}) in blocked, found {kind!r}"
                raise ValueError(message)
        return self

    @computed_field
    def code(self) -> str:
        """Twelve hexadecimal digits that change with the code that normalizes, compares and joins."""
        return _digest_of_code()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The kinds by strength; a link's kind is a place in this."""
        return tuple(self.kinds)

    def is_blocked(self, kind: str, value: str) -> bool:
        """Whether `value` (normalized, without its kind) says nothing about a person."""
        return kind in self.blocked and self.blocked[kind].has(value)

    def brand(self, source: str) -> str:
        """The brand whose shop, inbox or account a source is."""
        return self.brands.get(source, self.default_brand)

    @cached_property
    def brand_names(self) -> tuple[str, ...]:
        """Every brand there is."""
        return tuple(sorted({self.default_brand, *self.brands.values()}))

    def digest(self) -> str:
        """Twelve hexadecimal digits that change with any rule: the rule_version of everything decided by it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


@lru_cache(maxsize=1)
def _digest_of_code() -> str:
    files = [file for pattern in RULES_IN_CODE for file in sorted(PROJECT.glob(pattern))]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:12]


def path() -> Path:
    """The policy file in force: `KIZUNA_IDENTITY_POLICY`, else the project's own."""
    return Path(os.environ.get("KIZUNA_IDENTITY_POLICY") or PROJECT / "identity.yml")


def load(file: Path | None = None) -> Policy:
    """Read and validate a policy.

    Raises:
        PolicyError: when the file is missing, is not YAML, or has a wrong key or value.
    """
    source = file or path()
    try:
        return Policy.model_validate(_read(source))
    except ValidationError as error:
        lines = [f"{source.name}: {_where(problem['loc'])}: {_what(dict(problem))}" for problem in error.errors()]
        raise PolicyError("\n".join(lines)) from None


def known(kept: dict[str, Any]) -> Policy:
    """Return a policy as `identity.policies` keeps it; the code that decides is the present one."""
    return Policy.model_validate({name: rule for name, rule in kept.items() if name in Policy.model_fields})


def _read(source: Path) -> dict[str, object]:
    try:
        given = yaml.safe_load(source.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        message = f"No identity policy at {source}: set KIZUNA_IDENTITY_POLICY to one or restore identity.yml"
        raise PolicyError(message) from None
    except yaml.YAMLError as error:
        message = f"{source.name} is not YAML: {error}"
        raise PolicyError(message) from None
    if not isinstance(given, dict):
        message = f"{source.name}: expected `key: value` lines, found {type(given).__name__}"
        raise PolicyError(message)
    return given


def _where(location: tuple[object, ...]) -> str:
    return ".".join(str(part) for part in location) or "the file"


def _what(problem: dict[str, object]) -> str:
    if problem["type"] == "extra_forbidden":
        return f"unknown key, expected one of docs/identity.md, found {problem['input']!r}"
    found = "" if isinstance(problem["input"], dict) else f", found {problem['input']!r}"
    return f"{str(problem['msg']).removeprefix('Value error, ')}{found}"
