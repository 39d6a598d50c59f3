"""Bulk operations: every way in which one can end, files that are not whole, and lines that come in any order."""

from __future__ import annotations

import random
import tracemalloc
from io import BytesIO
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from kizuna import bulk
from kizuna.bulk import Bulk, assemble, count_lines
from kizuna.graphql import Endpoint, Nested
from kizuna.http import Client, VendorContractError, VendorUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINES = Nested("lineItems", "id", first=5, order="id", kinds=("LineItem",))
SHIPPING = Nested("shippingLines", "id", first=1, order="id", kinds=("ShippingLine",))
Row = dict[str, Any]


def child(kind: str, number: int, parent: int) -> Row:
    return {"__typename": kind, "id": f"gid/{number}", "__parentId": f"gid://Order/{parent}"}


ROWS = [
    child("LineItem", 10, 1),
    {"id": "gid://Order/1", "note": 'says "__parentId"'},
    child("ShippingLine", 5, 2),
    {"id": "gid://Order/2", "note": None},
    child("LineItem", 9, 1),
]


def written(rows: list[Row]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


class Vendor:
    """Answers as scripted: states in turn, files in turn; what was asked is kept."""

    def __init__(self, states: list[Row], files: list[bytes] | None = None, refusals: list[str] | None = None) -> None:
        self.states, self.files, self.refusals = states, files or [], refusals or []
        self.runs, self.slept = 0, list[float]()

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, content=self.files.pop(0))
        if b"bulkOperationRunQuery" not in request.content:
            return httpx.Response(200, json={"data": {"bulkOperation": self.states.pop(0)}})
        errors = [{"code": self.refusals.pop(0)}] if self.refusals else []
        self.runs += 1
        started = None if errors else {"id": f"gid/{self.runs}"}
        return httpx.Response(
            200, json={"data": {"bulkOperationRunQuery": {"bulkOperation": started, "userErrors": errors}}}
        )

    def read(self) -> list[Row]:
        client = Client("shopify", "http://shop.example", {}, transport=httpx.MockTransport(self.answer))
        reader = Bulk(Endpoint(client, "/graphql"), client, self.slept.append, "orders")
        return [row for page in reader.read("{ orders }", (LINES, SHIPPING)) for row in page]


def completed(lines: int = 5, records: int = 2, url: str | None = "http://files.example/1") -> Row:
    return {"status": "COMPLETED", "objectCount": str(lines), "rootObjectCount": str(records), "url": url}


def failed(code: str) -> Row:
    return {"status": "FAILED", "errorCode": code, "partialDataUrl": "http://files.example/part"}


def test_children_find_their_parents_wherever_they_stand() -> None:
    first, second = Vendor([completed()], [written(ROWS)]).read()

    assert first["note"] == 'says "__parentId"'
    assert first["lineItems"]["nodes"] == [{"__typename": "LineItem", "id": f"gid/{n}"} for n in (9, 10)]
    assert first["lineItems"]["pageInfo"] == {"hasNextPage": False, "endCursor": None}
    assert first["shippingLines"]["nodes"] == second["lineItems"]["nodes"] == []
    assert [node["id"] for node in second["shippingLines"]["nodes"]] == ["gid/5"]


def test_an_operation_is_waited_for_longer_each_time() -> None:
    vendor = Vendor([{"status": "CREATED"}, *[{"status": "RUNNING"}] * 6, completed()], [written(ROWS)])

    assert len(vendor.read()) == 2
    assert vendor.slept == [1, 2, 4, 8, 16, 30, 30]


def test_patience_has_an_end() -> None:
    with pytest.raises(VendorUnavailableError, match="not complete after 6 hours"):
        Vendor([{"status": "RUNNING"}] * 1000).read()


def test_an_empty_result_has_no_file() -> None:
    assert Vendor([completed(0, 0, None)]).read() == []


@pytest.mark.parametrize("ended", [failed("INTERNAL_SERVER_ERROR"), failed("TIMEOUT"), {"status": "EXPIRED"}])
def test_what_may_go_better_is_run_again_and_a_part_is_never_taken_for_the_whole(ended: Row) -> None:
    vendor = Vendor([ended, completed()], [written(ROWS)])

    assert len(vendor.read()) == 2
    assert vendor.runs == 2
    with pytest.raises(VendorUnavailableError, match=r"3 times.*run again later"):
        Vendor([ended] * 3, [written(ROWS[:1])]).read()


@pytest.mark.parametrize(
    ("ended", "why"), [(failed("ACCESS_DENIED"), "grant the app"), ({"status": "CANCELED"}, "ended it")]
)
def test_what_will_not_go_better_is_not_run_again(ended: Row, why: str) -> None:
    vendor = Vendor([ended])

    with pytest.raises(VendorContractError, match=why):
        vendor.read()
    assert vendor.runs == 1


@pytest.mark.parametrize("code", ["OPERATION_IN_PROGRESS", "LIMIT_REACHED"])
def test_as_many_as_may_run_at_once_are_waited_for(code: str) -> None:
    vendor = Vendor([completed()], [written(ROWS)], refusals=[code, code])

    assert len(vendor.read()) == 2
    assert vendor.slept == [30, 30]


@pytest.mark.parametrize("part", [written(ROWS[:3]), written(ROWS)[:-9], b""])
def test_a_file_that_is_not_whole_is_fetched_again_and_at_last_refused(part: bytes) -> None:
    assert len(Vendor([completed()], [part, written(ROWS)]).read()) == 2
    with pytest.raises(VendorContractError, match=r"the file has \d lines and \d records, expected 5 and 2"):
        Vendor([completed()], [part] * 3).read()


def test_lines_are_counted_by_what_they_are() -> None:
    assert count_lines(BytesIO(written(ROWS))) == (5, 2)


def test_memory_does_not_grow_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The children of all records wait on disk: ten times the rows, in any order, take hardly more memory."""
    monkeypatch.setattr(bulk, "ROWS_AT_ONCE", 50)
    peaks = [peak_of(tmp_path / str(orders), orders) for orders in (500, 5_000)]

    assert peaks[1] < 1.5 * peaks[0]


def peak_of(folder: Path, orders: int) -> int:
    folder.mkdir()
    rows = [
        child("LineItem", order * 10 + n, order) | {"title": "t" * 200} for order in range(orders) for n in range(5)
    ]
    rows += [{"id": f"gid://Order/{order}"} for order in range(orders)]
    random.Random(1).shuffle(rows)
    (folder / "rows").write_bytes(written(rows))
    del rows
    tracemalloc.start()
    with (folder / "rows").open("rb") as file:
        pages: Iterator[list[Any]] = assemble(file, folder / "waiting", (LINES,))
        assert sum(len(row["lineItems"]["nodes"]) for page in pages for row in page) == orders * 5
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
