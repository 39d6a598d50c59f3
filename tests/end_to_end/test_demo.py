"""The demo as a user runs it: real Airflow, everything started and stopped by one command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

KIZUNA = Path(sys.executable).parent / "kizuna"


@pytest.fixture(scope="module")
def home():
    with tempfile.TemporaryDirectory(prefix="kizuna-demo-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        kizuna(Path(folder), "reset", "--yes")


def kizuna(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("KIZUNA_", "AIRFLOW"))}
    environment |= {"KIZUNA_HOME": str(home)} | variables
    return subprocess.run(
        [str(KIZUNA), *arguments], env=environment, capture_output=True, text=True, check=False, timeout=600
    )


@pytest.mark.slow
def test_two_demos_and_the_commands_around_them(home: Path):
    first = kizuna(home, "demo", "--customers", "300")
    assert first.returncode == 0, first.stdout + first.stderr
    for expected in (
        "✓ ingest_shopify.orders",
        "✓ ingest_line.followers",
        "✓ ingest_zendesk.gate",
        "✓ ingest_files.gate",
        "✓ transform.marts.publish",
        "✓ activate.sync.line__audiences",
        "Rows per layer",
        "F2, the second purchase",
        "within 90 days",
        "Phases:",
        "peak memory",
        "UI: http://127.0.0.1:",
        "members acknowledged by LINE",
    ):
        assert expected in first.stdout
    assert re.search(r"raw +\d+ expectations on \d+ tables: passed", first.stdout)

    second = kizuna(home, "demo", "--customers", "300", "--source", "shopify", "--source", "line")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "nothing had changed, nothing was sent" in second.stdout
    assert "ingest_zendesk" not in second.stdout
    landed_again = re.findall(r"^  (?:shopify|line)\.\w+ .* ([\d,]+) +[\d,]+$", second.stdout, re.MULTILINE)
    assert set(landed_again) <= {"0"}
    assert "more streams had nothing to read" in second.stdout

    figures = kizuna(home, "sql", "--csv", "select metric, value from marts.kpi_summary order by position")
    assert figures.stdout.splitlines()[0] == "metric,value"
    assert figures.stdout.splitlines()[1].startswith("customers,")
    refused = kizuna(home, "sql", "create table marts.mine as select 1")
    assert refused.returncode != 0
    assert "read-only" in refused.stderr
    denied = kizuna(home, "sql", "select * from raw.shopify__customers")
    assert "permission denied" in denied.stderr

    status = kizuna(home, "status")
    assert "stopped  scheduler" in status.stdout
    assert re.search(r"v2 +published", status.stdout)
    back = kizuna(home, "rollback")
    assert "version 1" in back.stdout


class Refusing(BaseHTTPRequestHandler):
    """A vendor that takes nobody's token."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def do_GET(self):
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.mark.slow
def test_a_demo_that_fails_says_which_step_why_and_where_the_log_is(home: Path):
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        account = {"conn_type": "http", "host": f"http://127.0.0.1:{server.server_port}", "password": "x"}
        vendors = {f"AIRFLOW_CONN_{vendor}": json.dumps(account) for vendor in ("SHOPIFY", "LINE")}
        failed = kizuna(home, "demo", "--customers", "301", **vendors)
        server.shutdown()
    assert failed.returncode == 1
    assert re.search(r"The demo stopped: ingest_(line|shopify)\.\w+ failed: \w+Error: .*401", failed.stderr)
    log = re.search(r"log: (\S+)", failed.stderr)
    assert log
    assert Path(log[1]).exists()
    assert "Traceback" not in failed.stderr


def test_bad_input_is_refused_before_anything_starts(tmp_path: Path):
    folder = tmp_path / "history"
    folder.mkdir()
    (folder / "orders.csv").write_text("customer_id,order_id,ordered_at,total\nA,1,2026-01-01,10\nA,1,2026-01-02,10\n")
    twice = kizuna(tmp_path / "home", "demo", "--history", str(folder))
    assert twice.returncode == 1
    assert all(word in twice.stderr for word in ("orders.csv", "line 3", "order_id", "'1'"))
    (tmp_path / "strategy.yml").write_text("same_day_orders: never\n")
    wrong = kizuna(tmp_path / "home", "demo", "--strategy", str(tmp_path / "strategy.yml"))
    assert "same_day_orders: Input should be 'merge' or 'count', found 'never'" in wrong.stderr
    assert not (tmp_path / "home").exists()
