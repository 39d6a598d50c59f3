"""Building the layers for tests, as the pipeline does, and reading the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from kizuna import identity, layers, publishing, warehouse
from kizuna.pipeline import STAGING_OF_MARTS

if TYPE_CHECKING:
    from datetime import date

    from kizuna.strategy import Strategy

RUN = "test"


def build_marts(url: str, policy: Strategy, as_of: date, *, full_refresh: bool = False) -> None:
    """Build everything from staging to the unpublished marts."""
    layers.build(
        f"{STAGING_OF_MARTS} int_identity__evidence int_identity__changes",
        "transform",
        run_id=RUN,
        warehouse_url=url,
        strategy=policy,
        as_of=as_of,
        full_refresh=full_refresh,
    )
    identity.resolve(url, RUN)
    rebuild_from_core(url, policy, as_of)


def build_staging(url: str, policy: Strategy, as_of: date, *, full_refresh: bool = False) -> None:
    """Build the marts' staging alone."""
    layers.build(
        STAGING_OF_MARTS,
        "transform",
        run_id=RUN,
        warehouse_url=url,
        strategy=policy,
        as_of=as_of,
        full_refresh=full_refresh,
    )


def rebuild_from_core(url: str, policy: Strategy, as_of: date) -> None:
    """Build core and marts anew on the identities there are."""
    select = "customer_identities test_name:covers_every_record core marts"
    layers.build(select, "transform", run_id=RUN, warehouse_url=url, strategy=policy, as_of=as_of)


def publish_and_activate(url: str, policy: Strategy, as_of: date) -> None:
    """Publish the marts and build segments and sync on them."""
    warehouse.prepare(url)  # a database copied from a template lacks the grants on itself
    publishing.publish(url, RUN, as_of, policy.digest())
    layers.build("segments sync", "activate", run_id=RUN, warehouse_url=url, strategy=policy, as_of=as_of)


def read(url: str, query: str) -> pd.DataFrame:
    """The rows of a query as a frame."""
    with warehouse.connect(url, "kizuna_transform") as connection, connection.cursor() as cursor:
        rows: list[tuple[Any, ...]] = cursor.execute(query).fetchall()  # type: ignore[arg-type]
        names = [column.name for column in cursor.description or []]
    return pd.DataFrame(rows, columns=names, dtype=object)
