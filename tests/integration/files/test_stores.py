"""Stores: a folder, an SFTP server and a bucket show the same files, and a file that changes is never read by half."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from kizuna.files.stores import Store, StoreError, copy_whole, is_temporary, open_store
from kizuna.settings import PROJECT, Connection
from tests.integration.files.s3_server import Objects, s3_client, s3_server
from tests.integration.files.sftp_server import LOGIN, PASSWORD, sftp_client, sftp_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

YESTERDAY = datetime(2026, 11, 21, 3, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
CONTENTS = {"a.csv": b"x" * 3_000_000, "pos/b.csv": b"b", "pos/day/c d.csv": "髙".encode()}


@dataclass
class Place:
    """A kind of store with the files in it, and how to change one."""

    store: Store
    put: Callable[[str, bytes], None]
    remove: Callable[[str], None]


@contextmanager
def a_folder(path: Path) -> Iterator[Place]:
    with open_store(Connection("files", "", "", {"path": str(path)}, kind="fs")) as store:
        yield Place(store, lambda name, content: write(path, name, content), lambda name: (path / name).unlink())


@contextmanager
def an_sftp_server(path: Path) -> Iterator[Place]:
    with sftp_server(path) as port:
        connection = Connection("files", "", "", {"path": "/drops"}, kind="sftp", client=lambda: sftp_client(port))
        with open_store(connection) as store:
            drops = path / "drops"
            yield Place(store, lambda name, content: write(drops, name, content), lambda name: (drops / name).unlink())


@contextmanager
def a_bucket(_path: Path) -> Iterator[Place]:
    objects: Objects = {"other/z.csv": (b"", YESTERDAY)}
    with s3_server(objects, NOW) as (address, _):
        extra = {"bucket": "drops", "path": "in"}
        connection = Connection("files", "", "", extra, kind="aws", client=lambda: nullcontext(s3_client(address)))

        def put(name: str, content: bytes) -> None:
            objects[f"in/{name}"] = (content, YESTERDAY)

        with open_store(connection) as store:
            yield Place(store, put, lambda name: objects.__delitem__(f"in/{name}"))


def write(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (YESTERDAY.timestamp(), YESTERDAY.timestamp()))


@pytest.fixture(params=[a_folder, an_sftp_server, a_bucket], ids=["folder", "sftp", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with request.param(tmp_path) as place:
        for name, content in CONTENTS.items():
            place.put(name, content)
        yield place


def test_every_file_is_listed_with_size_and_time(place: Place) -> None:
    assert [(file.name, file.byte_count, file.modified_at) for file in place.store.files()] == [
        (name, len(content), YESTERDAY) for name, content in CONTENTS.items()
    ]


def test_a_copy_is_whole_and_hashed(place: Place) -> None:
    for file in place.store.files():
        target = io.BytesIO()
        content_hash = copy_whole(place.store, file, target)
        assert target.getvalue() == CONTENTS[file.name]
        assert content_hash == hashlib.sha256(CONTENTS[file.name]).digest()


def test_a_file_that_was_replaced_since_the_listing_is_refused(place: Place) -> None:
    listed = place.store.files()[1]
    place.put(listed.name, b"longer than before")

    with pytest.raises(StoreError, match=r"pos/b\.csv: (changed while|replaced or removed)"):
        copy_whole(place.store, listed, io.BytesIO())


def test_a_bucket_gives_the_version_that_was_listed_or_none(tmp_path: Path) -> None:
    with a_bucket(tmp_path) as place:
        place.put("a.csv", b"one")
        listed = place.store.files()[0]
        place.put("a.csv", b"two")

        with pytest.raises(StoreError, match=r"a\.csv: replaced or removed since it was listed"):
            copy_whole(place.store, listed, io.BytesIO())


def test_a_file_that_changes_while_it_is_read_is_refused(place: Place) -> None:
    listed = place.store.files()[0]

    class Interrupting(io.BytesIO):
        def write(self, chunk: object) -> int:
            place.put(listed.name, b"y" * len(CONTENTS[listed.name]) + b"y")
            return super().write(chunk)  # type: ignore[arg-type]

    with pytest.raises(StoreError, match=r"a\.csv: changed while it was read: listed with 3000000 bytes"):
        copy_whole(place.store, listed, Interrupting())


def test_a_file_that_is_gone_after_reading_is_refused(place: Place) -> None:
    listed = place.store.files()[1]

    class Removing(io.BytesIO):
        def flush(self) -> None:
            place.remove(listed.name)

    with pytest.raises(StoreError, match=r"pos/b\.csv: changed while it was read: .* now it is gone"):
        copy_whole(place.store, listed, Removing())


def test_a_bucket_tells_its_own_time(tmp_path: Path) -> None:
    with a_bucket(tmp_path) as place:
        place.store.files()
        assert place.store.now() == NOW


def test_a_listing_of_any_length_is_one_request_a_page() -> None:
    objects: Objects = {f"in/{number}.csv": (b"", YESTERDAY) for number in range(5)}
    with s3_server(objects, NOW) as (address, asked):
        connection = Connection(
            "files", "", "", {"bucket": "drops"}, kind="aws", client=lambda: nullcontext(s3_client(address))
        )
        with open_store(connection) as store:
            assert len(store.files()) == 5
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("connection", "problem"),
    [
        (Connection("files", "", "", {"path": "/no/such/folder"}, kind="fs"), "no folder '/no/such/folder'"),
        (Connection("files", "", "", {}, kind="sftp"), "is opened by Airflow's hook, and none is here"),
        (Connection("files", "", "", {}, kind="aws"), "no bucket: expected it as `bucket`"),
    ],
)
def test_a_connection_that_cannot_be_opened_says_what_is_missing(connection: Connection, problem: str) -> None:
    with pytest.raises(StoreError, match=problem), open_store(connection):
        pass


def test_names_of_unfinished_files_are_known() -> None:
    assert all(is_temporary(name) for name in ("a.csv.tmp", "x/b.PART", "x/.hidden", "x/~$c.xlsx", "d.filepart"))
    assert not any(is_temporary(name) for name in ("a.csv", "x.tmp/b.csv", "tmp.csv"))


# Airflow configures logging, warnings and a metadata database when imported: it gets a process of its own.
LISTING = """
import json
from kizuna import operators
from kizuna.files.stores import open_store
with open_store(operators._connection("files")) as store:
    print("RESULT" + json.dumps([file.name for file in store.files()]))
