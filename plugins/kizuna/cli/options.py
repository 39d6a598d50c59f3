"""The options of commands that need to know whose data to run on."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kizuna import strategy

if TYPE_CHECKING:
    from kizuna.local.world import World

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


def load_strategy(file: Path | None, timezone: str | None) -> strategy.Strategy:
    """The strategy in force; what is wrong with it ends the command."""
    if file:
        os.environ["KIZUNA_STRATEGY"] = str(file.resolve())
    try:
        return strategy.load(timezone=timezone)
    except strategy.StrategyError as error:
        raise click.ClickException(str(error)) from None


def chosen_world(
    history: Path | None,
    as_of: date | None,
    timezone: str | None,
    strategy_file: Path | None,
    customers: int,
    seed: int,
) -> World:
    """The world that the options name, checked; what is wrong with it ends the command."""
    from kizuna.local.world import World, WorldError, world_of_history

    policy = load_strategy(strategy_file, timezone)
    if history is None:
        return World(customers, seed, None, as_of, policy.business_timezone, policy.reporting_currency)
    try:
        return world_of_history(history, as_of, policy, click.echo)
    except WorldError as error:
        raise click.ClickException(str(error)) from None
