"""`kizuna sandbox` and `kizuna convert`: the vendors on loopback, and real data for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kizuna import settings
from kizuna.cli.options import Folder, load_strategy, world_options

FAULTS = ["rate_limit", "server_error", "timeout", "cut_off", "dropped_page", "duplicate_row"]
FAULTS += ["webhook_lost", "webhook_duplicate", "webhook_disorder"]


@click.group(invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8010, show_default=True)
@click.option("--state-dir", type=click.Path(file_okay=False, path_type=Path), help="Where its state is kept.")
@click.option("--currency", help="Currency of an order history without one.")
@click.option("--webhooks-url", help="Send every vendor's webhooks to <this>/<vendor>.")
@click.option("--exports", "writes_exports", is_flag=True, help="Drop export files every night, beside its state.")
@world_options
@click.pass_context
def sandbox(
    context: click.Context,
    /,
    host: str,
    port: int,
    state_dir: Path | None,
    currency: str | None,
    webhooks_url: str | None,
    writes_exports: bool,
    **options: Any,  # noqa: ANN401
) -> None:
    """Serve the vendors (Shopify, LINE) on one loopback port until interrupted."""
    if context.invoked_subcommand:
        return
    from sandbox import serve
    from sandbox.replay import OrderHistoryError
    from sandbox.state import StateError

    policy = load_strategy(options["strategy_file"], options["timezone"])
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
            webhooks_url=webhooks_url,
            writes_exports=writes_exports,
        )
    except (OrderHistoryError, StateError) as error:
        raise click.ClickException(str(error)) from None


@sandbox.command()
@click.argument("duration")
def advance(duration: str) -> None:
    """Move the sandbox's clock on by DURATION, like 1d, 12h or 30m."""
    from kizuna.local import control, databases

    unit = {"d": 86_400, "h": 3_600, "m": 60}.get(duration[-1:])
    if unit is None or not duration[:-1].isdigit():
        message = f"{duration!r}: expected a number and d, h or m, like 1d"
        raise click.BadParameter(message)
    try:
        now = control.advance(int(duration[:-1]) * unit)
    except databases.LocalSystemError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"The sandbox's clock is now {now}")


@sandbox.command()
@click.argument("vendor", type=click.Choice(["shopify", "line"]))
@click.argument("kind", type=click.Choice(FAULTS))
@click.option("--times", default=1, show_default=True, help="How often it happens.")
def fault(vendor: str, kind: str, times: int) -> None:
    """Let a vendor fail: KIND of fault, at its next requests."""
    from kizuna.local import control, databases

    try:
        control.add_fault(vendor, kind, times)
    except databases.LocalSystemError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{vendor}: {kind} at the next {times} requests that fit; `kizuna sandbox heal` takes all faults back")


@sandbox.command()
def heal() -> None:
    """Take all faults back."""
    from kizuna.local import control, databases

    try:
        control.clear_faults()
    except databases.LocalSystemError as error:
        raise click.ClickException(str(error)) from None
    click.echo("No faults")


@click.command()
@click.argument("dataset", type=click.Choice(["cdnow_sample", "online_retail"]))
@click.argument("source", type=Folder)
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@click.option("--with-items", is_flag=True, help="Also write order_items.csv where the set has lines.")
def convert(dataset: str, source: Path, target: Path, with_items: bool) -> None:
    """Turn a public data set in SOURCE into an order history in TARGET (docs/real-data.md)."""
    from sandbox.convert import convert as convert_dataset

    convert_dataset(dataset, source, target, with_items=with_items)
    click.echo(f"Wrote {', '.join(sorted(file.name for file in target.iterdir()))} to {target}")
