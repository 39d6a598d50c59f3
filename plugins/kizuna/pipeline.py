"""The steps of the path in their order, without Airflow: what every task, test and benchmark calls."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from kizuna import identity, landing, layers, outbox, publishing, quality, settings, strategy, warehouse
from kizuna.identity import policy as identity_policy
from kizuna.identity import quality as identity_quality
from kizuna.publishing import brands
from kizuna.sources import SOURCES
from kizuna.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from kizuna.quality.suites import Gate
    from kizuna.reading import Span
    from kizuna.settings import Connection


# The marts wait for these sources, and are as of the day up to which all of them were read. Who is who is told by all
# sources as far as they have been read.
SOURCES_OF_MARTS = ("shopify", "line")
# The staging models that a later layer is built from, as dbt's graph tells.
STAGING_OF_MARTS = "staging,+identity staging,+core staging,+marts"


class NothingLandedError(RuntimeError):
    """A step that needs landed data was started before any source was read."""


@dataclass(frozen=True)
class Run:
    """One run of the path: its day, its policy, its warehouse. Fixed at its first task."""

    run_id: str
    as_of: date
    strategy: Strategy
    warehouse_url: str

    @classmethod
    def open(cls, run_id: str) -> Run:
        """Start the run, or join it where an earlier task has started it.

        Raises:
            NothingLandedError: when there is neither KIZUNA_AS_OF nor a landed source to tell the day.
        """
        url, policy = settings.warehouse_url(), strategy.load()
        day = settings.as_of() or _read_up_to(url, ZoneInfo(policy.business_timezone))
        return cls._begin(run_id, day, policy, url)

    @classmethod
    def open_published(cls, run_id: str) -> Run:
        """Start or join a run on the published marts, for the day they were built for.

        Raises:
            NothingLandedError: when no marts have been published.
        """
        url = settings.warehouse_url()
        live = [version for version in publishing.versions(url) if version.state == "published"]
        if not live:
            message = "No marts have been published yet: run the transform DAG first"
            raise NothingLandedError(message)
        return cls._begin(run_id, live[0].as_of, strategy.load(), url)

    @classmethod
    def _begin(cls, run_id: str, day: date, policy: Strategy, url: str) -> Run:
        with warehouse.connect(url, "kizuna_transform") as connection:
            connection.execute(
                "insert into ops.runs (run_id, as_of, strategy) values (%s, %s, %s) on conflict do nothing",
                [run_id, day, policy.model_dump_json()],
            )
            row = connection.execute("select as_of, strategy from ops.runs where run_id = %s", [run_id]).fetchone()
        if row is None:
            message = f"ops.runs has no row for run {run_id!r} that was just written: is the warehouse being reset?"
            raise NothingLandedError(message)
        return cls(run_id, row[0], Strategy.model_validate_json(json.dumps(row[1])), url)  # type: ignore[arg-type]

    def build(
        self, select: str, target: layers.Target = "transform", exclude: str | None = None, folder: str = ""
    ) -> list[layers.Node]:
        """Build one layer, or part of one, with dbt."""
        known = identity_policy.load()
        return layers.build(
            select,
            target,
            exclude=exclude,
            folder=folder,
            run_id=self.run_id,
            warehouse_url=self.warehouse_url,
            strategy=self.strategy,
            as_of=self.as_of,
            brands={**known.brands, "default_brand": known.default_brand},
            blocked=known.model_dump(mode="json")["blocked"],
        )

    def gate(self, name: Literal["identity", "marts", "sync"]) -> quality.GateReport:
        """Check who is who after this run, the candidate marts, or the rows about to leave."""
        report = _gate(name, self.warehouse_url, self.run_id)
        if name == "identity":
            identity_quality.release(self.warehouse_url, self.run_id, "passed the gate")
        return report

    def build_staging(self) -> list[layers.Node]:
        """Build the staging models that identity, core or marts are built from."""
        return self.build(STAGING_OF_MARTS)

    def build_other_staging(self) -> list[layers.Node]:
        """Build all other staging models: nothing waits for them, and their trouble is no trouble of the marts."""
        return self.build("staging", exclude=STAGING_OF_MARTS, folder="staging")

    def build_identity(self) -> identity.Resolution:
        """Build the identity layer: what is new of persons, whom their records belong to, and the result as a model."""
        identity.reread_by_new_rules(self.warehouse_url)
        self.build("int_identity__evidence int_identity__changes")
        resolution = identity.resolve(self.warehouse_url, self.run_id)
        identity_quality.measure(self.warehouse_url, self.run_id)
        self.build("customer_identities test_name:covers_every_record")
        return resolution

    def publish(self) -> int:
        """Switch readers to the candidate marts, show each brand its customers, and return the version."""
        version = publishing.publish(self.warehouse_url, self.run_id, self.as_of, self.strategy.digest())
        brands.show_brands(self.warehouse_url, identity_policy.load().brand_names)
        return version


def land(
    source_name: str, stream_name: str, connection: Connection, run_id: str, span: Span | None = None
) -> landing.Landing:
    """Read one stream's next window, or the span that was asked for, from its vendor into raw."""
    source = SOURCES[source_name]
    stream = next(stream for stream in source.streams if stream.name == stream_name)
    return landing.land_stream(source, stream, connection, settings.warehouse_url(), run_id, span=span)


