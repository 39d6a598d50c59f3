"""Sources are found by being there."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from pkgutil import ModuleInfo
from typing import TYPE_CHECKING

import pytest

from kizuna import sources
from kizuna.files.entities import ENTITIES

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_every_module_of_the_folder_is_a_source() -> None:
    folder = Path(sources.__file__).parent
    modules = {file.stem for file in folder.iterdir() if file.suffix == ".py" or (file / "__init__.py").exists()}

    assert set(sources.SOURCES) == modules - {"__init__"}
    assert {"line", "shopify"} <= modules
    assert [stream.name for stream in sources.SOURCES["files"].streams] == [*ENTITIES]


def test_a_source_has_the_name_of_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("kizuna.sources.shop")
    module.SOURCE = sources.SOURCES["shopify"]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def find(_path: object) -> Iterator[ModuleInfo]:
        yield ModuleInfo(None, "shop", False)  # type: ignore[arg-type]

    monkeypatch.setattr(sources, "iter_modules", find)
    with pytest.raises(ValueError, match=r"sources/shop\.py declares the source 'shopify'"):
        sources.discover()
