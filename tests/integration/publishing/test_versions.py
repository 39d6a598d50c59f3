"""Publishing, refusing, returning and forgetting versions of the marts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from kizuna import publishing, warehouse
from tests.integration.publishing.conftest import AS_OF, Publish

if TYPE_CHECKING:
    from collections.abc import Callable


def seen(url: str, query: str = "select distinct version from marts.customers") -> list[tuple[object, ...]]:
    with warehouse.connect(url, "kizuna_bi") as connection:
        return connection.execute(query.encode()).fetchall()


def states(url: str) -> dict[int, str]:
    return {version.version: version.state for version in publishing.versions(url)}


def schemas(url: str) -> set[str]:
    with warehouse.connect(url) as connection:
        rows = connection.execute("select nspname from pg_namespace where nspname like 'marts%'").fetchall()
    return {str(name) for (name,) in rows}


def test_a_published_candidate_is_what_readers_see_and_a_new_candidate_is_empty(
    warehouse_url: str, publish: Publish
) -> None:
    assert publish(1) == 1
    assert seen(warehouse_url) == [(1,)]
    assert publish(2) == 2
    assert seen(warehouse_url) == [(2,)]
    assert states(warehouse_url) == {2: "published", 1: "kept"}
    assert schemas(warehouse_url) == {"marts", "marts_candidate", "marts_v1", "marts_v2"}


def test_a_version_remembers_what_it_was_made_of(warehouse_url: str, publish: Publish) -> None:
    publish(1, rows=5)
    (version,) = publishing.versions(warehouse_url)
    assert (version.run_id, version.as_of, version.strategy_hash) == ("run 1", AS_OF, "abc")
    assert version.row_counts == {"customers": 5, "rfm": 5}


def test_column_comments_reach_readers(warehouse_url: str, build: Callable[..., None]) -> None:
    build(1)
    with warehouse.connect(warehouse_url, "kizuna_transform") as connection:
        connection.execute("comment on column marts_candidate.customers.version is 'it''s the version / 版'")
        connection.execute("comment on table marts_candidate.customers is 'people / 顧客'")
    publishing.publish(warehouse_url, "run 1", AS_OF, "abc")
    described = "select col_description('marts.customers'::regclass, 1), obj_description('marts.customers'::regclass)"
    assert seen(warehouse_url, described) == [("it's the version / 版", "people / 顧客")]


def test_a_run_publishes_once(warehouse_url: str, publish: Publish) -> None:
    publish(1)
    publish(2)
    assert publishing.publish(warehouse_url, "run 2", AS_OF, "abc") == 2
    assert states(warehouse_url) == {2: "published", 1: "kept"}


def test_a_run_that_has_built_again_publishes_again(
    warehouse_url: str, publish: Publish, build: Callable[..., None]
) -> None:
    publish(1)
    build(7)
    assert publishing.publish(warehouse_url, "run 1", AS_OF, "abc") == 2
    assert seen(warehouse_url) == [(7,)]


def test_a_run_whose_version_was_rolled_back_does_not_undo_that(warehouse_url: str, publish: Publish) -> None:
    publish(1)
    publish(2)
    publishing.rollback(warehouse_url)
    with pytest.raises(publishing.PublishRefused, match="run 2 published version 2, which is now rolled_back"):
        publishing.publish(warehouse_url, "run 2", AS_OF, "abc")
    assert seen(warehouse_url) == [(1,)]


def test_no_candidate_is_refused(warehouse_url: str, publish: Publish) -> None:
    publish(1)
    with pytest.raises(publishing.PublishRefused, match="marts_candidate holds no mart"):
        publishing.publish(warehouse_url, "run 2", AS_OF, "abc")
    assert seen(warehouse_url) == [(1,)]


def test_a_missing_mart_is_refused_unless_it_is_named(
    warehouse_url: str, publish: Publish, build: Callable[..., None]
) -> None:
    publish(1)
    build(2, tables=("customers",))
    with pytest.raises(publishing.PublishRefused, match=r"marts_candidate\.rfm is missing"):
        publishing.publish(warehouse_url, "run 2", AS_OF, "abc")
    assert seen(warehouse_url) == [(1,)]
    assert publishing.publish(warehouse_url, "run 2", AS_OF, "abc", removed={"rfm"}) == 2


def test_an_emptied_mart_is_refused(warehouse_url: str, publish: Publish) -> None:
    publish(1)
    with pytest.raises(publishing.PublishRefused, match="customers has 0 rows, published version 1 has 3"):
        publish(2, rows=0)
    assert seen(warehouse_url) == [(1,)]


def test_a_first_version_without_any_row_is_refused(publish: Publish) -> None:
    with pytest.raises(publishing.PublishRefused, match="has 0 rows"):
        publish(1, rows=0)


def test_a_view_is_no_version(warehouse_url: str, build: Callable[..., None]) -> None:
    build(1)
    with warehouse.connect(warehouse_url, "kizuna_transform") as connection:
        connection.execute("create view marts_candidate.kpi as select 1 as one")
    with pytest.raises(publishing.PublishRefused, match=r"marts_candidate\.kpi is a view"):
        publishing.publish(warehouse_url, "run 1", AS_OF, "abc")


def test_rollback_returns_to_the_version_before(warehouse_url: str, publish: Publish) -> None:
    for version in (1, 2, 3):
        publish(version)
    assert publishing.rollback(warehouse_url) == 2
    assert publishing.rollback(warehouse_url) == 1
    assert seen(warehouse_url) == [(1,)]
    assert states(warehouse_url) == {3: "rolled_back", 2: "rolled_back", 1: "published"}
    assert publish(4) == 4
    assert publishing.rollback(warehouse_url) == 1


def test_rollback_without_an_earlier_version_is_refused(warehouse_url: str, publish: Publish) -> None:
    publish(1)
    with pytest.raises(publishing.PublishRefused, match="no earlier version"):
        publishing.rollback(warehouse_url)
    assert seen(warehouse_url) == [(1,)]


def test_seven_versions_are_kept_beside_the_published_one(warehouse_url: str, publish: Publish) -> None:
    for version in range(1, 11):
        publish(version)
    kept = {f"marts_v{version}" for version in range(3, 11)}
    assert schemas(warehouse_url) == {"marts", "marts_candidate"} | kept
    assert [version for version, state in states(warehouse_url).items() if state == "dropped"] == [2, 1]


def test_a_version_someone_built_on_is_not_dropped(warehouse_url: str, publish: Publish) -> None:
    publish(1)
    with warehouse.connect(warehouse_url) as connection:
        connection.execute("create view public.report as select count(*) as people from marts.customers")
    for version in range(2, 11):
        publish(version, rows=version)
    assert "marts_v1" in schemas(warehouse_url)
    assert "marts_v2" not in schemas(warehouse_url)
    with warehouse.connect(warehouse_url) as connection:
        # Their view is on an old view of ours, and shows the live version all the same.
        assert connection.execute("select people from public.report").fetchone() == (10,)


def test_another_switch_going_on_is_named(
    warehouse_url: str, monkeypatch: pytest.MonkeyPatch, publish: Publish
) -> None:
    monkeypatch.setattr(publishing, "LOCK_PATIENCE", "set local lock_timeout = '50ms'")
    with warehouse.connect(warehouse_url) as other:
        other.execute("select pg_advisory_xact_lock(hashtext('kizuna.publishing'))")
        with pytest.raises(publishing.PublishRefused, match="Another publish or rollback"):
            publish(1)


@pytest.mark.parametrize("schema", ["raw", "staging", "identity", "core", "segments", "sync", "ops"])
def test_bi_reads_the_marts_and_nothing_else(warehouse_url: str, publish: Publish, schema: str) -> None:
    publish(1)
    with warehouse.connect(warehouse_url) as connection:
        connection.execute(f"create table {schema}.secret (one int)".encode())
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        seen(warehouse_url, f"select * from {schema}.secret")


@pytest.mark.parametrize(
    "query",
    ["select * from marts_v1.customers", "select * from marts_v1.customers__live()", "drop view marts.customers"],
)
def test_bi_sees_only_what_is_published_and_changes_nothing(warehouse_url: str, publish: Publish, query: str) -> None:
    publish(1)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        seen(warehouse_url, query)


def test_activate_reads_the_marts(warehouse_url: str, publish: Publish) -> None:
    publish(1)
    with warehouse.connect(warehouse_url, "kizuna_activate") as connection:
        assert connection.execute("select count(*) from marts.customers").fetchone() == (3,)


STOP_BEFORE_COMMIT = """
import sys
from datetime import date
from kizuna import publishing
shown = publishing.show
def stop(*arguments):
    shown(*arguments)
    print("switched, not committed", flush=True)
    sys.stdin.read()
publishing.show = stop
publishing.publish(sys.argv[1], "run 2", date(2026, 11, 22), "abc")
"""


def test_killed_in_the_middle_of_the_switch_nothing_has_happened(
    warehouse_url: str, publish: Publish, build: Callable[..., None]
) -> None:
    publish(1)
    build(2)
    command = [sys.executable, "-c", STOP_BEFORE_COMMIT, warehouse_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"switched, not committed\n"
        os.kill(process.pid, signal.SIGKILL)
    assert seen(warehouse_url) == [(1,)]
    assert publishing.publish(warehouse_url, "run 2", AS_OF, "abc") == 2
    assert seen(warehouse_url) == [(2,)]
