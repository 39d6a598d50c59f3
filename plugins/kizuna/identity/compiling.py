"""Compiling: the same steps interpreted for small problems, compiled for large ones.

The functions of `connecting`, `refusing` and `joining` run in two ways with one result: interpreted on lists, for the
few records of a usual run, and compiled on arrays, for millions. So they use nothing but loops, numbers and places.
Numba takes about a second to load, more than a usual run needs in all; from some hundred thousand links on it pays.
"""

from __future__ import annotations

from dataclasses import dataclass, make_dataclass
from functools import cache
from itertools import starmap
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from kizuna.identity import connecting, joining, refusing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from kizuna.identity.connecting import Column, Table
    from kizuna.identity.problem import Numbers

COMPILE_FROM_LINKS = 250_000
MODULES = (connecting, refusing, joining)


@dataclass(frozen=True)
class Machine:
    """What runs the steps: their functions by name, and the columns these read and write."""

    functions: Mapping[str, Callable[..., Any]]
    is_compiled: bool

    def run(self, step: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - whatever the step returns
        """Take one of the steps on columns made by `column`."""
        return self.functions[step.__name__](*arguments)

    def column(self, numbers: Numbers, of: npt.DTypeLike = np.int32) -> Column:
        """Make a column of numbers: a list to interpret, a writable array of one type to compile."""
        return (
            np.require(numbers, dtype=of, requirements=["C", "W"]) if self.is_compiled else numbers.astype(of).tolist()
        )

    def table(self, columns: Mapping[str, Numbers], of: npt.DTypeLike = np.int32) -> Table:
        """Make rows of columns of one length."""
        names = list(columns)
        if not self.is_compiled:
            rows = zip(*(self.column(column, of) for column in columns.values()), strict=True)
            return list(starmap(_row(tuple(names)), rows))
        made = np.empty(len(columns[names[0]]), dtype=[(name, of) for name in names])
        for name, column in columns.items():
            made[name] = column
        return made

    def read(self, table: Table, names: Sequence[str], count: int) -> Numbers:
        """Return the first `count` rows of a table; one column per name."""
        if self.is_compiled:
            return np.stack([table[name][:count] for name in names], axis=1)
        rows = [[getattr(row, name) for name in names] for row in table[:count]]
        return np.array(rows, dtype=np.int64).reshape(-1, len(names))


def machine(links: int) -> Machine:
    """Choose how to solve a problem of so many links."""
    return _compiled() if links >= COMPILE_FROM_LINKS else INTERPRETED


@cache
def _row(names: tuple[str, ...]) -> type:
    return make_dataclass("Row", names, slots=True)


def _functions() -> dict[str, FunctionType]:
    return {
        name: value
        for module in MODULES
        for name, value in vars(module).items()
        if isinstance(value, FunctionType) and value.__module__ == module.__name__
    }


@cache
def _compiled() -> Machine:
    import numba  # noqa: PLC0415 - see above

    # A compiled function can only call compiled functions: each gets a world where all the others are.
    world: dict[str, Any] = {name: value for module in MODULES for name, value in vars(module).items()}
    for name, function in _functions().items():
        copy = FunctionType(function.__code__, world, name, function.__defaults__)
        copy.__module__ = function.__module__
        copy.__qualname__ = function.__qualname__
        try:
            world[name] = numba.njit(copy, cache=True)
        except RuntimeError:  # There is no folder that machine code could be kept in.
            world[name] = numba.njit(copy)
    return Machine({name: world[name] for name in _functions()}, is_compiled=True)


INTERPRETED = Machine(_functions(), is_compiled=False)
