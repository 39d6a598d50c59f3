"""The figures of identity: they follow the change exactly, and what a stopped run did is held against the next ones."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from kizuna import pipeline, warehouse
from kizuna import quality as gates
from kizuna.cli import main
from kizuna.identity import quality

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from psycopg import Connection


class Shop:
    """Records and their customers, changed by hand as runs of the engine change them."""

    def __init__(self, url: str) -> None:
        self.url = url

    def session(self) -> Connection[Any]:
        return warehouse.connect(self.url, "kizuna_transform")

    def do(self, statement: str, *values: object) -> None:
        with self.session() as connection:
            connection.execute(statement.encode(), list(values) or None)

    def found(self, run_id: str, **options: bool) -> dict[tuple[str, str, str], float]:
        rows = quality.measure(self.url, run_id, **options)
        return {(metric, kind, label): float(value) for metric, kind, label, value in rows}

    def put(self, changes: dict[int, int | None]) -> None:
        """Give records customers; None takes the record away."""
        with self.session() as connection:
            at: datetime = connection.execute("select clock_timestamp()").fetchone()[0]
            for record, customer in changes.items():
                connection.execute(
                    "insert into identity.records (record_number, record_key, name_hash) values (%s, %s, %s) "
                    "on conflict (record_number) do update set is_gone = %s",
                    [record, f"r{record}", record, customer is None],
                )
                was = "record_number = %s and valid_to is null"
                connection.execute(f"update identity.memberships set valid_to = %s where {was}", [at, record])
                if customer is not None:
                    connection.execute(
                        "insert into identity.customers (customer_number, customer_id, run_number) "
                        "values (%s, gen_random_uuid(), 1) on conflict do nothing",
                        [customer],
                    )
                    connection.execute("insert into identity.memberships values (%s, %s, %s)", [record, customer, at])
            connection.execute(
                "update identity.customers set ended_at = %s where ended_at is null and not exists "
                "(select from identity.memberships as m where m.customer_number = customers.customer_number "
                "and m.valid_to is null)",
                [at],
            )

    def merge(self, records: list[int], gone: int, into: int) -> None:
        self.put(dict.fromkeys(records, into))
        self.do("insert into identity.redirections values (%s, %s, 1) on conflict do nothing", gone, into)

    def gate(self, run_id: str, folder: Path) -> gates.GateReport:
        self.found(run_id)
        report = gates.run_gate("identity", self.url, run_id, docs_folder=folder / "docs")
        quality.release(self.url, run_id, "passed the gate")
        return report


@pytest.fixture
def shop(warehouse_url: str) -> Shop:
    return Shop(warehouse_url)


def test_the_figures_that_follow_the_change_are_those_of_counting_everything(shop: Shop) -> None:
    chance = random.Random(7)
    for step in range(25):
        changes: dict[int, int | None] = {
            chance.randrange(40): chance.choice([None, *range(12)]) for _ in range(chance.randrange(12))
        }
        shop.put(changes)
        if chance.random() < 0.8:
            quick = shop.found(f"run {step}")
            whole = shop.found(f"run {step}", full=True)
            of_all = {key: value for key, value in whole.items() if key in quick or key[0] == "customer_size"}
            assert quick == of_all


def test_a_run_without_news_has_the_figures_of_the_one_before(shop: Shop) -> None:
    shop.put({1: 1, 2: 1, 3: 2})
    first = shop.found("first")
    again = shop.found("second")
    assert {key: value for key, value in first.items() if key in again} == again
    assert again["customer_size", "", "2"] == again["customer_size", "", "1"] == 1
    assert (again["records", "", ""], again["largest_customer", "", ""]) == (3, 2)


def test_what_each_record_carries_is_counted_by_customer_and_by_value(shop: Shop) -> None:
    shop.put({1: 1, 2: 1, 3: 2, 4: 3, 5: 4})
    shop.do("insert into identity.kinds values (1, 'email', '', 3), (2, 'phone', '', 4)")
    links = [(11, 1, 1), (12, 2, 1), (11, 2, 1), (21, 2, 2), (21, 3, 2), (99, 3, 1), (99, 4, 1), (21, 1, 2)]
    for value, record, kind in links:
        shop.do("insert into identity.stored_links values (%s, 'infinity', %s, 0, %s)", value, record, kind)
    shop.do("insert into identity.blocked_values values (99, 'email', 'placeholder', 2, 2, 'r', now())")
    shop.do("insert into identity.refused_links values (1, 3, 'phone', 21, 'names contradict')")
    shop.do("insert into identity.household_members values (1, 1), (2, 1)")
    found = shop.found("run")
    ids = {(kind, label): value for (metric, kind, label), value in found.items() if metric == "ids_per_customer"}
    assert ids == {("email", "2"): 1, ("email", "0"): 3, ("phone", "1"): 2, ("phone", "0"): 2}
    shared = [value for (metric, _, _), value in found.items() if metric == "top_shared_values"]
    assert shared == [3, 2]
    assert found["refusals", "phone", "names contradict"] == found["blocked_values", "email", "placeholder"] == 1
    assert (found["blocked_records", "", ""], found["blocked_share", "", ""]) == (2, 0.4)
    assert (found["without_identifiers", "", ""], found["households", "", ""]) == (1, 1)


def test_a_record_without_a_customer_stops_the_path(shop: Shop, tmp_path: Path) -> None:
    shop.put({1: 1})
    shop.do("insert into identity.records (record_number, record_key) values (9, 'r9')")
    with pytest.raises(gates.GateFailed, match="every_record_has_a_customer"):
        shop.gate("run", tmp_path)


def test_a_customer_of_many_names_stops_the_path(shop: Shop, tmp_path: Path) -> None:
    shop.put(dict.fromkeys(range(11), 1))
    shop.do("update identity.records set name_hash = record_number %% 10 where %s", True)
    shop.gate("ten names", tmp_path)
    shop.put({11: 1})
    shop.do("update identity.records set name_hash = record_number where %s", True)
    with pytest.raises(gates.GateFailed, match="no_customer_goes_by_many_names"):
        shop.gate("twelve names", tmp_path)


def test_what_was_stopped_stays_stopped_until_it_is_undone_or_released(shop: Shop, tmp_path: Path) -> None:
    shop.put({record: record for record in range(1000)})
    shop.gate("first", tmp_path)
    for record in range(0, 400, 2):
        shop.merge([record], record, record + 1)
    for run_id in ("joined", "nothing new"):
        with pytest.raises(gates.GateFailed, match="few_records_change_their_customer"):
            shop.gate(run_id, tmp_path)
    figures = shop.found("looked at")
    assert (figures["moved", "", ""], figures["merged", "", ""]) == (200, 200)
    assert figures["merged_share", "", ""] == 0.2
    quality.release(shop.url, "looked at", "Hanako: the loyalty cards came in")
    assert shop.gate("looked at", tmp_path).failed_critical == 0
    assert shop.gate("after", tmp_path).failed_critical == 0
    shop.put({record: record for record in range(0, 400, 2)})
    with pytest.raises(gates.GateFailed, match="few_records_change_their_customer"):
        shop.gate("parted", tmp_path)
    for record in range(0, 400, 2):
        shop.merge([record], record, record + 1)
    assert shop.gate("joined again", tmp_path).failed_critical == 0


def test_merges_far_beyond_the_usual_stop_the_path(shop: Shop, tmp_path: Path) -> None:
    shop.put({record: record for record in range(5000)})
    for step in range(4):
        shop.merge([step * 2], step * 2, step * 2 + 1)
        shop.gate(f"usual {step}", tmp_path)
    for record in range(1000, 1240, 2):
        shop.merge([record], record, record + 1)
    with pytest.raises(gates.GateFailed, match="merges_do_not_jump"):
        shop.gate("jump", tmp_path)


def test_vanished_records_are_held_against_the_release(shop: Shop, tmp_path: Path) -> None:
    shop.put({record: record for record in range(1000)})
    shop.gate("first", tmp_path)
    shop.put(dict.fromkeys(range(150)))
    with pytest.raises(gates.GateFailed, match="few_records_vanish"):
        shop.gate("lost", tmp_path)


def test_only_what_was_measured_is_released(shop: Shop) -> None:
    with pytest.raises(quality.NothingMeasuredError, match="'never' has no figures"):
        quality.release(shop.url, "never", "x")
    with pytest.raises(quality.NothingMeasuredError, match="No run of identity"):
        quality.latest(shop.url)


def test_shared_values_are_shown_masked(shop: Shop) -> None:
    shop.put({1: 1, 2: 1})
    shop.do("insert into identity.kinds values (1, 'phone', '', 4)")
    shop.do("insert into identity.values values (255, 'phone', '09012345679')")
    for record in (1, 2):
        shop.do("insert into identity.stored_links values (255, 'infinity', %s, 0, 1)", record)
    (label,) = [label for metric, _, label in shop.found("run") if metric == "top_shared_values"]
    assert label.startswith("ff ")
    assert "09012345679" not in label


def test_the_command_shows_the_figures_and_releases_with_who_and_why(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", shop.url)
    command = ["identity", "quality"]
    assert "No run of identity has been measured yet" in CliRunner().invoke(main, command).output
    shop.put({1: 1, 2: 1})
    shop.found("run 1")
    assert "largest_customer" in CliRunner().invoke(main, command).output
    refused = CliRunner().invoke(main, [*command, "--release", " "])
    assert (refused.exit_code, "needs a reason" in refused.output) == (1, True)
    done = CliRunner().invoke(main, [*command, "--json", "--full", "--release", "cards", "--who", "Hanako"])
    told = json.loads(done.output)
    assert told["run_id"] == "run 1"
    assert {"metric": "without_identifiers", "kind": "", "label": "", "value": 2} in told["figures"]
    with shop.session() as connection:
        kept = connection.execute("select run_id, label from identity.quality where metric = 'released'").fetchall()
    assert kept == [("run 1", "Hanako: cards")]


def test_core_is_built_only_after_the_gate_of_identity(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline.landing, "ensure_tables", lambda url: None)
    steps: list[str] = []
    run: Any = type("Run", (), {"warehouse_url": shop.url, "publish": lambda self: 1})()
    for name in ("build_staging", "build_identity", "build", "gate"):
        monkeypatch.setattr(
            type(run), name, lambda self, *what, name=name: steps.append(" ".join((name, *what))), raising=False
        )
    pipeline.transform(run)
    assert steps[:4] == ["build_staging", "build_identity", "gate identity", "build core"]
