"""Rules of customer ids, on small random histories."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.identity.keeper import Keeper, Records, reference_clusters

NAMES = [f"record-{number:02}" for number in range(12)]
RECORDS = st.dictionaries(
    st.sampled_from(NAMES), st.frozensets(st.sampled_from("abcdefgh"), max_size=3), min_size=1, max_size=12
)
HISTORIES = st.lists(RECORDS, min_size=1, max_size=6)


def after(history: list[Records]) -> Keeper:
    keeper = Keeper()
    for records in history:
        keeper.resolve(records)
    return keeper


@given(HISTORIES)
def test_customers_are_exactly_the_connected_records(history: list[Records]) -> None:
    assert after(history).clusters() == reference_clusters(history[-1])


@given(HISTORIES)
def test_a_second_run_changes_nothing(history: list[Records]) -> None:
    keeper = after(history)
    before = dict(keeper.members), dict(keeper.redirects), set(keeper.former)
    again = keeper.resolve(history[-1])
    assert not len(again.founders)
    assert not len(again.changed)
    assert not (again.restored)
    assert not (again.merged)
    assert not (again.retired)
    assert not (again.split)
    assert not (again.redirects)
    assert not (again.settled)
    assert (keeper.members, keeper.redirects, keeper.former) == before


@given(HISTORIES, RECORDS)
def test_added_records_change_only_the_ids_that_they_merge(history: list[Records], added: Records) -> None:
    keeper = after(history)
    before = dict(keeper.members)
    grown = {name: history[-1].get(name, frozenset()) | added.get(name, frozenset()) for name in history[-1] | added}
    assignment = keeper.resolve(grown)
    lost = {old for old, _ in assignment.merged}
    assert {name for name, owner in before.items() if keeper.members[name] != owner} == {
        name for name, owner in before.items() if owner in lost
    }
    # Every id that is lost was lost to another one in the same cluster, and one of each cluster's ids stays.
    assert not assignment.split
    for cluster in keeper.clusters():
        owners = {before[name] for name in cluster if name in before}
        if owners:
            assert keeper.members[next(iter(cluster))] in owners


@given(HISTORIES, st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), min_size=1, max_size=4))
def test_a_split_that_reverses_a_merge_restores_every_id(history: list[Records], links: list[tuple[str, str]]) -> None:
    keeper = after(history)
    before, records = dict(keeper.members), history[-1]
    joined = dict(records)
    for number, pair in enumerate(links):
        for name in pair:
            if name in records:
                joined[name] |= {f"link-{number}"}
    keeper.resolve(joined)
    keeper.resolve(records)
    assert keeper.members == before


@given(HISTORIES)
def test_records_that_all_vanish_and_return_get_their_ids_back(history: list[Records]) -> None:
    keeper = after(history)
    before = dict(keeper.members)
    gone = keeper.resolve({})
    assert set(gone.retired) == set(before.values())
    back = keeper.resolve(history[-1])
    assert keeper.members == before
    assert not len(back.founders)


@given(HISTORIES)
def test_every_id_ever_issued_is_alive_or_redirected_to_where_its_records_are(history: list[Records]) -> None:
    keeper = after(history)
    alive = set(keeper.members.values())
    assert alive == set(range(keeper.issued)) - set(keeper.ended)
    assert not alive & set(keeper.redirects)
    for old in keeper.ended:
        held = {keeper.members[name] for customer, name in keeper.former if customer == old and name in keeper.members}
        if held:
            assert keeper.redirects[old] in held
        # One step is enough: no redirect leads to an id that is itself redirected.
        assert keeper.redirects.get(old) not in keeper.redirects


@given(HISTORIES)
def test_events_tell_which_ids_are_alive(history: list[Records]) -> None:
    keeper, alive = Keeper(), set[int]()
    for records in history:
        issued = keeper.issued
        assignment = keeper.resolve(records)
        born = set(range(issued, keeper.issued))
        died = {old for old, _ in assignment.merged} | set(assignment.retired)
        alive = (alive | born | set(assignment.restored)) - died
        assert alive == set(keeper.members.values())


@given(RECORDS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(records: Records, random: object) -> None:
    names = list(records)
    random.shuffle(names)  # type: ignore[attr-defined]
    assert after([{name: records[name] for name in names}]).members == after([records]).members


@given(RECORDS, st.integers(0, 12))
def test_who_belongs_together_does_not_depend_on_batches(records: Records, cut: int) -> None:
    first = dict(list(records.items())[:cut])
    assert after([first, records]).clusters() == after([records]).clusters()


def test_the_cluster_with_most_records_of_an_id_keeps_it() -> None:
    a, b = frozenset("a"), frozenset("b")
    keeper = after([{"1": a, "2": a, "3": a}])
    assignment = keeper.resolve({"1": a, "2": b, "3": b})
    assert keeper.members == {"1": 1, "2": 0, "3": 0}
    assert assignment.split == [(0, 1)]


def test_the_oldest_record_decides_a_tie() -> None:
    keeper = after([{"1": frozenset("a"), "2": frozenset("a")}])
    keeper.resolve({"1": frozenset("a"), "2": frozenset("b")})
    assert keeper.members == {"1": 0, "2": 1}


def test_of_merged_ids_the_one_with_most_records_survives() -> None:
    keeper = after([{"1": frozenset("a"), "2": frozenset("b"), "3": frozenset("b")}])
    assignment = keeper.resolve({"1": frozenset("ab"), "2": frozenset("b"), "3": frozenset("b")})
    assert set(keeper.members.values()) == {1}
    assert assignment.merged == [(0, 1)]
    assert keeper.redirects == {0: 1}


def test_of_merged_ids_of_one_size_the_one_issued_first_survives() -> None:
    keeper = after([{"2": frozenset("b")}, {"1": frozenset("a"), "2": frozenset("b")}])
    keeper.resolve({"1": frozenset("ab"), "2": frozenset("b")})
    assert set(keeper.members.values()) == {0}


def test_merges_are_reversed_from_the_inside_too() -> None:
    one, two, three = frozenset("a"), frozenset("b"), frozenset("c")
    keeper = after([{"2": two}, {"2": two, "3": three}, {"1": one, "2": two, "3": three}])
    apart = dict(keeper.members)
    keeper.resolve({"1": one, "2": two, "3": three | {"b"}})
    keeper.resolve({"1": one | {"b"}, "2": two, "3": three | {"b"}})
    keeper.resolve({"1": one, "2": two, "3": three})
    assert keeper.members == apart


def test_records_that_return_get_the_id_they_had_when_they_vanished() -> None:
    few, many = {"6": frozenset("b"), "7": frozenset("b")}, {str(n): frozenset("a") for n in range(1, 6)}
    merged = {name: frozenset("ab") for name in few | many}
    keeper = after([few, few | many, merged, {}])
    keeper.resolve({name: merged[name] for name in few})
    assert set(keeper.members.values()) == {1}


def test_an_id_that_was_merged_away_does_not_live_on_in_a_record_that_returns() -> None:
    one, two = frozenset("a"), frozenset("b")
    keeper = after([{"1": one, "2": one, "5": two, "6": two}, {"1": one, "2": one, "5": two}])
    keeper.resolve({"1": one, "2": one, "5": one, "6": two})
    assert keeper.members == {"1": 0, "2": 0, "5": 0, "6": 2}
    assert keeper.redirects == {1: 0}


def test_the_last_cluster_of_an_id_keeps_it_although_it_was_merged_into_it_once() -> None:
    b, c = frozenset("b"), frozenset("c")
    keeper = after([{"1": frozenset("a"), "2": b, "3": c}, {"1": frozenset("ab"), "2": b, "3": c}, {"2": b, "3": c}])
    assert keeper.members == {"2": 0, "3": 2}
    keeper.resolve({"2": b | c, "3": c})
    keeper.resolve({"2": b, "3": c})
    assert keeper.members == {"2": 0, "3": 2}


def test_an_id_goes_where_its_members_go_and_not_to_a_record_that_returns() -> None:
    a = frozenset("a")
    keeper = after([{"1": frozenset(), "2": a, "8": a}, {"1": frozenset(), "8": a}])
    assignment = keeper.resolve({"1": a, "2": frozenset(), "8": a})
    assert keeper.members == {"1": 0, "8": 0, "2": 2}
    assert (keeper.redirects, assignment.split) == ({1: 0}, [])
