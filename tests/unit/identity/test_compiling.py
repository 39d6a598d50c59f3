"""Small problems load no compiler, large ones do, and an installation that nobody may write to is no obstacle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from kizuna.identity import compiling

PLUGINS = Path(compiling.__file__).parents[2]
SOLVE = """
import json, sys
import numpy as np
from kizuna.identity.comparing import Profile, compare
from kizuna.identity.compiling import COMPILE_FROM_LINKS
from kizuna.identity.policy import Policy
from kizuna.identity.problem import Problem
from kizuna.identity.solving import solve

count = int(sys.argv[1])
nobody = np.empty(0, np.int64)
taro, hanako = Profile(given="太郎"), Profile(given="花子")
records = np.arange(count)
solution = solve(
    Problem(
        count, records, records // 2, np.full(count, 2), records, np.zeros(count), np.where(records < 2, records, -1),
        [taro, hanako], (nobody, nobody), (nobody, nobody), (nobody, nobody, np.empty(0)),
    ),
    Policy(), compare,
)
print(json.dumps([solution.clusters[:4].tolist(), len(np.unique(solution.clusters)), "numba" in sys.modules]))
"""


def solve_in_a_new_process(links: int, **environment: str) -> list[object]:
    done = subprocess.run(
        [sys.executable, "-c", SOLVE, str(links)],
        env={**os.environ, "PYTHONPATH": str(PLUGINS), **environment},
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def test_a_small_problem_does_not_load_the_compiler() -> None:
    assert solve_in_a_new_process(1_000) == [[0, 1, 2, 2], 501, False]


def test_a_large_problem_is_compiled() -> None:
    count = compiling.COMPILE_FROM_LINKS
    assert solve_in_a_new_process(count) == [[0, 1, 2, 2], count // 2 + 1, True]


def test_machine_code_is_not_kept_where_nobody_may_write(monkeypatch) -> None:
    kept = []

    def njit(function=None, *, cache=False):
        if cache:  # what numba does when it finds no folder to keep machine code in
            kept.append(True)
            raise RuntimeError
        return function

    monkeypatch.setattr(numba, "njit", njit)
    machine = compiling._compiled.__wrapped__()
    assert len(kept) == len(machine.functions) > 10


@pytest.mark.parametrize(("links", "is_compiled"), [(compiling.COMPILE_FROM_LINKS - 1, False), (1 << 30, True)])
def test_the_size_of_the_problem_decides(links, is_compiled) -> None:
    assert compiling.machine(links).is_compiled == is_compiled
