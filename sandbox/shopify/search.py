"""The vendor's search language, as far as the sandbox answers it: comparisons of times and ids, all of which must hold.

A term the shop does not know is ignored and named in the answer's `extensions.search`, as the vendor does.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.shopify.timeline import Index, View

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

TERM = re.compile(
    r"""(?P<field>[a-z_]+):(?P<operator>>=|<=|>|<)?(?:'(?P<quoted>[^']*)'|"(?P<double>[^"]*)"|(?P<bare>[^\s'"]+))"""
)
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "": operator.eq,
}
TIMES = {"updated_at", "created_at", "processed_at"}


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison."""

    field: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Search:
    """A parsed search: the terms that apply and warnings about the others."""

    terms: tuple[Term, ...]
    warnings: tuple[tuple[str, str], ...]


def parse_search(query: str | None, known: frozenset[str]) -> Search:
    """Read a search; terms on fields outside `known` and unreadable values become warnings."""
    terms: list[Term] = []
    warnings: list[tuple[str, str]] = []
    for found in TERM.finditer(query or ""):
        value = found["quoted"] or found["double"] or found["bare"] or ""
        term = Term(found["field"], found["operator"] or "", value)
        if term.field not in known:
            warnings.append((term.field, "Invalid search field for this query."))
        elif term.field in TIMES and parse_instant(value) is None:
            warnings.append((term.field, "Invalid timestamp for query filter."))
        else:
            terms.append(term)
    return Search(tuple(terms), tuple(warnings))


def parse_instant(text: str) -> float | None:
    """Read an ISO time (UTC where no offset is given) as seconds; None when it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def select(view: View, sort: str, search: Search) -> Index:
    """Give the records that match, in the asked order; terms on the sort field itself are cut out by bisection."""
    index = view.index(sort)
    low, high = 0, len(index.values)
    masks: list[NDArray[np.bool_]] = []
    for term in search.terms:
        if term.field == sort and sort in TIMES and term.operator:
            low, high = narrow(index, term, low, high)
        else:
            masks.append(matching(view, index, term))
    chosen = slice(low, max(low, high))
    if not masks:
        return Index(index.values[chosen], index.records[chosen])
    mask = np.logical_and.reduce(masks)[chosen]
    return Index(index.values[chosen][mask], index.records[chosen][mask])


def narrow(index: Index, term: Term, low: int, high: int) -> tuple[int, int]:
    """Cut the range of places to where the sort value satisfies the term."""
    bound = parse_instant(term.value) or 0.0
    behind = term.operator in (">", "<=")
    place = int(np.searchsorted(index.values, bound, side="right" if behind else "left"))
    return (max(low, place), high) if term.operator.startswith(">") else (low, min(high, place))


def matching(view: View, index: Index, term: Term) -> NDArray[np.bool_]:
    """Say for each record of the index whether it satisfies the term."""
    compare = COMPARE[term.operator]
    if term.field in TIMES:
        values: NDArray[Any] = view.values_of(term.field)[index.records]
        return np.asarray(compare(values, parse_instant(term.value)), dtype=bool)
    wanted = term.value.rsplit("/", 1)[-1]
    keys = [view.key_of(record).rsplit("/", 1)[-1] for record in index.records.tolist()]
    if not term.operator:
        return np.asarray([key == wanted for key in keys], dtype=bool)
    return np.asarray([key.isdigit() and bool(compare(int(key), int(wanted))) for key in keys], dtype=bool)
