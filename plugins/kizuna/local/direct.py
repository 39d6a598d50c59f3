"""The whole path on the local system without Airflow: the same steps, one after the other, in this process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kizuna import pipeline, settings
from kizuna.destinations import DESTINATIONS
from kizuna.local import system, vendors

if TYPE_CHECKING:
    from collections.abc import Callable

    from kizuna import outbox
    from kizuna.local.world import World


def run(world: World, tell: Callable[[str], None], *, run_id: str = "direct") -> list[outbox.Delivery]:
    """Ingest, transform and activate; Postgres and the sandbox run during it, and stop after it if it started them."""
    with system.outside(world, tell) as variables:
        os.environ.update(variables)
        for name in vendors.names():
            pipeline.ingest(name, settings.connection(name), f"ingest_{name}/{run_id}")
            tell(f"ingested {name}")
        run = pipeline.Run.open(f"transform/{run_id}")
        version = pipeline.transform(run)
        run.build_other_staging()
        tell(f"published marts version {version}")
        activation = pipeline.Run.open_published(f"activate/{run_id}")
        return pipeline.activate(activation, {name: settings.connection(name.split("__")[0]) for name in DESTINATIONS})