"""


def listed_by_the_face(tmp_path: Path, connection: dict[str, object]) -> list[str]:
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'plugins'}",
        "HOME": str(tmp_path),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_FILES": json.dumps(connection),
    }
    done = subprocess.run([sys.executable, "-c", LISTING], env=environment, capture_output=True, text=True, check=False)
    assert "RESULT" in done.stdout, done.stdout + done.stderr
    found: list[str] = json.loads(done.stdout.split("RESULT")[1].splitlines()[0])
    return found


def test_airflows_sftp_hook_opens_the_store(tmp_path: Path) -> None:
    write(tmp_path / "drops", "a.csv", b"x")
    with sftp_server(tmp_path) as port:
        extra = {"path": "/drops", "no_host_key_check": True}
        connection = {"conn_type": "sftp", "host": "127.0.0.1", "port": port, "login": LOGIN, "password": PASSWORD}
        assert listed_by_the_face(tmp_path, {**connection, "extra": extra}) == ["a.csv"]


def test_airflows_s3_hook_opens_the_store(tmp_path: Path) -> None:
    with s3_server({"in/a.csv": (b"x", YESTERDAY)}, NOW) as (address, _):
        extra = {"endpoint_url": address, "region_name": "us-east-1", "bucket": "drops", "path": "in"}
        connection = {"conn_type": "aws", "login": "reader", "password": "well-known", "extra": extra}
        assert listed_by_the_face(tmp_path, connection) == ["a.csv"]


def test_a_state_is_told_by_name_size_and_time(place: Place) -> None:
    first = place.store.files()[0]
    assert place.store.look(first) == first
    assert place.store.look(replace(first, name="missing.csv")) is None
