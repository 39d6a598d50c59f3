"""`kizuna identity quality`: the figures that the gate of identity judges, and letting a stopped state pass."""

from __future__ import annotations

import json

import click

from kizuna.cli.identity_override import decider


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For other programs.")
@click.option("--full", is_flag=True, help="Measure now what needs every link, too (ids per customer, shared values).")
@click.option("--release", "why", metavar="WHY", help="Let the last measured state pass: it is right, and why.")
@click.option("--who", default=None, help="Who releases it. Default: the user of this machine.")
def quality(as_json: bool, full: bool, why: str | None, who: str | None) -> None:
    """Figures of the last run: sizes, ids per customer, refusals, blocked values, changes. Values are masked.

    A run is judged against the last state that passed. What the gate has stopped stays stopped, run by run, until it is
    undone, or released here.
    """
    from kizuna.identity import quality as measuring
    from kizuna.local import databases

    if why is not None and not why.strip():
        message = "--release needs a reason: it is kept"
        raise click.ClickException(message)
    with databases.server_for_a_moment():
        url = databases.warehouse_in_use()
        try:
            run_id, at, figures = measuring.latest(url)
            if full:
                figures = sorted(measuring.measure(url, run_id, full=True))
            if why is not None:
                measuring.release(url, run_id, f"{decider(who)}: {why}")
                measuring.measure(url, run_id)  # against itself: its gate, asked again, lets it pass
        except measuring.NothingMeasuredError as error:
            raise click.ClickException(str(error)) from None
    if as_json:
        rows = [
            {"metric": metric, "kind": kind, "label": label, "value": value} for metric, kind, label, value in figures
        ]
        click.echo(json.dumps({"run_id": run_id, "at": at.isoformat(), "figures": rows}, ensure_ascii=False))
        return
    click.echo(f"Run {run_id}, measured {at:%Y-%m-%d %H:%M} UTC")
    for metric, kind, label, value in figures:
        click.echo(f"{metric:<20} {' · '.join(part for part in (kind, label) if part):<40} {value:>14,.6g}")
    if why is not None:
        click.echo(f"Released by {decider(who)}: the next run is judged against this one")
