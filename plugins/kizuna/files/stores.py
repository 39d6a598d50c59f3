"""Where files lie: a local folder, an SFTP server, an S3-compatible bucket; listed, copied whole, looked at again."""

from __future__ import annotations

import hashlib
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kizuna.settings import Connection

CHUNK_BYTES = 1024 * 1024
TEMPORARY_ENDINGS = (".tmp", ".part", ".partial", ".filepart", ".crdownload")


class StoreError(Exception):
    """A store cannot be read, or a file changed while it was; the text says which and what to do."""


@dataclass(frozen=True)
class StoredFile:
    """A file as the store shows it; `name` is its path below the folder that is read, `tag` S3's mark of its bytes."""

    name: str
    byte_count: int
    modified_at: datetime
    tag: str = ""


class Store(Protocol):
    """What every place of files can do."""

    def now(self) -> datetime:
        """Tell the time by the store's clock where it has one, else by ours."""

    def files(self) -> list[StoredFile]:
        """List every file below the folder that is read."""

    def look(self, file: StoredFile) -> StoredFile | None:
        """Look at one file again; None when it is gone."""

    def chunks(self, file: StoredFile) -> Iterator[bytes]:
        """Read one file."""


@contextmanager
def open_store(connection: Connection) -> Iterator[Store]:
    """Open the store of a connection of type `sftp`, `aws` (S3), or a local folder; `path` in its extra is the folder.

    Raises:
        StoreError: when the connection does not say where to read, or is of a type no face has opened.
    """
    extra = connection.extra
    if connection.kind == "sftp":
        with _client(connection) as client:
            yield SftpStore(client, extra.get("path", "."))
    elif connection.kind == "aws":
        if "bucket" not in extra:
            message = f"connection {connection.name}: no bucket: expected it as `bucket` in the connection's extra"
            raise StoreError(message)
        with _client(connection) as client:
            yield S3Store(client, extra["bucket"], extra.get("path", ""))
    else:
        path = Path(extra.get("path", "missing"))
        if not path.is_dir():
            message = f"connection {connection.name}: no folder {str(path)!r}: expected `path` in its extra"
            raise StoreError(message)
        yield LocalStore(path)


def copy_whole(store: Store, file: StoredFile, target: BinaryIO) -> bytes:
    """Copy a file and return the SHA-256 of its bytes.

    Raises:
        StoreError: when the file is not the same before and after, or other bytes came than were listed.
    """
    digest, byte_count = hashlib.sha256(), 0
    for chunk in store.chunks(file):
        digest.update(chunk)
        target.write(chunk)
        byte_count += len(chunk)
    target.flush()
    after = store.look(file)
    if after != file or byte_count != file.byte_count:
        found = "is gone" if after is None else f"has {after.byte_count} bytes of {after.modified_at.isoformat()}"
        message = (
            f"{file.name}: changed while it was read: listed with {file.byte_count} bytes of "
            f"{file.modified_at.isoformat()}, {byte_count} were read, now it {found}. Nothing was landed. "
            f"Next: run again when the writer has finished; writers that rename finished files into place avoid this"
        )
        raise StoreError(message)
    return digest.digest()


def is_temporary(name: str) -> bool:
    """Tell whether a name is one that writers give to what they have not finished."""
    last = PurePosixPath(name).name.lower()
    return last.startswith((".", "~$")) or last.endswith(TEMPORARY_ENDINGS)


class LocalStore:
    """A folder of this machine, or one that is mounted."""

    def __init__(self, folder: Path) -> None:
        """Remember the folder."""
        self._folder = folder

    def now(self) -> datetime:
        """Tell the time by our clock."""
        return datetime.now(UTC)

    def files(self) -> list[StoredFile]:
        """List every file below the folder."""
        return [self._describe(path) for path in sorted(self._folder.rglob("*")) if path.is_file()]

    def look(self, file: StoredFile) -> StoredFile | None:
        """Look at one file again."""
        path = self._folder / file.name
        return self._describe(path) if path.is_file() else None

    def chunks(self, file: StoredFile) -> Iterator[bytes]:
        """Read one file."""
        with (self._folder / file.name).open("rb") as opened:
            while chunk := opened.read(CHUNK_BYTES):
                yield chunk

    def _describe(self, path: Path) -> StoredFile:
        known = path.stat()
        modified_at = datetime.fromtimestamp(known.st_mtime, UTC)
        return StoredFile(path.relative_to(self._folder).as_posix(), known.st_size, modified_at)


