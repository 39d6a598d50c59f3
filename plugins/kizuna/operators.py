"""The Airflow face of the path: one small operator per step."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Asset, BaseOperator, Param
from airflow.sdk.bases.hook import BaseHook
from airflow.timetables.interval import CronDataIntervalTimetable

from kizuna import identity, landing, pipeline, settings
from kizuna.identity import questions
from kizuna.identity.review import ANSWERS
from kizuna.reading import Span

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from airflow.sdk import Context

    from kizuna.settings import Connection

# The address of data that a run has made; the next DAG on the path starts when it is there.
PUBLISHED_MARTS = Asset("kizuna_published_marts", uri="kizuna://marts")


def ingest_timetable() -> CronDataIntervalTimetable | None:
    """When sources are read: `KIZUNA_INGEST_SCHEDULE`, every hour by default, never by itself where that is empty.

    Runs have an interval of time, so that `airflow backfill` reads the hours it is asked for.
    """
    schedule = os.environ.get("KIZUNA_INGEST_SCHEDULE", "@hourly")
    return CronDataIntervalTimetable(schedule, timezone="UTC") if schedule else None


def raw_asset(source_name: str) -> Asset:
    """The landed and checked data of one source."""
    return Asset(f"kizuna_raw_{source_name}", uri=f"kizuna://raw/{source_name}")


class IngestStream(BaseOperator):
    """Land one stream of one source."""

    def __init__(self, *, source_name: str, stream_name: str, **keywords: Any) -> None:  # noqa: ANN401 - Airflow's own
        super().__init__(task_id=stream_name, **keywords)
        self.source_name = source_name
        self.stream_name = stream_name

    def execute(self, context: Context) -> dict[str, str]:
        """Return the counts of the landing: of the next window, or of a backfill's interval."""
        connection = _connection(self.source_name)
        landed = pipeline.land(self.source_name, self.stream_name, connection, _run_id(context), _span(context))
        return _counts(asdict(landed))


class SweepStream(BaseOperator):
    """Mark what the vendor has deleted in one stream of one source."""

    def __init__(self, *, source_name: str, stream_name: str, **keywords: Any) -> None:  # noqa: ANN401
        super().__init__(task_id=f"{source_name}__{stream_name}", **keywords)
        self.source_name = source_name
        self.stream_name = stream_name

    def execute(self, context: Context) -> dict[str, str]:
        """Return the counts of the sweep."""
        connection = _connection(self.source_name)
        return _counts(asdict(pipeline.sweep(self.source_name, self.stream_name, connection, _run_id(context))))


class GateRaw(BaseOperator):
    """Check what one source landed; passing tells the transform that the source is ready."""

    def __init__(self, *, source_name: str, **keywords: Any) -> None:  # noqa: ANN401
        super().__init__(task_id="gate", outlets=[raw_asset(source_name)], **keywords)
        self.source_name = source_name

    def execute(self, context: Context) -> dict[str, str]:
        """Return the counts of the gate."""
        return _counts(asdict(pipeline.gate_raw(self.source_name, _run_id(context))))


class BuildModels(BaseOperator):
    """Build one layer with dbt."""

    def __init__(self, *, layer: str, target: str = "transform", **keywords: Any) -> None:  # noqa: ANN401
        super().__init__(**keywords)
        self.layer = layer
        self.target = target

    def execute(self, context: Context) -> dict[str, str]:
        """Return each model's row count."""
        landing.ensure_tables(settings.warehouse_url())
        start = pipeline.Run.open_published if self.target == "activate" else pipeline.Run.open
        nodes = start(_run_id(context)).build(self.layer, self.target)  # type: ignore[arg-type]
        return {node.name: str(node.row_count) for node in nodes if node.row_count is not None}


class BuildStaging(BaseOperator):
    """Build the staging models that the marts are built from, or all others."""

    def __init__(self, *, of_marts: bool, **keywords: Any) -> None:  # noqa: ANN401
        super().__init__(**keywords)
        self.of_marts = of_marts

    def execute(self, context: Context) -> dict[str, str]:
        """Return each model's row count."""
        landing.ensure_tables(settings.warehouse_url())
        run = _run(context)
        nodes = run.build_staging() if self.of_marts else run.build_other_staging()
        return {node.name: str(node.row_count) for node in nodes if node.row_count is not None}


class BuildIdentity(BaseOperator):
    """Build the identity layer: every record gets its customer_id."""

    def execute(self, context: Context) -> dict[str, str]:
        """Return how many ids were minted, merged, split and restored."""
        return _counts(asdict(_run(context).build_identity()))


class VerifyIdentity(BaseOperator):
    """Solve everything again and compare; a difference from what the runs have left fails the task."""

    def execute(self, context: Context) -> dict[str, str]:
        """Return what was solved, in counts."""
        return _counts(asdict(identity.verify(settings.warehouse_url(), _run_id(context))))


class QueuePairs(BaseOperator):
    """Choose the pairs of records that a person is asked about."""

    def __init__(self, *, most: int, **keywords: Any) -> None:  # noqa: ANN401
        super().__init__(**keywords)
        self.most = most

    def execute(self, context: Context) -> list[dict[str, str]]:  # noqa: ARG002
        """Return one question a pair; whatever it shows of a person is masked."""
        return questions.ask(settings.warehouse_url(), self.most)


