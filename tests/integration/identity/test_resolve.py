"""Identity on a real warehouse: the tables after resolve, run after run."""

from __future__ import annotations

import uuid

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kizuna import identity, warehouse
from kizuna.identity.reading import LARGEST_SHARED_VALUE
from kizuna.identity.writing import NAMESPACE
from tests.unit.identity.keeper import Keeper, Records

TABLES = ("members", "events", "redirects", "issued_ids", "former_members", "capped_values")


def land(url: str, records: Records, kind: str = "email") -> None:
    """Build the identifiers anew, as dbt does: drop and create."""
    rows = [(name, "shopify", kind, value) for name, values in records.items() for value in values]
    rows += [(name, "shopify", "record", f"only-{name}") for name in records]
    with warehouse.connect(url, "kizuna_transform") as connection:
        connection.execute("drop table if exists identity.int_identity__identifiers")
        connection.execute(
            "create table identity.int_identity__identifiers "
            "(record_key text, source text, kind text, value_hash text, first_seen_at timestamptz)"
        )
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into identity.int_identity__identifiers values (%s, %s, %s, %s, '2026-01-01')", rows
            )


def read(url: str, query: str) -> list[tuple[object, ...]]:
    with warehouse.connect(url, "kizuna_transform") as connection:
        return connection.execute(query).fetchall()  # type: ignore[arg-type]


def members(url: str) -> dict[object, object]:
    return dict(read(url, "select record_key, customer_id from identity.members"))  # type: ignore[arg-type]


def fingerprints(url: str) -> dict[str, object]:
    """Tell, for every table, where each row lies and who wrote it: any write at all shows."""
    return {table: sorted(map(str, read(url, f"select ctid, xmin from identity.{table}"))) for table in TABLES}


def of(**records: str) -> Records:
    return {name: frozenset(values) for name, values in records.items()}


def test_records_that_share_a_value_are_one_customer_with_the_id_of_the_oldest(warehouse_url: str) -> None:
    land(warehouse_url, of(b="xy", a="x", c="y", d=""))
    resolution = identity.resolve(warehouse_url, "run-1")
    assert resolution == identity.Resolution(records=4, customers=2, minted=2, merged=0, split=0, restored=0)
    one, other = str(uuid.uuid5(NAMESPACE, "a")), str(uuid.uuid5(NAMESPACE, "d"))
    assert members(warehouse_url) == {"a": one, "b": one, "c": one, "d": other}


def test_values_of_different_kinds_do_not_link(warehouse_url: str) -> None:
    land(warehouse_url, of(a="x"))
    with warehouse.connect(warehouse_url, "kizuna_transform") as connection:
        connection.execute("insert into identity.int_identity__identifiers values ('b', 'line', 'line', 'x', now())")
    assert identity.resolve(warehouse_url, "run-1").customers == 2


def test_a_run_without_news_writes_nothing(warehouse_url: str) -> None:
    land(warehouse_url, of(a="x", b="x", c="z"))
    identity.resolve(warehouse_url, "run-1")
    before = fingerprints(warehouse_url)
    land(warehouse_url, of(a="x", b="x", c="z"))
    resolution = identity.resolve(warehouse_url, "run-2")
    assert fingerprints(warehouse_url) == before
    assert (resolution.minted, resolution.merged, resolution.split, resolution.restored) == (0, 0, 0, 0)


def test_a_full_rebuild_of_everything_before_it_keeps_every_customer_id(warehouse_url: str) -> None:
    # The younger record's id survives the merge, so that the answer depends on the previous map alone.
    land(warehouse_url, of(b="x", c="x"))
    identity.resolve(warehouse_url, "run-1")
    land(warehouse_url, of(a="x", b="x", c="x"))
    identity.resolve(warehouse_url, "run-2")
    before = members(warehouse_url)
    with warehouse.connect(warehouse_url) as connection:
        connection.execute("drop schema staging cascade; drop table identity.int_identity__identifiers")
    warehouse.prepare(warehouse_url)
    land(warehouse_url, of(c="x", b="x", a="x"))
    identity.resolve(warehouse_url, "rebuild")
    assert members(warehouse_url) == before
    assert set(before.values()) == {str(uuid.uuid5(NAMESPACE, "b"))}


def test_merge_split_retire_and_restore_are_told_by_events_and_redirects(warehouse_url: str) -> None:
    a, b = str(uuid.uuid5(NAMESPACE, "a")), str(uuid.uuid5(NAMESPACE, "b"))
    for run, records in enumerate([of(a="x", b="y"), of(a="xy", b="y"), of(a="x", b="y"), of(a="x"), of(a="x", b="y")]):
        land(warehouse_url, records)
        identity.resolve(warehouse_url, f"run-{run}")
        if run == 1:
            assert read(warehouse_url, "select old_customer_id, customer_id from identity.redirects") == [(b, a)]
    assert read(
        warehouse_url, "select run_id, kind, old_customer_id, new_customer_id from identity.events order by event_id"
    ) == [
        ("run-0", "mint", None, a),
        ("run-0", "mint", None, b),
        ("run-1", "merge", b, a),
        ("run-2", "restore", a, b),
        ("run-2", "split", a, b),
        ("run-3", "retire", b, None),
        ("run-4", "restore", None, b),
    ]
    assert read(warehouse_url, "select * from identity.redirects") == []


