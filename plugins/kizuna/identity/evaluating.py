"""Evaluating: how well the default policy finds the persons of a file that says who is who."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from kizuna import warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

# A column of the evidence, and the names that files have for it; `person` and `household` are the truth.
COLUMNS = {
    "person": ("person", "cluster", "person_id", "entity", "truth", "cluster_id"),
    "household": ("household", "household_id"),
    "source": ("source", "system"),
    "brand": ("brand",),
    "email": ("email", "mail", "e_mail"),
    "phone": ("phone", "tel", "phone_number"),
    "line_user_id": ("line_id", "line_user_id"),
    "login_id": ("login", "login_id"),
    "full_name": ("name", "full_name"),
    "family_name": ("family_name", "surname", "last_name"),
    "given_name": ("given_name", "first_name"),
    "full_name_kana": ("name_kana", "full_name_kana", "kana"),
    "family_name_kana": ("family_name_kana", "last_name_kana"),
    "given_name_kana": ("given_name_kana", "first_name_kana"),
    "birth": ("birthday", "birth", "birth_date", "date_of_birth", "dob"),
    "postal_code": ("postal", "postal_code", "postcode", "zip"),
    "address": ("address",),
}
# Parts that make an address, in this order, where a file has no whole one.
ADDRESS_PARTS = (
    "prefecture",
    "state",
    "city",
    "suburb",
    "address_1",
    "street_number",
    "address1",
    "address_2",
    "address2",
)
UNSAID = ("other_email", "other_phone", "line_provider")  # what evidence has and files do not
FEBRL_PERSON = r"^(rec-\d+)-(?:org|dup-\d+)$"
EVIDENCE = "identity.int_identity__evidence"


class TruthError(ValueError):
    """The file cannot be evaluated; the text says what is missing and what was found."""


@dataclass(frozen=True)
class Truth:
    """A file's records in the columns of the evidence, all text, and who they are; row i of all three is one record."""

    evidence: pd.DataFrame
    persons: list[str]
    households: list[str] | None


@dataclass(frozen=True)
class Figures:
    """How found customers compare with persons. Shares are of pairs of records, B-cubed of records; all 0 to 1."""

    records: int
    persons: int
    customers: int
    precision: float
    recall: float
    f1: float
    b_cubed_precision: float
    b_cubed_recall: float
    b_cubed_f1: float
    largest_customer: int
    household_false_merges: float | None  # of the pairs of records of two persons of one household


def read_truth(file: Path) -> Truth:
    """Read a CSV (also .csv.gz) or parquet file whose columns are named as in `COLUMNS`, or as FEBRL names them.

    Raises:
        TruthError: when the file is neither, has no column that says who is who, or nothing to compare.
    """
    table = _read(file)
    table.columns = table.columns.str.strip().str.lower()
    found = {column: name for column, names in COLUMNS.items() for name in reversed(names) if name in table.columns}
    if "person" not in found and "rec_id" in table.columns:
        table["person"] = table["rec_id"].str.strip().str.extract(FEBRL_PERSON, expand=False)
        found["person"] = "person"
    if "person" not in found or table[found["person"]].isna().any():
        expected, columns = ", ".join((*COLUMNS["person"], "rec_id")), ", ".join(table.columns)
        message = f"{file.name}: expected a column that says the person of every record ({expected}), found {columns}"
        raise TruthError(message)
    evidence = table[[found[column] for column in COLUMNS if column in found]].copy()
    evidence.columns = pd.Index([column for column in COLUMNS if column in found])
    parts = [part for part in ADDRESS_PARTS if part in table.columns]
    if "address" not in evidence and parts:
        evidence["address"] = table[parts].fillna("").agg(" ".join, axis="columns").str.strip()
    persons = evidence.pop("person").astype(str).tolist()
    households = evidence.pop("household").astype(str).tolist() if "household" in evidence else None
    if not set(evidence) - {"source", "brand"}:
        message = f"{file.name}: expected columns to compare, of {', '.join(list(COLUMNS)[4:])}, found none of them"
        raise TruthError(message)
    return Truth(evidence, persons, households)