class AskAboutPair(HITLOperator):
    """Ask a person whether two records are the same person, and write the answer down as their decision.

    Nobody's answer in time is `later`: the pair is asked about again another day. A cleared task keeps showing the
    question it was created with, so the answer must name the pair that was seen, and is refused for any other.
    """

    def __init__(self, *, pair: str, **keywords: Any) -> None:  # noqa: ANN401
        params = {
            "pair": Param(pair, type="string", enum=[pair], title="The pair these answers are for"),
            "why": Param("reviewed side by side", type="string", minLength=1, title="Why (nothing personal)"),
        }
        super().__init__(options=list(ANSWERS), defaults="later", params=params, **keywords)
        self.pair = pair

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, str]:
        """Return the pair and the answer, and neither who gave it nor why: those are in identity.overrides."""
        answered = super().execute_complete(context, event)
        answer, given, user = answered["chosen_options"][0], answered["params_input"], answered["responded_by_user"]
        if user is not None and answer != "later":
            if given.get("pair") != self.pair:
                message = f"the answer is for pair {given.get('pair')!r}, the question is {self.pair!r}: answer it anew"
                raise ValueError(message)
            questions.answer(settings.warehouse_url(), self.pair, answer, who=user["name"], why=given["why"])
        return {"pair": self.pair, "answer": answer}


class GateModels(BaseOperator):
    """Check who is who after a run, the candidate marts, or the rows about to leave."""

    def __init__(self, *, gate: str, **keywords: Any) -> None:  # noqa: ANN401
        super().__init__(task_id="gate", **keywords)
        self.gate = gate

    def execute(self, context: Context) -> dict[str, str]:
        """Return the counts of the gate."""
        return _counts(asdict(_run(context).gate(self.gate)))  # type: ignore[arg-type]


class ScorePairs(BaseOperator):
    """Score records that share no value by how alike they are; the next run joins what is alike enough."""

    def execute(self, context: Context) -> dict[str, str]:  # noqa: ARG002 - Airflow's own
        """Return how many records were scored and how many pairs written."""
        from kizuna.identity import scoring  # noqa: PLC0415 - optional

        return _counts(asdict(scoring.score(settings.warehouse_url())))


class PublishMarts(BaseOperator):
    """Switch readers to the checked candidate."""

    def __init__(self, **keywords: Any) -> None:  # noqa: ANN401
        super().__init__(task_id="publish", outlets=[PUBLISHED_MARTS], **keywords)

    def execute(self, context: Context) -> int:
        """Return the published version."""
        return _run(context).publish()


class Deliver(BaseOperator):
    """Make one destination equal to its sync model."""

    def __init__(self, *, destination_object: str, **keywords: Any) -> None:  # noqa: ANN401
        super().__init__(task_id=destination_object, **keywords)
        self.destination_object = destination_object

    def execute(self, context: Context) -> dict[str, str]:
        """Return the counts of the delivery."""
        vendor = self.destination_object.split("__")[0]
        return _counts(asdict(pipeline.deliver(_run(context), self.destination_object, _connection(vendor))))


def _connection(name: str) -> Connection:
    found = BaseHook.get_connection(name)
    kind = found.conn_type or "http"
    return settings.Connection(
        name,
        settings.address(kind, found.host or "", found.port, found.schema),
        found.password or "",
        found.extra_dejson,
        login=found.login or "",
        kind=kind,
        client=_client(kind, name),
    )


def _client(kind: str, name: str) -> Callable[[], AbstractContextManager[Any]] | None:
    """What Airflow's own hook opens, for the kinds of connections that words cannot open themselves."""
    if kind == "sftp":
        return lambda: _sftp_client(name)
    if kind == "aws":
        return lambda: _s3_client(name)
    return None


def _sftp_client(name: str) -> AbstractContextManager[Any]:
    from airflow.providers.sftp.hooks.sftp import SFTPHook  # noqa: PLC0415 - half a second, for who reads such a store

    hook: Any = SFTPHook(ssh_conn_id=name)
    return hook.get_managed_conn()  # type: ignore[no-any-return]


def _s3_client(name: str) -> AbstractContextManager[Any]:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook  # noqa: PLC0415

    return nullcontext(S3Hook(aws_conn_id=name).get_conn())


def _span(context: Context) -> Span | None:
    """The interval of a backfill; every other run goes on where the last one stopped."""
    if context["dag_run"].run_type != "backfill":
        return None
    lower, upper = context["data_interval_start"], context["data_interval_end"]
    if lower is None or upper is None:
        message = (
            f"the backfill {context['run_id']} has no interval: set KIZUNA_INGEST_SCHEDULE to a schedule, like @hourly"
        )
        raise ValueError(message)
    return Span(lower, upper)


def _run(context: Context) -> pipeline.Run:
    return pipeline.Run.open(_run_id(context))


def _run_id(context: Context) -> str:
    return f"{context['dag'].dag_id}/{context['run_id']}"


def _counts(fields: dict[str, Any]) -> dict[str, str]:
    """What the task tells Airflow: counts and times, never records."""
    return {name: str(value) for name, value in fields.items()}
