"""The name of a world is the same exactly when its data is."""

from pathlib import Path

import pytest

from kizuna.local.world import World


def world(**changes) -> World:
    fields = {"customers": 100, "seed": 7, "history": None, "as_of": None, "timezone": "Asia/Tokyo", "currency": "JPY"}
    return World(**(fields | changes))


@pytest.fixture
def history(tmp_path: Path) -> Path:
    folder = tmp_path / "My Shop 2026"
    folder.mkdir()
    (folder / "orders.csv").write_text("customer_id,order_id,ordered_at,total\n1,1,2026-01-01,10\n")
    return folder


def test_an_invented_world_is_named_by_its_size_and_seed() -> None:
    assert world().key() == "invented_100_7"
    assert world(seed=8).key() != world().key()


def test_a_history_is_named_by_folder_and_content(history) -> None:
    before = world(history=history).key()
    assert before.startswith("my_shop_2026_")
    assert world(history=history).key() == before
    (history / "orders.csv").write_text("customer_id,order_id,ordered_at,total\n1,1,2026-01-02,10\n")
    assert world(history=history).key() != before


def test_another_day_is_the_same_data_but_another_time_zone_is_not(history) -> None:
    from datetime import date

    before = world(history=history).key()
    assert world(history=history, as_of=date(2026, 1, 2)).key() == before
    assert world(history=history, timezone="Europe/London").key() != before
