"""Grouping: links value by value, plain components, and the components in which something may be refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kizuna.identity import connecting
from kizuna.identity.capping import by_value, first_places

if TYPE_CHECKING:
    from kizuna.identity.compiling import Machine
    from kizuna.identity.policy import Policy
    from kizuna.identity.problem import Numbers, Problem

Pairs = tuple["Numbers", "Numbers"]  # records; the older one on the left


@dataclass(frozen=True)
class Evidence:
    """Values that two records share or a customer may have only so many of, and pairs that somebody decided or scored.

    `order` has the links value by value: value v has the `sizes[v]` links from `order[firsts[v]]` on.
    """

    order: Numbers
    records: Numbers  # of `order`
    firsts: Numbers
    sizes: Numbers
    kinds: Numbers
    always: Pairs
    never: Pairs
    scored: Pairs  # accepted ones, the likeliest first


def group(problem: Problem, policy: Policy) -> Evidence:
    """Sort the links by value and the pairs by precedence."""
    order = by_value(problem.link_values) if problem.link_order is None else problem.link_order
    firsts = first_places(problem.link_values, order)
    sizes = np.diff(firsts, append=len(order)).astype(np.int32)
    kinds = problem.link_kinds[order[firsts]]
    exclusive = np.array([bool(kind.max_per_customer) for kind in policy.kinds.values()])
    useful = np.flatnonzero((sizes > 1) | exclusive[kinds])
    return Evidence(
        order=order,
        records=problem.link_records[order].astype(np.int32, copy=False),
        firsts=firsts[useful],
        sizes=sizes[useful],
        kinds=kinds[useful],
        always=_sorted(*problem.always),
        never=_sorted(*problem.never),
        scored=_accepted(problem, policy),
    )


def _sorted(left: Numbers, right: Numbers) -> Pairs:
    older, younger = np.minimum(left, right), np.maximum(left, right)
    order = np.lexsort((younger, older))
    return older[order], younger[order]


def _accepted(problem: Problem, policy: Policy) -> Pairs:
    left, right, probabilities = problem.scored
    older, younger = np.minimum(left, right), np.maximum(left, right)
    order = np.lexsort((younger, older, -probabilities))
    order = order[probabilities[order] >= policy.scored.accept]
    return older[order], younger[order]


def find_components(problem: Problem, evidence: Evidence, machine: Machine) -> Numbers:
    """Label the records of each candidate component with its oldest record."""
    above = machine.column(np.arange(problem.record_count))
    columns = (evidence.firsts, evidence.sizes, evidence.records)
    machine.run(connecting.connect_values, above, *(machine.column(column) for column in columns))
    return connect(above, [evidence.always, evidence.scored], machine)


def connect(above: connecting.Column, pairs: list[Pairs], machine: Machine) -> Numbers:
    """Join the clusters of each pair in a forest; return the oldest record of its cluster for each record."""
    for left, right in pairs:
        machine.run(connecting.connect, above, machine.column(left), machine.column(right))
    machine.run(connecting.flatten, above)
    return np.asarray(above, dtype=np.int32)


def find_contested(
    problem: Problem, policy: Policy, evidence: Evidence, components: Numbers, machine: Machine
) -> Numbers:
    """Say at its oldest record why something may be refused in a component, in flags; 0: it is one customer."""
    count = problem.record_count
    contested = np.zeros(count, dtype=np.int8)
    left, right = (components[side] for side in evidence.never)
    contested[left[left == right]] = connecting.BY_DECISION
    marks = machine.column(contested, np.int8)
    labels = machine.column(components)
    first = machine.column(np.full(count, connecting.NOBODY, dtype=np.int32))
    machine.run(connecting.contest_profiles, labels, machine.column(problem.profiles), first, marks)
    kinds = list(policy.kinds.values())
    needs_agreement = np.array([kind.requires == "agreement" for kind in kinds])
    is_exclusive = np.array([kind.max_per_customer is not None for kind in kinds])
    exclusives = np.where(is_exclusive, np.cumsum(is_exclusive) - 1, connecting.NOBODY)
    first = machine.column(np.full(count * is_exclusive.sum(), connecting.NOBODY, dtype=np.int32))
    heads = evidence.records[evidence.firsts]
    columns = (heads, evidence.sizes, evidence.kinds, needs_agreement, exclusives)
    machine.run(connecting.contest_values, labels, *(machine.column(column) for column in columns), first, marks)
    return np.asarray(marks, dtype=np.int8)
