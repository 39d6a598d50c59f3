"""The sandbox's Shopify answers what the vendor's schema promises, and serves nothing the vendor does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from graphql import is_enum_type, is_interface_type, is_list_type, is_non_null_type, is_object_type

from sandbox.shopify.schema import schema as served_schema
from tests.contract.graphql_contract import whole_schema
from tests.contract.shopify_queries import ORDERS, PATH, STREAMS, ask, page_query
from tests.contract.tap import ContractError, Contracts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def walk(client: httpx.Client, query: str, kind: str, size: int) -> Iterator[dict[str, Any]]:
    after = None
    while True:
        page = ask(client, query, first=size, after=after)["data"][kind]
        yield from page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


@pytest.mark.parametrize(
    ("name", "size"),
    [("customers", 100), ("orders", 10), ("products", 5), ("abandoned_checkouts", 9), ("subscription_contracts", 9)],
)
def test_every_page_is_the_vendors(client: httpx.Client, contracts: Contracts, name: str, size: int):
    stream = STREAMS[name]
    rows = list(walk(client, page_query(stream), stream.root, size))
    assert len(rows) > size
    assert contracts.checked["shopify"] == -(-len(rows) // size)


def test_counts_single_records_and_fragments_are_the_vendors(client: httpx.Client):
    first = next(walk(client, ORDERS, "orders", 1))["id"]
    query = """
        query ($id: ID!) {
          order(id: $id) { ...named lineItems(first: 1) { edges { cursor node { id } } pageInfo { hasNextPage } } }
          node(id: $id) { __typename id ... on Order { name } }
          ordersCount { count precision } productsCount(limit: null) { count precision }
          shop { name currencyCode ianaTimezone }
        }
        fragment named on Order { id name createdAt }
    """
    answered = ask(client, query, id=first)["data"]
    assert answered["order"]["id"] == answered["node"]["id"] == first
    assert answered["node"]["__typename"] == "Order"
    assert answered["productsCount"] == {"count": 13, "precision": "EXACT"}


def test_the_tap_refuses_a_query_the_vendor_would_refuse(client: httpx.Client):
    with pytest.raises(ContractError, match="loyaltyPoints"):
        ask(client, "{ customers(first: 1) { nodes { id loyaltyPoints } } }")


def test_the_tap_refuses_an_answer_of_another_shape(contracts: Contracts):
    request = httpx.Request("POST", f"http://sandbox{PATH}", json={"query": "{ shop { name } }"})
    with pytest.raises(ContractError, match="name is null"):
        contracts.check(request, httpx.Response(200, json={"data": {"shop": {"name": None}}}))
    with pytest.raises(ContractError, match="name is missing"):
        contracts.check(request, httpx.Response(200, json={"data": {"shop": {}}}))


def test_the_served_schema_is_part_of_the_vendors(shared: Path):
    vendor = whole_schema(shared / "specs" / "shopify" / "admin_2026-10.nodesc.graphql").type_map
    served = {name: kind for name, kind in served_schema().type_map.items() if not name.startswith("__")}
    assert sorted(set(served) - set(vendor)) == []
    for name, kind in served.items():
        assert type(kind) is type(vendor[name]), name
        if is_enum_type(kind):
            assert set(kind.values) <= set(vendor[name].values), name
        if is_object_type(kind) or is_interface_type(kind):
            assert {i.name for i in kind.interfaces} <= {i.name for i in vendor[name].interfaces}, name
            for field_name, field in kind.fields.items():
                assert_same_field(f"{name}.{field_name}", field, vendor[name].fields.get(field_name))


def assert_same_field(place: str, ours: Any, theirs: Any) -> None:
    assert theirs is not None, f"the vendor has no {place}"
    assert theirs.deprecation_reason is None, f"{place} is deprecated"
    assert str(ours.type) == str(theirs.type), place
    for name, argument in ours.args.items():
        assert name in theirs.args, f"{place}({name})"
        assert str(argument.type) == str(theirs.args[name].type), f"{place}({name})"
        assert repr(argument.default_value) == repr(theirs.args[name].default_value), f"{place}({name})"
    needed = {name for name, argument in theirs.args.items() if is_non_null_type(argument.type)}
    assert needed <= set(ours.args), place
    assert is_list_type(ours.type) == is_list_type(theirs.type), place
