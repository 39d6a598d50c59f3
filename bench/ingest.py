"""Raw rows a second of `land_stream` over HTTP, against a bare loop that COPYs the same pages, and against dlt.

Run by hand: `.venv/bin/python bench/ingest.py [--rows 24000] [--rounds 3] [--record]`. All sides run turn about in one
go, each in a process of its own, against the same vendor and the same Postgres. `--record` alone writes anything. dlt
(its REST source, appending, nested objects kept as JSON: the least it can do) takes part where `uv sync --group bench`
has installed it; it asks by GET, as it cannot send a cursor within a GraphQL body.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import httpx
import orjson
import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parents[1]
STREAMS = ("orders", "customers")
SIDES = ("bare", "landing", "dlt") if find_spec("dlt") else ("bare", "landing")
# Orders are what a first load waits for; a page of small records leaves the second write into raw in plain sight.
GOAL, MUST = {"orders": 0.9, "customers": 0.8, "both": 0.8}, {"orders": 0.7, "customers": 0.6, "both": 0.6}
DLT_GOAL, DLT_MUST = 10.0, 5.0
LARGEST_MEBIBYTES = 150


def order(number: int) -> dict[str, Any]:
    """Make an order of the size that a shop's really have."""
    money = {"shopMoney": {"amount": f"{1000 + number % 9000}.0", "currencyCode": "JPY"}}
    line = {"sku": "TEA-100", "title": "煎茶 100g 詰め合わせ", "quantity": 1, "originalUnitPriceSet": money}
    return {
        "id": f"gid://shopify/Order/{number:012}",
        "name": f"#{number}",
        "updatedAt": "2026-11-01T00:00:00Z",
        **dict.fromkeys(("createdAt", "processedAt"), "2026-11-01T00:00:00Z"),
        **dict.fromkeys(("cancelledAt", "cancelReason", "phone"), None),
        **dict.fromkeys(("totalPriceSet", "totalDiscountsSet", "totalTaxSet", "totalShippingPriceSet"), money),
        **dict.fromkeys(("totalRefundedSet", "currentTotalPriceSet"), money),
        "test": False,
        "sourceName": "web",
        "email": f"someone{number}@example.jp",
        "tags": ["定期便"],
        "currencyCode": "JPY",
        "displayFinancialStatus": "PAID",
        "customer": {"id": f"gid://shopify/Customer/{number // 3:012}"},
        "customAttributes": [{"key": "line_user_id", "value": f"U{number:032x}"}],
        "discountCodes": [],
        "refunds": [],
        "lineItems": {
            "nodes": [
                {
                    "id": f"gid://shopify/LineItem/{number:010}{place}",
                    **line,
                    "discountedTotalSet": money,
                    "product": {"id": "gid://shopify/Product/100", "productType": "日本茶"},
                }
                for place in range(1 + number % 3)
            ],
            "pageInfo": {"hasNextPage": False, "endCursor": "eyJsYXN0X2lkIjoxfQ=="},
        },
    }


def customer(number: int) -> dict[str, Any]:
    """Make a customer of the size that a shop's really have."""
    return {
        "id": f"gid://shopify/Customer/{number:012}",
        "createdAt": "2025-01-01T00:00:00Z",
        "updatedAt": "2026-11-01T00:00:00Z",
        "firstName": "花子",
        "lastName": "山田",
        "locale": "ja",
        "state": "ENABLED",
        "tags": [],
        "numberOfOrders": "3",
        "amountSpent": {"amount": "12000.0", "currencyCode": "JPY"},
        "defaultEmailAddress": {"emailAddress": f"someone{number}@example.jp", "marketingState": "SUBSCRIBED"},
        "defaultPhoneNumber": {"phoneNumber": "+819000000000"},
        "defaultAddress": {"zip": "100-0001", "provinceCode": "JP-13", "province": "東京都", "city": "千代田区"},
        "familyNameKana": {"value": "ヤマダ"},
        "givenNameKana": {"value": "ハナコ"},
        "birthDate": None,
    }


