"""The model of likeness: what Splink compares of two records, which pairs it looks at, and the trained file.

A comparison is a list of levels, the best first; the first that holds counts. A null level says nothing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODEL_FILE = Path(__file__).with_name("splink_model.json")
COLUMNS = (
    "family",
    "given",
    "whole",
    "family_kana",
    "given_kana",
    "whole_kana",
    "birth",
    "email",
    "phone",
    "postal",
    "address",
)

Level = tuple[str, str]

# Kanji compare with kanji, readings with readings: records in different scripts say nothing of each other.
NAME_LEVELS: list[Level] = [
    ("same whole name", "whole_l = whole_r"),
    ("same reading", "whole_kana_l = whole_kana_r"),
    ("same given name", "given_l = given_r or given_kana_l = given_kana_r"),
    ("same family name", "family_l = family_r or family_kana_l = family_kana_r"),
]
SAME_SCRIPT = "regexp_matches(whole_l, '[一-鿿]') = regexp_matches(whole_r, '[一-鿿]')"
NAME_UNSAID = f"not coalesce({SAME_SCRIPT}, false) and (whole_kana_l is null or whole_kana_r is null)"
BIRTH_PARTS = " + ".join(
    f"(substr(birth_l, {start}, {length}) = substr(birth_r, {start}, {length}))::int"
    for start, length in ((1, 4), (6, 2), (9, 2))
)
LOCAL_PART = "split_part(email_{side}, '@', 1)"
SAME_LOCAL_PART = f"{LOCAL_PART.format(side='l')} = {LOCAL_PART.format(side='r')}"
COMPARISONS: dict[str, tuple[str, list[Level]]] = {
    "name": (NAME_UNSAID, NAME_LEVELS),
    "birth": (
        "birth_l is null or birth_r is null",
        [("same day", "birth_l = birth_r"), ("one part differs", f"({BIRTH_PARTS}) = 2")],
    ),
    "email": (
        "email_l is null or email_r is null",
        [
            ("same address", "email_l = email_r"),
            ("same long local part", f"{SAME_LOCAL_PART} and length({LOCAL_PART.format(side='l')}) >= 8"),
            ("same local part", SAME_LOCAL_PART),
            (
                "alike local part",
                f"jaro_winkler_similarity({LOCAL_PART.format(side='l')}, {LOCAL_PART.format(side='r')}) > 0.9",
            ),
        ],
    ),
    "phone": (
        "phone_l is null or phone_r is null",
        [("same number", "phone_l = phone_r"), ("one digit off", "damerau_levenshtein(phone_l, phone_r) = 1")],
    ),
    "place": (
        "postal_l is null or postal_r is null",
        [
            ("same house", "postal_l = postal_r and address_l = address_r"),
            ("same postal code", "postal_l = postal_r"),
            ("same area", "left(postal_l, 3) = left(postal_r, 3)"),
        ],
    ),
}
# Two things must be the same for a pair to be looked at: blocks stay small however many records there are.
BLOCKS = (
    ("given", "birth"),
    ("given_kana", "birth"),
    ("whole", "postal"),
    ("whole_kana", "postal"),
    ("given", "address"),
    ("given_kana", "address"),
    ("whole", "split_part({side}.email, '@', 1)"),
    ("whole_kana", "split_part({side}.email, '@', 1)"),
    ("birth", "split_part({side}.email, '@', 1)"),
    ("family", "split_part({side}.email, '@', 1)"),
    ("given", "split_part({side}.email, '@', 1)"),
    # A long name of a mailbox is kept when people change who carries their mail.
    ("case when length(split_part({side}.email, '@', 1)) >= 8 then split_part({side}.email, '@', 1) end",),
    ("whole", "left({side}.phone, 7)"),
    ("whole", "right({side}.phone, 4)"),
    ("whole_kana", "right({side}.phone, 4)"),
)


@dataclass(frozen=True)
class Model:
    """A trained model: Splink's settings, and the odds that a pair it looks at is one person, by number of records."""

    settings: dict[str, Any]
    odds: float
    records: int
    digest: str

    def version(self, record_count: int) -> str:
        """The name of the model as used on so many records: it changes with the model and with each doubling."""
        return f"{self.digest}-{step_of(record_count).bit_length() - 1}"

    def settings_for(self, record_count: int) -> dict[str, Any]:
        """Splink's settings for so many records.

        Of pairs that agree by chance there are as many as records squared, of true ones as many as records: the odds
        fall in proportion. They fall by doublings, so that a pair's probability depends on nothing but its records
        until the next doubling, at which all are scored anew.
        """
        odds = self.odds * min(1.0, self.records / step_of(record_count))
        return {**self.settings, "probability_two_random_records_match": odds / (1 + odds)}


def load(file: Path | None = None) -> Model:
    """Read a trained model.

    Raises:
        FileNotFoundError: when it was never trained.
    """
    text = (file or MODEL_FILE).read_text(encoding="utf-8")
    held = json.loads(text)
    return Model(held["settings"], held["odds"], held["records"], hashlib.sha256(text.encode()).hexdigest()[:12])


def save(settings: dict[str, Any], odds: float, records: int, file: Path | None = None) -> None:
    """Write a trained model, the same bytes for the same model."""
    held = {"odds": odds, "records": records, "settings": settings}
    (file or MODEL_FILE).write_text(
        json.dumps(held, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )


def step_of(record_count: int) -> int:
    """The smallest power of two that is not below a number of records."""
    return 1 << max(record_count - 1, 1).bit_length()


def untrained() -> dict[str, Any]:
    """Splink's settings before training: every level as likely as the others."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record_number",
        "probability_two_random_records_match": 0.5,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "comparisons": [_comparison(name, unsaid, levels) for name, (unsaid, levels) in COMPARISONS.items()],
        "blocking_rules_to_generate_predictions": [_block(keys) for keys in BLOCKS],
    }


def _comparison(name: str, unsaid: str, levels: list[Level]) -> dict[str, Any]:
    even = 1 / (len(levels) + 1)
    held = [
        {"sql_condition": condition, "label_for_charts": label, "m_probability": even, "u_probability": even}
        for label, condition in (*levels, ("else", "ELSE"))
    ]
    null = {"sql_condition": unsaid, "label_for_charts": "unsaid", "is_null_level": True}
    return {"output_column_name": name, "comparison_levels": [null, *held]}


def _block(keys: tuple[str, ...]) -> dict[str, str]:
    sides = ["l", "r"]
    columns = [[key.format(side=side) if "{" in key else f"{side}.{key}" for side in sides] for key in keys]
    same = " and ".join(f"{left} = {right}" for left, right in columns)
    # Only pairs of which a record is new are looked at; the others were, when one of theirs was.
    return {"blocking_rule": f"{same} and (l.is_changed or r.is_changed)", "sql_dialect": "duckdb"}
