"""A warehouse built once and copied for each test, and where dbt keeps its files meanwhile."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg
import pytest

from kizuna import warehouse
from kizuna.strategy import Strategy
from tests.integration.marts.building import build_marts
from tests.integration.marts.history import Order, load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kizuna.local.postgres import Cluster

AS_OF = date(2026, 1, 31)


@pytest.fixture(scope="package", autouse=True)
def _own_dbt_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One dbt folder for all these tests: parsing again costs more than building."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KIZUNA_HOME", str(tmp_path_factory.mktemp("kizuna_home")))
        yield


@pytest.fixture(scope="package")
def built_template(cluster: Cluster, prepared_template: str, _own_dbt_folder: None) -> str:
    """A database with one order, built up to the unpublished marts."""
    url = cluster.create_database("built_marts", template=prepared_template)
    warehouse.prepare(url)
    load(url, [Order("o1", "c1", datetime(2026, 1, 5, tzinfo=UTC), Decimal(100))])
    build_marts(url, Strategy(), AS_OF)
    return "built_marts"


@pytest.fixture
def built_url(cluster: Cluster, built_template: str) -> Iterator[str]:
    """A copy of the built warehouse for one test."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    url = cluster.create_database(name, template=built_template)
    warehouse.prepare(url)
    yield url
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")  # type: ignore[arg-type]