def _read(file: Path) -> pd.DataFrame:
    if not file.is_file():
        message = f"No file {file}"
        raise TruthError(message)
    if file.suffix == ".parquet":
        return pd.read_parquet(file).astype("string")
    if ".csv" not in file.suffixes:
        message = f"{file.name}: expected .csv, .csv.gz or .parquet"
        raise TruthError(message)
    return pd.read_csv(file, dtype="string", skipinitialspace=True)


def write_evidence(url: str, truth: Truth) -> None:
    """Make the table of evidence in a scratch warehouse say what the file says, a record a row."""
    said = [str(column) for column in truth.evidence if column not in {"source", "brand"}]
    columns = ["source", "brand", *said]
    unsaid = [column for column in (*COLUMNS, *UNSAID) if column not in {"person", "household", *columns}]
    with warehouse.connect(url, "kizuna_transform") as connection:
        texts = ", ".join(f"{column} text" for column in (*columns, *unsaid))
        connection.execute(
            f"create table {EVIDENCE} (evidence_key text primary key, evidence_table text, record_key text, "
            f"first_seen_at timestamptz, _sequence bigint, {texts})"
        )
        into = f"evidence_key, evidence_table, record_key, first_seen_at, _sequence, {', '.join(columns)}"
        with connection.cursor().copy(f"copy {EVIDENCE} ({into}) from stdin") as copy:
            for number, row in enumerate(_rows(truth, columns)):
                key = f"truth:{number}"
                copy.write_row((key, "truth", key, f"2026-01-01 00:00:00.{number % 1_000_000:06}+00", number + 1, *row))
        connection.execute(f"update {EVIDENCE} set line_provider = 'main' where line_user_id is not null")  # noqa: S608


def _rows(truth: Truth, columns: Sequence[str]) -> Iterator[tuple[str | None, ...]]:
    evidence = truth.evidence.reindex(columns=list(columns)).astype("string")
    evidence["source"] = evidence["source"].fillna("file")
    evidence["brand"] = evidence["brand"].fillna("main")
    for row in evidence.itertuples(index=False, name=None):
        yield tuple(None if pd.isna(text) else str(text) for text in row)


def read_customers(url: str, count: int) -> list[str]:
    """Return the customer of each record of the file, in its order."""
    with warehouse.connect(url) as connection:
        rows = connection.execute(
            "select record_key, customer_id from identity.members where valid_to is null"
        ).fetchall()
    customers = {str(key): str(customer) for key, customer in rows}
    # A record that says nothing at all may be nobody's: alone, as it should be.
    return [customers.get(f"truth:{number}", f"nobody:{number}") for number in range(count)]


def compare(customers: Sequence[str], persons: Sequence[str], households: Sequence[str] | None) -> Figures:
    """Compare found customers with persons, record by record.

    Pairwise precision and recall are of all pairs of records; B-cubed (Bagga and Baldwin, 1998) is the mean over
    records of the share of its customer that is its person, and the share of its person that is in its customer.
    """
    both = Counter(zip(customers, persons, strict=True))
    found, true = Counter(customers), Counter(persons)
    right = _pairs(both)
    precision, recall = _share(right, _pairs(found)), _share(right, _pairs(true))
    pure = sum(count**2 / found[customer] for (customer, _), count in both.items()) / max(len(persons), 1)
    complete = sum(count**2 / true[person] for (_, person), count in both.items()) / max(len(persons), 1)
    return Figures(
        records=len(persons),
        persons=len(true),
        customers=len(found),
        precision=precision,
        recall=recall,
        f1=_harmonic(precision, recall),
        b_cubed_precision=pure,
        b_cubed_recall=complete,
        b_cubed_f1=_harmonic(pure, complete),
        largest_customer=max(found.values(), default=0),
        household_false_merges=None if households is None else _false_merges(customers, persons, households),
    )


def _false_merges(customers: Sequence[str], persons: Sequence[str], households: Sequence[str]) -> float:
    apart = _pairs(Counter(households)) - _pairs(Counter(zip(households, persons, strict=True)))
    merged = _pairs(Counter(zip(customers, households, strict=True)))
    return (merged - _pairs(Counter(zip(customers, households, persons, strict=True)))) / apart if apart else 0.0


def _pairs(groups: Mapping[Any, int]) -> int:
    return sum(count * (count - 1) // 2 for count in groups.values())


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _harmonic(left: float, right: float) -> float:
    return 2 * left * right / (left + right) if left + right else 0.0
