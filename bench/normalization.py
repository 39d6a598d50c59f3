"""Values normalized a second by the SQL macros, kind by kind, against a bare lower(trim()) of the same values.

Run by hand: `.venv/bin/python bench/normalization.py [--values 1000000] [--record]`. Values are invented, in the forms
that shops have them: mostly clean, one in five to three written otherwise (full width, half-width kana, hiragana,
+81, 年月日, 丁目, old kanji). Each kind is measured in one process and with one parallel worker beside the leader. CPU
seconds of the server's process are told beside the clock's: on a machine that others use, only they compare.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
from macros import normalizer
from results import record

from kizuna.local.postgres import Cluster

MUST = 500_000
# One form each; a value takes the form of its number, so that the shares are those of the list.
FORMS = {
    "email": (
        ["'taro.sato' || n || '@example.jp'", "'hanako_' || n || '@docomo.ne.jp'", "'k-tanaka' || n || '@yahoo.co.jp'"]
        * 3
        + ["'Mei.Ota' || n || '@Gmail.com'", "' r_ota' || n || '@ezweb.ne.jp '", "'ｙｕｋｉ' || n || '＠example.jp'"]
    ),
    "phone": (
        ["'090-' || lpad((n % 10000)::text, 4, '1') || '-5679'", "'0801' || lpad((n % 1000000)::text, 7, '2')"] * 4
        + ["'+81 90-1234-' || lpad((n % 10000)::text, 4, '3')", "'０３－１２３４－' || lpad((n % 10000)::text, 4, '4')"]
    ),
    "login": ["n::text", "'m' || n", "'A-' || n", "n || '.0'"],
    "line": ["'U' || md5(n::text)"],
    "postal": (
        ["lpad((n % 1000000)::text, 7, '1')", "'150-' || lpad((n % 10000)::text, 4, '0')"] * 4
        + ["'〒150-' || lpad((n % 10000)::text, 4, '0')", "'１５０－' || lpad((n % 10000)::text, 4, '0')"]
    ),
    "birth": (
        ["(date '1950-01-01' + n % 20000)::text", "to_char(date '1950-01-01' + n % 20000, 'YYYY/MM/DD')"] * 3
        + [
            "to_char(date '1950-01-01' + n % 20000, 'YYYYMMDD')",
            "to_char(date '1950-01-01' + n % 20000, 'FMYYYY/FMMM/FMDD')",
        ]
        + [
            "to_char(date '1950-01-01' + n % 20000, 'FMYYYY年FMMM月FMDD日')",
            "'S' || 30 + n % 30 || '.5.' || 1 + n % 28",
        ]
    ),
    "name": [
        "'佐藤 太郎'",
        "'鈴木花子'",
        "'高橋　健一'",
        "'田中美咲'",
        "'中村マリ'",
        "'小林 陽菜'",
        "'髙橋健太'",
        "'さくら'",
    ],
    "reading": (
        ["'サトウ タロウ'", "'スズキハナコ'", "'タカハシ　ケンイチ'", "'ナカムラ ショウコ'"] * 2
        + ["'ｵｵﾉ ﾕｳｺ'", "'いとう さくら'"]
    ),
    "address": [
        "'東京都渋谷区神宮前1-2-' || n % 40",
        "'兵庫県宍粟市千種町河内4-13-' || n % 40 || ' サンライズ本町307'",
        "'大阪府大阪市北区天神橋2丁目5番' || n % 40 || '号'",
        "'北海道札幌市北区新琴似十一条3-8-' || n % 40",
        "'横浜市中区本町６－５０－１０'",
    ],
}


def invent(connection: psycopg.Connection[Any], kind: str, count: int) -> None:
    """Fill the table `typed` with values of one kind."""
    forms = FORMS[kind]
    cases = " ".join(f"when {place} then {form}" for place, form in enumerate(forms))
    connection.execute("drop table if exists typed")
    value = f"case n % {len(forms)} {cases} end"
    connection.execute(f"create table typed as select {value} as value from generate_series(1, {count}) as n".encode())
    connection.execute("vacuum analyze typed")


def measure(connection: psycopg.Connection[Any], expression: str, workers: int) -> tuple[float, float]:
    """Return seconds and the leader's CPU seconds of evaluating an expression over every value."""
    connection.execute(f"set max_parallel_workers_per_gather = {workers}".encode())
    connection.execute("set parallel_setup_cost = 0")
    connection.execute("set parallel_tuple_cost = 0")
    process = connection.info.backend_pid
    best = (float("inf"), float("inf"))
    for _ in range(2):
        started, spent = time.perf_counter(), cpu_seconds(process)
        connection.execute(f"select count({expression}) from typed".encode())
        best = min(best, (time.perf_counter() - started, cpu_seconds(process) - spent))
    return best


def cpu_seconds(process: int) -> float:
    """Return the CPU seconds a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def compare(connection: psycopg.Connection[Any], kind: str, count: int) -> str:
    """Measure one kind and say it in a line."""
    invent(connection, kind, count)
    bare, bare_cpu = measure(connection, "lower(trim(typed.value))", 0)
    seconds, cpu = measure(connection, normalizer(kind, "typed.value"), 0)
    parallel, _ = measure(connection, normalizer(kind, "typed.value"), 1)
    best = count / min(seconds, parallel)
    verdict = "must met" if best >= MUST else "must NOT MET"
    return (
        f"normalization, {kind}: {count / seconds:,.0f} values/s in one process ({count / cpu:,.0f} a CPU second), "
        f"{count / parallel:,.0f} in two ({verdict}: {MUST:,}); bare lower(trim()) {count / bare:,.0f} "
        f"({count / bare_cpu:,.0f} a CPU second, ratio {bare_cpu / cpu:.2f}); {count:,} values"
    )


def main() -> None:
    """Measure in a cluster that is thrown away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--values", type=int, default=1_000_000)
    parser.add_argument("--record", action="store_true", help="append the result to bench/results.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kizuna-bench-") as folder:
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder) / "postgres", durable=False)
        cluster.start()
        try:
            with psycopg.connect(cluster.create_database("bench"), autocommit=True) as connection:
                for kind in FORMS:
                    line = compare(connection, kind, arguments.values)
                    print(line, flush=True)
                    if arguments.record:
                        record(line)
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