def sweep(source_name: str, stream_name: str, connection: Connection, run_id: str) -> landing.Sweep:
    """Mark what the vendor does not have any more as deleted in one stream's raw table."""
    source = SOURCES[source_name]
    stream = next(stream for stream in source.streams if stream.name == stream_name)
    return landing.sweep_stream(source, stream, connection, settings.warehouse_url(), run_id)


def gate_raw(source_name: str, run_id: str) -> quality.GateReport:
    """Check what one source has landed."""
    return _gate("raw", settings.warehouse_url(), run_id, only=source_name)


def ingest(source_name: str, connection: Connection, run_id: str) -> list[landing.Landing]:
    """Land all streams of one source and check them."""
    landings = [land(source_name, stream.name, connection, run_id) for stream in SOURCES[source_name].streams]
    gate_raw(source_name, run_id)
    return landings


def transform(run: Run) -> int:
    """Staging to published marts, gate included; returns the published version."""
    landing.ensure_tables(run.warehouse_url)
    run.build_staging()
    run.build_identity()
    run.gate("identity")
    run.build("core")
    run.build("marts")
    run.gate("marts")
    return run.publish()


def activate(run: Run, connections: Mapping[str, Connection]) -> list[outbox.Delivery]:
    """Published marts to every destination object of `connections`, gate included."""
    run.build("segments", "activate")
    run.build("sync", "activate")
    run.gate("sync")
    return [deliver(run, destination_object, account) for destination_object, account in connections.items()]


def deliver(run: Run, destination_object: str, connection: Connection) -> outbox.Delivery:
    """Make one destination equal to its sync model."""
    return outbox.deliver(destination_object, connection, run.warehouse_url, run.run_id)


def _gate(name: Gate, url: str, run_id: str, only: str | None = None) -> quality.GateReport:
    started = time.time()
    folder = settings.home() / "data_docs" / (f"{name}_{only}" if only else name)
    report = quality.run_gate(name, url, run_id, only=only, docs_folder=folder)
    print(f"gate {name}: {report.expectations} expectations in {time.time() - started:.1f} s; pages in {folder}")  # noqa: T201 - the task's log
    return report


def _read_up_to(url: str, zone: ZoneInfo) -> date:
    """The business date up to which every source of the marts has been read: the earliest watermark's.

    The inbox of webhooks goes by our own clock and not by a vendor's: it says nothing of how far one was read.
    """
    query = "select min(upper_at) from ops.watermarks where source = any(%s) and stream <> 'webhooks'"
    with warehouse.connect(url, "kizuna_transform") as connection:
        row = connection.execute(query, [list(SOURCES_OF_MARTS)]).fetchone()
    upper: datetime | None = row[0] if row else None  # type: ignore[assignment]
    if upper is None:
        message = "No source has been read yet (ops.watermarks is empty): run the ingest_… DAGs, or set KIZUNA_AS_OF"
        raise NothingLandedError(message)
    return upper.astimezone(zone).date()
