"""The local system's databases: the embedded server or WAREHOUSE_URL, the warehouse in use, Airflow's metadata."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from kizuna import landing, settings, warehouse
from kizuna.local import airflow
from kizuna.local.postgres import Cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kizuna.local.world import World

DEPLOYMENT_SETTINGS = (
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
)


class LocalSystemError(RuntimeError):
    """The local system cannot start as asked; the text says what stands in the way and what to do."""


@dataclass(frozen=True)
class Running:
    """Where the parts of a started system are."""

    warehouse_url: str
    airflow_url: str
    sandbox_url: str
    origin: str
    started_with: str = ""
    webhooks_url: str = ""

    @classmethod
    def load(cls) -> Running | None:
        """The system as last started, or None."""
        file = settings.home() / "system.json"
        return cls(**json.loads(file.read_text())) if file.exists() else None

    def save(self) -> None:
        """Keep it for the next command; the file holds the database's password, so it is ours alone."""
        file = settings.home() / "system.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(self)))


def cluster() -> Cluster:
    """The embedded Postgres of this project."""
    return Cluster(settings.home() / "postgres")


def warehouse_in_use() -> str:
    """The warehouse that commands read: WAREHOUSE_URL, else the last started one, with its server running.

    Raises:
        LocalSystemError: when nothing was started yet.
    """
    if given := os.environ.get("WAREHOUSE_URL"):
        return given
    running = Running.load()
    if running is None:
        message = "No warehouse yet: run `make demo` or `make up` first, or set WAREHOUSE_URL"
        raise LocalSystemError(message)
    cluster().start()
    # The port may have changed since the address was kept.
    return cluster().url(urlsplit(running.warehouse_url).path.lstrip("/"))


@contextmanager
def server_for_a_moment() -> Iterator[None]:
    """Run the embedded server inside the block, and afterwards only if it ran before."""
    ran = bool(os.environ.get("WAREHOUSE_URL")) or cluster().port() is not None
    try:
        yield
    finally:
        if not ran:
            cluster().stop()


def open_databases(world: World, tell: Callable[[str], None]) -> tuple[str, str]:
    """The prepared warehouse's URL and that of Airflow's metadata, on one server."""
    settings.home().mkdir(parents=True, exist_ok=True)
    metadata = os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "").replace("postgresql+psycopg2", "postgresql")
    if given := os.environ.get("WAREHOUSE_URL"):
        _prepare(given, world)
        return given, metadata or _database_beside(given)
    tell("Postgres: starting the embedded server")
    embedded = cluster()
    embedded.start()
    url = embedded.create_database(f"kizuna_{world.key()}")
    _prepare(url, world)
    return url, metadata or embedded.create_database("airflow")


def _database_beside(url: str) -> str:
    """Create (where missing) a database for Airflow's metadata on the warehouse's server."""
    parts = urlsplit(url)
    name = f"{parts.path.lstrip('/')}_airflow"
    create_database(url, name)
    return urlunsplit(parts._replace(path=f"/{name}"))


def create_database(url: str, name: str) -> None:
    """Create database `name` on the server of `url` unless it is there."""
    with psycopg.connect(url, autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


def _prepare(url: str, world: World) -> None:
    """Bring it up to date, and refuse to pour one world's customers into another's warehouse."""
    warehouse.prepare(url)
    landing.ensure_tables(url)
    with warehouse.connect(url) as connection:
        connection.execute("insert into ops.origin (origin) values (%s) on conflict do nothing", [world.key()])
        row = connection.execute("select origin from ops.origin").fetchone()
    if row and row[0] != world.key():
        message = (
            f"This warehouse holds {row[0]!r}, not {world.key()!r}: "
            "give each input a database of its own (WAREHOUSE_URL), or drop and create this one"
        )
        raise LocalSystemError(message)


def prepare(tell: Callable[[str], None]) -> None:
    """Bring the warehouse (WAREHOUSE_URL) and Airflow's metadata up to date, for a deployment of one's own."""
    url = settings.warehouse_url()
    for name in DEPLOYMENT_SETTINGS:
        if not os.environ.get(name):
            message = f"{name} is empty: set it (docker compose: in .env, see .env.example)"
            raise LocalSystemError(message)
    warehouse.prepare(url)
    landing.ensure_tables(url)
    metadata = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("postgresql+psycopg2", "postgresql")
    create_database(url, urlsplit(metadata).path.lstrip("/"))
    airflow.migrate(dict(os.environ))
    tell("The warehouse and Airflow's metadata are up to date")
