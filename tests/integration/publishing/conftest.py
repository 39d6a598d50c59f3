"""A warehouse to publish in, and candidates to publish."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from kizuna import publishing, warehouse

AS_OF = date(2026, 11, 22)
Publish = Callable[..., int]


@pytest.fixture
def warehouse_url(warehouse_url: str) -> str:
    """A database copied from a template does not inherit its grants; preparing again gives them."""
    warehouse.prepare(warehouse_url)
    return warehouse_url


@pytest.fixture
def build(warehouse_url: str) -> Callable[..., None]:
    """Build candidate marts whose rows all say which version they are of."""

    def _build(version: int, tables: tuple[str, ...] = ("customers", "rfm"), rows: int = 3) -> None:
        with warehouse.connect(warehouse_url, "kizuna_transform") as connection:
            for table in tables:
                query = f"create table marts_candidate.{table} as select {version} as version, id as customer_id"
                connection.execute(f"{query} from generate_series(1, {rows}) as ids (id)".encode())

    return _build


@pytest.fixture
def publish(warehouse_url: str, build: Callable[..., None]) -> Publish:
    """Build and publish one version."""

    def _publish(version: int, **candidate: object) -> int:
        build(version, **candidate)
        return publishing.publish(warehouse_url, f"run {version}", AS_OF, "abc")

    return _publish