def bake(stream: str, rows: int) -> list[bytes]:
    """Write a stream's answers beforehand, so that the vendor costs next to nothing."""
    from kizuna.sources.shopify import SOURCE

    size = next(declared.page_size for declared in SOURCE.streams if declared.name == stream)
    make = order if stream == "orders" else customer
    starts = range(0, rows, size)
    return [
        orjson.dumps(
            {
                "data": {
                    stream: {
                        "nodes": [make(number) for number in range(start, min(start + size, rows))],
                        "pageInfo": {
                            "hasNextPage": start + size < rows,
                            "endCursor": str(place + 1) if start + size < rows else None,
                        },
                    },
                    f"{stream}Count": {"count": rows, "precision": "EXACT"},
                },
                "extensions": {"cost": {"requestedQueryCost": 900}},
            }
        )
        for place, start in enumerate(starts)
    ]


def serve(port: int, rows: int) -> None:
    """Answer as the vendor does, from memory."""
    import uvicorn

    pages = {stream: bake(stream, rows) for stream in STREAMS}
    headers = [(b"content-type", b"application/json"), (b"x-shopify-api-version", b"2026-10")]
    counted = {"count": rows, "precision": "EXACT"}

    def graphql(body: bytes) -> bytes:
        asked = orjson.loads(body)
        stream = next(name for name in STREAMS if name in asked["query"])
        if "nodes" not in asked["query"]:
            return orjson.dumps({"data": {f"{stream}Count": counted}})
        return pages[stream][int(asked["variables"].get("after") or 0)]

    def rest(path: str, query: str) -> bytes:
        return pages[path.rpartition("/")[2]][int(dict(parse_qsl(query)).get("after", 0))]

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        is_rest = scope["method"] == "GET"
        content = rest(scope["path"], scope["query_string"].decode()) if is_rest else graphql(body)
        length = (b"content-length", str(len(content)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*headers, length]})
        await send({"type": "http.response.body", "body": content})

    uvicorn.run(answer, host="127.0.0.1", port=port, log_level="warning", access_log=False, lifespan="off")


def read_bare(stream: str, vendor: str, url: str) -> None:
    """Read the pages one after the other and COPY each row as it came: the least that anybody could do."""
    from kizuna.sources.shopify import SOURCE

    declared = next(declared for declared in SOURCE.streams if declared.name == stream)
    query, variables = declared.page_query(), {"first": declared.page_size, "window": "", "after": None}
    with httpx.Client(base_url=vendor) as client, psycopg.connect(url) as session:
        session.execute("create table bare (payload jsonb)")
        with session.cursor().copy("copy bare from stdin") as copy:
            while True:
                answered = client.post("/graphql.json", json={"query": query, "variables": variables})
                page = orjson.loads(answered.content)["data"][stream]
                for node in page["nodes"]:
                    copy.write_row((orjson.dumps(node).decode(),))
                if not page["pageInfo"]["hasNextPage"]:
                    return
                variables["after"] = page["pageInfo"]["endCursor"]


def land(stream: str, vendor: str, url: str) -> None:
    """Land the same pages as the system does."""
    from kizuna.landing import land_stream
    from kizuna.settings import Connection
    from kizuna.sources.shopify import SOURCE

    declared = next(declared for declared in SOURCE.streams if declared.name == stream)
    paged = replace(SOURCE, bulk_from=timedelta.max)
    land_stream(paged, declared, Connection("shopify", vendor, "any"), url, "bench")


def read_with_dlt(stream: str, vendor: str, url: str) -> None:
    """Load the same pages with dlt's REST source."""
    import dlt
    from dlt.sources.rest_api import rest_api_source

    data = f"data.{stream}"
    paginator = {"type": "cursor", "cursor_path": f"{data}.pageInfo.endCursor", "cursor_param": "after"}
    endpoint = {"path": f"pages/{stream}", "data_selector": f"{data}.nodes"}
    resource = {"name": stream, "write_disposition": "append", "endpoint": endpoint}
    config: Any = {"client": {"base_url": vendor, "paginator": paginator}, "resources": [resource]}
    with tempfile.TemporaryDirectory() as folder:
        destination = dlt.destinations.postgres(url)
        pipeline = dlt.pipeline("bench", destination=destination, dataset_name="dlt", pipelines_dir=folder)
        pipeline.run(rest_api_source(config, max_table_nesting=0))


def measure(side: str, stream: str, vendor: str, url: str) -> None:
    """Run one side in this process and print its seconds and peak memory."""
    import kizuna.landing
    import kizuna.sources.shopify  # noqa: F401 - imported before the clock starts, on all sides

    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    if side == "dlt":
        import dlt.sources.rest_api  # noqa: F401
    started = time.perf_counter()
    {"bare": read_bare, "landing": land, "dlt": read_with_dlt}[side](stream, vendor, url)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