def test_an_id_that_its_founder_gave_away_is_not_given_twice(warehouse_url: str) -> None:
    land(warehouse_url, of(a="x", b="x", c="x"))
    identity.resolve(warehouse_url, "run-1")
    land(warehouse_url, of(a="", b="x", c="x"))
    identity.resolve(warehouse_url, "run-2")
    ids = members(warehouse_url)
    assert ids["b"] == ids["c"] == str(uuid.uuid5(NAMESPACE, "a"))
    assert ids["a"] == str(uuid.uuid5(NAMESPACE, "a\n2"))


def test_a_value_shared_by_too_many_records_links_nothing_and_is_reported(warehouse_url: str) -> None:
    crowd = {f"r{number}": frozenset("x") for number in range(LARGEST_SHARED_VALUE + 1)}
    land(warehouse_url, crowd)
    resolution = identity.resolve(warehouse_url, "run-1")
    assert (resolution.customers, resolution.capped_values) == (LARGEST_SHARED_VALUE + 1, 1)
    assert read(warehouse_url, "select kind, value_hash, record_count from identity.capped_values") == [
        ("email", "x", LARGEST_SHARED_VALUE + 1)
    ]
    crowd.popitem()
    land(warehouse_url, crowd)
    assert identity.resolve(warehouse_url, "run-2").customers == 1
    assert read(warehouse_url, "select * from identity.capped_values") == []


def test_empty_identifiers_do_not_retire_every_customer(warehouse_url: str) -> None:
    land(warehouse_url, of(a="x"))
    identity.resolve(warehouse_url, "run-1")
    land(warehouse_url, {})
    with pytest.raises(identity.IdentifiersVanishedError, match="is empty"):
        identity.resolve(warehouse_url, "run-2")
    assert list(members(warehouse_url)) == ["a"]


def test_missing_identifiers_are_named(warehouse_url: str) -> None:
    with pytest.raises(identity.IdentifiersMissingError, match="int_identity__identifiers does not exist"):
        identity.resolve(warehouse_url, "run-1")


def test_a_run_that_dies_leaves_the_previous_map(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    land(warehouse_url, of(a="x", b="x"))
    identity.resolve(warehouse_url, "run-1")
    before = fingerprints(warehouse_url)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    land(warehouse_url, of(a="x", b="y", c="z"))
    monkeypatch.setattr("kizuna.identity.writing._append_events", die)
    with pytest.raises(KeyboardInterrupt):
        identity.resolve(warehouse_url, "run-2")
    assert fingerprints(warehouse_url) == before


def test_events_cannot_be_rewritten_by_the_role_that_writes_them(warehouse_url: str) -> None:
    for change in ("delete from identity.events", "update identity.events set kind = 'mint'"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            read(warehouse_url, change)


NAMES = [f"record-{number}" for number in range(8)]
HISTORIES = st.lists(
    st.dictionaries(st.sampled_from(NAMES), st.frozensets(st.sampled_from("abcde"), max_size=2), min_size=1),
    min_size=2,
    max_size=5,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORIES)
def test_the_tables_say_the_same_as_the_rules_in_memory(warehouse_url: str, history: list[Records]) -> None:
    with warehouse.connect(warehouse_url) as connection:
        connection.execute("truncate " + ", ".join(f"identity.{table}" for table in TABLES))  # type: ignore[arg-type]
    keeper = Keeper()
    for run, records in enumerate(history):
        land(warehouse_url, records)
        keeper.resolve(records)
        identity.resolve(warehouse_url, f"run-{run}")
        numbers = dict(read(warehouse_url, "select customer_id, customer_number from identity.issued_ids"))  # type: ignore[arg-type]
        assert {name: numbers[owner] for name, owner in members(warehouse_url).items()} == keeper.members
        redirects = read(warehouse_url, "select old_customer_id, customer_id from identity.redirects")
        assert {numbers[old]: numbers[new] for old, new in redirects} == keeper.redirects
        former = read(warehouse_url, "select customer_id, record_key from identity.former_members")
        assert {(numbers[owner], name) for owner, name in former} == keeper.former
        ended = read(warehouse_url, "select customer_number from identity.issued_ids where ended_at is not null")
        assert {number for (number,) in ended} == set(keeper.ended)
