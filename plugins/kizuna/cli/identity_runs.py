"""`kizuna identity runs`, `rebuild` and `verify`: what runs did, and solving everything again by hand."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from kizuna.cli.identity_override import warehouse_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kizuna.identity import Resolution

COLUMNS = ("minted", "merged", "split", "restored", "retired")
RUNS = """
select
    run_id, at, mode, policy_version, taken_evidence, touched_records, touched_components,
    minted, merged, split, restored, retired, refused, seconds
from identity.runs
order by run_number desc
limit %s
"""


@click.command()
@click.option("--most", default=20, show_default=True, help="How many, the latest first.")
def runs(most: int) -> None:
    """The runs that found something to do, and what became of customers in each."""
    with warehouse_session(read_only=True) as connection:
        rows = connection.execute(RUNS, [most]).fetchall()
    for run_id, at, mode, rules, taken, records, components, *changes, refused, seconds in rows:
        told = "  ".join(f"{name} {number}" for name, number in zip(COLUMNS, changes, strict=True) if number)
        click.echo(
            f"{at:%Y-%m-%d %H:%M}  {mode:<11}  {run_id}  rules {rules}  took {taken} rows, solved {records} records "
            f"in {components} components in {seconds:.1f} s  {told or 'no id changed'}  refused {refused}"
        )
    if not rows:
        click.echo("No run has found anything yet")


@click.command()
def rebuild() -> None:
    """Solve everything again from the stored links, and keep every id. The next transform carries it into the marts."""
    from kizuna import identity

    with _warehouse() as url:
        began = time.monotonic()
        done = identity.resolve(url, _run_id("rebuild"), full=True)
        click.echo(f"{_told(done)}; {time.monotonic() - began:.1f} s")


@click.command()
def verify() -> None:
    """Solve everything again and compare with what the runs have left; write nothing. A difference is an error."""
    from kizuna import identity

    with _warehouse() as url:
        began = time.monotonic()
        done = identity.verify(url, _run_id("verify"))
        took = time.monotonic() - began
        click.echo(f"Nothing differs: {done.touched_records:,} records, {done.customers:,} customers; {took:.1f} s")


@contextmanager
def _warehouse() -> Iterator[str]:
    """The address of the warehouse in use; why identity cannot be resolved there ends the command."""
    from kizuna import identity
    from kizuna.identity.overrides import OverrideError
    from kizuna.identity.policy import PolicyError
    from kizuna.local import databases

    try:
        with databases.server_for_a_moment():
            yield databases.warehouse_in_use()
    except (identity.IdentityError, OverrideError, PolicyError, databases.LocalSystemError) as error:
        raise click.ClickException(str(error)) from None


def _run_id(command: str) -> str:
    return f"{command}/by_hand_{datetime.now(UTC):%Y%m%dT%H%M%S}"


def _told(done: Resolution) -> str:
    changes = ", ".join(f"{getattr(done, name)} {name}" for name in COLUMNS if getattr(done, name))
    return f"{done.touched_records:,} records, {done.customers:,} customers: {changes or 'no id changed'}"
