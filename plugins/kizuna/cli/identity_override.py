"""`kizuna identity override`: never or always one person, or a value that is shared; who, when and why are kept."""

from __future__ import annotations

import getpass
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kizuna.identity.exchange import Connection
    from kizuna.identity.overrides import Override


def signed(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every decision: who took it, and why."""
    why = click.option("--why", required=True, help="The reason, for whoever reads this in a year.")
    who = click.option("--who", default=None, help="Who decided. Default: the user of this machine.")
    return why(who(command))


def decider(who: str | None) -> str:
    """Who decides: as named, else the user of this machine."""
    return who or getpass.getuser()


@contextmanager
def warehouse_session(*, read_only: bool = False) -> Iterator[Connection]:
    """A session on the warehouse in use, in one transaction; what is wrong with it ends the command."""
    import psycopg

    from kizuna import warehouse
    from kizuna.identity.overrides import OverrideError
    from kizuna.local import databases

    try:
        with databases.server_for_a_moment():
            url = databases.warehouse_in_use()
            with warehouse.connect(url, "kizuna_transform", read_only=read_only) as connection:
                yield connection
    except (OverrideError, databases.LocalSystemError) as error:
        raise click.ClickException(str(error)) from None
    except psycopg.errors.UndefinedTable as error:
        message = f"{str(error).splitlines()[0]}: bring the warehouse up to date with `kizuna prepare`"
        raise click.ClickException(message) from None


@click.group()
def override() -> None:
    """Decide by hand. Takes effect with the next run and outlives every rebuild; revoked, never deleted."""


@override.command()
@click.argument("record_a")
@click.argument("record_b")
@signed
def never(record_a: str, record_b: str, why: str, who: str | None) -> None:
    """RECORD_A and RECORD_B are never one customer, whatever they share."""
    _decide_on_records("never", record_a, record_b, who, why)


@override.command()
@click.argument("record_a")
@click.argument("record_b")
@signed
def always(record_a: str, record_b: str, why: str, who: str | None) -> None:
    """RECORD_A and RECORD_B are always one customer, whatever speaks against it."""
    _decide_on_records("always", record_a, record_b, who, why)


def _decide_on_records(
    decision: Literal["never", "always"], record_a: str, record_b: str, who: str | None, why: str
) -> None:
    from kizuna.identity import outlook, overrides

    with warehouse_session() as connection:
        wanted = overrides.on_records(decision, record_a, record_b, who=decider(who), why=why)
        taken = overrides.decide(connection, wanted)
        click.echo(f"Taken: {taken.name()}")
        click.echo(outlook.of_decision(connection, taken))


@override.command()
@click.argument("kind")
@click.argument("value")
@signed
def shared(kind: str, value: str, why: str, who: str | None) -> None:
    """VALUE of KIND (email, phone, …) belongs to several people: it links nothing. Its hash is kept, not the value."""
    from kizuna.identity import identifiers, outlook, overrides

    with warehouse_session() as connection:
        value_hash = identifiers.known_hash(connection, kind, value)
        taken = overrides.decide(connection, overrides.on_value(value_hash, who=decider(who), why=why))
        click.echo(f"Taken: {taken.name()}")
        click.echo(outlook.of_decision(connection, taken))


@override.command()
@click.argument("override_id", type=int)
@signed
def revoke(override_id: int, why: str, who: str | None) -> None:
    """Take decision OVERRIDE_ID back; it stays on record with who revoked it and why."""
    from kizuna.identity import outlook, overrides

    with warehouse_session() as connection:
        was = overrides.revoke(connection, override_id, who=decider(who), why=why)
        click.echo(f"Revoked: {was.name()}")
        click.echo(outlook.of_revocation(connection, was))


@override.command(name="list")
@click.option("--all", "with_revoked", is_flag=True, help="Those revoked too.")
def list_command(with_revoked: bool) -> None:
    """The decisions in force, and who took them when and why."""
    from kizuna.identity import overrides

    with warehouse_session(read_only=True) as connection:
        found = overrides.ever(connection) if with_revoked else overrides.living(connection)
    for one in found:
        click.echo(_line(one))
    if not found:
        click.echo("No decision is in force")


def _line(one: Override) -> str:
    from_file = ", from the file" if one.is_from_file else ""
    on = f"value {one.value_hash}" if one.decision == "shared" else f"{one.record_key_a} | {one.record_key_b}"
    line = f"{one.override_id:>6}  {one.decision:<6}  {on}  by {one.who} {one.at:%Y-%m-%d}{from_file}: {one.why}"
    end = one.revocation
    return line + (f"  (revoked by {end.who} {end.at:%Y-%m-%d}: {end.why})" if end else "")
