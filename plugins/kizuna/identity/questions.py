"""What Airflow asks a person about a pair in doubt, as masked text, and what it does with the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kizuna import warehouse
from kizuna.identity import policy, review

if TYPE_CHECKING:
    from kizuna.identity.overrides import Override
    from kizuna.identity.review import Answer, Comparison, Pair

ROLE = "kizuna_transform"


def ask(warehouse_url: str, most: int) -> list[dict[str, str]]:
    """Return the questions about the best pairs in doubt: the pair's name, a subject, and a body in Markdown.

    Record keys are left out, because some of them are a person's id at a vendor.
    """
    with warehouse.connect(warehouse_url, ROLE, read_only=True) as connection:
        pairs = review.queue(connection, policy.load(), most)
        return [_question(pair, review.compare(connection, pair.name)) for pair in pairs]


def answer(warehouse_url: str, pair: str, given: Answer, *, who: str, why: str) -> Override | None:
    """Write a person's answer down as their decision; None where it is `later`.

    Raises:
        OverrideError: when the records are gone, or the answer contradicts a decision in force.
    """
    with warehouse.connect(warehouse_url, ROLE) as connection:
        return review.decide(connection, pair, given, who=who, why=why)


def _question(pair: Pair, compared: list[Comparison]) -> dict[str, str]:
    rows = [("", str(pair.record_a), str(pair.record_b), ""), ("---",) * 4]
    rows += [(line.field, line.one, line.other, line.verdict) for line in compared]
    table = "\n".join(f"| {' | '.join(_cell(text) for text in row)} |" for row in rows)
    return {
        "pair": pair.name,
        "subject": f"One person? Records {pair.record_a} and {pair.record_b}: {pair.because()}",
        "body": f"{table}\n\nRecord keys: `kizuna identity review show {pair.name}`",
    }


def _cell(text: str) -> str:
    """Keep what Markdown or a template would take for its own from being that."""
    return text.replace("|", "/").replace("{", "(").replace("}", ")")
