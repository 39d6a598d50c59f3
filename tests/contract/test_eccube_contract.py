"""The sandbox's EC-CUBE is the one of the published schema, allow list and tables; the tap refuses what is not."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from graphql import build_schema

from sandbox.eccube.tokens import FIRST_REFRESH_TOKEN
from tests.contract.tap import ContractError, Contracts
from tests.contract.vendors.eccube import allow_list, published

SERVED = Path(__file__).parents[2] / "sandbox" / "vendors" / "eccube.graphql"
REFRESH = {
    "grant_type": "refresh_token",
    "refresh_token": FIRST_REFRESH_TOKEN,
    "client_id": "sandbox-client",
    "client_secret": "sandbox-token",
}
ORDERS = """
    query orders($from: DateTime, $page: Int!) {
      orders(status: ["5"], update_datetime_start: $from, sortkey: "orderer", sorttype: "a", page: $page, limit: 3) {
        nodes {
          id order_no total add_point order_date update_date Customer { id } OrderStatus { id name }
          OrderItems { id price quantity OrderItemType { id name } } Shippings { id tracking_number }
        }
        totalCount pageInfo { hasNextPage hasPreviousPage }
      }
    }
"""


def test_every_served_type_field_and_argument_is_the_vendors(shared: Path) -> None:
    served, whole = build_schema(SERVED.read_text(encoding="utf-8")), published(shared / "specs" / "eccube")
    listed = allow_list(shared / "specs" / "eccube")
    for name, kind in served.type_map.items():
        for field_name, field in getattr(kind, "fields", {}).items() if not name.startswith("__") else ():
            theirs = whole.type_map[name].fields[field_name]  # type: ignore[attr-defined]
            assert str(field.type) == str(theirs.type), f"{name}.{field_name}"
            assert field_name in listed.get(name, {field_name}), f"{name}.{field_name}"
            for argument_name, argument in field.args.items():
                assert str(argument.type) == str(theirs.args[argument_name].type), f"{name}.{field_name}"


def test_pages_and_tokens_pass_the_tap(client: httpx.Client, contracts: Contracts) -> None:
    token = client.post("/eccube/token", data=REFRESH).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    asked = {"query": ORDERS, "variables": {"from": "2026-01-01T00:00:00+00:00", "page": 2}}
    page = client.post("/eccube/api", json=asked, headers=headers).json()["data"]["orders"]

    assert len(page["nodes"]) == 3 < page["totalCount"]
    assert page["pageInfo"] == {"hasNextPage": True, "hasPreviousPage": True}
    assert client.post("/eccube/token", data=REFRESH).status_code == 401
    assert client.post("/eccube/api", json=asked, headers={"Authorization": "Bearer no"}).status_code == 401
    assert contracts.checked["eccube"] == 4


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ('{ orders(updated: "x") { totalCount } }', "Unknown argument"),
        ("{ customers { nodes { password } } }", "password is not on the allow list"),
        ("{ hello }", "Cannot query field"),
    ],
)
def test_queries_that_are_not_the_vendors_are_refused(contracts: Contracts, query: str, why: str) -> None:
    request = httpx.Request("POST", "http://sandbox/eccube/api", json={"query": query})
    with pytest.raises(ContractError, match=why):
        contracts.check(request, httpx.Response(200, json={"data": {}}))


def test_a_value_of_another_type_is_refused(contracts: Contracts) -> None:
    request = httpx.Request("POST", "http://sandbox/eccube/api", json={"query": "{ orders { nodes { total } } }"})
    with pytest.raises(ContractError, match=r"total is '3960', which is no Float"):
        contracts.check(request, httpx.Response(200, json={"data": {"orders": {"nodes": [{"total": "3960"}]}}}))


def test_a_field_that_left_the_allow_list_is_refused(contracts: Contracts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.contract.vendors.eccube.allow_list", lambda _folder: {"Order": frozenset({"id"})})
    request = httpx.Request("POST", "http://sandbox/eccube/api", json={"query": "{ orders { nodes { note } } }"})
    with pytest.raises(ContractError, match=r"Order\.note is not on the allow list"):
        contracts.check(request, httpx.Response(200, json={"data": {"orders": {"nodes": []}}}))


def test_columns_of_the_invented_rows_are_the_shops(shared: Path) -> None:
    from datetime import date

    from sandbox.eccube.people import shop_of
    from sandbox.world import invent_world

    tables = json.loads((shared / "specs" / "eccube" / "eccube-4.3-tables.json").read_text(encoding="utf-8"))
    shop = shop_of(invent_world(60, 3, date(2026, 11, 22)))
    # PointTrait adds the two; the names of prefecture and class category stand in tables of their own.
    extra = {"pref", "class_category", "add_point", "use_point"}
    for kind, table, part_table in (
        ("customers", "dtb_customer", None),
        ("orders", "dtb_order", "dtb_order_item"),
        ("products", "dtb_product", "dtb_product_class"),
        ("carts", "dtb_cart", "dtb_cart_item"),
    ):
        for record in shop.of(kind):
            assert record.row(2**40).keys() - extra <= {column["column"] for column in tables[table]["columns"]}
            for part in record.parts:
                assert part.keys() - extra <= {column["column"] for column in tables[part_table]["columns"]}
