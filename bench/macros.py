"""The SQL of the project's dbt macros, rendered without dbt: in milliseconds, for one expression at a time."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import jinja2

from kizuna.settings import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = PROJECT / "dbt_project" / "macros"
NORMALIZERS = {
    "email": "normalize_email",
    "phone": "normalize_phone",
    "login": "normalize_login",
    "line": "normalize_line_user_id",
    "postal": "normalize_postal_code",
    "birth": "normalize_birth_date",
    "name": "normalize_name",
    "reading": "normalize_reading",
    "address": "normalize_address",
}


class _Returned(Exception):  # noqa: N818 - how dbt's return() leaves a macro
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def _return(value: Any) -> None:
    raise _Returned(value)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(FOLDER), extensions=["jinja2.ext.do"])
    environment.globals.update({"return": _return, "var": lambda _, default=None: default})
    for file in FOLDER.glob("*.sql"):
        if not file.stem.startswith("test_"):
            environment.globals[file.stem] = _macro(environment, file.stem)
    return environment


def _macro(environment: jinja2.Environment, name: str) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return str(
                getattr(environment.get_template(f"{name}.sql").make_module(), name)(*arguments, **named)
            ).strip()
        except _Returned as returned:
            return returned.value

    return call


def render(name: str, *arguments: Any, **variables: Any) -> Any:
    """Return what a macro makes of its arguments: SQL, or the value it returns; `variables` are dbt's vars."""
    environment = _environment()
    environment.globals["var"] = lambda key, default=None: variables.get(key, default)
    return environment.globals[name](*arguments)  # type: ignore[operator]


def normalizer(kind: str, text: str) -> str:
    """Return the SQL that normalizes the expression `text` of one kind of NORMALIZERS."""
    return str(render(NORMALIZERS[kind], text))
