"""Fixtures of the receiver's tests: the receiver on a fresh inbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from signed_requests import VENDORS, ReceiverClient, opened

from kizuna import warehouse
from kizuna.webhooks.receiver import create_receiver

Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def client(warehouse_url: str) -> Iterator[ReceiverClient]:
    """The receiver in this process."""
    with opened(create_receiver(VENDORS, warehouse_url)) as client:
        yield client


@pytest.fixture
def query(warehouse_url: str) -> Query:
    """Ask the warehouse as its owner."""

    def ask(text: str) -> list[tuple[Any, ...]]:
        with warehouse.connect(warehouse_url) as session:
            return session.execute(text.encode()).fetchall()

    return ask
