"""The embedded Postgres: starts where it can, keeps its data, and comes back after a crash."""

import os
import signal
from pathlib import Path

import psycopg
import pytest

from kizuna.local.postgres import Cluster, PostgresUnavailableError


@pytest.fixture
def cluster(tmp_path: Path):
    tmp_path.chmod(0o755)
    cluster = Cluster(tmp_path / "postgres", durable=False)
    yield cluster
    cluster.remove()


def test_data_survives_a_stop_and_a_killed_server(cluster) -> None:
    cluster.start()
    url = cluster.create_database("shop")
    with psycopg.connect(url) as connection:
        connection.execute("create table kept as select 1 as one")
    cluster.stop()
    assert cluster.port() is None
    cluster.start()
    os.kill(cluster.process_id(), signal.SIGKILL)
    while cluster.port() is not None:
        pass
    cluster.start()
    with psycopg.connect(cluster.url("shop")) as connection:
        assert connection.execute("select one from kept").fetchone() == (1,)


def test_starting_twice_and_stopping_twice_is_harmless(cluster) -> None:
    assert cluster.start() == cluster.start()
    cluster.stop()
    cluster.stop()


def test_it_takes_no_session_without_the_password(cluster) -> None:
    cluster.start()
    address = f"postgresql://kizuna:wrong@127.0.0.1:{cluster.port()}/postgres"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(address)


def test_a_closed_folder_is_no_obstacle_for_root(tmp_path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs the server as another user")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    cluster = Cluster(closed / "postgres", durable=False)
    try:
        cluster.start()
        with psycopg.connect(cluster.url("postgres")) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    finally:
        cluster.remove()


def test_missing_programs_are_named(cluster, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PG_BIN", str(tmp_path / "nowhere"))
    with pytest.raises(PostgresUnavailableError, match="nowhere"):
        cluster.start()
