"""Fixtures of every test: a real Postgres, prepared databases, and the shared reference material."""

from __future__ import annotations

import os
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from kizuna import warehouse
from kizuna.local.postgres import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One embedded Postgres for the whole session, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="kizuna-tests-") as folder:
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder) / "postgres", durable=False)
        cluster.start()
        yield cluster
        cluster.stop()


@pytest.fixture(scope="session")
def prepared_template(cluster: Cluster) -> str:
    """A database that every test's own is copied from: preparing once is faster than every time."""
    warehouse.prepare(cluster.create_database("prepared"))
    return "prepared"


@pytest.fixture
def warehouse_url(cluster: Cluster, prepared_template: str) -> Iterator[str]:
    """A fresh, prepared warehouse for one test."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    url = cluster.create_database(name, template=prepared_template)
    warehouse.prepare(url)  # a copy has everything of its template but the grants on the database itself
    yield url
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of specifications and real data beside the project; tests that need it skip without it."""
    folder = Path(os.environ.get("KIZUNA_SHARED", PROJECT.parent / "shared"))
    if not (folder / "specs").is_dir():
        pytest.skip(f"needs the reference folder {folder.name!r} beside the project (specifications and real data)")
    return folder
