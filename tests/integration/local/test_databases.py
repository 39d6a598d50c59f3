"""A server of one's own instead of the embedded one: prepared by an ordinary owner, and never shared by two brands."""

from __future__ import annotations

import tempfile
from pathlib import Path

import psycopg
import pytest

from kizuna import warehouse
from kizuna.local import databases
from kizuna.local.postgres import Cluster
from kizuna.local.world import World


def world(seed: int) -> World:
    return World(customers=10, seed=seed, history=None, as_of=None, timezone="Asia/Tokyo", currency="JPY")


@pytest.fixture
def own_server(monkeypatch: pytest.MonkeyPatch):
    """The URL of a database on a fresh server, whose owner is no superuser."""
    with tempfile.TemporaryDirectory(prefix="kizuna-server-") as folder:
        Path(folder).chmod(0o755)
        server = Cluster(Path(folder) / "postgres", durable=False)
        server.start()
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("create role shopkeeper login createrole createdb password 'secret'")
            connection.execute("create database own_shop owner shopkeeper")
        url = f"postgresql://shopkeeper:secret@127.0.0.1:{server.port()}/own_shop"
        monkeypatch.setenv("WAREHOUSE_URL", url)
        monkeypatch.delenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", raising=False)
        yield url
        server.stop()


def test_an_owner_without_superuser_prepares_everything(own_server: str, tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KIZUNA_HOME", str(tmp_path))
    url, metadata = databases.open_databases(world(1), print)
    assert (url, metadata.rsplit("/", 1)[1]) == (own_server, "own_shop_airflow")
    assert databases.open_databases(world(1), print) == (url, metadata)
    for role in warehouse.ROLES:
        with warehouse.connect(url, role) as connection:
            assert connection.execute("select current_user").fetchone() == (role,)


def test_one_warehouse_is_not_poured_into_another(own_server: str, tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KIZUNA_HOME", str(tmp_path))
    databases.open_databases(world(1), print)
    with pytest.raises(databases.LocalSystemError, match="holds 'invented_10_1', not 'invented_10_2'"):
        databases.open_databases(world(2), print)
