"""Who is one customer: every rule of the policy on the smallest story that shows it."""

from __future__ import annotations

import pytest

from kizuna.identity.comparing import Profile, Relation, compare
from kizuna.identity.policy import Conflicts, Kind, Policy, Scored
from kizuna.identity.solving import solve
from tests.unit.identity.problems import POLICY, Story, clusters, reasons

TARO = Profile(family="佐藤", given="太郎", full="佐藤太郎")
TARO_KANA = Profile(family_kana="さとう", given_kana="たろう", full_kana="さとうたろう")
TARO_BOTH = Profile(
    family="佐藤", given="太郎", full="佐藤太郎", family_kana="さとう", given_kana="たろう", full_kana="さとうたろう"
)
HANAKO = Profile(family="佐藤", given="花子", full="佐藤花子")
BORN = Profile(birth="1980-02-01")
BORN_LATER = Profile(birth="1991-07-01")


def policy(**kinds: Kind) -> Policy:
    return Policy(kinds=kinds, blocked={})


def kind(requires: str = "nothing", **rules: object) -> Kind:
    return Kind.model_validate({"requires": requires, "max_names": 9, "max_nameless_records": 9, **rules})


def test_records_that_share_a_value_are_one_customer() -> None:
    story = Story([TARO, None, TARO, None], [(0, "email:a"), (1, "email:a"), (2, "phone:1"), (3, "phone:1")])
    solution = story.solve()
    assert clusters(solution) == [0, 0, 2, 2]
    assert solution.components.tolist() == [0, 0, 2, 2]
    assert solution.households.tolist() == [0, 0, 2, 2]
    assert not reasons(solution)


def test_names_that_contradict_part_a_shared_phone_and_make_a_household() -> None:
    solution = Story([TARO, HANAKO], [(0, "phone:1"), (1, "phone:1")]).solve()
    assert clusters(solution) == [0, 1]
    assert solution.components.tolist() == [0, 0]
    assert solution.households.tolist() == [0, 0]
    assert reasons(solution) == [(0, 1, "names contradict")]


def test_a_refused_email_makes_no_household() -> None:
    solution = Story([TARO, HANAKO], [(0, "email:a"), (1, "email:a")]).solve()
    assert solution.households.tolist() == [0, 1]
    assert reasons(solution) == [(0, 1, "names contradict")]


def test_birth_dates_that_differ_part_a_shared_email() -> None:
    solution = Story([BORN, BORN_LATER], [(0, "email:a"), (1, "email:a")]).solve()
    assert reasons(solution) == [(0, 1, "birth dates differ")]


@pytest.mark.parametrize(("pair", "switch"), [((TARO, HANAKO), "names"), ((BORN, BORN_LATER), "birth_dates")])
def test_a_contradiction_that_is_switched_off_refuses_nothing_by_itself(pair, switch) -> None:
    rules = Policy(kinds={"email": kind()}, blocked={}, conflicts=Conflicts(**{switch: False}))
    assert clusters(Story([*pair], [(0, "email:a"), (1, "email:a")]).solve(rules)) == [0, 0]


def test_a_kind_that_requires_nothing_against_refuses_what_the_switches_let_pass() -> None:
    rules = Policy(kinds={"email": kind("nothing_against")}, blocked={}, conflicts=Conflicts(names=False))
    solution = Story([TARO, HANAKO], [(0, "email:a"), (1, "email:a")]).solve(rules)
    assert reasons(solution) == [(0, 1, "names contradict")]


@pytest.mark.parametrize(
    ("left", "right", "together"),
    [(TARO, TARO_BOTH, True), (TARO, TARO, True), (TARO, None, False), (None,) * 2 + (False,)],
)
def test_a_kind_that_requires_agreement_joins_only_who_agrees(left, right, together) -> None:
    solution = Story([left, right], [(0, "phone:1"), (1, "phone:1")]).solve(policy(phone=kind("agreement")))
    assert clusters(solution) == [0, 0 if together else 1]
    assert reasons(solution) == ([] if together else [(0, 1, "no agreement")])


