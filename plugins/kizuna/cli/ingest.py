"""`kizuna ingest`, `kizuna replay` and `kizuna sources`: what an operator does with sources outside the schedule."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import orjson

from kizuna import settings

if TYPE_CHECKING:
    from kizuna.reading import Source, Span, Stream


class Moment(click.ParamType[datetime]):
    """A time with its zone, or a day, which starts at 00:00 UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401
        """Parse it or fail with what was expected."""
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r}: expected a time like 2026-11-01 or 2026-11-01T09:00:00+09:00", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command()
@click.argument("source_name", metavar="SOURCE")
@click.argument("stream_names", metavar="[STREAM]...", nargs=-1)
@click.option("--from", "lower", type=Moment(), help="Read what changed from this time on, again.")
@click.option("--to", "upper", type=Moment(), help="… up to, and not including, this time. Default: now.")
@click.option("--sweep", "is_sweep", is_flag=True, help="Instead, find what the vendor has deleted (reads all ids).")
def ingest(
    source_name: str, stream_names: tuple[str, ...], lower: datetime | None, upper: datetime | None, is_sweep: bool
) -> None:
    """Read SOURCE into raw now, beside the schedule: its next windows, or the span from --from to --to.

    A span leaves the watermark alone, and what is known already is not landed again: read it as often as you like.
    """
    from kizuna import landing, pipeline
    from kizuna.http import VendorError
    from kizuna.local import databases, vendors
    from kizuna.quality import GateFailed

    source = _source(source_name)
    span = _span(lower, upper)
    streams = [_stream(source, name) for name in stream_names] or list(source.streams)
    run_id = f"ingest_{source_name}/by_hand_{datetime.now(UTC):%Y%m%dT%H%M%S}"
    with databases.server_for_a_moment():
        try:
            os.environ["WAREHOUSE_URL"] = databases.warehouse_in_use()
            account = vendors.account(source_name)
            if is_sweep:
                _sweep(source, [stream for stream in streams if stream.can_be_swept], account, run_id)
                return
            for stream in streams:
                began = time.monotonic()
                landed = pipeline.land(source_name, stream.name, account, run_id, span)
                counted = "read twice" if landed.vendor_count is None else f"vendor {landed.vendor_count}"
                click.echo(
                    f"{source_name}.{stream.name:<24} read {landed.read_count} ({counted}), new or changed "
                    f"{landed.landed_count}, quarantined {landed.quarantined_count}, {time.monotonic() - began:.1f} s"
                )
            pipeline.gate_raw(source_name, run_id)
        except (landing.LandingError, VendorError, GateFailed, settings.SettingsError) as error:
            raise click.ClickException(str(error)) from None
        except databases.LocalSystemError as error:
            raise click.ClickException(str(error)) from None


def _sweep(source: Source, streams: list[Stream], account: settings.Connection, run_id: str) -> None:
    from kizuna import pipeline

    if not streams:
        click.echo(f"{source.name} has no stream to sweep: its snapshots and webhooks show what was deleted")
    for stream in streams:
        swept = pipeline.sweep(source.name, stream.name, account, run_id)
        click.echo(
            f"{source.name}.{stream.name:<24} vendor lists {swept.listed_count}, of ours {swept.missing_count} are not "
            f"among them, deleted {swept.gone_count}"
        )


@click.command()
@click.argument("source_name", metavar="SOURCE")
@click.argument("stream_name", metavar="STREAM")
@click.option("--record", "record_id", help="Only the record with this id.")
@click.option("--set", "changes", multiple=True, metavar="FIELD=JSON", help="Change a field first: --set age=null.")
@click.option("--dry-run", is_flag=True, help="Say what would land, and land nothing.")
def replay(source_name: str, stream_name: str, record_id: str | None, changes: tuple[str, ...], dry_run: bool) -> None:
    """Judge quarantined records of a STREAM anew, after they or the rules were mended, and land those that fit."""
    from kizuna import landing
    from kizuna.local import databases

    source = _source(source_name)
    stream = _stream(source, stream_name)
    wanted = dict(_change(text) for text in changes)
    run_id = f"replay/{datetime.now(UTC):%Y%m%dT%H%M%S}"
    with databases.server_for_a_moment():
        try:
            url = databases.warehouse_in_use()
            done = landing.replay_stream(
                source, stream, url, run_id, record_id=record_id, changes=wanted, is_trial=dry_run
            )
        except (landing.LandingError, databases.LocalSystemError) as error:
            raise click.ClickException(str(error)) from None
    verb = "would land" if dry_run else "landed"
    click.echo(f"{done.waiting_count} records were waiting, {done.landed_count} {verb}")
    for reason, count in sorted(done.reasons.items()):
        click.echo(f"  {count} cannot land: {reason}")


@click.command()
def sources() -> None:
    """List every source and stream: whether its connection is there, its last window, rows, lag and quarantine."""
    from kizuna import landing
    from kizuna.local import databases, vendors
    from kizuna.sources import SOURCES

    with databases.server_for_a_moment():
        try:
            states = landing.states(databases.warehouse_in_use())
        except databases.LocalSystemError as error:
            raise click.ClickException(str(error)) from None
    heads = ("stream", "read up to (UTC)", "last run", "versions", "last read", "quarantine")
    click.echo("{:<36} {:<17} {:>9} {:>10} {:>10} {:>10}".format(*heads))
    for source in SOURCES.values():
        click.echo(f"{source.name}: {_connection_word(source.name, vendors)}")
        for stream in source.streams:
            state = states[source.name, stream.name]
            upper = f"{state.upper_at:%Y-%m-%d %H:%M}" if state.upper_at else "never"
            click.echo(
                f"  {stream.name:<34} {upper:<17} {_ago(state.lag_seconds):>9} {state.row_count:>10,} "
                f"{state.last_read_count:>10,} {state.quarantined_count:>10,}"
            )


def _connection_word(name: str, vendors: Any) -> str:  # noqa: ANN401
    try:
        return f"connection {vendors.account(name).base_url}"
    except settings.SettingsError:
        return f"no connection here (AIRFLOW_CONN_{name.upper()}; Airflow may keep one of its own)"


def _ago(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def _source(name: str) -> Source:
    from kizuna.sources import SOURCES

    if name not in SOURCES:
        message = f"{name!r} is no source: expected one of {', '.join(SOURCES)}"
        raise click.ClickException(message)
    return SOURCES[name]


def _stream(source: Source, name: str) -> Stream:
    for stream in source.streams:
        if stream.name == name:
            return stream
    message = f"{name!r} is no stream of {source.name}: expected one of {', '.join(one.name for one in source.streams)}"
    raise click.ClickException(message)


def _span(lower: datetime | None, upper: datetime | None) -> Span | None:
    from kizuna.reading import EPOCH, Span

    if lower is None and upper is None:
        return None
    span = Span(lower or EPOCH, upper or datetime.max.replace(tzinfo=UTC))
    if span.lower >= span.upper:
        message = (
            f"--from {span.lower.isoformat()} is not before --to {span.upper.isoformat()}: expected the earlier first"
        )
        raise click.ClickException(message)
    return span


def _change(text: str) -> tuple[str, Any]:
    field, sign, value = text.partition("=")
    try:
        return field, orjson.loads(value)
    except orjson.JSONDecodeError:
        found = f"{value!r} is no JSON" if sign else "there is no '='"
        message = f'--set {text!r}: {found}; expected FIELD=JSON, like age=null or name="Hana" (quotes included)'
        raise click.ClickException(message) from None
