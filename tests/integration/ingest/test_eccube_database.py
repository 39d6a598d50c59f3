"""EC-CUBE from its database: the records that the Web API gives, exact counts, every edit, carts; MySQL's words too."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from kizuna import landing, oauth
from kizuna.eccube import tables
from kizuna.eccube.database import open_database
from kizuna.http import Client, VendorRefusedError, VendorUnavailableError
from kizuna.reading import EPOCH, Window
from kizuna.settings import Connection
from kizuna.sources import eccube
from sandbox.app import create_app
from sandbox.eccube.database import TABLES, load_database, tables_of
from sandbox.eccube.people import shop_of
from sandbox.eccube.tokens import FIRST_REFRESH_TOKEN
from sandbox.in_process import InProcess
from sandbox.world import invent_world

if TYPE_CHECKING:
    from pathlib import Path

    from kizuna.landing import Landing
    from kizuna.local.postgres import Cluster
    from sandbox.records import World

Query = Callable[..., list[tuple[Any, ...]]]
DAY = 86_400
STREAMS = ("customers", "orders", "products", "carts")


class Replica:
    """A shop's database at a moment of the sandbox, and landing from it."""

    def __init__(self, world: World, url: str, warehouse_url: str) -> None:
        parts = urlsplit(url)
        self.world, self.url, self.warehouse_url, self.now = world, url, warehouse_url, world.starts_at
        self.account = Connection(
            "eccube",
            f"postgres://{parts.hostname}:{parts.port}{parts.path}",
            parts.password or "",
            login=parts.username or "",
            kind="postgres",
        )

    def load(self, days: int = 0, seconds: int = 0) -> None:
        self.now += days * DAY + seconds
        load_database(self.url, self.world, self.now)

    def land(self, stream: str) -> Landing:
        declared = next(one for one in eccube.SOURCE.streams if one.name == stream)
        return landing.land_stream(eccube.SOURCE, declared, self.account, self.warehouse_url, "run")


@pytest.fixture
def replica(cluster: Cluster, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replica]:
    name = f"shop_{uuid.uuid4().hex[:12]}"
    opened = Replica(invent_world(150, 3, date(2026, 11, 22)), cluster.create_database(name), warehouse_url)
    opened.load()
    # The server's time is the sandbox's.
    clock = lambda _dialect: sa.text(f"select to_timestamp({opened.now})")  # noqa: E731
    monkeypatch.setattr(tables, "time_of", clock)
    yield opened
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")  # type: ignore[arg-type]


@pytest.mark.parametrize("stream", STREAMS)
def test_every_stream_lands_whole_and_twice_is_once(replica: Replica, query: Query, stream: str) -> None:
    first, second = replica.land(stream), replica.land(stream)

    assert first.landed_count == first.read_count == first.vendor_count > 0
    assert first.quarantined_count == second.landed_count == 0


