"""`kizuna identity score`: pairs that share no value, scored by how alike they are; optional packages."""

from __future__ import annotations

import csv
from pathlib import Path

import click

from kizuna.cli.identity_override import warehouse_session

TruthFile = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--full", is_flag=True, help="Score all records, not only those that changed. The result is the same.")
@click.option(
    "--train",
    "truth",
    type=TruthFile,
    metavar="TRUTH",
    help="Train the model on this warehouse's invented people; TRUTH is a CSV with record_key and person.",
)
def score(full: bool, truth: Path | None) -> None:
    """Score pairs in doubt. The next run joins those above the policy's `accept`, people are asked about the others."""
    from kizuna.identity import policy, scoring
    from kizuna.local import databases

    try:
        scoring.require_splink()
        if truth is not None:
            _train(truth)
            return
        with databases.server_for_a_moment():
            done = scoring.score(databases.warehouse_in_use(), full=full)
    except (scoring.ScoringError, policy.PolicyError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(
        f"Scored {done.changed:,} changed of {done.records:,} records in {done.seconds} s "
        f"by model {done.model_version}: "
        f"{done.pairs:,} pairs stand, {done.written:,} written, {done.withdrawn:,} withdrawn"
    )


def _train(truth: Path) -> None:
    from kizuna.identity import likeness, policy, scoring, training

    with truth.open(encoding="utf-8", newline="") as file:
        persons = {row["record_key"]: row["person"] for row in csv.DictReader(file)}
    with warehouse_session() as connection:
        scoring.stage(connection)
        learned = training.train(connection, persons, policy.load())
    click.echo(
        f"Learned from {learned['pairs']:,} pairs, {learned['same']:,} of one person: {likeness.MODEL_FILE.name}"
    )
