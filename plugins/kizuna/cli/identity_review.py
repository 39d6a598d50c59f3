"""`kizuna identity review`: the pairs that a person should look at, side by side and masked, and the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from kizuna.cli.identity_override import decider, signed, warehouse_session

if TYPE_CHECKING:
    from kizuna.identity.review import Answer


@click.group()
def review() -> None:
    """Pairs in doubt: scored below acceptance, or of one strong value but refused. Airflow asks them too."""


@review.command(name="list")
@click.option("--most", default=20, show_default=True, help="How many, the best first.")
def list_command(most: int) -> None:
    """The pairs that wait for an answer."""
    from kizuna.identity import policy, review

    try:
        rules = policy.load()
    except policy.PolicyError as error:
        raise click.ClickException(str(error)) from None
    with warehouse_session(read_only=True) as connection:
        pairs = review.queue(connection, rules, most)
    for pair in pairs:
        click.echo(f"{pair.name:<16}  {pair.because():<44}  {pair.record_key_a} | {pair.record_key_b}")
    if not pairs:
        click.echo("No pair waits for an answer")


@review.command()
@click.argument("pair")
def show(pair: str) -> None:
    """The two records of PAIR side by side, masked."""
    from kizuna.identity import review

    with warehouse_session(read_only=True) as connection:
        (_, key_a), (_, key_b) = review.named(connection, pair)
        compared = review.compare(connection, pair)
    rows = [("", key_a, key_b, ""), *[(line.field, line.one, line.other, line.verdict) for line in compared]]
    widths = [max(len(row[place]) for row in rows) for place in range(4)]
    for row in rows:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


@review.command()
@click.argument("pair")
@click.argument("answer", type=click.Choice(["same", "different", "later"]))
@signed
def decide(pair: str, answer: str, why: str, who: str | None) -> None:
    """Answer whether the two records of PAIR are the same person; `later` leaves it in the queue."""
    from kizuna.identity import outlook, review

    with warehouse_session() as connection:
        taken = review.decide(connection, pair, cast("Answer", answer), who=decider(who), why=why)
        if taken is None:
            click.echo("Left for later")
        else:
            click.echo(f"Taken: {taken.name()}")
            click.echo(outlook.of_decision(connection, taken))
