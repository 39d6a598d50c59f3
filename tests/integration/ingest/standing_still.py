"""Landings from a folder, from a shop and from the inbox; run as a process, one stands still until it is killed.

`python standing_still.py <landing> <instant> <warehouse> <folder>` says "here" when it has come to the instant.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from kizuna import bulk, landing, shopify_admin
from kizuna.files.source import FileReader
from kizuna.files.stores import LocalStore
from kizuna.http import Client
from kizuna.landing import Landing, RawTable, land_stream
from kizuna.settings import Connection
from kizuna.sources import karte, line, shopify
from sandbox.app import create_app
from sandbox.in_process import InProcess
from sandbox.world import invent_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kizuna.files.stores import StoredFile
    from kizuna.reading import Source, Stream


Sleep = Callable[[float], None]
IN_BULK = shopify.SOURCE
BY_PAGE = replace(IN_BULK, bulk_from=timedelta.max)
POLLS = 3


def land_files(url: str, folder: Path, sleep: Sleep) -> Landing:
    """Land KARTE's events from a folder."""
    account = Connection("karte", "", "", {"path": str(folder)}, kind="fs")
    return land_stream(karte.SOURCE, stream_of(karte.SOURCE, "events"), account, url, "run", sleep=sleep)


def land_inbox(url: str, _folder: Path, sleep: Sleep) -> Landing:
    """Land LINE's events from the inbox."""
    account = Connection("line", "http://127.0.0.1:9", "no-token")
    return land_stream(line.SOURCE, stream_of(line.SOURCE, "webhooks"), account, url, "run", sleep=sleep)


def land_orders(url: str, folder: Path, sleep: Sleep, source: shopify_admin.ShopifySource = IN_BULK) -> Landing:
    """Land a shop's orders; the shop's operations and their files are in the folder, and outlive the process."""
    shop = create_app(invent_world(60, 3, date(2026, 11, 22)), folder, shopify_bulk_polls=POLLS)
    account = Connection("shopify", "http://sandbox/shopify", "sandbox-token")
    with ExitStack() as opened:
        opened.callback(shop.state.setting.state.close)
        opened.enter_context(patch.object(shopify_admin, "Client", partial(Client, transport=InProcess(shop))))
        return land_stream(source, stream_of(source, "orders"), account, url, "run", sleep=sleep)


def stream_of(source: Source, name: str) -> Stream:
    """Find a stream by its name."""
    return next(stream for stream in source.streams if stream.name == name)


def no_wait(_seconds: float) -> None:
    """Go on at once."""


LANDINGS: dict[str, Callable[[str, Path, Sleep], Landing]] = {
    "files": land_files,
    "inbox": land_inbox,
    "orders": land_orders,
}
BEFORE: dict[str, tuple[Any, str]] = {
    "collected": (FileReader, "count"),
    "download": (Client, "download"),
    "file half read": (bulk, "_attach"),
    "insert_versions": (RawTable, "insert_versions"),
    "insert_files": (RawTable, "insert_files"),
    "watermark": (RawTable, "move_watermark"),
    "record": (landing, "_record"),
}


def stand_still(*_values: object) -> None:
    """Say that the instant has come, and wait to be killed."""
    print("here", flush=True)
    sys.stdin.read()


def stop_before(owner: Any, name: str, *, calls: int = 1) -> None:
    """Stand still when something is called so many times."""
    real, made = getattr(owner, name), list[None]()

    def stop(*values: Any, **named: Any) -> Any:
        made.append(None)
        if len(made) == calls:
            stand_still()
        return real(*values, **named)

    setattr(owner, name, stop)


def stop_while_copying() -> None:
    """Stand still when a part of the second file has been copied."""
    real, begun = LocalStore.chunks, list[str]()

    def chunks(store: LocalStore, file: StoredFile) -> Iterator[bytes]:
        begun.append(file.name)
        for chunk in real(store, file):
            yield chunk[: len(chunk) // 2]
            if len(begun) > 1:
                stand_still()
            yield chunk[len(chunk) // 2 :]

    setattr(LocalStore, "chunks", chunks)  # noqa: B010 - mypy minds a method that is replaced


def stop_after_commit() -> None:
    """Stand still when all is committed."""
    real = landing._commit

    def commit(*values: Any, **named: Any) -> Landing:
        landed = real(*values, **named)
        stand_still()
        return landed

    landing._commit = commit


def main(name: str, instant: str, url: str, folder: str) -> None:
    """Land, standing still at the instant."""
    if instant == "copying":
        stop_while_copying()
    elif instant == "committed":
        stop_after_commit()
    elif instant != "polling":
        stop_before(*BEFORE[instant], calls=2 if instant == "file half read" else 1)
    # The first time that a landing in bulk sleeps is between two polls.
    LANDINGS[name](url, Path(folder), stand_still if instant == "polling" else no_wait)


if __name__ == "__main__":
    main(*sys.argv[1:])
