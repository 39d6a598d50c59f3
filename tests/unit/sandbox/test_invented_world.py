"""The invented brand: the same for the same seed, alive before and after its start, and shaped like a real one."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from sandbox.serve import choose_world
from sandbox.state import State
from sandbox.world import invent_world
from sandbox.world_behaviour import DAY, JAPAN_OFFSET

if TYPE_CHECKING:
    from sandbox.records import Sale, World

ANCHOR = date(2026, 11, 22)


@pytest.fixture(scope="module")
def brand() -> World:
    return invent_world(2000, 7, ANCHOR)


def counts_as_purchase(sale: Sale) -> bool:
    lost = any(
        e.kind in ("cancelled", "refused") or (e.kind == "refunded" and e.amount == sale.total) for e in sale.events
    )
    return not (sale.is_test or sale.total == 0 or lost)


def purchase_days(world: World) -> dict[int, list[int]]:
    days: dict[int, set[int]] = defaultdict(set)
    for sale in world.sales:
        if sale.at <= world.starts_at and counts_as_purchase(sale) and sale.truth is not None:
            days[sale.truth].add((sale.at + JAPAN_OFFSET) // DAY)
    return {truth: sorted(found) for truth, found in days.items()}


def test_the_same_seed_gives_the_same_world(world: World):
    assert invent_world(500, 5, ANCHOR) == world


def test_another_seed_gives_another_world(world: World):
    assert invent_world(500, 6, ANCHOR).sales != world.sales


def test_a_person_is_the_same_among_more_people(world: World):
    def of_person(found: World) -> list[tuple[int, str]]:
        return [(sale.at, str(sale.total)) for sale in found.sales if sale.truth == 42]

    assert of_person(invent_world(300, 5, ANCHOR)) == of_person(world) != []


def test_a_third_buys_again_within_90_days(brand: World):
    today = (brand.starts_at + JAPAN_OFFSET) // DAY
    matured = [days for days in purchase_days(brand).values() if days[0] + 90 <= today]
    converted = [days for days in matured if len(days) > 1 and days[1] - days[0] <= 90]
    assert 0.30 <= len(converted) / len(matured) <= 0.40


def test_orders_go_on_for_90_days_after_the_start(brand: World):
    weeks = {(sale.at - brand.starts_at) // (7 * DAY) for sale in brand.sales if sale.at > brand.starts_at}
    assert weeks >= set(range(13))


def test_everything_that_goes_wrong_in_a_shop_goes_wrong_here(brand: World):
    kinds = {event.kind for sale in brand.sales for event in sale.events}
    assert kinds == {"paid", "cancelled", "refunded", "refused"}
    assert any(sale.is_test for sale in brand.sales)
    assert any(sale.total == 0 for sale in brand.sales)
    assert any(sale.account is None and sale.email for sale in brand.sales)
    assert any(len(sale.lines) > 10 for sale in brand.sales)


def test_totals_add_up(brand: World):
    for sale in brand.sales:
        goods = sum(line.unit_price * line.quantity for line in sale.lines)
        assert sale.total == goods - sale.discount + sale.shipping
        assert sum(event.amount for event in sale.events) <= sale.total


def test_close_to_half_are_line_friends_and_most_of_them_are_linked(brand: World):
    buyers = {sale.truth for sale in brand.sales}
    friends = {friend.truth for friend in brand.friends}
    linked = {sale.truth for sale in brand.sales if "line_user_id" in sale.attributes}
    assert 0.40 <= len(friends & buyers) / len(buyers) <= 0.50
    assert 0.5 <= len(linked) / len(friends & buyers) <= 0.9
    assert None in friends
    assert any(friend.spans[-1][1] is not None for friend in brand.friends)
    assert any(len(friend.spans) > 1 for friend in brand.friends)


def test_people_own_several_accounts_and_share_phones_and_addresses(brand: World):
    accounts = Counter(account.truth for account in brand.accounts)
    assert any(count > 1 for count in accounts.values())
    homes: dict[str, set[int | None]] = defaultdict(set)
    for account in brand.accounts:
        phone = "".join(letter for letter in account.profiles[0].phone or "" if letter.isdigit())
        if phone:
            homes[phone].add(account.truth)
    assert any(len(persons) > 1 for persons in homes.values())


def test_records_are_written_the_way_people_type(brand: World):
    profiles = [account.profiles[0] for account in brand.accounts]
    phones = " ".join(profile.phone or "" for profile in profiles)
    kana = " ".join(profile.family_name_kana or "" for profile in profiles)
    names = " ".join(profile.family_name or "" for profile in profiles)
    emails = [profile.email or "" for profile in profiles]
    assert all(form in phones for form in ("+81", "０９０", "090-", "－"))
    assert all(form in kana for form in ("サトウ", "ｻﾄｳ", "さとう"))
    assert "髙橋" in names
    assert "齋藤" in names
    assert any(email.isupper() for email in emails)
    assert all("example" in email.lower() for email in emails)


def test_no_api_shows_the_truth(brand: World):
    from sandbox.shopify.storefront import Storefront

    shop = Storefront(brand)
    for kind in ("customers", "orders"):
        view = shop.view(kind, brand.starts_at)
        assert "truth" not in str(view.node(int(view.index("id").records[0])))


def test_a_later_day_moves_the_clock_and_not_the_world(tmp_path):
    first = choose_world(tmp_path, 50, 5, None, ANCHOR, "Asia/Tokyo", "JPY")
    State(tmp_path).claim(first.identity)
    later = choose_world(tmp_path, 50, 5, None, ANCHOR + timedelta(days=30), "Asia/Tokyo", "JPY")
    assert later.sales == first.sales
    assert later.starts_at - first.starts_at > 30 * DAY
