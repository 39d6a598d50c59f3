"""What readers see while versions change: whole versions, no errors, no waiting."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg

from kizuna import publishing, warehouse

if TYPE_CHECKING:
    from tests.integration.publishing.conftest import Publish

TABLES = ("customers", "customer_phases", "f2_cohorts", "kpi_summary", "rfm")
JOINED = (
    "select distinct customers.version, customer_phases.version, f2_cohorts.version, kpi_summary.version, rfm.version"
    " from marts.customers join marts.customer_phases using (customer_id) join marts.f2_cohorts using (customer_id)"
    " join marts.kpi_summary using (customer_id) join marts.rfm using (customer_id)"
)


class Reader(threading.Thread):
    """Reads five marts in one statement, over and over; `seen` holds every mixture of versions."""

    def __init__(self, url: str, *, prepared: bool) -> None:
        super().__init__()
        self.url, self.prepared = url, prepared
        self.done = threading.Event()
        self.seen: set[tuple[object, ...]] = set()
        self.statements = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with warehouse.connect(self.url, "kizuna_bi", autocommit=True) as connection:
                while not self.done.is_set():
                    rows = connection.execute(JOINED, prepare=self.prepared).fetchall()
                    self.seen |= set(rows) or {("no rows",)}
                    self.statements += 1
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test shows it
            self.error = error


def test_readers_see_whole_single_versions_through_twenty_publishes(warehouse_url: str, publish: Publish) -> None:
    publish(1, tables=TABLES)
    readers = [Reader(warehouse_url, prepared=prepared) for prepared in (False, True)]
    for reader in readers:
        reader.start()
    for version in range(2, 22):
        publish(version, tables=TABLES)
        if version % 5 == 0:
            publishing.rollback(warehouse_url)
    for reader in readers:
        reader.done.set()
        reader.join()
        assert reader.error is None
        assert reader.statements > 20
        assert all(len(set(versions)) == 1 for versions in reader.seen), reader.seen


def test_a_statement_that_found_one_name_before_the_switch_and_one_after_sees_one_version(
    warehouse_url: str, publish: Publish
) -> None:
    publish(1)
    with warehouse.connect(warehouse_url) as holding, warehouse.connect(warehouse_url) as connection:
        # An open transaction keeps the views of version 1 from being dropped; they are what an early parse has found.
        holding.execute("select from marts.customers")
        publish(2)
        row = connection.execute("select nspname from pg_namespace where nspname like 'marts_retired%'").fetchone()
        assert row
        early = f"{row[0]}.customers"
        mixed = f"select distinct early.version, rfm.version from {early} as early join marts.rfm using (customer_id)"
        assert connection.execute(mixed.encode()).fetchall() == [(2, 2)]


def test_a_repeatable_read_transaction_stays_on_its_version(warehouse_url: str, publish: Publish) -> None:
    publish(1)
    with warehouse.connect(warehouse_url, "kizuna_bi") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert connection.execute("select distinct version from marts.customers").fetchall() == [(1,)]
        publish(2)
        publish(3)
        assert connection.execute("select distinct version from marts.rfm").fetchall() == [(1,)]
        assert connection.execute("select distinct version from marts.customers").fetchall() == [(1,)]


def test_a_long_query_neither_breaks_nor_holds_up_publishing(warehouse_url: str, publish: Publish) -> None:
    publish(1)
    with warehouse.connect(warehouse_url, "kizuna_bi") as connection, connection.cursor(name="long") as cursor:
        cursor.itersize = 1
        cursor.execute("select version from marts.customers")
        first = cursor.fetchone()
        for version in range(2, 12):
            assert publish(version) == version
        assert [first, *cursor.fetchall()] == [(1,)] * 3
    assert publishing.drop_outdated(warehouse_url) == []
    with warehouse.connect(warehouse_url) as connection:
        left = connection.execute("select nspname from pg_namespace where nspname ~ 'retired|_v1$'").fetchall()
    assert left == []