@contextmanager
def vendor_process(rows: int) -> Iterator[str]:
    """Run the vendor and wait until it listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen([sys.executable, __file__, "--serve", str(port), "--rows", str(rows)]) as process:
        try:
            while socket.socket().connect_ex(("127.0.0.1", port)) and process.poll() is None:
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def child(side: str, stream: str, vendor: str, url: str) -> dict[str, float]:
    """Measure one side in a process of its own."""
    command = [sys.executable, __file__, "--child", side, stream, vendor, url]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def run(rows: int, rounds: int) -> list[str]:
    """Measure both sides turn about and describe the ratios."""
    from kizuna import warehouse
    from kizuna.local.postgres import Cluster

    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder, vendor_process(rows) as vendor:
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder) / "postgres")
        cluster.start()
        try:
            warehouse.prepare(cluster.create_database("prepared"))
            for number in range(rounds):
                for stream in STREAMS:
                    for side in SIDES if number == 0 else SIDES[:2]:  # dlt takes minutes, and once is enough
                        url = cluster.create_database(f"{side}_{stream}_{number}", template="prepared")
                        found.setdefault((stream, side), []).append(child(side, stream, vendor, url))
        finally:
            cluster.stop()
    lines = [describe(stream, rows, found[stream, "bare"], found[stream, "landing"]) for stream in STREAMS]
    if "dlt" in SIDES:
        lines += [against_dlt(stream, rows, found[stream, "dlt"], found[stream, "landing"]) for stream in STREAMS]
    both = {
        side: [together(*runs) for runs in zip(*(found[stream, side] for stream in STREAMS), strict=True)]
        for side in SIDES
    }
    return [*lines, describe("both", rows * len(STREAMS), both["bare"], both["landing"])]


def together(*runs: dict[str, float]) -> dict[str, float]:
    """Add up the seconds of several streams' runs."""
    return {"seconds": sum(run["seconds"] for run in runs), "mebibytes": max(run["mebibytes"] for run in runs)}


def describe(stream: str, rows: int, bare: list[dict[str, float]], landing: list[dict[str, float]]) -> str:
    """Say rows a second of both sides, their ratio by medians, and the memory."""
    speeds = [rows / statistics.median(run["seconds"] for run in runs) for runs in (bare, landing)]
    ratio = speeds[1] / speeds[0]
    verdict = "goal met" if ratio >= GOAL[stream] else "must met" if ratio >= MUST[stream] else "NOT MET"
    peak = [max(run["mebibytes"] for run in runs) for runs in (bare, landing)]
    verdict += "" if peak[1] <= LARGEST_MEBIBYTES else f"; MEMORY ABOVE {LARGEST_MEBIBYTES} MiB"
    return (
        f"ingest {stream}: landing {speeds[1]:,.0f} rows/s, bare {speeds[0]:,.0f} rows/s, ratio {ratio:.2f} "
        f"({verdict}; goal {GOAL[stream]}, must {MUST[stream]}); "
        f"peak memory {peak[1]:.0f} MiB, bare {peak[0]:.0f} MiB; {rows:,} rows"
    )


def against_dlt(stream: str, rows: int, dlt: list[dict[str, float]], landing: list[dict[str, float]]) -> str:
    """Say how many times as fast as dlt."""
    speeds = [rows / statistics.median(run["seconds"] for run in runs) for runs in (dlt, landing)]
    ratio = speeds[1] / speeds[0]
    verdict = "goal met" if ratio >= DLT_GOAL else "must met" if ratio >= DLT_MUST else "NOT MET"
    return (
        f"ingest {stream}: {ratio:.1f} times dlt ({speeds[0]:,.0f} rows/s, {dlt[0]['mebibytes']:.0f} MiB; {verdict}; "
        f"goal {DLT_GOAL:.0f}, must {DLT_MUST:.0f})"
    )


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=24_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--record", action="store_true", help="append the result to bench/results.md")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.rows)
    elif arguments.child:
        measure(*arguments.child)
    else:
        lines = run(arguments.rows, arguments.rounds)
        print("\n".join(lines))
        if arguments.record:
            with (PROJECT / "bench" / "results.md").open("a") as results:
                results.writelines(f"- {datetime.now(UTC):%Y-%m-%d} {line}\n" for line in lines)


if __name__ == "__main__":
    main()
