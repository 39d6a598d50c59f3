"""Replaying an order history: everything in it is served as it stands, and nothing of it when any of it is wrong."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from sandbox.replay import OrderHistoryError, read_order_history
from sandbox.shopify.storefront import Storefront

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.records import World

ORDERS = "customer_id,order_id,ordered_at,total\n00001,A-1,2024-03-01,29.33\n,A-2,2024-03-02 10:15,1980\n"


def write(folder: Path, **files: str) -> Path:
    for name, text in {"orders": ORDERS, **files}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def read(folder: Path, as_of: date | None = None) -> World:
    return read_order_history(folder, "Asia/Tokyo", "JPY").world(as_of)


def order(world: World, key: str, at: int | None = None) -> dict[str, Any]:
    node = Storefront(world).view("orders", at or world.starts_at).find(f"gid://shopify/Order/{key}")
    assert node is not None
    return node


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp())


def test_ids_dates_and_money_stay_what_they_are(tmp_path: Path):
    world = read(write(tmp_path))
    first, guest = order(world, "A-1"), order(world, "A-2")
    assert first["_customer"] == "gid://shopify/Customer/00001"
    assert first["processedAt"] == "2024-02-29T15:00:00Z"
    assert first["totalPriceSet"]["shopMoney"] == {"amount": "29.33", "currencyCode": "JPY"}
    assert guest["_customer"] is None
    assert guest["processedAt"] == "2024-03-02T01:15:00Z"


def test_the_world_starts_behind_the_as_of_day(tmp_path: Path):
    write(tmp_path)
    assert read(tmp_path).starts_at == seconds("2024-03-03T00:05:00+09:00")
    early = read(tmp_path, date(2024, 3, 1))
    assert early.starts_at == seconds("2024-03-02T00:05:00+09:00")
    assert len(Storefront(early).view("orders", early.starts_at)) == 1


@pytest.mark.parametrize("form", ["csv.gz", "parquet"])
def test_packed_files_read_the_same(tmp_path: Path, form: str):
    plain, other = tmp_path / "plain", tmp_path / "other"
    plain.mkdir()
    other.mkdir()
    write(plain)
    if form == "csv.gz":
        with gzip.open(other / "orders.csv.gz", "wt", encoding="utf-8") as file:
            file.write(ORDERS)
    else:
        columns = {
            "customer_id": ["00001", None],
            "order_id": ["A-1", "A-2"],
            "ordered_at": [datetime(2024, 3, 1), datetime(2024, 3, 2, 10, 15)],  # noqa: DTZ001
            "total": pa.array([Decimal("29.33"), Decimal("1980.00")]),
        }
        parquet.write_table(pa.table(columns), other / "orders.parquet")
    left, right = read(plain), read(other)
    assert [(s.key, s.at, s.total, s.account) for s in left.sales] == [
        (s.key, s.at, s.total, s.account) for s in right.sales
    ]


def test_each_status_becomes_what_the_vendor_shows(tmp_path: Path):
    rows = "".join(
        f"c{status},{status},2024-03-01 09:00,100,{status}\n"
        for status in ("paid", "pending", "cancelled", "refunded", "test", "refused")
    )
    world = read(write(tmp_path, orders="customer_id,order_id,ordered_at,total,status\n" + rows))
    shown = {key: order(world, key) for key in ("paid", "pending", "cancelled", "refunded", "test", "refused")}
    assert shown["paid"]["displayFinancialStatus"] == "PAID"
    assert shown["pending"]["displayFinancialStatus"] == "PENDING"
    assert shown["cancelled"]["cancelledAt"] == "2024-03-01T00:00:00Z"
    assert shown["refunded"]["totalRefundedSet"]["shopMoney"]["amount"] == "100.0"
    assert shown["test"]["test"] is True
    assert shown["refused"]["tags"] == ["受取拒否"]


def test_a_refund_changes_its_order_when_it_happens(tmp_path: Path):
    refunds = "order_id,refunded_at,amount\nA-2,2024-03-05,80\n"
    world = read(write(tmp_path, refunds=refunds), date(2024, 3, 9))
    before, after = order(world, "A-2", seconds("2024-03-04T00:00:00+09:00")), order(world, "A-2")
    assert (before["refunds"], before["updatedAt"]) == ([], before["createdAt"])
    assert after["updatedAt"] == after["refunds"][0]["createdAt"] == "2024-03-04T15:00:00Z"
    assert after["currentTotalPriceSet"]["shopMoney"]["amount"] == "1900.0"


def test_refunded_means_wholly_also_beside_a_partial_refund(tmp_path: Path):
    orders = "customer_id,order_id,ordered_at,total,status\nc,A,2024-03-01,100,refunded\n"
    world = read(write(tmp_path, orders=orders, refunds="order_id,refunded_at,amount\nA,2024-03-02,30\n"))
    assert order(world, "A", world.starts_at + 9 * 86_400)["displayFinancialStatus"] == "REFUNDED"


def test_lines_and_products_come_from_the_items(tmp_path: Path):
    items = "order_id,sku,title,quantity,unit_price,category\nA-2,S1,茶,2,900,食品\nA-2,S2,箱,1,180,\n"
    world = read(write(tmp_path, order_items=items))
    lines = order(world, "A-2")["_lineItems"]
    assert [(line["sku"], line["quantity"]) for line in lines] == [("S1", 2), ("S2", 1)]
    assert lines[0]["product"]["productType"] == "食品"
    assert lines[0]["discountedTotalSet"]["shopMoney"]["amount"] == "1800.0"
    assert order(world, "A-2")["totalPriceSet"]["shopMoney"]["amount"] == "1980.0"


def test_customers_show_what_the_file_says(tmp_path: Path):
    customers = (
        "customer_id,email,phone,family_name,family_name_kana,postal_code,prefecture,birth_date,accepts_marketing\n"
        "00001,A@EXAMPLE.jp,090,髙橋,ﾀｶﾊｼ,150-0001,東京都,1980-02-03,true\n00009,,,,,,,,\n"
    )
    world = read(write(tmp_path, customers=customers))
    view = Storefront(world).view("customers", world.starts_at)
    known, idle = view.find("gid://shopify/Customer/00001"), view.find("gid://shopify/Customer/00009")
    assert known is not None
    assert idle is not None
    assert known["defaultEmailAddress"] == {"emailAddress": "A@EXAMPLE.jp", "marketingState": "SUBSCRIBED"}
    assert known["defaultAddress"]["province"] == "東京都"
    assert {field["value"] for field in known["metafields"].values()} == {"ﾀｶﾊｼ", "1980-02-03"}
    assert (idle["numberOfOrders"], idle["defaultAddress"]) == ("0", None)


def test_without_a_customers_file_an_account_follows_its_orders(tmp_path: Path):
    orders = (
        "customer_id,order_id,ordered_at,total,email\n"
        "c,1,2024-01-01,5,old@example.jp\nc,2,2024-02-01,5,\nc,3,2024-03-01,5,new@example.jp\n"
    )
    world = read(write(tmp_path, orders=orders))
    shop = Storefront(world)

    def email(at: str) -> str:
        node = shop.view("customers", seconds(at)).find("gid://shopify/Customer/c")
        assert node is not None
        return str(node["defaultEmailAddress"]["emailAddress"])

    assert [email("2024-02-15T00:00:00+09:00"), email("2024-03-15T00:00:00+09:00")] == [
        "old@example.jp",
        "new@example.jp",
    ]


def test_a_history_tells_its_currencies(tmp_path: Path):
    orders = "customer_id,order_id,ordered_at,total,currency\nc,1,2024-01-01,5,USD\nc,2,2024-01-02,5,\n"
    assert read_order_history(write(tmp_path, orders=orders), "UTC", "GBP").currencies() == {"USD", "GBP"}


HEAD = "customer_id,order_id,ordered_at,total,status\n"
BROKEN = {
    "missing column": ({"orders": "customer_id,order_id,total\n1,2,3\n"}, "orders.csv", 1, "ordered_at", None),
    "bad date": ({"orders": HEAD + "1,2,2024-13-01,3,\n"}, "orders.csv", 2, "ordered_at", "2024-13-01"),
    "other date form": ({"orders": HEAD + "1,2,01/03/2024,3,\n"}, "orders.csv", 2, "ordered_at", "01/03/2024"),
    "bad number": ({"orders": HEAD + '1,2,2024-03-01,"1,980",\n'}, "orders.csv", 2, "total", "1,980"),
    "negative number": ({"orders": HEAD + "1,2,2024-03-01,-5,\n"}, "orders.csv", 2, "total", "-5"),
    "duplicate order": ({"orders": ORDERS + "1,A-1,2024-03-05,5\n"}, "orders.csv", 4, "order_id", "A-1"),
    "no order id": ({"orders": HEAD + "1,,2024-03-01,3,\n"}, "orders.csv", 2, "order_id", ""),
    "unknown status": ({"orders": HEAD + "1,2,2024-03-01,3,Paid\n"}, "orders.csv", 2, "status", "Paid"),
    "short line": ({"orders": HEAD + "1,2,2024-03-01,3\n"}, "orders.csv", 2, None, "4 values"),
    "no orders": ({"orders": HEAD}, "orders.csv", None, None, None),
    "item of no order": (
        {"order_items": "order_id,sku,title,quantity,unit_price\nA-9,S,t,1,5\n"},
        "order_items.csv",
        2,
        "order_id",
        "A-9",
    ),
    "bad quantity": (
        {"order_items": "order_id,sku,title,quantity,unit_price\nA-1,S,t,1.5,5\n"},
        "order_items.csv",
        2,
        "quantity",
        "1.5",
    ),
    "refund of no order": (
        {"refunds": "order_id,refunded_at,amount\nA-9,2024-03-05,5\n"},
        "refunds.csv",
        2,
        "order_id",
        "A-9",
    ),
    "refund before its order": (
        {"refunds": "order_id,refunded_at,amount\nA-1,2024-02-01,5\n"},
        "refunds.csv",
        2,
        "refunded_at",
        "2024-02-01",
    ),
    "duplicate customer": ({"customers": "customer_id\n1\n1\n"}, "customers.csv", 3, "customer_id", "1"),
    "bad consent": (
        {"customers": "customer_id,accepts_marketing\n1,maybe\n"},
        "customers.csv",
        2,
        "accepts_marketing",
        "maybe",
    ),
    "unknown currency": (
        {"orders": "customer_id,order_id,ordered_at,total,currency\n1,2,2024-03-01,3,YEN\n"},
        "orders.csv",
        2,
        "currency",
        "YEN",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, case: str):
    files, file, line, column, value = BROKEN[case]
    with pytest.raises(OrderHistoryError) as caught:
        read(write(tmp_path, **files))
    error = caught.value
    assert (error.file, error.line, error.column, error.value) == (file, line, column, value)
    for part in (file, column, value, error.expected):
        assert not part or part in str(error)


def test_an_unreadable_birth_date_is_shown_without_its_digits(tmp_path: Path):
    with pytest.raises(OrderHistoryError, match="99/99/9999") as caught:
        read(write(tmp_path, customers="customer_id,birth_date\n1,31/12/1980\n"))
    assert "1980" not in str(caught.value)


def test_a_missing_file_or_folder_is_named(tmp_path: Path):
    with pytest.raises(OrderHistoryError, match=r"orders\.csv"):
        read(tmp_path)
    with pytest.raises(OrderHistoryError, match="nowhere"):
        read(tmp_path / "nowhere")


def test_two_files_for_one_table_are_refused(tmp_path: Path):
    write(tmp_path)
    with gzip.open(tmp_path / "orders.csv.gz", "wt") as file:
        file.write(ORDERS)
    with pytest.raises(OrderHistoryError, match="only one file for orders"):
        read(tmp_path)


def test_ids_as_fractions_in_parquet_are_refused(tmp_path: Path):
    columns = {"customer_id": [17850.0], "order_id": ["1"], "ordered_at": ["2024-03-01"], "total": [5.5]}
    parquet.write_table(pa.table(columns), tmp_path / "orders.parquet")
    with pytest.raises(OrderHistoryError, match="customer_id"):
        read(tmp_path)


def test_broken_files_are_named(tmp_path: Path):
    (tmp_path / "orders.csv.gz").write_bytes(b"not packed at all")
    with pytest.raises(OrderHistoryError, match="gzip"):
        read(tmp_path)
    (tmp_path / "orders.csv.gz").unlink()
    (tmp_path / "orders.parquet").write_bytes(b"not a table")
    with pytest.raises(OrderHistoryError, match="parquet"):
        read(tmp_path)
    (tmp_path / "orders.parquet").unlink()
    (tmp_path / "orders.csv").write_bytes(ORDERS.encode() + "あ,2,2024-03-01,3\n".encode("cp932"))
    with pytest.raises(OrderHistoryError, match="UTF-8"):
        read(tmp_path)