def test_the_records_are_those_of_the_web_api_but_for_the_zone_of_times(
    replica: Replica, query: Query, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(replica.world, tmp_path)
    for words in (eccube, oauth):
        monkeypatch.setattr(words, "Client", partial(Client, transport=InProcess(app)))
    web = Connection(
        "eccube",
        "http://sandbox/eccube",
        "sandbox-token",
        {"refresh_token": FIRST_REFRESH_TOKEN},
        login="sandbox-client",
    )
    for stream in ("customers", "orders", "products"):
        replica.land(stream)
        read = f"select _record_id, payload from raw.eccube__{stream}"
        by_database = dict(query(read))
        with eccube.SOURCE.open(stream, web, lambda _s: None, warehouse_url=replica.warehouse_url) as reader:
            now = reader.start(EPOCH, None)
            window = Window(EPOCH, now - timedelta(minutes=2))
            by_api = {record["id"]: record for page in reader.pages(window) for record in page}
        # The API's search joins the shippings: an order without one is in the database only.
        by_database = {key: record for key, record in by_database.items() if record.get("Shippings") != []}
        assert by_database.keys() == by_api.keys()
        for key, record in by_api.items():
            assert same_times(by_database[key]) == same_times(record)
    app.state.setting.state.close()


def same_times(value: Any) -> Any:
    """Write every time within a record in UTC."""
    if isinstance(value, dict):
        return {name: same_times(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [same_times(inner) for inner in value]
    if isinstance(value, str) and len(value) == 25 and value[10] == "T":
        return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    return value


def test_raw_equals_the_shop_after_days_of_edits(replica: Replica, query: Query) -> None:
    for _ in range(6):
        for stream in STREAMS:
            replica.land(stream)
        replica.load(days=5, seconds=600)
    for stream in STREAMS:
        replica.land(stream)
    settled = replica.now - 120
    latest = """
        select distinct on (_record_id) _record_id, payload from raw.eccube__orders
        order by _record_id, _source_updated_at desc nulls last, _sequence desc
    """
    landed = dict(query(latest))
    orders = [order for order in shop_of(replica.world).orders if order.is_there(settled)]
    assert len(landed) == len(orders)
    for order in orders:
        shipping = order.shipping(settled)
        numbers = [parcel["tracking_number"] for parcel in landed[str(order.id)]["Shippings"]]
        assert numbers == ([shipping.get("tracking_number")] if shipping else [])


def test_a_shipping_corrected_after_the_order_was_sent_off_is_found_by_its_own_stamp(
    replica: Replica, query: Query
) -> None:
    order, at = next(
        (order, change.at)
        for order in shop_of(replica.world).orders
        for change in order.changes
        if change.shipping and not change.values and order.row(change.at)["order_status_id"] == 5
        if change.at > replica.now + DAY
    )
    replica.load(seconds=at - 600 - replica.now)
    replica.land("orders")
    replica.load(seconds=1200)
    replica.land("orders")
    corrected = order.shipping(at)

    assert corrected is not None
    numbers = f"""
        select payload #>> '{{Shippings,0,tracking_number}}' from raw.eccube__orders
        where _record_id = '{order.id}' order by _sequence
    """
    assert [row[0] for row in query(numbers)][-1] == corrected["tracking_number"]
    assert len(query(numbers)) == 2


def test_an_edited_item_of_an_open_order_is_found_though_it_has_no_stamp_at_all(replica: Replica, query: Query) -> None:
    placed = next(
        order
        for order in sorted(shop_of(replica.world).orders, key=lambda one: one.created_at)
        if order.created_at > replica.now and order.row(order.created_at + 3600)["order_status_id"] in (1, 4, 6)
    )
    replica.load(seconds=placed.created_at + 3600 - replica.now)
    replica.land("orders")
    with psycopg.connect(replica.url) as shop:
        shop.execute("update dtb_order_item set product_name = 'edited' where order_id = %s", [placed.id])
    replica.now += 3600
    replica.land("orders")

    names = (
        f"select payload #>> '{{OrderItems,0,product_name}}' from raw.eccube__orders where _record_id = '{placed.id}'"
    )
    assert "edited" in {row[0] for row in query(names)}


def test_a_cart_that_was_bought_or_cleared_is_marked_deleted(replica: Replica, query: Query) -> None:
    replica.land("carts")
    bought = tables_of(replica.world, replica.now)["dtb_cart"][0]["id"]
    shop_of(replica.world).carts[bought - 1].deleted_at = replica.now + DAY
    replica.load(days=60)
    replica.land("carts")
    after = {str(row["id"]) for row in tables_of(replica.world, replica.now)["dtb_cart"]}
    latest = """
        select distinct on (_record_id) _record_id, _is_deleted, payload from raw.eccube__carts
        order by _record_id, _sequence desc
    """
    carts = {key: is_deleted for key, is_deleted, _ in query(latest)}

    assert {key for key, is_deleted in carts.items() if not is_deleted} == after
    assert carts[str(bought)]
    assert "cart_key" not in json.dumps(query(latest)), "the key would open somebody's cart"


def test_the_count_is_of_the_snapshot_that_is_read(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kizuna.eccube.database.PAGE_SIZE", 5)
    with open_database("eccube", "customers", replica.account) as reader:
        window = Window(EPOCH, datetime.fromtimestamp(replica.now, UTC))
        pages = reader.pages(window)
        first = next(pages)
        with psycopg.connect(replica.url) as other:
            other.execute("update dtb_customer set update_date = now() + interval '1 day'")
        rest = [record for page in pages for record in page]
        assert reader.count(window).count == len(first) + len(rest)


def test_pages_go_by_id(replica: Replica, monkeypatch: pytest.MonkeyPatch, query: Query) -> None:
    monkeypatch.setattr("kizuna.eccube.database.PAGE_SIZE", 7)
    landed = replica.land("orders")
    assert landed.page_count >= 14
    assert query("select count(distinct _record_id) from raw.eccube__orders") == [(landed.read_count,)]


def test_nothing_can_be_written(replica: Replica) -> None:
    with open_database("eccube", "orders", replica.account) as reader:
        pages = reader.pages(Window(EPOCH, datetime.fromtimestamp(replica.now, UTC)))
        next(pages)
        with pytest.raises(sa.exc.InternalError, match="read-only transaction"):
            reader._session.exec_driver_sql("delete from dtb_cart_item")


def test_a_deleted_customer_is_found_by_the_sweep(replica: Replica, query: Query) -> None:
    replica.land("customers")
    known = next(one for one in shop_of(replica.world).customers if one.is_there(replica.now - 600))
    known.deleted_at = replica.now + 1
    replica.load(seconds=600)
    stream = next(one for one in eccube.SOURCE.streams if one.name == "customers")
    swept = landing.sweep_stream(eccube.SOURCE, stream, replica.account, replica.warehouse_url, "run")
    assert swept.gone_count == 1


def test_a_database_that_cannot_be_reached_is_told_without_its_password(replica: Replica) -> None:
    wrong = replace(replica.account, token="wrong-password", base_url="postgres://127.0.0.1:1/shop")
    with (
        pytest.raises(VendorUnavailableError, match="check this connection") as refused,
        open_database("eccube", "orders", wrong) as reader,
    ):
        reader.start(EPOCH, None)
    assert "wrong-password" not in str(refused.value)


def test_mysql_without_its_driver_says_what_to_install(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)
    account = replace(replica.account, kind="mysql")
    with pytest.raises(VendorRefusedError, match="install PyMySQL"), open_database("eccube", "orders", account):
        pass


@pytest.mark.parametrize("stream", STREAMS)
def test_mysql_understands_every_statement(stream: str) -> None:
    lower, upper = datetime(2026, 11, 22, 9, tzinfo=UTC), datetime(2026, 11, 22, 10, tzinfo=UTC)
    window = Window(lower, upper)
    kind = tables.KINDS[stream]
    statements = [
        tables.count_of(stream, window),
        tables.page_of(stream, window, 7, 500),
        tables.ids_after(stream, 7, 500),
        *(tables.parts_of(part, [1, 2]) for part in kind.parts),
        *(tables.names_of(name) for name in kind.names),
    ]
    for statement in statements:
        text = str(statement.compile(dialect=mysql.dialect()))
        assert "::" not in text
        assert "%s" in text or "count" in text or stream == "carts" or "mtb_" in text or "dtb_" in text
    bound = tables.Moment().process_bind_param(lower, mysql.dialect())
    assert bound == datetime(2026, 11, 22, 9)  # noqa: DTZ001 - MySQL's own times know no zone
    read = tables.Moment().process_result_value(bound, mysql.dialect())
    assert read == lower
    assert str(tables.time_of("mysql")) == "select utc_timestamp()"


def test_tables_and_columns_are_the_shops(shared: Path) -> None:
    known = json.loads((shared / "specs" / "eccube" / "eccube-4.3-tables.json").read_text(encoding="utf-8"))
    # ec-cube: PointTrait adds add_point and use_point; AbstractMasterEntity gives every mtb_* id, name and sort_no.
    traits = {"dtb_order": {"add_point", "use_point"}, "dtb_cart": {"add_point", "use_point"}}
    asked = [
        table
        for kind in tables.KINDS.values()
        for table in (kind.table, *(part.table for part in kind.parts), *map(tables.NAMES.get, kind.names))
    ]
    for table in asked:
        assert table is not None
        columns = {column["column"] for column in known[table.name]["columns"]} | traits.get(table.name, set())
        if table.name.startswith("mtb_"):
            columns |= {"id", "name", "sort_no"}
        assert {column.name for column in table.c} <= columns, table.name
    assert all(f"create table {table.name} (" in TABLES.read_text() for table in asked if table is not None)
