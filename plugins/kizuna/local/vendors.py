"""Who the sources are read from: the accounts of the environment, or else the sandbox; never a mix of the two."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from kizuna import settings
from kizuna.files import mapping
from kizuna.local import databases
from kizuna.sources import SOURCES
from sandbox import accounts

if TYPE_CHECKING:
    from pathlib import Path


def are_real() -> bool:
    """Tell whether any source has an account in the environment: invented people are not poured in with real ones."""
    return any(os.environ.get(variable_of(name)) for name in SOURCES)


def names() -> list[str]:
    """The sources that can be read here."""
    if are_real():
        return [name for name in SOURCES if os.environ.get(variable_of(name))]
    return [name for name in SOURCES if name in {*accounts.VENDORS, *accounts.FILE_SOURCES}]


def variables(sandbox_url: str, world_key: str) -> dict[str, str]:
    """The sandbox's accounts as environment variables; none where the vendors are real."""
    if are_real():
        return {}
    played = {variable_of(name): json.dumps(_played(name, sandbox_url, world_key)) for name in names()}
    # The sandbox's tills and tools write what the examples describe.
    has_own = mapping.folder().is_dir()
    return played if has_own else {**played, "KIZUNA_MAPPINGS": str(mapping.EXAMPLES)}


def account(name: str) -> settings.Connection:
    """A source's account: from the environment, or the running sandbox's.

    Raises:
        SettingsError: when there is neither.
    """
    running = databases.Running.load()
    if running and running.sandbox_url and name in names() and not are_real():
        return settings.connection(name, json.dumps(_played(name, running.sandbox_url, running.origin)))
    return settings.connection(name)


def state_folder(world_key: str) -> Path:
    """Where the sandbox keeps a world's clock and what it drops."""
    return settings.home() / "sandbox" / world_key


def variable_of(name: str) -> str:
    """The environment variable of a source's account."""
    return f"AIRFLOW_CONN_{name.upper()}"


def _played(name: str, sandbox_url: str, world_key: str) -> dict[str, Any]:
    if name in accounts.FILE_SOURCES:
        return accounts.folder_account(name, state_folder(world_key) / "exports")
    return accounts.account(name, sandbox_url)
