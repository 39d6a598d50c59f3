"""The bare question on the same graph, answered by others: which records hang together, nothing else.

Both are given what they like best: integers in memory, stars of links from every record of a value to its first, and
no placeholder, against which neither has a guard. Neither knows conflicts, ids that stay, or a second run.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from identity_graph import Graph, Numbers


def stars(graph: Graph) -> tuple[Numbers, Numbers]:
    """Return links between records: every record of a value with the value's first."""
    real = graph.link_value >= 0
    record = graph.link_record[real]
    value = graph.link_value[real] * 8 + graph.link_kind[real]
    order = np.lexsort((record, value))
    value, record = value[order], record[order]
    is_first = np.append(True, value[1:] != value[:-1])
    hub = record[np.maximum.accumulate(np.where(is_first, np.arange(len(value)), 0))]
    return record[~is_first], hub[~is_first]


def splink(graph: Graph) -> tuple[float, int]:
    """Return seconds and components of Splink's clustering on DuckDB."""
    import pyarrow
    from splink import DuckDBAPI
    from splink.clustering import cluster_pairwise_predictions_at_threshold

    left, right = stars(graph)
    engine = DuckDBAPI()
    nodes = engine.register(pyarrow.table({"unique_id": np.arange(len(graph.person))}))
    edges = engine.register(pyarrow.table({"unique_id_l": left, "unique_id_r": right}))
    started = time.perf_counter()
    found = cluster_pairwise_predictions_at_threshold(nodes, edges, engine, "unique_id")
    seconds = time.perf_counter() - started
    count = found.query_sql("select count(distinct cluster_id) as n from {this}").as_record_list()
    return seconds, int(count[0]["n"])


JUMP = """
create or replace table above as
    select one.node, coalesce(two.label, one.label) as label
    from above as one left join above as two on one.label = two.node;
"""
ROUND = f"""
create or replace table above as
    select node, min(low) as label from (select a as node, least(a, b) as low from edges
        union all select b, least(a, b) from edges) group by node;
{JUMP}{JUMP}create or replace table labels as
    select record, coalesce(above.label, labels.label) as label
    from labels left join above on labels.label = above.node;
create or replace table edges as
    select distinct least(one.label, two.label) as a, greatest(one.label, two.label) as b
    from edges inner join above as one on edges.a = one.node inner join above as two on edges.b = two.node
    where one.label <> two.label;
"""


def duckdb(graph: Graph) -> tuple[float, int]:
    """Return seconds and components of contraction in DuckDB's SQL: each node takes its smallest neighbour's name."""
    import duckdb as engine
    import pyarrow

    left, right = stars(graph)
    links = pyarrow.table({"a": left, "b": right})
    with engine.connect() as connection:
        connection.register("links", links)
        started = time.perf_counter()
        connection.execute("create table edges as select a, b from links")
        connection.execute(
            f"create table labels as select range as record, range as label from range({len(graph.person)})"
        )
        while _one(connection.execute("select count(*) from edges").fetchone()):
            connection.execute(ROUND)
        seconds = time.perf_counter() - started
        return seconds, _one(connection.execute("select count(distinct label) from labels").fetchone())


def _one(row: tuple[int, ...] | None) -> int:
    return row[0] if row else 0
