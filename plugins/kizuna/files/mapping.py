"""The declared mapping of one kind of file: a YAML file a person writes, checked before anything is read with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from kizuna.files.entities import ENTITIES
from kizuna.files.formats import Format
from kizuna.settings import PROJECT

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Name = Annotated[str, StringConstraints(min_length=1)]


_TYPES: dict[str, type] = {"integer": int, "boolean": bool}


class MappingError(ValueError):
    """A mapping is wrong; the text has one line per fault: file, line, key, what was found, what was expected."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Column(_Section):
    """One column: the field it fills, what its own words mean, and whether files may lack it."""

    field: Name
    values: dict[str, str | int | bool | None] | None = None
    is_optional: bool = False


class Mapping(_Section):
    """What files, how they are written, which entity they hold, and which column is which field.

    `system` is the word for where they come from; with the values of the `key` columns it is the id of a record.
    `updated` is the column of the last change; without it a record is as old as its file.
    """

    entity: str
    system: Word
    files: Name
    marker: Name | None = None
    format: Format = Format()
    time_zone: str = "Asia/Tokyo"
    key: Annotated[list[Name], Field(min_length=1)]
    updated: Name | None = None
    columns: Annotated[dict[str, Column], Field(min_length=1)]
    constants: dict[str, str | int | bool] = {}

    @field_validator("columns", mode="before")
    @classmethod
    def _short_form(cls, given: object) -> object:
        """Let `column: field` stand for `column: {field: field}`."""
        if not isinstance(given, dict):
            return given
        return {name: {"field": column} if isinstance(column, str) else column for name, column in given.items()}

    @field_validator("entity")
    @classmethod
    def _known_entity(cls, entity: str) -> str:
        return _one_of(entity, ENTITIES, "entity")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            message = "expected a time zone of the IANA database, like Asia/Tokyo"
            raise ValueError(message) from None
        return name

    @model_validator(mode="after")
    def _fields_of_the_entity(self) -> Mapping:
        fields = [column.field for column in self.columns.values()] + list(self.constants)
        for field in fields:
            _one_of(field, ENTITIES[self.entity], f"field of {self.entity}")
            if fields.count(field) > 1:
                message = f"field {field!r} is filled twice: expected one column or constant for it"
                raise ValueError(message)
        self._values_of_the_type()
        return self

    def _values_of_the_type(self) -> None:
        given: list[tuple[str, object]] = list(self.constants.items())
        given += [(one.field, value) for one in self.columns.values() for value in (one.values or {}).values()]
        for field, value in given:
            expected = _TYPES.get(ENTITIES[self.entity][field], str)
            if value is not None and type(value) is not expected:
                message = f"field {field!r} is given {value!r}: expected a value of type {ENTITIES[self.entity][field]}"
                raise ValueError(message)


# Mappings to start from; the sandbox's exports are written to them.
EXAMPLES = Path(__file__).parent / "examples"


def folder() -> Path:
    """The folder of the mappings in force: `KIZUNA_MAPPINGS`, else `mappings` beside the project's strategy.yml."""
    return Path(os.environ.get("KIZUNA_MAPPINGS") or PROJECT / "mappings")


def load_all(place: Path | None = None) -> dict[str, Mapping]:
    """Read every mapping of the folder under its file's name; none when there is no folder.

    Raises:
        MappingError: naming every fault of every file.
    """
    found: dict[str, Mapping] = {}
    faults: list[str] = []
    for file in sorted((place or folder()).glob("*.yml")):
        try:
            found[file.stem] = load(file)
        except MappingError as error:
            faults.append(str(error))
    if faults:
        raise MappingError("\n".join(faults))
    return found


def load(file: Path) -> Mapping:
    """Read one mapping.

    Raises:
        MappingError: when the file is not YAML, or has a wrong key or value.
    """
    text = file.read_text(encoding="utf-8")
    try:
        node, given = yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except yaml.YAMLError as error:
        message = f"{file.name} is not YAML: {error}"
        raise MappingError(message) from None
    try:
        return Mapping.model_validate(given)
    except ValidationError as error:
        lines = [_fault(file.name, node, dict(problem)) for problem in error.errors()]
        raise MappingError("\n".join(lines)) from None


def _fault(name: str, node: yaml.Node | None, problem: dict[str, Any]) -> str:
    location = [part for part in problem["loc"] if part != "[key]"]
    line = _line_of(node, location)
    where = ".".join(str(part) for part in location) or "the file"
    found = f", found {problem['input']!r}" if isinstance(problem["input"], str | int | float | bool) else ""
    return f"{name}:{line}: {where}: {str(problem['msg']).removeprefix('Value error, ')}{found}"


def _line_of(node: yaml.Node | None, location: list[Any]) -> int:
    """Return the line of the innermost part of the path that the text has."""
    line = node.start_mark.line if node else 0
    for part in location:
        entries = node.value if isinstance(node, yaml.MappingNode) else []
        found = next(((key, value) for key, value in entries if key.value == str(part)), None)
        if found is None:
            break
        line, node = found[0].start_mark.line, found[1]
    return line + 1


def _one_of(word: str, known: Any, what: str) -> str:  # noqa: ANN401 - a mapping or a set
    if word not in known:
        message = f"unknown {what} {word!r}: expected one of {', '.join(known)}"
        raise ValueError(message)
    return word
