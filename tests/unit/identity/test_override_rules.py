"""Which decisions of people can stand beside each other."""

import pytest

from kizuna.identity import overrides
from kizuna.identity.overrides import Override, OverrideError


def never(one: str, other: str) -> Override:
    return overrides.on_records("never", one, other, who="hana", why="twins")


def always(one: str, other: str) -> Override:
    return overrides.on_records("always", one, other, who="hana", why="she said so")


def test_a_decision_on_two_records_is_the_same_in_either_order():
    assert never("b", "a").subject() == never("a", "b").subject()
    assert overrides.objections(never("b", "a"), [never("a", "b")]) != []


def test_a_record_is_not_decided_on_with_itself():
    with pytest.raises(OverrideError, match="the same record twice"):
        always("a", "a")


@pytest.mark.parametrize(("who", "why"), [("", "twins"), ("hana", "  ")])
def test_every_decision_has_who_and_why(who, why):
    with pytest.raises(OverrideError, match="who decided and why"):
        overrides.on_records("never", "a", "b", who=who, why=why)
    with pytest.raises(OverrideError, match="who decided and why"):
        overrides.on_value(7, who=who, why=why)


def test_never_and_always_on_the_same_records_cannot_both_hold():
    assert "cannot both hold" in overrides.objections(never("a", "b"), [always("a", "b")])[0]
    assert "cannot both hold" in overrides.objections(always("a", "b"), [never("a", "b")])[0]


def test_a_never_cannot_cut_a_chain_of_always():
    in_force = [always("a", "b"), always("c", "b"), always("x", "y")]
    (problem,) = overrides.objections(never("a", "c"), in_force)
    assert "a and b" in problem
    assert "b and c" in problem
    assert "x and y" not in problem


def test_an_always_cannot_close_a_chain_around_a_never():
    assert overrides.objections(always("b", "c"), [always("a", "b"), never("a", "c")]) != []


def test_what_is_far_from_a_decision_is_no_objection_to_it():
    assert overrides.objections(always("p", "q"), [always("a", "b"), always("b", "c"), never("a", "d")]) == []
    shared = overrides.on_value(7, who="hana", why="the shop's own phone")
    assert overrides.objections(shared, [never("a", "b"), overrides.on_value(8, who="k", why="y")]) == []
    assert overrides.objections(shared, [shared]) != []