def test_a_value_of_two_persons_joins_only_who_agrees_with_one_of_them() -> None:
    story = Story([TARO, HANAKO, None, TARO_BOTH], [(record, "phone:1") for record in range(4)])
    solution = story.solve()
    assert clusters(solution) == [0, 1, 2, 0]
    assert solution.households.tolist() == [0, 0, 0, 0]
    assert (0, 2, "no agreement") in reasons(solution)


def test_a_login_of_two_persons_joins_who_says_nothing_against_the_older_one() -> None:
    story = Story([TARO, HANAKO, None], [(record, "login:a:1") for record in range(3)])
    assert clusters(story.solve()) == [0, 1, 0]


def test_a_doubtful_reading_refuses_a_link_but_parts_no_customers() -> None:
    def doubt(left: Profile, right: Profile) -> Relation:
        return Relation.NAMES_DOUBTFUL if {left, right} == {TARO, HANAKO} else compare(left, right)

    values = [(0, "email:a"), (1, "email:a"), (0, "phone:1"), (2, "phone:1"), (1, "phone:2"), (2, "phone:2")]
    problem = Story([TARO, HANAKO, None], values).problem()
    assert clusters(solve(problem, POLICY, doubt)) == [0, 0, 0]
    alone = Story([TARO, HANAKO], values[:2]).problem()
    assert reasons(solve(alone, POLICY, doubt)) == [(0, 1, "names contradict")]


def test_one_family_name_alone_is_no_agreement() -> None:
    family = Profile(family="佐藤")
    solution = Story([family, family], [(0, "phone:1"), (1, "phone:1")]).solve(policy(phone=kind("agreement")))
    assert reasons(solution) == [(0, 1, "no agreement")]


@pytest.mark.parametrize(
    ("name", "reason"), [("line", "two line ids"), ("login", "two logins"), ("email", "too many values")]
)
def test_a_customer_has_one_value_of_an_exclusive_kind_in_one_scope(name, reason) -> None:
    rules = policy(**{name: kind(max_per_customer=1), "phone": kind()})
    values = [(0, f"{name}:a:1"), (1, f"{name}:a:2"), (0, "phone:1"), (1, "phone:1")]
    solution = Story([None, None], values).solve(rules)
    assert reasons(solution) == [(0, 1, reason)]


def test_values_of_two_scopes_do_not_count_together() -> None:
    values = [(0, "line:a:1"), (1, "line:b:2"), (0, "phone:1"), (1, "phone:1")]
    assert clusters(Story([None, None], values).solve()) == [0, 0]


def test_a_customer_may_have_as_many_values_as_the_policy_says() -> None:
    rules = policy(login=kind(max_per_customer=2), phone=kind())
    values = [(record, f"login:a:{record}") for record in range(3)] + [(record, "phone:1") for record in range(3)]
    solution = Story([None] * 3, values).solve(rules)
    assert clusters(solution) == [0, 0, 2]
    assert reasons(solution) == [(0, 2, "two logins")]


def test_always_joins_against_every_conflict_and_what_adds_none_is_still_welcome() -> None:
    values = [(0, "line:a:1"), (1, "line:a:2"), (1, "email:a"), (2, "email:a")]
    solution = Story([TARO, HANAKO, None], values, always=[(0, 1)]).solve()
    assert clusters(solution) == [0, 0, 0]
    assert not reasons(solution)


def test_where_a_person_decided_for_two_line_ids_a_third_record_with_one_of_them_joins() -> None:
    values = [(0, "line:a:1"), (1, "line:a:2"), (2, "line:a:1")]
    assert clusters(Story([None] * 3, values, always=[(0, 1)]).solve()) == [0, 0, 0]


