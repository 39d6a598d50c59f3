"""Seconds of `identity.resolve`, against two bare ways to the same clusters on the same records in one run.

Run by hand: `.venv/bin/python bench/identity.py [--records 500000] [--record]`. The bare ways find who belongs together
and write one label a record, nothing else: no stable ids, no previous map, no events, no cap on shared values.

- union-find: COPY out, a dictionary union-find in Python, COPY in.
- SQL: contraction inside Postgres (each record takes the smallest label it can see, until nothing moves).
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results import record

from kizuna import identity, warehouse
from kizuna.local.postgres import Cluster

IDENTIFIERS = "identity.int_identity__identifiers"
# Three tables with indexes and a row for every event, where the bare way writes one table without any.


def invent(url: str, count: int, first: int = 0) -> None:
    """Write records of persons with some e-mails, phones and LINE ids, phones shared in some households."""
    chance = random.Random(first + 7)
    rows = []
    for number in range(first, first + count):
        person = chance.randrange(int((first + count) * 0.6))
        key = f"shopify:customer:gid://shopify/Customer/{number:012}"
        values = [
            ("email", f"{person}-{chance.randrange(3)}"),
            ("phone", f"{person // (2 if chance.random() < 0.05 else 1)}"),
        ]
        if chance.random() < 0.3:
            values.append(("line", f"{person}"))
        rows += [
            (key, "shopify", kind, f"{kind}:{value:>60}", f"2026-01-01 {number % 24}:00") for kind, value in values
        ]
    with warehouse.connect(url, "kizuna_transform") as connection:
        connection.execute(
            f"create table if not exists {IDENTIFIERS} "
            "(record_key text, source text, kind text, value_hash text, first_seen_at timestamptz)"
        )
        with connection.cursor().copy(f"copy {IDENTIFIERS} from stdin") as copy:
            for row in rows:
                copy.write_row(row)
    with warehouse.connect(url, autocommit=True) as connection:
        connection.execute(f"vacuum analyze {IDENTIFIERS}")


def bare_union_find(url: str) -> None:
    """Read, union, write: what nobody can do without."""
    above: dict[str, str] = {}

    def find(node: str) -> str:
        while above.setdefault(node, node) != node:
            above[node] = above[above[node]]
            node = above[node]
        return node

    with warehouse.connect(url) as connection:
        with connection.cursor().copy(
            f"copy (select record_key, kind || value_hash from {IDENTIFIERS}) to stdout"
        ) as copy:
            copy.set_types(["text", "text"])
            for record, value in copy.rows():
                left, right = find(f"r{record}"), find(f"v{value}")
                above[max(left, right)] = min(left, right)
        connection.execute("drop table if exists bare_labels; create table bare_labels (record_key text, label text)")
        with connection.cursor().copy("copy bare_labels from stdin") as copy:
            for node in above:
                if node[0] == "r":
                    copy.write_row((node[1:], find(node)))


def bare_sql(url: str) -> None:
    """Move the smallest label along the links until nothing moves."""
    with warehouse.connect(url) as connection:
        connection.execute("set local work_mem = '128MB'")
        connection.execute(
            f"""
            drop table if exists bare_labels;
            create temporary table links as select distinct record_key, kind || value_hash as value from {IDENTIFIERS};
            create temporary table labels as select record_key, min(record_key) as label from links group by 1;
            analyze links; analyze labels;
            """
        )
        moved = 1
        while moved:
            connection.execute(
                """
                create temporary table moved on commit drop as
                select links.record_key, min(seen.label) as label
                from links
                inner join (
                    select links.value, min(labels.label) as label
                    from links inner join labels using (record_key)
                    group by 1
                ) as seen using (value)
                group by 1
                """
            )
            moved = connection.execute(
                "update labels set label = moved.label from moved "
                "where labels.record_key = moved.record_key and moved.label < labels.label"
            ).rowcount
            connection.execute("drop table moved; analyze labels")
        connection.execute("create table bare_labels as select * from labels")


def clusters(url: str, table: str, label: str) -> int:
    """Count what a way has found."""
    with warehouse.connect(url) as connection:
        row = connection.execute(f"select count(distinct {label}) from {table}").fetchone()
    return int(str(row[0])) if row else 0


WAYS = {
    "resolve": lambda url: identity.resolve(url, "bench"),
    "union-find": bare_union_find,
    "SQL": bare_sql,
}


def measure(way: str, url: str, *options: str) -> tuple[float, float]:
    """Run one way in a process of its own; return its seconds and its peak memory in MiB."""
    command = [sys.executable, __file__, "--way", way, "--url", url, *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    seconds, mebibytes = json.loads(done.stdout)
    return seconds, mebibytes


def compare(url: str, count: int) -> list[str]:
    """Measure everything on one warehouse and say it in lines."""
    measure("invent", url, "--records", str(count))
    ours, memory = measure("resolve", url)
    again, _ = measure("resolve", url)
    find, find_memory = measure("union-find", url)
    expected = clusters(url, "bare_labels", "label")
    contraction, _ = measure("SQL", url)
    found = clusters(url, "identity.members", "customer_id")
    if not expected == found == clusters(url, "bare_labels", "label"):
        message = f"the ways do not agree: resolve found {found} customers, union-find {expected}"
        raise SystemExit(message)
    measure("invent", url, "--records", str(count // 100), "--first", str(count))
    grown, _ = measure("resolve", url)
    ratio = ours / find
    return [
        f"identity, {count:,} records, {found:,} customers: resolve {ours:.1f} s, {memory:.0f} MiB; "
        f"bare union-find {find:.1f} s, {find_memory:.0f} MiB; bare SQL contraction {contraction:.1f} s",
        f"identity: {ratio:.2f} of bare union-find, "
        f"{ours / contraction:.2f} of bare SQL; nothing new {again:.1f} s, 1 % more records {grown:.1f} s",
    ]


def main() -> None:
    """Measure in a cluster that is thrown away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=500_000)
    parser.add_argument("--record", action="store_true", help="append the result to bench/results.md")
    parser.add_argument("--way", choices=[*WAYS, "invent"])
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--url")
    arguments = parser.parse_args()
    if arguments.way:
        started = time.perf_counter()
        if arguments.way == "invent":
            invent(arguments.url, arguments.records, arguments.first)
        else:
            WAYS[arguments.way](arguments.url)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps([time.perf_counter() - started, peak]))
        return
    with tempfile.TemporaryDirectory(prefix="kizuna-bench-") as folder:
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder) / "postgres")
        cluster.start()
        try:
            url = cluster.create_database("bench")
            warehouse.prepare(url)
            lines = compare(url, arguments.records)
        finally:
            cluster.stop()
    print(*lines, sep="\n")
    if arguments.record:
        for line in lines:
            record(line)


if __name__ == "__main__":
    main()
