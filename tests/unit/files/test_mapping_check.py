"""`kizuna mappings check`: what is missing, what is not mapped, what would land; never a value."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner, Result

from kizuna.cli import main
from kizuna.files import mapping
from kizuna.files.entities import ENTITIES

if TYPE_CHECKING:
    import pytest

EXAMPLES = Path(mapping.__file__).parent / "examples"
SAMPLE = "会員番号,氏名,フリガナ,電話番号,生年月日,店舗コード,店舗名,ポイント,DM,入会日,更新日,備考\n"
ROW = "0012,髙橋花子,ﾀｶﾊｼ,090-1234-5678,S60.1.2,S1,渋谷店,1200,要,2024/5/1,2026/11/1,内緒\n"


def check(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["mappings", "check", *(str(argument) for argument in arguments)])


def sample(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cards.csv"
    path.write_bytes(text.encode("cp932"))
    return path


def test_a_sample_is_shown_as_it_would_land_without_its_values(tmp_path: Path) -> None:
    done = check(
        EXAMPLES / "pos_cards.yml", sample(tmp_path, SAMPLE + ROW + ROW.replace("要", "多分").replace("12,", "13,"))
    )

    assert done.exit_code == 0
    assert "pos_cards: pos/cards_*.csv → raw.files__customers, ids pos/…" in done.output
    assert "Not mapped (kept in `row`): 備考" in done.output
    assert "customer_number=9999  full_name=xxxx" in done.output
    assert "birth_on=9999-99-99" in done.output
    assert "Put aside: 1 × accepts_mail: column DM: 'xx' is none of the mapping's values" in done.output
    assert "1 of 2 rows would land" in done.output
    for secret in ("髙橋", "5678", "1985", "内緒", "多分"):
        assert secret not in done.output


def test_missing_columns_fail_by_name(tmp_path: Path) -> None:
    done = check(EXAMPLES / "pos_cards.yml", sample(tmp_path, SAMPLE.replace("生年月日", "誕生日")))

    assert done.exit_code == 1
    assert "cards.csv: missing columns: 生年月日" in done.output


def test_a_faulty_mapping_fails_with_its_line(tmp_path: Path) -> None:
    faulty = tmp_path / "faulty.yml"
    faulty.write_text("entity: people\nsystem: x\nfiles: x\nkey: [a]\ncolumns: {a: b}\n", encoding="utf-8")

    done = check(faulty)

    assert done.exit_code == 1
    assert "faulty.yml:1: entity: unknown entity 'people'" in done.output


def test_the_mappings_in_force_are_checked_together(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KIZUNA_MAPPINGS", str(EXAMPLES))
    assert check().output.count("→ raw.files__") == len(list(EXAMPLES.glob("*.yml")))

    monkeypatch.setenv("KIZUNA_MAPPINGS", str(tmp_path))
    assert "No mappings in" in check().output


def test_the_shipped_examples_are_valid_and_say_that_they_are_examples() -> None:
    examples = mapping.load_all(EXAMPLES)

    assert all("an example to adapt" in (EXAMPLES / f"{name}.yml").read_text(encoding="utf-8") for name in examples)
    assert {one.entity for one in examples.values()} == {*ENTITIES} - {"store_visits"}