def test_never_parts_what_everything_joins() -> None:
    solution = Story([TARO, TARO], [(0, "login:a:1"), (1, "login:a:1")], never=[(1, 0)]).solve()
    assert clusters(solution) == [0, 1]
    assert reasons(solution) == [(0, 1, "never by decision")]


def test_never_wins_over_always_and_tells_it() -> None:
    solution = Story([None] * 3, always=[(0, 1), (1, 2)], never=[(0, 2)]).solve()
    assert clusters(solution) == [0, 0, 2]
    assert reasons(solution) == [(1, 2, "never by decision")]
    assert solution.refusals.kinds.tolist() == [-1]


def test_never_parts_two_customers_through_all_their_records() -> None:
    values = [(0, "email:a"), (1, "email:a"), (2, "email:b"), (3, "email:b"), (1, "phone:1"), (2, "phone:1")]
    solution = Story([None] * 4, values, never=[(0, 3)]).solve()
    assert clusters(solution) == [0, 0, 2, 2]
    assert reasons(solution) == [(1, 2, "never by decision")]


def test_a_contradiction_of_any_two_records_parts_two_customers() -> None:
    values = [(0, "email:a"), (1, "email:a"), (2, "email:b"), (3, "email:b"), (1, "phone:1"), (2, "phone:1")]
    assert clusters(Story([TARO, None, None, HANAKO], values).solve()) == [0, 0, 2, 2]


def test_the_stronger_kind_comes_first() -> None:
    values = [(0, "phone:1"), (1, "phone:1"), (1, "email:a"), (2, "email:a")]
    assert clusters(Story([TARO, None, HANAKO], values).solve()) == [0, 1, 1]


def test_who_agrees_comes_before_who_says_nothing_against() -> None:
    first, second, third = (Profile(full=name) for name in "甲乙丙")
    said = {
        frozenset((first, second)): Relation.UNKNOWN,
        frozenset((second, third)): Relation.AGREE,
        frozenset((first, third)): Relation.NAMES_CONTRADICT,
    }
    values = [(0, "phone:1"), (1, "phone:1"), (1, "phone:2"), (2, "phone:2")]
    problem = Story([first, second, third], values).problem()
    assert clusters(solve(problem, POLICY, lambda left, right: said[frozenset((left, right))])) == [0, 1, 1]


def test_the_value_first_seen_comes_first() -> None:
    values = [(1, "phone:2"), (2, "phone:2"), (0, "phone:1"), (1, "phone:1")]
    assert clusters(Story([HANAKO, None, TARO], values).solve()) == [0, 1, 1]


def test_scored_pairs_come_last_the_likeliest_first() -> None:
    rules = Policy(scored=Scored(accept=0.8, review=0.5))
    scored = [(1, 0, 0.8), (1, 2, 0.95), (3, 4, 0.79)]
    solution = Story([TARO, None, HANAKO, None, None], scored=scored).solve(rules)
    assert clusters(solution) == [0, 1, 1, 3, 4]
    assert solution.components.tolist() == [0, 0, 0, 3, 4]
    assert reasons(solution) == [(0, 1, "names contradict")]
    assert solution.refusals.kinds.tolist() == [-2]


def test_a_refused_link_is_told_by_the_oldest_records_that_carry_the_value() -> None:
    values = [(1, "email:a"), (0, "email:a"), (2, "email:b"), (3, "email:b"), *((n, "phone:1") for n in (1, 2, 3))]
    solution = Story([TARO, TARO, HANAKO, HANAKO], values).solve()
    assert reasons(solution) == [(1, 2, "names contradict")]
    assert solution.refusals.kinds.tolist() == [POLICY.names.index("phone")]
    assert solution.refusals.values.tolist() == [1002]


def test_a_household_reaches_over_all_its_refused_phones() -> None:
    jiro = Profile(given="次郎", full="佐藤次郎")
    values = [(0, "phone:1"), (1, "phone:1"), (1, "phone:2"), (2, "phone:2")]
    assert Story([TARO, HANAKO, jiro], values).solve().households.tolist() == [0, 0, 0]
