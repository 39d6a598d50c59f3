"""`kizuna identity evaluate`: how well the default policy finds the persons of a file that knows them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kizuna.local.evaluation import Evaluation


@click.command()
@click.option("--truth", required=True, type=click.Path(path_type=Path), help="A CSV (.csv, .csv.gz) or parquet file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for other programs.")
def evaluate(truth: Path, as_json: bool) -> None:
    """Resolve a file whose persons are known with the policy in force, and say how well that went.

    A column `person` (or cluster, person_id, entity) says who a record is, `household` who lives together. Compared
    are: source, brand, email, phone, line_id, login, name or family_name and given_name, name_kana, birthday, postal,
    address; and what FEBRL calls them. All happens in a database of its own, which is thrown away.
    """
    from kizuna.identity import evaluating, policy
    from kizuna.local import evaluation

    try:
        found = evaluation.evaluate(evaluating.read_truth(truth))
    except (evaluating.TruthError, policy.PolicyError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(_plain(found)) if as_json else _table(found))


def _plain(found: Evaluation) -> dict[str, object]:
    seconds = max(found.seconds, 1e-9)
    speed = {"seconds": round(found.seconds, 2), "records_per_second": round(found.figures.records / seconds)}
    return {**asdict(found.figures), **speed, "policy_version": found.policy_version}


def _table(found: Evaluation) -> str:
    figures = found.figures
    merges = figures.household_false_merges
    lines = [
        ("records", f"{figures.records:,} of {figures.persons:,} persons"),
        ("customers", f"{figures.customers:,}, the largest of {figures.largest_customer} records"),
        ("pairwise", f"precision {figures.precision:.4f}  recall {figures.recall:.4f}  F1 {figures.f1:.4f}"),
        (
            "B-cubed",
            f"precision {figures.b_cubed_precision:.4f}  recall {figures.b_cubed_recall:.4f}  "
            f"F1 {figures.b_cubed_f1:.4f}",
        ),
        ("household", "not in the file" if merges is None else f"{merges:.3%} of two persons' pairs merged"),
        ("time", f"{found.seconds:.1f} s, {figures.records / max(found.seconds, 1e-9):,.0f} records/s"),
        ("policy", found.policy_version),
    ]
    return "\n".join(f"{name:<10} {text}" for name, text in lines)
