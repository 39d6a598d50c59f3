"""A field's line says which types it may have; what was found is judged by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kizuna.quality.fields import Field, Finding, judge, query_of
from kizuna.quality.suites import SuiteError, load_suites

if TYPE_CHECKING:
    from pathlib import Path

OBJECTS = Finding("customer", "", "object", 5)


@pytest.mark.parametrize(
    ("text", "findings", "fault"),
    [
        ("string", [Finding("customer", "id", "string", 5)], None),
        ("string|null", [Finding("customer", "id", "string", 4), Finding("customer", "id", "null", 1)], None),
        ("string", [Finding("customer", "id", "string", 1)], None),
        ("string", [], ("expected string, found no such field", 5)),
        ("string|null|optional", [], None),
        (
            "string",
            [Finding("customer", "id", "string", 2), Finding("customer", "id", "number", 3)],
            ("expected string, found number", 3),
        ),
        ("string|optional", [Finding("customer", "id", "null", 1)], ("expected string, found null", 1)),
    ],
)
def test_a_field_has_its_type_wherever_it_is_and_is_there_somewhere(
    text: str, findings: list[Finding], fault: tuple[str, int] | None
) -> None:
    found = judge(Field.declared("customer.id", text), [OBJECTS, *findings, Finding("", "id", "array", 9)])
    assert (found and (found.text, found.count)) == fault


def test_a_field_of_an_object_that_is_nowhere_is_not_missing() -> None:
    assert judge(Field.declared("customer.id", "string"), [Finding("customer", "", "null", 5)]) is None


def test_the_elements_of_an_array_may_be_judged_themselves() -> None:
    lines = Field.declared("lines[]", "object")
    assert judge(lines, []) is None
    found = judge(lines, [Finding("lines[]", "", "object", 3), Finding("lines[]", "", "string", 2)])
    assert found is not None
    assert (found.text, found.count) == ("expected object, found string", 2)


def test_all_fields_are_asked_for_with_one_reading_of_the_rows() -> None:
    query = query_of([Field.declared(path, "string") for path in ("id", "a.b", "a.c", "lines[].sku", "x.y[].z[].it's")])
    assert query.count("{new_rows}") == 1
    assert "array['b', 'c']" in query
    assert "it''s" in query


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("id: text", "4: id: 'text': expected some of string, number"),
        ("id: string, null", "4: id: 'string, null': expected"),
        ("id: optional", "4: id: 'optional': expected"),
        ("a..b: string", "4: a..b: 'string': expected"),
        ("id: string\n  id: number", "5: 'id' is there twice"),
    ],
)
def test_a_wrong_field_is_named_with_its_line(tmp_path: Path, line: str, problem: str) -> None:
    with pytest.raises(SuiteError, match=rf"raw/things\.yml:{problem}"):
        load_suites(suite(tmp_path, line, "raw"), "raw")


def test_only_raw_tables_have_fields(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="fields are for raw tables"):
        load_suites(suite(tmp_path, "id: string", "marts"), "marts")


def test_each_field_is_an_expectation_with_its_own_line(tmp_path: Path) -> None:
    one, two = load_suites(suite(tmp_path, "id: string\n  name: string|null", "raw"), "raw")["things"].expectations
    assert (one.name, one.place) == ("field id", "expectations/raw/things.yml:4")
    assert (two.name, two.place, two.severity) == ("field name", "expectations/raw/things.yml:5", "critical")
    assert one.query == two.query


def suite(folder: Path, lines: str, gate: str) -> Path:
    file = folder / "expectations" / gate / "things.yml"
    file.parent.mkdir(parents=True)
    file.write_text(f"# Things.\nkey: id\nfields:\n  {lines}\n", encoding="utf-8")
    return folder / "expectations"
