"""Every object of every destination, found by being declared in a module of this folder."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kizuna.sending import AudienceObject


def discover() -> dict[str, AudienceObject]:
    """Import each module of the folder and return its OBJECTS as `<destination>__<object>`.

    Raises:
        ValueError: when an object names another destination than its module.
    """
    found: dict[str, AudienceObject] = {}
    for module in iter_modules(__path__):
        objects: tuple[AudienceObject, ...] = import_module(f"{__name__}.{module.name}").OBJECTS
        for declared in objects:
            if declared.destination != module.name:
                message = f"destinations/{module.name}.py declares {declared.full_name!r}: rename one of the two"
                raise ValueError(message)
            found[declared.full_name] = declared
    return found


DESTINATIONS = discover()
