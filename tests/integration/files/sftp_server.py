"""An SFTP server in this process: a folder behind paramiko's server, on loopback."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import paramiko

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOGIN, PASSWORD = "reader", "well-known"


class Door(paramiko.ServerInterface):
    """Lets one user in, by password, for SFTP alone."""

    def check_auth_password(self, username: str, password: str) -> int:
        allowed = (username, password) == (LOGIN, PASSWORD)
        return paramiko.AUTH_SUCCESSFUL if allowed else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED if kind == "session" else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED


class OpenFile(paramiko.SFTPHandle):
    """A file that is being read."""

    readfile: Any


def serving(folder: Path) -> type[paramiko.SFTPServerInterface]:
    """What the server shows: the folder and what is below it."""

    class Shown(paramiko.SFTPServerInterface):
        def place(self, path: str) -> Path:
            return folder / self.canonicalize(path).lstrip("/")

        def list_folder(self, path: str) -> Any:
            return [paramiko.SFTPAttributes.from_stat(entry.stat(), entry.name) for entry in self.place(path).iterdir()]

        def stat(self, path: str) -> Any:
            try:
                return paramiko.SFTPAttributes.from_stat(self.place(path).stat())
            except OSError as error:
                return paramiko.SFTPServer.convert_errno(error.errno or 0)

        lstat = stat

        def open(self, path: str, flags: int, attr: Any) -> Any:
            handle = OpenFile(flags)
            try:
                handle.readfile = self.place(path).open("rb")
            except OSError as error:
                return paramiko.SFTPServer.convert_errno(error.errno or 0)
            return handle

    return Shown


@contextmanager
def sftp_server(folder: Path) -> Iterator[int]:
    """Serve the folder inside the block; gives the port."""
    key = paramiko.ECDSAKey.generate()
    listening = socket.create_server(("127.0.0.1", 0))
    transports: list[paramiko.Transport] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transports.append(transport)
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, serving(folder))
            transport.start_server(server=Door())

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        for transport in transports:
            transport.close()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


@contextmanager
def sftp_client(port: int) -> Iterator[paramiko.SFTPClient]:
    """Open a client of that server."""
    transport = paramiko.Transport(("127.0.0.1", port))
    transport.connect(username=LOGIN, password=PASSWORD)
    client = paramiko.SFTPClient.from_transport(transport)
    assert client is not None
    try:
        yield client
    finally:
        client.close()
        transport.close()
