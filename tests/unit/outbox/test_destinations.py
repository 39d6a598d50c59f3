"""What every declared destination must have, and what a wrong declaration is told."""

from __future__ import annotations

import dataclasses
import re

import pytest

from kizuna import destinations
from kizuna.destinations import DESTINATIONS
from kizuna.destinations import line as line_module
from kizuna.settings import PROJECT


def test_line_audiences_are_found() -> None:
    assert "line__audiences" in DESTINATIONS


@pytest.mark.parametrize("full_name", DESTINATIONS)
def test_every_object_has_a_sync_model_with_its_columns(full_name: str) -> None:
    declared = DESTINATIONS[full_name]
    model = PROJECT / "dbt_project" / "models" / "sync" / declared.destination / f"sync_{full_name}.sql"
    columns = ("audience", "customer_id", declared.member_column, "consent_evidence")
    last_select = model.read_text().rsplit("select", 1)[1].split("from", 1)[0]
    assert [column for column in columns if not re.search(rf"\b{column}\b", last_select)] == []


def test_an_object_of_another_destination_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = dataclasses.replace(line_module.OBJECTS[0], destination="fax")
    monkeypatch.setattr(line_module, "OBJECTS", (stranger,))
    with pytest.raises(ValueError, match=r"destinations/line\.py declares 'fax__audiences': rename one of the two"):
        destinations.discover()


@pytest.mark.parametrize(
    ("user_id", "is_valid"),
    [
        ("U" + "0123456789abcdef" * 2, True),
        ("U" + "0123456789ABCDEF" * 2, False),
        ("u" + "0123456789abcdef" * 2, False),
        ("U" + "0" * 31, False),
        ("U" + "0" * 33, False),
        ("C" + "0" * 32, False),
        ("", False),
    ],
)
def test_only_line_user_ids_are_members(user_id: str, *, is_valid: bool) -> None:
    assert bool(DESTINATIONS["line__audiences"].member_id.match(user_id)) is is_valid
