"""The raw gate judges the fields that staging reads: new ones pass, removed and retyped ones fail with their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kizuna import quality

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.quality.conftest import Gate

# Every order again, a day later and changed.
CHANGED = """
insert into raw.shopify__orders (_record_id, _source_updated_at, payload)
select _record_id, _source_updated_at + interval '1 day', {payload} from raw.shopify__orders where _sequence {which}
and _sequence <= 4
"""
LINE = """'[{"id": "gid://shopify/LineItem/1", "sku": null, "title": "茶", "quantity": %s, "product": null,
 "originalUnitPriceSet": {"shopMoney": {"amount": "500"}}, "discountedTotalSet": {"shopMoney": {"amount": "500"}}}]'"""


def lines(quantity: str) -> str:
    return "jsonb_set(payload, '{lineItems,nodes}', " + LINE % quantity + ")"


def test_removed_and_retyped_fields_stop_the_path_with_their_names(
    gate: Gate, break_with: Callable[[str], None], results: Callable[[str], list[Any]]
) -> None:
    gate("raw", "shopify")
    changes = (
        'payload || \'{"test": "no"}\'',
        "jsonb_set(payload, '{totalShippingPriceSet,shopMoney,amount}', '900')",
        lines('"two"'),
        "payload || '{\"refunds\": [7]}'",
    )
    for number, change in enumerate(changes, start=1):
        break_with(CHANGED.format(payload=f"({change}) - 'name' - 'totalPriceSet'", which=f"= {number}"))
    with pytest.raises(quality.GateFailed, match=r"field name on raw\.shopify__orders: expected string, found no such"):
        gate("raw", "shopify", "second")
    found = results(
        "select expectation, observed ->> 'problem', unexpected_count from ops.quality_results"
        " where run_id = 'second' and expectation like 'field %' and not success order by 1"
    )
    nothing = "found no such field"
    assert found == [
        ("field lineItems.nodes[].quantity", "expected number, found string", 1),
        ("field name", f"expected string, {nothing}", 4),
        ("field refunds[]", "expected object, found number", 1),
        ("field test", "expected boolean, found string", 1),
        ("field totalPriceSet", f"expected object, {nothing}", 4),
        ("field totalShippingPriceSet.shopMoney.amount", "expected string, found number", 1),
    ]


def test_what_is_no_loss_for_staging_passes(gate: Gate, break_with: Callable[[str], None]) -> None:
    gate("raw", "shopify")
    for number, payload in enumerate(
        (
            'payload || \'{"loyaltyTier": {"name": "gold"}}\'',
            "payload - 'name'",
            lines("2"),
            'payload || \'{"cancelledAt": "2026-11-18T00:00:00Z"}\'',
        ),
        start=1,
    ):
        break_with(CHANGED.format(payload=payload, which=f"= {number}"))
    assert gate("raw", "shopify", "second").failed_critical == 0


def test_a_field_that_comes_back_lets_the_path_go_on(gate: Gate, break_with: Callable[[str], None]) -> None:
    break_with(CHANGED.format(payload='payload || \'{"tags": "a, b"}\'', which="= 1"))
    for run_id in ("first", "second"):
        with pytest.raises(quality.GateFailed, match=r"1 of .* expectations failed") as failed:
            gate("raw", "shopify", run_id)
        assert "field tags on raw.shopify__orders: expected array, found string, 1 rows" in str(failed.value)
    again = CHANGED.format(payload="payload", which="= 1").replace("1 day", "2 days")
    break_with(again)
    assert gate("raw", "shopify", "third").failed_critical == 0


def test_a_tables_fields_are_asked_for_once_and_only_of_new_rows(
    gate: Gate, results: Callable[[str], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from kizuna.quality import field_types  # imports the tool, which takes seconds

    found: list[tuple[Any, ...]] = []
    real = field_types.Finding
    monkeypatch.setattr(field_types, "Finding", lambda *row: (found.append(row), real(*row))[1])
    gate("raw", "line")
    assert found.count(("", "userId", "string", 1)) == 2, "of the one follower and of the one profile"
    found.clear()
    gate("raw", "shopify")
    orders = [row for row in found if row[1] == "cancelReason"]
    assert orders == [("", "cancelReason", "null", 4)]
    found.clear()
    gate("raw", "line", "second")
    assert found == []
    proven = "select distinct table_name, observed ->> 'proven_up_to' from ops.quality_results"
    assert sorted(results(f"{proven} where expectation = 'field userId'")) == [
        ("line__followers", "1"),
        ("line__profiles", "1"),
    ]
