"""The `kizuna` command: the local system, the marts in SQL, the sandbox."""

from __future__ import annotations

import csv
import os
import shutil
import sys
from typing import Any

import click
import psycopg

from kizuna import settings
from kizuna.cli.authorize import authorize
from kizuna.cli.identity import identity
from kizuna.cli.ingest import ingest, replay, sources
from kizuna.cli.mappings import mappings
from kizuna.cli.options import chosen_world, world_options
from kizuna.cli.sandbox import convert, sandbox
from kizuna.cli.webhooks import webhooks


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Kizuna (絆): the customer data warehouse of a D2C brand, on this machine."""


@main.command()
@click.option(
    "--source", "only", multiple=True, help="Read only this source (may be repeated). Default: all there are."
)
@world_options
def demo(only: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Run the whole path once, show it, and stop what was started."""
    from kizuna.local import demo as guided
    from kizuna.local import vendors

    unknown = sorted(set(only) - set(vendors.names()))
    if unknown:
        message = f"--source {unknown[0]!r} has no account here: expected one of {', '.join(vendors.names())}"
        raise click.ClickException(message)
    os.environ["KIZUNA_TASK_RETRIES"] = "0"  # a demo that fails should say so at once
    sys.exit(guided.run(chosen_world(**options), only or vendors.names()))


@main.command()
@world_options
def up(**options: Any) -> None:  # noqa: ANN401
    """Start the system and keep it running, with the Airflow UI; sources are read every hour."""
    from kizuna.local import demo as guided
    from kizuna.local import system

    running = system.up(chosen_world(**options), guided.Screen().tell, ingest_schedule="@hourly")
    click.echo(f"Airflow UI: {running.airflow_url}   `kizuna status` | `kizuna sql` | `kizuna down`")


@main.command()
def down() -> None:
    """Stop the system; the data stays."""
    from kizuna.local import system

    ran = system.down()
    click.echo(f"Stopped {', '.join(ran)}" if ran else "Nothing was running")


@main.command()
@click.confirmation_option("--yes", prompt="Stop the system and delete its data?")
def reset() -> None:
    """Stop the system and delete its data (the embedded server's; a WAREHOUSE_URL is left alone)."""
    from kizuna.local import databases, system

    system.down()
    databases.cluster().remove()
    for entry in settings.home().iterdir() if settings.home().exists() else []:
        if entry.name != "uv":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    click.echo("Deleted all local data")


@main.command()
def status() -> None:
    """Say what runs, which marts are published, since when, and for which day."""
    from kizuna import publishing
    from kizuna.local import databases, system

    for name, is_running in system.processes().items():
        click.echo(f"{'running' if is_running else 'stopped':<8} {name}")
    running = databases.Running.load()
    if running and system.is_up():
        click.echo(f"UI       {running.airflow_url}")
    with _server_for_a_moment():
        found = publishing.versions(databases.warehouse_in_use())
        for version in found:
            click.echo(_version_line(version))
            if version.state == "published":
                for mart, rows in sorted(version.row_counts.items()):
                    click.echo(f"         marts.{mart:<20} {rows:>10,} rows  published {_when(version)}")
        if not found:
            click.echo("No marts have been published yet")


@main.command(name="sql")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated with a header line, for other programs.")
@click.argument("query")
def sql_command(as_csv: bool, query: str) -> None:
    """Read the marts as BI does: one read-only statement, as the role kizuna_bi."""
    from kizuna import warehouse
    from kizuna.local import databases

    with _server_for_a_moment():
        try:
            with warehouse.connect(databases.warehouse_in_use(), "kizuna_bi", read_only=True) as connection:
                # The extended protocol takes one statement only: nothing can be appended to a query.
                cursor = connection.execute(query.encode(), prepare=True)
                names = [column.name for column in cursor.description or []]
                rows = cursor.fetchall() if names else []
        except psycopg.Error as error:
            raise click.ClickException(str(error).strip()) from None
    if as_csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows([names, *rows])
    else:
        _echo_table(names, rows)


@main.command()
def rollback() -> None:
    """Switch readers back to the previous version of the marts."""
    from kizuna import publishing
    from kizuna.local import databases

    with _server_for_a_moment():
        try:
            version = publishing.rollback(databases.warehouse_in_use())
        except publishing.PublishRefused as error:
            raise click.ClickException(str(error)) from None
        click.echo(f"Published again: version {version}")


@main.command()
def prepare() -> None:
    """Bring the warehouse and Airflow's metadata up to date (the first step of a deployment)."""
    from kizuna.local import databases

    try:
        databases.prepare(click.echo)
    except (databases.LocalSystemError, settings.SettingsError) as error:
        raise click.ClickException(str(error)) from None


@main.command()
def parse() -> None:
    """Check the dbt project without a warehouse and write its manifest for the linters."""
    from kizuna import layers

    click.echo(f"Wrote {layers.parse()}")


def _server_for_a_moment() -> Any:  # noqa: ANN401
    """The embedded server runs inside the block, and afterwards only if it ran before."""
    from kizuna.local import databases

    return databases.server_for_a_moment()


def _version_line(version: Any) -> str:  # noqa: ANN401
    return f"v{version.version:<7} {version.state:<12} as of {version.as_of}  published {_when(version)}"


def _when(version: Any) -> str:  # noqa: ANN401
    return f"{version.published_at:%Y-%m-%d %H:%M} UTC"


def _echo_table(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    cells = [names, *[["" if value is None else str(value) for value in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    for row in cells:
        click.echo("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())


main.add_command(authorize)
main.add_command(sandbox)
main.add_command(convert)
main.add_command(webhooks)
main.add_command(identity)
main.add_command(ingest)
main.add_command(mappings)
main.add_command(replay)
main.add_command(sources)
