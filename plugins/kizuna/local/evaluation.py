"""Evaluate the identity of a file with truth in a scratch warehouse, by the one path that customers take too."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from kizuna import identity, layers, strategy, warehouse
from kizuna.identity import evaluating, policy
from kizuna.local.postgres import Cluster

if TYPE_CHECKING:
    from kizuna.identity.evaluating import Figures, Truth


@dataclass(frozen=True)
class Evaluation:
    """Figures, and the seconds from raw text to customers: normalization and resolution, without starting anything."""

    figures: Figures
    seconds: float
    policy_version: str


def evaluate(truth: Truth) -> Evaluation:
    """Resolve the records of `truth` with the policy in force, in a server that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="kizuna-evaluate-") as folder:
        Path(folder).chmod(0o755)  # where root runs, the server is another user's
        cluster = Cluster(Path(folder) / "postgres", durable=False)
        cluster.start()
        try:
            url = cluster.create_database("evaluation")
            warehouse.prepare(url)
            return evaluate_in(url, truth)
        finally:
            cluster.stop()


def evaluate_in(url: str, truth: Truth) -> Evaluation:
    """Resolve the records of `truth` in a prepared warehouse without records."""
    known = policy.load()
    evaluating.write_evidence(url, truth)
    started = time.perf_counter()
    layers.build(
        "int_identity__changes",
        "transform",
        run_id="evaluation",
        warehouse_url=url,
        strategy=strategy.load(),
        as_of=date(2026, 1, 1),
        folder="evaluation",
        brands={**known.brands, "default_brand": known.default_brand},
        blocked=known.model_dump(mode="json")["blocked"],
    )
    identity.resolve(url, "evaluation")
    seconds = time.perf_counter() - started
    customers = evaluating.read_customers(url, len(truth.persons))
    return Evaluation(evaluating.compare(customers, truth.persons, truth.households), seconds, known.digest())