class SftpStore:
    """A folder of an SFTP server, through a paramiko client that the face has opened."""

    def __init__(self, client: Any, folder: str) -> None:  # noqa: ANN401 - paramiko has no types
        """Remember client and folder."""
        self._client, self._folder = client, PurePosixPath(folder)

    def now(self) -> datetime:
        """Tell the time by our clock: SFTP has no question for the server's."""
        return datetime.now(UTC)

    def files(self) -> list[StoredFile]:
        """Walk the folder, one listing for each of its folders."""
        found: list[StoredFile] = []
        folders = [PurePosixPath()]
        while folders:
            folder = folders.pop()
            for entry in self._client.listdir_attr(str(self._folder / folder)):
                if stat.S_ISDIR(entry.st_mode):
                    folders.append(folder / entry.filename)
                else:
                    found.append(_of_sftp((folder / entry.filename).as_posix(), entry))
        return sorted(found, key=lambda file: file.name)

    def look(self, file: StoredFile) -> StoredFile | None:
        """Look at one file again."""
        try:
            return _of_sftp(file.name, self._client.stat(str(self._folder / file.name)))
        except FileNotFoundError:
            return None

    def chunks(self, file: StoredFile) -> Iterator[bytes]:
        """Read one file; the next chunks are on their way while one is being used."""
        with self._client.open(str(self._folder / file.name), "rb") as opened:
            opened.prefetch(file.byte_count, max_concurrent_requests=64)
            while chunk := opened.read(CHUNK_BYTES):
                yield chunk


class S3Store:
    """The objects below a prefix of an S3-compatible bucket, through a boto3 client that the face has opened."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:  # noqa: ANN401 - boto3 makes its types at run time
        """Remember client and place; the clock is asked with the first listing."""
        self._client, self._bucket = client, bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._now: datetime | None = None

    def now(self) -> datetime:
        """Tell the time of the last listing by its Date, else ours."""
        return self._now or datetime.now(UTC)

    def files(self) -> list[StoredFile]:
        """List the objects, 1,000 a request."""
        found: list[StoredFile] = []
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        for page in pages:
            self._now = _date_of(page) or self._now
            found += [self._describe(known) for known in page.get("Contents", []) if not known["Key"].endswith("/")]
        return found

    def look(self, file: StoredFile) -> StoredFile | None:
        """Look at one object again."""
        try:
            known = self._client.head_object(Bucket=self._bucket, Key=self._prefix + file.name)
        except self._client.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise
        return StoredFile(file.name, known["ContentLength"], known["LastModified"].astimezone(UTC), known["ETag"])

    def chunks(self, file: StoredFile) -> Iterator[bytes]:
        """Read one object, and only in the version that was listed."""
        key = self._prefix + file.name
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key, IfMatch=file.tag)
        except self._client.exceptions.ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status not in {404, 412}:
                raise
            message = f"{file.name}: replaced or removed since it was listed. Nothing was landed. Next: run again"
            raise StoreError(message) from None
        yield from answer["Body"].iter_chunks(CHUNK_BYTES)

    def _describe(self, known: dict[str, Any]) -> StoredFile:
        name = known["Key"].removeprefix(self._prefix)
        # A listing tells milliseconds, a look whole seconds.
        modified_at = known["LastModified"].astimezone(UTC).replace(microsecond=0)
        return StoredFile(name, known["Size"], modified_at, known["ETag"])


def _of_sftp(name: str, known: Any) -> StoredFile:  # noqa: ANN401 - paramiko's attributes
    return StoredFile(name, known.st_size, datetime.fromtimestamp(known.st_mtime, UTC))


def _date_of(page: dict[str, Any]) -> datetime | None:
    text = page["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(text).astimezone(UTC) if text else None


def _client(connection: Connection) -> Any:  # noqa: ANN401 - a context manager of either client
    if connection.client is None:
        message = (
            f"connection {connection.name}: {connection.kind} is opened by Airflow's hook, and none is here. "
            f"Next: run this as a task, or read a local folder"
        )
        raise StoreError(message)
    return connection.client()
