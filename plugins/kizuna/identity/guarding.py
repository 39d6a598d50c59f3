"""Guarding: a run whose answer cannot be right publishes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kizuna.identity.errors import OversizedCustomerError

if TYPE_CHECKING:
    from kizuna.identity.assignment import Assignment
    from kizuna.identity.exchange import Column
    from kizuna.identity.policy import Policy
    from kizuna.identity.problem import Problem, Solution

# Below this, a share of the merges says nothing: a small shop's first LINE campaign merges many.
FEW_MERGES = 1_000
NEXT = (
    "Nothing was written. Look at it with `kizuna identity explain`; where the value is shared, say so "
    "(`kizuna identity override shared …`, or `blocked` in identity.yml), where the customer is right, raise {} there"
)


def guard(problem: Problem, solution: Solution, assignment: Assignment, policy: Policy, customers_before: int) -> None:
    """Stop a run that would publish something above the policy's limits.

    Raises:
        OversizedCustomerError: naming the limit, the sizes, and kind and hash of the worst value.
    """
    breaker = policy.breaker
    _limit(problem, solution.clusters, policy, "customer", breaker.largest_customer_records)
    _limit(problem, solution.components, policy, "component", breaker.largest_component_records)
    merged, most = len(assignment.merged), breaker.most_merged_share * customers_before
    if merged > max(most, FEW_MERGES):
        message = (
            f"{merged} of {customers_before} customers would be merged into others, expected at most {most:.0f} "
            f"(most_merged_share {breaker.most_merged_share}). " + NEXT.format("breaker.most_merged_share")
        )
        raise OversizedCustomerError(message)


def _limit(problem: Problem, labels: Column, policy: Policy, what: str, limit: int) -> None:
    sizes = np.bincount(labels) if len(labels) else np.zeros(1, dtype=np.int64)
    worst = int(sizes.argmax())
    if sizes[worst] <= limit:
        return
    inside = labels[problem.link_records] == worst
    values, first, counts = np.unique(problem.link_values[inside], return_index=True, return_counts=True)
    top = int(counts.argmax()) if len(counts) else -1
    value = (
        f"its most shared value is of kind {policy.names[problem.link_kinds[inside][first[top]]]}, "
        f"hash {values[top]}, on {counts[top]} records"
        if top >= 0
        else "decisions and scored pairs alone join it"
    )
    message = (
        f"{int((sizes > limit).sum())} {what}s would have more than {limit} records, the largest {sizes[worst]}; "
        f"{value}. " + NEXT.format(f"breaker.largest_{what}_records")
    )
    raise OversizedCustomerError(message)
