"""The published data sets become histories with the customers, orders and sums that are known of them."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
import yaml
from pyarrow import parquet

from sandbox.convert import ConversionError, convert
from sandbox.replay import read_order_history

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("dataset", "timezone", "currency", "customers", "orders", "total"),
    [
        ("cdnow_sample", "America/New_York", "USD", 2357, 6919, Decimal("244091.94")),
        ("online_retail", "Europe/London", "GBP", 4338, 18532, Decimal("8911407.90")),
    ],
)
def test_known_figures_come_out(
    shared: Path,
    tmp_path: Path,
    dataset: str,
    timezone: str,
    currency: str,
    customers: int,
    orders: int,
    total: Decimal,
):
    convert(dataset, shared / "data" / dataset, tmp_path)
    strategy = yaml.safe_load((tmp_path / "strategy.yml").read_text(encoding="utf-8"))
    history = read_order_history(tmp_path, strategy["business_timezone"], strategy["reporting_currency"])
    assert (strategy["business_timezone"], strategy["reporting_currency"]) == (timezone, currency)
    assert strategy["same_day_orders"] == "count"
    assert strategy["purchase_rules"] == {"exclude_free": False}
    assert len(set(history.customer_of.values())) == customers
    assert len(history.sales) == orders
    assert round(sum(sale.total for sale in history.sales.values()), 2) == total
    assert history.currencies() == {currency}


def test_only_sold_lines_of_known_customers_count(tmp_path: Path):
    # The set's times carry no zone.
    lines = [
        ("536365", 17850, datetime(2010, 12, 1, 8, 27), "A", "kept", 3, 0.1),  # noqa: DTZ001
        ("536365", 17850, datetime(2010, 12, 1, 8, 26), "B", "kept", 1, 0.032),  # noqa: DTZ001
        ("536366", None, datetime(2010, 12, 1, 8, 28), "A", "nobody's", 1, 5.0),  # noqa: DTZ001
        ("C36367", 17850, datetime(2010, 12, 1, 8, 28), "A", "returned", -1, 5.0),  # noqa: DTZ001
        ("536368", 13047, datetime(2010, 12, 1, 8, 34), "A", "free", 1, 0.0),  # noqa: DTZ001
        ("536369", 13047, datetime(2010, 12, 1, 8, 35), "A", None, 2, 4.25),  # noqa: DTZ001
    ]
    names = ("InvoiceNo", "CustomerID", "InvoiceDate", "StockCode", "Description", "Quantity", "UnitPrice")
    columns = dict(zip(names, map(list, zip(*lines, strict=True)), strict=True))
    source = tmp_path / "online_retail_2010-12_2011-12.parquet"
    parquet.write_table(pa.table(columns), source)
    written = convert("online_retail", source, tmp_path / "history", with_items=True)
    assert (written.orders, written.customers, written.total) == (2, 2, Decimal("8.832"))
    history = read_order_history(tmp_path / "history", "Europe/London", "GBP")
    assert history.sales["536365"].at == int(datetime(2010, 12, 1, 8, 26, tzinfo=UTC).timestamp())
    for order_id, sale in history.sales.items():
        assert sum(line.unit_price * line.quantity for line in history.lines[order_id]) == sale.total


def test_cdnow_ids_keep_their_zeros_and_every_line_is_an_order(tmp_path: Path):
    with gzip.open(tmp_path / "CDNOW_sample.txt.gz", "wt") as file:
        file.write(" 00004 0001 19970101  2   29.33\n 00004 0001 19970101  1   0.00\n")
    written = convert("cdnow_sample", tmp_path, tmp_path / "history", with_items=True)
    assert (tmp_path / "history" / "orders.csv").read_text().splitlines()[1:] == [
        "00004,00004-1,1997-01-01,29.33,USD",
        "00004,00004-2,1997-01-01,0.00,USD",
    ]
    assert written.files == ("orders.csv", "strategy.yml")


def test_an_unknown_set_and_a_missing_file_are_named(tmp_path: Path):
    with pytest.raises(ConversionError, match="hillstrom"):
        convert("hillstrom", tmp_path, tmp_path / "out")
    with pytest.raises(ConversionError, match="CDNOW_sample"):
        convert("cdnow_sample", tmp_path, tmp_path / "out")
