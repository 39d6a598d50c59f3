"""Training the model of likeness on people whose truth is known: invented ones, never a customer's.

What scoring will be asked is not "are two random records one person" but "are two records of one block, which share no
value that joins them": so both sides of every likelihood are counted among exactly such pairs.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from kizuna.identity import likeness, pairing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from kizuna.identity.exchange import Connection
    from kizuna.identity.policy import Policy

LEVELS = "select record_a, record_b, probability::int from scored_candidates"


def train(
    connection: Connection, truth: Mapping[str, str], policy: Policy, file: Path | None = None
) -> dict[str, float]:
    """Train on the records of scoring_input, of which `truth` says the person, and write the model.

    Returns:
        How many pairs it learned from, and how many of them are one person.
    """
    from kizuna.identity import predicting  # noqa: PLC0415 - optional packages, a second to import

    settings = likeness.untrained()
    with predicting.People(connection) as people:
        pairs = people.levels(settings)
    pairing.fill(connection, ((min(p[:2]), max(p[:2]), place) for place, p in enumerate(pairs)))
    pairing.drop_decided(connection, policy)
    persons = {
        number: truth.get(key)
        for number, key in connection.execute("select record_number, record_key from scoring_input")
    }
    kept = [pairs[place] for _, _, place in connection.execute(LEVELS).fetchall()]
    same = [pair[2:] for pair in kept if persons[pair[0]] is not None and persons[pair[0]] == persons[pair[1]]]
    other = [pair[2:] for pair in kept if persons[pair[0]] != persons[pair[1]]]
    for place, comparison in enumerate(settings["comparisons"]):
        _set(comparison, "m_probability", [pair[place] for pair in same])
        _set(comparison, "u_probability", [pair[place] for pair in other])
    likeness.save(settings, (len(same) + 1) / (len(other) + 1), len(persons), file)
    return {"pairs": len(kept), "same": len(same)}


def _set(comparison: dict[str, Any], side: str, found: Sequence[int]) -> None:
    """Give each level its share of the pairs that say something; one pair more each, so that nothing is impossible."""
    counts = Counter(found)
    levels = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
    total = sum(count for level, count in counts.items() if level >= 0) + len(levels)
    # Splink counts levels from the last, 0, up to the best.
    for number, level in zip(range(len(levels) - 1, -1, -1), levels, strict=True):
        level[side] = round((counts[number] + 1) / total, 6)
