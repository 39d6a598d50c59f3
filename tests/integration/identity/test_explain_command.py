"""`kizuna identity explain` and `why-not`: what an operator reads, and what is said when there is nothing to read."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from kizuna.cli import main
from tests.integration.identity.filled import Filled


@pytest.fixture
def filled(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Filled:
    monkeypatch.setenv("WAREHOUSE_URL", warehouse_url)
    world = Filled(warehouse_url)
    world.record("shop:1", "email:hana@example.jp", customer="hana")
    world.record("mail:1", "email:hana@example.jp", "phone:09012345678", customer="hana", source="klaviyo")
    world.record("shop:2", "phone:09012345678", customer="taro")
    world.refuse("mail:1", "shop:2", "phone:09012345678", "names contradict")
    return world


def run(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(main, ["identity", *arguments])
    assert done.exit_code == status, done.output
    return done.output


def test_a_chain_is_a_table_of_its_steps(filled: Filled) -> None:
    assert [line.split() for line in run("explain", "shop:1", "mail:1").splitlines()] == [
        ["step", "from_record", "to_record", "kind", "value", "source", "since", "rule"],
        ["1", "shop:1", "mail:1", "email", "h…@e…", "klaviyo", "2026-01-03", "rules-1"],
    ]


def test_one_name_tells_its_customer(filled: Filled) -> None:
    told = run("explain", "mail:1")
    assert filled.id_of("hana") in told
    assert "the oldest record" in told


def test_why_not_tells_the_refused_link(filled: Filled) -> None:
    told = run("why-not", "shop:1", "shop:2").splitlines()
    assert told[1].split() == ["1", "names", "contradict", "mail:1", "shop:2", "phone", "…678", "rules-1"]


def test_other_programs_read_json(filled: Filled) -> None:
    (line,) = run("why-not", "shop:1", "shop:2", "--json").splitlines()
    assert json.loads(line)["finding"] == "names contradict"
    (line,) = run("explain", "shop:1", "mail:1", "--json").splitlines()
    assert json.loads(line)["since"].startswith("2026-01-03T")


def test_nothing_told_shows_a_value(filled: Filled) -> None:
    everything = run("explain", "shop:1") + run("explain", "shop:1", "mail:1") + run("why-not", "shop:1", "shop:2")
    assert "hana@" not in everything
    assert "1234567" not in everything


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("explain", "shop:3"), "'shop:3' is no record and no customer that identity knows\nnearest: shop:1, shop:2"),
        (("explain", "shop:1", "shop:2"), "ask why not"),
        (("why-not", "shop:1", "mail:1"), "are one customer\nask why"),
    ],
)
def test_mistakes_are_named_with_what_to_do(filled: Filled, arguments: tuple[str, ...], words: str) -> None:
    assert words in run(*arguments, status=1)
