"""Seconds and memory of `identity.resolve`: everything once, everything again, and a few changed records.

Run by hand: `.venv/bin/python bench/identity.py [--links 1000000 20000000] [--record]`. Twenty million links need 15 GB
of disk and a quarter of an hour. Each way runs in a process of its own against a Postgres with the deployment's
settings; in the same run Splink and DuckDB answer the bare question (which records hang together) in memory. Seconds of
processors, ours and the server's together, are told beside those of the clock: others may use the machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import identity_peers
import psutil
from identity_graph import invent
from identity_load import change, load
from results import record

from kizuna import identity, warehouse
from kizuna.local.postgres import Cluster

CHANGES = (100, 1_000, 10_000)
ROUNDS = 3
PEERS = {"Splink": identity_peers.splink, "DuckDB": identity_peers.duckdb}


@dataclass(frozen=True)
class Measured:
    """What one process took by the clock and by its processor, and what it counted."""

    seconds: float
    own: float
    mebibytes: float
    count: int


def measure(way: str, links: int, url: str = "", *options: str) -> Measured:
    """Run one way in a process of its own."""
    command = [sys.executable, __file__, "--way", way, "--links", str(links), "--url", url, *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Measured(*json.loads(done.stdout.splitlines()[-1]))


def served(cluster: Cluster) -> float:
    """Return the seconds of processor that the server has used since it started."""
    time.sleep(1)  # until what has ended is counted
    server = psutil.Process(cluster.process_id())
    ended = server.cpu_times()
    running = [child.cpu_times() for child in server.children()]
    return ended.children_user + ended.children_system + sum(times.user + times.system for times in running)


def act(way: str, links: int, url: str, changes: int, seed: int) -> tuple[float, float, int]:
    """Do what a process was started for; return seconds by the clock and of its processor, and a count."""
    if way in PEERS:
        graph = invent(links)
        own = time.process_time()
        seconds, count = PEERS[way](graph)
        return seconds, time.process_time() - own, count
    if way == "load":
        graph = invent(links)
        load(url, graph)
        return 0.0, 0.0, len(graph.person)
    if way == "change":
        change(url, invent(links), changes, seed)
        return 0.0, 0.0, changes
    started, own = time.perf_counter(), time.process_time()
    found = identity.resolve(url, f"bench {seed}", full=way == "full")
    seconds, own = time.perf_counter() - started, time.process_time() - own
    return seconds, own, found.minted + found.merged + found.split + found.restored + found.retired


def compare(cluster: Cluster, links: int) -> tuple[list[str], dict[int, float]]:
    """Measure one size; return what to say, and the microseconds of a changed record by the size of the change."""
    url = cluster.create_database(f"links_{links}")
    warehouse.prepare(url)
    records = measure("load", links, url).count
    used = [served(cluster)]
    first = measure("full", links, url)
    used.append(served(cluster))
    again = measure("full", links, url, "--seed", "1")
    used.append(served(cluster))
    if again.count:
        message = f"solving everything again changed {again.count} customers: expected none"
        raise SystemExit(message)
    size = f"identity, {links:,} links, {records:,} records, {first.count:,} customers"
    lines = [
        f"{size}: full solve {first.seconds:.1f} s ({first.own + used[1] - used[0]:.1f} s of processors), "
        f"{first.mebibytes:.0f} MiB; again, as verification, {again.seconds:.1f} s "
        f"({again.own + used[2] - used[1]:.1f} s), {again.mebibytes:.0f} MiB "
        "(at 20 million links must ≤ 60 s, goal ≤ 35 s; ≤ 1,500 MB)"
    ]
    for peer in PEERS:
        bare = measure(peer, links)
        lines.append(
            f"{size}: {first.seconds / bare.seconds:.2f} of {peer}'s bare components in memory "
            f"({bare.seconds:.1f} s, {bare.mebibytes:.0f} MiB, {bare.count:,} components; no guards, ids or storage)"
        )
    cost = {count: incremental(cluster, url, links, count) for count in CHANGES}
    said = ", ".join(
        f"{count:,}: {clock:.0f} ({processors:.0f} of processors)" for count, (clock, processors) in cost.items()
    )
    lines.append(f"{size}: µs a changed record by the size of the change: {said} (must ≤ 100, goal ≤ 50)")
    return lines, {count: clock for count, (clock, _) in cost.items()}


def incremental(cluster: Cluster, url: str, links: int, count: int) -> tuple[float, float]:
    """Return the median microseconds a changed record takes by the clock and of processors, connection included."""
    clocks, processors = [], []
    for turn in range(ROUNDS):
        seed = count + turn
        measure("change", links, url, "--changes", str(count), "--seed", str(seed))
        before = served(cluster)
        run = measure("changes", links, url, "--seed", str(seed))
        clocks.append(run.seconds)
        processors.append(run.own + served(cluster) - before)
    return statistics.median(clocks) / count * 1_000_000, statistics.median(processors) / count * 1_000_000


def main() -> None:
    """Measure in a cluster that is thrown away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--links", type=int, nargs="+", default=[1_000_000, 20_000_000])
    parser.add_argument("--record", action="store_true", help="append the result to bench/results.md")
    parser.add_argument("--way", choices=["load", "full", "change", "changes", *PEERS])
    parser.add_argument("--url", default="")
    parser.add_argument("--changes", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.way:
        seconds, own, count = act(arguments.way, arguments.links[0], arguments.url, arguments.changes, arguments.seed)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps([seconds, own, peak, count]))
        return
    costs = []
    with tempfile.TemporaryDirectory(prefix="kizuna-bench-") as folder:
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder) / "postgres")
        cluster.start()
        try:
            warm_up(cluster)
            for links in arguments.links:
                lines, cost = compare(cluster, links)
                costs.append(cost)
                tell(lines, keep=arguments.record)
        finally:
            cluster.remove()
    small, large = costs[0], costs[-1]
    grown = ", ".join(f"{count:,}: {large[count] / small[count]:.2f}" for count in CHANGES)
    if len(costs) > 1:
        spans = f"{arguments.links[0]:,} to {arguments.links[-1]:,} links"
        tell([f"identity, a changed record from {spans}: times {grown} (must ≤ 1.5)"], keep=arguments.record)


def warm_up(cluster: Cluster) -> None:
    """Compile what is compiled once for good."""
    url = cluster.create_database("warm_up")
    warehouse.prepare(url)
    measure("load", 2_000, url)
    measure("full", 2_000, url)
    incremental(cluster, url, 2_000, 20)


def tell(lines: list[str], *, keep: bool) -> None:
    """Print lines, and keep them when asked."""
    print(*lines, sep="\n", flush=True)
    for line in lines if keep else []:
        record(line)


if __name__ == "__main__":
    main()
