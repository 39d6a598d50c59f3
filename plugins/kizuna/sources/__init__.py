"""Every source, found by being a module of this folder."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kizuna.reading import Source


def discover() -> dict[str, Source]:
    """Import each module of the folder and return its SOURCE under the module's name.

    Raises:
        ValueError: when a module's SOURCE has another name than the module.
    """
    found: dict[str, Source] = {}
    for module in iter_modules(__path__):
        source: Source = import_module(f"{__name__}.{module.name}").SOURCE
        if source.name != module.name:
            message = f"sources/{module.name}.py declares the source {source.name!r}: rename one of the two"
            raise ValueError(message)
        found[source.name] = source
    return found


SOURCES = discover()
