"""The invented people through every vendor: identity puts together what is one person's, and nobody else's."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kizuna import identity, layers, warehouse
from kizuna.identity import policy
from kizuna.pipeline import STAGING_OF_MARTS
from kizuna.publishing.brands import show_brands
from kizuna.strategy import Strategy
from sandbox.world import invent_world
from tests.integration.identity.whole_world import land_world, truth_of_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kizuna.local.postgres import Cluster

TODAY = date(2026, 11, 22)
MEMBERS = "select record_key, customer_id from identity.members where valid_to is null"


@dataclass(frozen=True)
class Resolved:
    """A warehouse in which identity has run, whose each record is in truth, and whose it was found to be."""

    url: str
    truth: dict[str, int]
    found: dict[str, str]

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with warehouse.connect(self.url, "kizuna_transform") as connection:
            return connection.execute(query.encode()).fetchall()

    def build(self, select: str) -> None:
        known = policy.load()
        brands = {**known.brands, "default_brand": known.default_brand}
        layers.build(
            select, "transform", run_id="run", warehouse_url=self.url, strategy=Strategy(), as_of=TODAY, brands=brands
        )


@pytest.fixture(scope="module")
def world(cluster: Cluster, prepared_template: str) -> Iterator[Resolved]:
    url = cluster.create_database("whole_world", template=prepared_template)
    warehouse.prepare(url)
    people = invent_world(300, 5, TODAY)
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setenv("KIZUNA_HOME", folder)
        land_world(people, Path(folder) / "sandbox", url, patch)
        landed = Resolved(url, truth_of_records(people), {})
        landed.build(f"{STAGING_OF_MARTS} int_identity__evidence int_identity__changes")
        identity.resolve(url, "run")
        yield Resolved(url, landed.truth, dict(landed.ask(MEMBERS)))


def pairs(groups: Iterable[object]) -> int:
    return sum(size * (size - 1) // 2 for size in Counter(groups).values())


def together(world: Resolved, left: Callable[[str], bool], right: Callable[[str], bool]) -> tuple[int, int]:
    """Of the pairs of these two sorts of records that are one person's: how many were found so, how many there are."""
    people: dict[int, tuple[list[str], list[str]]] = {}
    for key, person in world.truth.items():
        if key in world.found:
            mine = people.setdefault(person, ([], []))
            mine[0].extend([key] * left(key))
            mine[1].extend([key] * right(key))
    one = [(world.found[a], world.found[b]) for lefts, rights in people.values() for a in lefts for b in rights]
    return sum(a == b for a, b in one), len(one)


def test_every_row_of_evidence_is_a_known_record_s_and_has_a_name_of_its_own(world: Resolved) -> None:
    [(rows, names, records)] = world.ask(
        "select count(*), count(distinct evidence_key), count(record_key) from identity.int_identity__evidence"
    )
    assert rows == names == records > 2_000
    strangers = set(world.found) - set(world.truth)
    assert all(key.startswith("line:follower:") for key in strangers), "only friends who never buy are nobody known"
    sources = {key.split(":")[0] for key in world.found}
    assert sources == {"shopify", "line", "eccube", "sendgrid", "klaviyo", "zendesk", "intercom", "files"}


def test_records_are_put_together_as_they_truly_are(world: Resolved) -> None:
    both = [(world.truth[key], customer) for key, customer in world.found.items() if key in world.truth]
    right = pairs(both)
    assert right / pairs(customer for _, customer in both) >= 0.99
    # What is left apart cannot be told: friends who never linked, second addresses that nothing else knows.
    assert right / pairs(person for person, _ in both) >= 0.85


@pytest.mark.parametrize(
    ("left", "right", "floor"),
    [
        ("shopify:customer:", "klaviyo:profile:", 0.97),  # e-mail
        ("shopify:customer:", "sendgrid:contact:", 0.93),  # e-mail, some another
        ("shopify:customer:", "files:customer:pos/", 0.93),  # phone and name, no e-mail
        ("shopify:customer:", "eccube:customer:", 0.93),  # the other brand: e-mail or phone
        ("shopify:customer:", "zendesk:user:", 0.75),  # some write from another address
    ],
)
def test_vendors_records_of_one_person_meet(world: Resolved, left: str, right: str, floor: float) -> None:
    found, there = together(world, lambda key: key.startswith(left), lambda key: key.startswith(right))
    assert there > 30
    assert found / there >= floor


def test_who_linked_line_with_the_shop_is_one_customer(world: Resolved) -> None:
    linked = {
        key
        for (key,) in world.ask("""
        select 'line:follower:' || line_user_id from staging.stg_line__account_links where shop_customer_id is not null
        union select 'line:follower:' || line_user_id from staging.stg_shopify__orders where line_user_id is not null
    """)
    }
    found, there = together(world, linked.__contains__, lambda key: key.startswith("shopify:customer:"))
    assert there > 60
    assert found / there >= 0.95


def test_what_is_new_of_one_source_is_found_by_its_index_alone(world: Resolved) -> None:
    with warehouse.connect(world.url, "kizuna_transform") as connection:
        connection.execute(b"set enable_seqscan = off")
        for table in ("stg_shopify__orders", "stg_eccube__customers", "stg_klaviyo__profiles"):
            query = f"select * from identity.int_identity__evidence where evidence_table = '{table}' and _sequence > 5"
            plan = connection.execute(f"explain {query}".encode()).fetchall()
            lines = "\n".join(line for (line,) in plan)
            assert "Index Cond: (_sequence > " in lines
            assert {word for word in lines.split() if word.startswith("stg_")} == {table}, "another source is read too"


def test_a_second_run_finds_no_news(world: Resolved) -> None:
    world.build("int_identity__changes")
    assert world.ask("select count(*) from identity.int_identity__changes") == [(0,)]
    assert identity.resolve(world.url, "second").written_rows == 0


def test_a_brand_is_shown_the_unified_id_and_only_what_it_knows(world: Resolved) -> None:
    world.build("customer_identities core")
    show_brands(world.url, policy.load().brand_names)
    with warehouse.connect(world.url, "kizuna_brand_second") as connection:
        seen = connection.execute(b"select customer_id, email, phone from brand_second.customers").fetchall()
    own = world.ask("select email, phone from identity.int_identity__evidence where brand = 'second'")
    emails, phones = ({row[place] for row in own} | {None} for place in (0, 1))
    assert len(seen) > 100
    assert all(email in emails and phone in phones for _, email, phone in seen)
    with warehouse.connect(world.url, "kizuna_brand_main") as connection:
        main = {row[0] for row in connection.execute(b"select customer_id from brand_main.customers").fetchall()}
    assert len(main & {customer for customer, _, _ in seen}) > 50
    of_both = "select count(*) from core.dim_customers where brands ?& array['main', 'second']"
    assert world.ask(of_both)[0][0] > 50
