"""The invented graph in the identity tables, as if its evidence had been taken; and changes for the next run."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from identity_graph import KINDS, Graph, Numbers, full_name, hash_of, profile_text, value_text
from psycopg import sql

from kizuna import warehouse
from kizuna.identity import exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kizuna.identity.exchange import Connection

CHUNK = 500_000
CHANGES = """
create table if not exists identity.int_identity__changes (
    evidence_key text, evidence_table text, _sequence bigint, record_key text, source text, brand text,
    first_seen_at timestamptz, identifiers text[], profile jsonb, is_gone boolean
)
"""
RECORDS = {"record_number": "int4", "first_seen_at": "timestamptz", "profile_hash": "int8", "name_hash": "int8"}
LINKS = {
    "value_hash": "int8",
    "first_seen_at": "timestamptz",
    "record_number": "int4",
    "evidence_number": "int4",
    "kind_number": "int2",
}
FILL = (
    """
    insert into identity.records (record_number, record_key, source, brand, first_seen_at, profile_hash, name_hash)
    select record_number, 'shop:customer:' || lpad(record_number::text, 9, '0'), 'shop', 'main', first_seen_at,
        profile_hash, name_hash
    from loaded
    """,
    """
    insert into identity.evidence (
        evidence_number, evidence_key, evidence_table, record_number, source, brand, first_seen_at, profile_hash,
        name_hash, profile_size, content_hash
    )
    select record_number, 'shop:customer:' || lpad(record_number::text, 9, '0'), 'stg_shop__customers', record_number,
        'shop', 'main', first_seen_at, profile_hash, name_hash, case when profile_hash = 0 then 0 else 4 end, 0
    from loaded
    """,
)


def load(url: str, graph: Graph) -> None:
    """Fill the identity tables of an empty, prepared warehouse; record r of the graph has number r + 1."""
    profiles, places = np.unique(graph.profile, return_inverse=True)
    with (
        warehouse.connect(url) as connection,
        without_indexes(connection, "records", "evidence", "stored_links", "values"),
    ):
        hashes = _add_values(connection, "profile", profiles[1:].tolist(), profile_text)
        names = np.array([0, *(hash_of(f"name:{full_name(profile)}") for profile in profiles[1:].tolist())])
        connection.execute(
            "create temporary table loaded "
            "(record_number int4, first_seen_at timestamptz, profile_hash int8, name_hash int8) on commit drop"
        )
        numbers = np.arange(1, len(graph.person) + 1)
        columns = [numbers, graph.seen, np.concatenate([[0], hashes])[places], names[places]]
        exchange.write_columns(connection, sql.SQL("pg_temp.loaded"), RECORDS, columns)
        for statement in FILL:
            connection.execute(statement)
        _add_links(connection, graph)
    with warehouse.connect(url, "kizuna_transform") as connection:
        connection.execute(CHANGES)
    with warehouse.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")


def _add_links(connection: Connection, graph: Graph) -> None:
    value_hashes = np.empty(len(graph.link_value), dtype=np.int64)
    for number, kind in enumerate(KINDS):
        scope = {"login": "main", "line": "p"}.get(kind, "")
        insert = "insert into identity.kinds (kind_number, kind, scope) values (%s, %s, %s)"
        connection.execute(insert, [number + 1, kind, scope])
        chosen = np.flatnonzero(graph.link_kind == number)
        values, places = np.unique(graph.link_value[chosen], return_inverse=True)
        value_hashes[chosen] = _add_values(connection, kind, values.tolist(), lambda v, kind=kind: value_text(kind, v))[
            places
        ]
    record = graph.link_record
    columns = [value_hashes, graph.seen[record], record + 1, record + 1, graph.link_kind + 1]
    exchange.write_columns(connection, sql.SQL("identity.stored_links"), LINKS, columns)


def _add_values(connection: Connection, kind: str, numbers: Sequence[int], text: Callable[[int], str]) -> Numbers:
    hashes = np.empty(len(numbers), dtype=np.int64)
    written: set[int] = set()  # among millions some are alike in name and birth date
    with connection.cursor().copy("copy identity.values (value_hash, kind, value) from stdin") as copy:
        for start in range(0, len(numbers), CHUNK):
            texts = [text(number) for number in numbers[start : start + CHUNK]]
            part = [hash_of(f"{kind}:{said}") for said in texts]
            hashes[start : start + CHUNK] = part
            fresh = {h: said for h, said in zip(part, texts, strict=True) if h not in written}
            written.update(fresh)
            copy.write("".join(f"{h}\t{kind}\t{said}\n" for h, said in fresh.items()))
    return hashes


@contextmanager
def without_indexes(connection: Connection, *tables: str) -> Iterator[None]:
    """Fill tables without their indexes and keys, which come back at the end: a third of the time."""
    connection.execute("set local maintenance_work_mem = '1GB'")
    keys = connection.execute(
        "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint "
        "where contype in ('p', 'u') and conrelid = any(%s::regclass[])",
        [[f"identity.{table}" for table in tables]],
    ).fetchall()
    for table, name, _ in keys:
        connection.execute(f"alter table {table} drop constraint {name}")  # type: ignore[arg-type]
    indexes = connection.execute(
        "select indexname, indexdef from pg_indexes where schemaname = 'identity' and tablename = any(%s)",
        [list(tables)],
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f"drop index identity.{name}")  # type: ignore[arg-type]
    yield
    for table, name, definition in keys:
        connection.execute(f"alter table {table} add constraint {name} {definition}")  # type: ignore[arg-type]
    for _, definition in indexes:
        connection.execute(definition)


def change(url: str, graph: Graph, count: int, seed: int) -> None:
    """Leave `count` changes for the next run: new records of known persons, more or less said, and some gone."""
    chance = np.random.default_rng(seed)
    records = chance.choice(len(graph.person), count, replace=False)
    starts, ends = (np.searchsorted(graph.link_record, records, side) for side in ("left", "right"))
    rows = []
    for place, (record, start, end) in enumerate(zip(records.tolist(), starts.tolist(), ends.tolist(), strict=True)):
        kinds = [list(KINDS)[kind] for kind in graph.link_kind[start:end]]
        pairs = zip(kinds, graph.link_value[start:end].tolist(), strict=True)
        identifiers = [f"{kind}:{value_text(kind, value)}" for kind, value in pairs]
        what = place % 20
        if what == 0:
            rows.append((_key(record), True, None, None, None, []))
            continue
        key = f"shop:order:{seed}:{place}" if what < 9 else _key(record)
        if what < 17:
            identifiers.append(f"email:n{seed}-{place}@example.jp")
        else:
            identifiers = identifiers[:-1]
        profile = int(graph.profile[record])
        said = profile_text(profile) if profile >= 0 else None
        rows.append((key, False, key, graph.seen[record] + 1_000_000 * (what < 9), said, identifiers))
    with warehouse.connect(url, "kizuna_transform") as connection:
        statement = (
            "insert into identity.int_identity__changes select %s, 'stg_shop__customers', %s, %s, 'shop', 'main', "
            "timestamptz 'epoch' + %s * interval '1 microsecond', %s, %s, %s"
        )
        connection.cursor().executemany(
            statement,
            [
                (
                    key,
                    seed,
                    record_key,
                    None if seen is None else int(seen),
                    sorted(set(said_values)),
                    profile,
                    is_gone,
                )
                for key, is_gone, record_key, seen, profile, said_values in rows
            ],
        )
        connection.execute("analyze identity.int_identity__changes")


def _key(record: int) -> str:
    return f"shop:customer:{record + 1:09}"
