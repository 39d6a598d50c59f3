"""Where things are and who we are to the outside: folders, the warehouse's address, vendor accounts."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

PROJECT = Path(os.environ.get("KIZUNA_PROJECT") or Path(__file__).resolve().parents[2])


class SettingsError(ValueError):
    """A setting is missing or cannot be read; the text says which and how to set it."""


@dataclass(frozen=True)
class Connection:
    """One vendor account: where to call, with which token (Airflow's password), and the vendor's own extras.

    `login` is a user or an OAuth client's id; `kind` is Airflow's conn_type, for sources that can be read in two ways.
    `client` opens what Airflow's own hook makes of the connection (SFTP, S3), where a face has given it.
    """

    name: str
    base_url: str
    token: str = field(repr=False)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
    login: str = ""
    kind: str = "http"
    client: Callable[[], AbstractContextManager[Any]] | None = field(default=None, repr=False)


def home() -> Path:
    """The folder of everything generated here: clusters, logs, dbt targets, data docs (`KIZUNA_HOME`)."""
    return Path(os.environ.get("KIZUNA_HOME") or PROJECT / ".kizuna").resolve()


def warehouse_url() -> str:
    """The warehouse's libpq URL from `WAREHOUSE_URL`.

    Raises:
        SettingsError: when it is not set.
    """
    url = os.environ.get("WAREHOUSE_URL")
    if not url:
        message = "WAREHOUSE_URL is not set: expected postgresql://user:password@host:port/database"
        raise SettingsError(message)
    return url


def as_of() -> date | None:
    """The business date to build for, from `KIZUNA_AS_OF`; None means: as far as the sources were read."""
    text = os.environ.get("KIZUNA_AS_OF")
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"KIZUNA_AS_OF is {text!r}: expected a date like 2026-11-22"
        raise SettingsError(message) from None


def connection(name: str, text: str = "") -> Connection:
    """The vendor account `name` from `AIRFLOW_CONN_<NAME>` (or from `text`), in Airflow's JSON or URI form.

    Raises:
        SettingsError: when it is not set or has no host.
    """
    variable = f"AIRFLOW_CONN_{name.upper()}"
    text = text or os.environ.get(variable, "")
    if not text:
        message = f'{variable} is not set: expected JSON like {{"host": "https://…", "password": "<token>"}}'
        raise SettingsError(message)
    fields = _connection_fields(variable, text)
    kind, extra = fields.get("conn_type", "http"), fields.get("extra") or {}
    return Connection(
        name,
        address(kind, fields.get("host", ""), fields.get("port"), fields.get("schema")),
        fields.get("password", ""),
        json.loads(extra) if isinstance(extra, str) else extra,
        login=fields.get("login", ""),
        kind=kind,
    )


def _connection_fields(variable: str, text: str) -> dict[str, Any]:
    """Read a connection as Airflow writes it: JSON, or a URI whose query is the extra."""
    if "://" in text and not text.lstrip().startswith("{"):
        parts = urlsplit(text)
        return {
            "conn_type": parts.scheme,
            "host": unquote(parts.hostname or ""),
            "port": parts.port,
            "schema": unquote(parts.path.lstrip("/")),
            "login": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "extra": dict(parse_qsl(parts.query)),
        }
    try:
        fields: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError:
        message = f"{variable} is neither JSON nor a URI: expected an object with host and password"
        raise SettingsError(message) from None
    return fields


def address(kind: str, host: str, port: int | str | None, schema: str | None) -> str:
    """Where to call, from a connection's fields: as the host has it, or put together when the host is a bare name."""
    if "://" not in host:
        host = f"{kind}://{host}" + (f":{port}" if port else "") + f"/{schema or ''}"
    return host.rstrip("/")
