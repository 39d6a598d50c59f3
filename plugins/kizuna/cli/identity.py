"""`kizuna identity`: who is who, why, and what people have decided on it (docs/identity.md)."""

from __future__ import annotations

import click

from kizuna.cli.identity_evaluate import evaluate
from kizuna.cli.identity_explain import explain, why_not
from kizuna.cli.identity_override import override
from kizuna.cli.identity_quality import quality
from kizuna.cli.identity_review import review
from kizuna.cli.identity_runs import rebuild, runs, verify
from kizuna.cli.identity_score import score


@click.group()
def identity() -> None:
    """Who is who (名寄せ): decide, review, explain."""


@identity.command(name="hash")
@click.argument("kind")
@click.argument("value")
def hash_command(kind: str, value: str) -> None:
    """The hash of a VALUE of KIND: what stands for it in files that lie in git (dbt_project/seeds).

    Who has the hash of a phone number can find the number by trying all: treat such files as you treat the numbers.
    """
    from kizuna.identity import identifiers
    from kizuna.identity.overrides import OverrideError
    from kizuna.identity.policy import PolicyError

    try:
        click.echo(identifiers.hash_value(kind, value))
    except (OverrideError, PolicyError) as error:
        raise click.ClickException(str(error)) from None


identity.add_command(evaluate)
identity.add_command(explain)
identity.add_command(override)
identity.add_command(quality)
identity.add_command(rebuild)
identity.add_command(review)
identity.add_command(runs)
identity.add_command(verify)
identity.add_command(score)
identity.add_command(why_not)
