"""Identity over random histories: what no sequence of runs may ever break. More with KIZUNA_HISTORIES=10000."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kizuna import warehouse
from tests.integration.identity.histories import HISTORIES, Batch
from tests.integration.identity.replica import Replica

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kizuna.local.postgres import Cluster

EXAMPLES = int(os.environ.get("KIZUNA_HISTORIES", "300"))


@pytest.fixture
def replicas(cluster: Cluster, prepared_template: str) -> Iterator[list[Replica]]:
    """Three warehouses that live the same history in different ways."""
    made = []
    for name in ("steps", "rebuilt", "shuffled"):
        url = cluster.create_database(f"histories_{name}", template=prepared_template)
        warehouse.prepare(url)
        made.append(Replica(url))
    yield made
    for replica in made:
        replica.close()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(HISTORIES, st.integers(0, 10**6))
def test_every_history_ends_as_one_full_rebuild_in_any_order_and_loses_no_id(
    replicas: list[Replica], history: list[Batch], seed: int
) -> None:
    steps, rebuilt, shuffled = replicas
    for replica in replicas:
        replica.forget()
    for batch in history:
        steps.live(batch)
        rebuilt.live(batch, full=True)
        assert steps.rows() == rebuilt.rows()
    check_replay(steps)
    assert steps.lost_ids() == []
    assert steps.overlapping_memberships() == []
    for batch in steps.state.another_way(random.Random(seed)):
        shuffled.live(batch)
    assert shuffled.belonging() == steps.belonging()


def check_replay(replica: Replica) -> None:
    """A run that has no news writes no row, be it told again what it knows or asked to solve everything."""
    before = replica.fingerprints()
    replica.hear_again()
    assert replica.fingerprints() == before
    replica.run(full=True)
    assert replica.fingerprints() == before
