"""The `kizuna` command: the local system, the marts in SQL, the sandbox."""

from __future__ import annotations

import csv
import os
import shutil
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import psycopg

from kizuna import settings, strategy

DEFAULT_CUSTOMERS = 10_000
DEFAULT_SEED = 7
StrategyFile = click.Path(exists=True, dir_okay=False, path_type=Path)
Folder = click.Path(exists=True, file_okay=False, path_type=Path)


class Day(click.ParamType[date]):
    """A date like 2026-11-22."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:  # noqa: ANN401
        """Parse it or fail with what was expected."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r}: expected a date like 2026-11-22", param, ctx)


def world_options(command: Any) -> Any:  # noqa: ANN401
    """The options that say whose data the sandbox serves."""
    for option in (
        click.option("--seed", default=DEFAULT_SEED, show_default=True, help="Seed of the invented world."),
        click.option("--customers", default=DEFAULT_CUSTOMERS, show_default=True, help="How many people to invent."),
        click.option("--strategy", "strategy_file", type=StrategyFile, help="Strategy file. Default: strategy.yml."),
        click.option("--timezone", help="Business time zone; wins over the strategy's."),
        click.option("--as-of", type=Day(), help="Business date to build for. Default: the day up to which was read."),
        click.option("--history", type=Folder, help="Serve this order history instead (docs/order-history.md)."),
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """Kizuna (絆): the customer data warehouse of a D2C brand, on this machine."""


@main.command()
@world_options
def demo(**options: Any) -> None:  # noqa: ANN401
    """Run the whole path once, show it, and stop what was started."""
    from kizuna.local import demo as guided

    os.environ["KIZUNA_TASK_RETRIES"] = "0"  # a demo that fails should say so at once
    sys.exit(guided.run(_world(**options)))


@main.command()
@world_options
def up(**options: Any) -> None:  # noqa: ANN401
    """Start the system and keep it running, with the Airflow UI; sources are read every hour."""
    from kizuna.local import demo as guided
    from kizuna.local import system

    running = system.up(_world(**options), guided.Screen().tell, ingest_schedule="@hourly")
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
@click.confirmation_option("--yes", prompt="Switch readers back to the previous version of the marts?")
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


@main.group()
def sandbox() -> None:
    """The vendors on loopback: Shopify and LINE, for demos and tests."""


@sandbox.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8010, show_default=True)
@click.option("--state-dir", type=click.Path(file_okay=False, path_type=Path), help="Where its state is kept.")
@click.option("--currency", help="Currency of an order history without one.")
@world_options
def run(host: str, port: int, state_dir: Path | None, currency: str | None, **options: Any) -> None:  # noqa: ANN401
    """Serve until interrupted."""
    from sandbox import serve
    from sandbox.replay import OrderHistoryError
    from sandbox.state import StateError

    policy = _strategy(options["strategy_file"], options["timezone"])
    try:
        serve.run(
            host=host,
            port=port,
            state_dir=state_dir or settings.home() / "sandbox" / "default",
            customers=options["customers"],
            seed=options["seed"],
            history=options["history"],
            as_of=options["as_of"],
            timezone=policy.business_timezone,
            currency=currency or policy.reporting_currency,
        )
    except (OrderHistoryError, StateError) as error:
        raise click.ClickException(str(error)) from None


@sandbox.command()
@click.argument("duration")
def advance(duration: str) -> None:
    """Move the sandbox's clock on by DURATION, like 1d, 12h or 30m."""
    from kizuna.local import databases, system

    unit = {"d": 86_400, "h": 3_600, "m": 60}.get(duration[-1:])
    if unit is None or not duration[:-1].isdigit():
        message = f"{duration!r}: expected a number and d, h or m, like 1d"
        raise click.BadParameter(message)
    try:
        now = system.advance_sandbox(int(duration[:-1]) * unit)
    except databases.LocalSystemError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"The sandbox's clock is now {now}")


@main.command()
@click.argument("dataset", type=click.Choice(["cdnow_sample", "online_retail"]))
@click.argument("source", type=Folder)
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@click.option("--with-items", is_flag=True, help="Also write order_items.csv where the set has lines.")
def convert(dataset: str, source: Path, target: Path, with_items: bool) -> None:
    """Turn a public data set in SOURCE into an order history in TARGET (docs/real-data.md)."""
    from sandbox.convert import convert as convert_dataset

    convert_dataset(dataset, source, target, with_items=with_items)
    click.echo(f"Wrote {', '.join(sorted(file.name for file in target.iterdir()))} to {target}")


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


def _strategy(file: Path | None, timezone: str | None) -> strategy.Strategy:
    if file:
        os.environ["KIZUNA_STRATEGY"] = str(file.resolve())
    try:
        return strategy.load(timezone=timezone)
    except strategy.StrategyError as error:
        raise click.ClickException(str(error)) from None


def _world(
    history: Path | None,
    as_of: date | None,
    timezone: str | None,
    strategy_file: Path | None,
    customers: int,
    seed: int,
) -> Any:  # noqa: ANN401
    from kizuna.local.world import World, WorldError, world_of_history

    policy = _strategy(strategy_file, timezone)
    if history is None:
        return World(customers, seed, None, as_of, policy.business_timezone, policy.reporting_currency)
    try:
        return world_of_history(history, as_of, policy, click.echo)
    except WorldError as error:
        raise click.ClickException(str(error)) from None


def _server_for_a_moment() -> Any:  # noqa: ANN401
    """The embedded server runs inside the block, and afterwards only if it ran before."""
    from kizuna.local import databases

    return databases.server_for_a_moment()


def _version_line(version: Any) -> str:  # noqa: ANN401
    published: datetime = version.published_at
    return f"v{version.version:<4} {version.state:<12} as of {version.as_of}  published {published:%Y-%m-%d %H:%M} UTC"


def _echo_table(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    cells = [names, *[["" if value is None else str(value) for value in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    for row in cells:
        click.echo("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())
