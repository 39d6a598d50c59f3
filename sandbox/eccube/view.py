"""The shop as of the clock, searched as its admin forms search: what there is, by status and by times, page by page."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sandbox.eccube.records import Record, Shop

# Which column the statuses of a kind stand in.
STATUS_COLUMNS = {
    "customers": "customer_status_id",
    "orders": "order_status_id",
    "products": "product_status_id",
}
# `sortkey` of each kind that means the id; orders and customers know no key for update_date.
KEYS_OF_ID = {"customers": "customer_id", "orders": "orderer", "products": "product_id"}
# What the order search leaves out unless it is asked for: 決済処理中 and 購入処理中.
UNFINISHED = (7, 8)


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for. Times are [from, to) in seconds; `statuses` None means the search's own choice."""

    statuses: Collection[int] | None = None
    updated: tuple[int | None, int | None] = (None, None)
    created: tuple[int | None, int | None] = (None, None)
    ordered: tuple[int | None, int | None] = (None, None)
    sort_key: str | None = None
    sort_type: str | None = None


class UnknownSortError(LookupError):
    """A sort key that the shop does not know; PHP reads an undefined array key."""


@dataclass(slots=True)
class ShopView:
    """The shop at one moment."""

    shop: Shop
    now: int
    _by_update: dict[str, tuple[list[int], list[Record]]] = field(default_factory=dict)

    def find(self, kind: str, record_id: str) -> Record | None:
        """Look a record up by its id."""
        records = self.shop.of(kind)
        number = int(record_id) if record_id.isdigit() else 0
        if not 0 < number <= len(records):
            return None
        record = records[number - 1]
        return record if record.is_there(self.now) else None

    def search(self, kind: str, search: Search) -> list[Record]:
        """Give all that a search finds, in its order."""
        stamps, records = self._updated(kind)
        low, high = search.updated
        begin = 0 if low is None else bisect_left(stamps, low)
        end = len(stamps) if high is None else bisect_left(stamps, high)
        found = [record for record in records[begin:end] if self._fits(kind, record, search)]
        if search.sort_key is None:
            return found[::-1]  # update_date and id, both descending
        if search.sort_key != KEYS_OF_ID[kind]:
            raise UnknownSortError(search.sort_key)
        return sorted(found, key=lambda record: record.id, reverse=search.sort_type != "a")

    def _updated(self, kind: str) -> tuple[list[int], list[Record]]:
        if kind not in self._by_update:
            there: Iterable[Record] = (record for record in self.shop.of(kind) if record.is_there(self.now))
            pairs = sorted(((record.updated_at(self.now), record) for record in there), key=_stamp_and_id)
            self._by_update[kind] = ([stamp for stamp, _ in pairs], [record for _, record in pairs])
        return self._by_update[kind]

    def _fits(self, kind: str, record: Record, search: Search) -> bool:
        if not _is_within(record.created_at, search.created):
            return False
        row = record.row(self.now)
        status = row[STATUS_COLUMNS[kind]]
        if kind == "orders":
            # The search joins the shippings: an order without any is not found.
            if record.shipping(self.now) is None or not _is_within(row.get("order_date"), search.ordered):
                return False
            return status not in UNFINISHED if not search.statuses else status in search.statuses
        return not search.statuses or status in search.statuses


def _stamp_and_id(pair: tuple[int, Record]) -> tuple[int, int]:
    return pair[0], pair[1].id


def _is_within(moment: int | None, span: tuple[int | None, int | None]) -> bool:
    if span == (None, None):
        return True
    low, high = span
    return moment is not None and (low is None or moment >= low) and (high is None or moment < high)


def page_of(found: Sequence[Record], page: int, limit: int) -> dict[str, Any]:
    """Cut a page out; there is no largest `limit`."""
    begin = (page - 1) * limit
    return {
        "records": found[begin : begin + limit],
        "totalCount": len(found),
        "pageInfo": {"hasNextPage": begin + limit < len(found), "hasPreviousPage": page > 1},
    }
