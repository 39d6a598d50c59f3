"""Figures of an evaluation, against sets small enough to count by hand, and which files can be evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kizuna.identity import evaluating

if TYPE_CHECKING:
    from pathlib import Path


def figures(customers: str, persons: str, households: str | None = None) -> evaluating.Figures:
    return evaluating.compare(list(customers), list(persons), None if households is None else list(households))


def test_what_is_found_whole_is_perfect() -> None:
    found = figures("xxyz", "aabc")
    assert (found.precision, found.recall, found.f1, found.b_cubed_f1) == (1, 1, 1, 1)
    assert (found.records, found.persons, found.customers, found.largest_customer) == (4, 3, 3, 2)


def test_pairs_are_counted() -> None:
    # Found pairs: 01 02 12 34; true pairs: 01 23 24 34; both: 01 34.
    found = figures("xxxyy", "aabbb")
    assert (found.precision, found.recall) == (2 / 4, 2 / 4)
    assert found.f1 == pytest.approx(0.5)


def test_b_cubed_is_the_mean_over_records() -> None:
    # Of x (three records) two are a, one is b; y is all b. Of a all are in x; of b one in x, two in y.
    found = figures("xxxyy", "aabbb")
    assert found.b_cubed_precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)
    assert found.b_cubed_recall == pytest.approx((1 + 1 + 1 / 3 + 2 / 3 + 2 / 3) / 5)


def test_nothing_joined_is_precise_and_useless() -> None:
    found = figures("wxyz", "aabb")
    assert (found.precision, found.recall, found.f1) == (1, 0, 0)


def test_household_false_merges_are_of_pairs_of_two_persons_of_one_household() -> None:
    # Household h: a, a, b, b – four pairs of two persons, of which x joins 0-2 and 1-2. c is another household's.
    found = figures("xxxyx", "aabbc", "hhhhi")
    assert found.household_false_merges == pytest.approx(2 / 4)


def test_a_file_without_households_has_no_figure_of_them() -> None:
    assert figures("xy", "ab").household_false_merges is None


def written(folder: Path, text: str, name: str = "truth.csv") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_columns_are_recognized_by_name(tmp_path: Path) -> None:
    truth = evaluating.read_truth(
        written(tmp_path, "Cluster,household,name,Tel,ignored\n1,7,佐藤 健,090-1,z\n2,7,,,\n")
    )
    assert truth.persons == ["1", "2"]
    assert truth.households == ["7", "7"]
    assert list(truth.evidence.columns) == ["phone", "full_name"]


def test_febrl_says_the_person_in_its_record_ids(tmp_path: Path) -> None:
    text = "rec_id, surname, street_number, address_1\nrec-7-org, lee, 4, high street\nrec-7-dup-0, lee, 4,\n"
    truth = evaluating.read_truth(written(tmp_path, text))
    assert truth.persons == ["rec-7", "rec-7"]
    assert truth.evidence["address"].tolist() == ["high street 4", " 4".strip()]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("truth.csv", "name,phone\na,b\n", "who|person"),
        ("truth.csv", "cluster,name\n1,a\n,b\n", "person"),
        ("truth.csv", "cluster,colour\n1,a\n", "columns to compare"),
        ("truth.txt", "cluster,name\n1,a\n", "expected .csv"),
    ],
)
def test_a_file_that_cannot_be_evaluated_is_told_why(tmp_path: Path, name: str, text: str, reason: str) -> None:
    with pytest.raises(evaluating.TruthError, match=reason):
        evaluating.read_truth(written(tmp_path, text, name))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(evaluating.TruthError, match="No file"):
        evaluating.read_truth(tmp_path / "none.csv")
