"""Sources are found by being there."""

from __future__ import annotations

import sys
import types
from pkgutil import ModuleInfo
from typing import TYPE_CHECKING

import pytest

from kizuna import sources
from kizuna.files.entities import ENTITIES

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_every_module_of_the_folder_is_a_source() -> None:
    assert {name: [stream.name for stream in source.streams] for name, source in sources.SOURCES.items()} == {
        "eccube": ["customers", "orders", "products", "carts", "webhooks"],
        "files": [*ENTITIES],
        "ga4": ["events"],
        "karte": ["events", "segments", "campaigns", "actions"],
        "line": [
            *("followers", "profiles", "insight_followers", "insight_demographics", "insight_messages"),
            *("account_link_nonces", "webhooks"),
        ],
        "shopify": ["customers", "orders", "products"],
        "zendesk": [
            "tickets",
            "users",
            "satisfaction_ratings",
            "ticket_metric_events",
            "deleted_tickets",
            "webhooks",
        ],
    }


def test_a_source_has_the_name_of_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("kizuna.sources.shop")
    module.SOURCE = sources.SOURCES["shopify"]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def find(_path: object) -> Iterator[ModuleInfo]:
        yield ModuleInfo(None, "shop", False)  # type: ignore[arg-type]

    monkeypatch.setattr(sources, "iter_modules", find)
    with pytest.raises(ValueError, match=r"sources/shop\.py declares the source 'shopify'"):
        sources.discover()
