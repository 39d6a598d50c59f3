"""Klaviyo, revision 2026-07-15: profiles with consent, events, metrics, lists, segments and who is in them.

Surprises of this vendor:
- `updated` can be asked for with "greater than" only: windows start a second earlier, and nobody on the edge is lost.
- Who was merged or erased is in no answer any more: a sweep over all ids finds who is gone.
- Consent is no part of a profile unless it is asked for. Importing or listing profiles never changes it.
- An event is found by its own time, not by when it arrived: windows reach back a day for those that come late.
- Each endpoint has two limits, by the second and by the minute; a refusal says in Retry-After how long to wait.
  Counting the members of a list is allowed 15 times a minute.
- A revision is served for about two years; the next one may name fields differently, so it is pinned.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kizuna.pagination import LinkPages, field_at
from kizuna.reading import EPOCH, VendorCount, Window
from kizuna.rest import RestSource, RestStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kizuna.answers import Answer
    from kizuna.asking import Get

REVISION = "2026-07-15"
SMALLEST_MOVEMENT = 10
LATEST_EVENT = timedelta(days=1)


def changed_since(window: Window) -> Mapping[str, str]:
    """Ask for the profiles that changed from the window's start on, the oldest change first."""
    if window.lower <= EPOCH:
        return {}
    before = (window.lower - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"filter": f"greater-than(updated,{before})"}


def happened_since(window: Window) -> Mapping[str, str]:
    """Ask for the events from the window's start on."""
    if window.lower <= EPOCH:
        return {}
    return {"filter": f"greater-or-equal(datetime,{window.lower.strftime('%Y-%m-%dT%H:%M:%SZ')})"}


def list_profile_ids(get: Get) -> Iterator[list[Any]]:
    """Yield the ids of all profiles."""
    asked = {"page[size]": "100", "sort": "id", "fields[profile]": "created"}
    return pages_of(get, "/api/profiles", asked, "profile ids")


def is_profile(get: Get, profile_id: str) -> bool:
    """Tell whether the vendor has a profile that a list of all ids does not show."""
    return get(f"/api/profiles/{profile_id}", {"fields[profile]": "created"}, "profile", accept=(404,)).status == 200


def pages_of(get: Get, path: str, parameters: Mapping[str, str], operation: str) -> Iterator[list[Any]]:
    """Yield a list page by page; nothing where it was deleted in the meantime."""

    def ask(page: Mapping[str, str]) -> Answer:
        return get(path, page, operation, accept=(404,))

    for _, rows in get.walk(operation, ask, parameters, LinkPages(), "data"):
        yield rows


def group_ids(get: Get, kind: str) -> Iterator[str]:
    """Yield the ids of all lists, or of all segments, each once: one that is listed twice is not walked twice."""
    pages = pages_of(get, f"/api/{kind}s", {"page[size]": "10"}, f"{kind}s")
    yield from dict.fromkeys(str(one["id"]) for page in pages for one in page)


def members_of(kind: str) -> Callable[[Get, Window], Iterator[list[Any]]]:
    """Return how to read who is in every list, or every segment: the profile's id, since when, and the group's id."""

    def read(get: Get, _window: Window) -> Iterator[list[Any]]:
        asked = {"page[size]": "100", "fields[profile]": "joined_group_at", "sort": "joined_group_at"}
        for group in group_ids(get, kind):
            for page in pages_of(get, f"/api/{kind}s/{group}/profiles", asked, f"{kind}_members"):
                yield [{**one, "group_id": group} for one in page]

    return read


def count_members(kind: str) -> Callable[[Get, Window], VendorCount]:
    """Return how to ask how many are in all lists, or in all segments."""

    def count(get: Get, _window: Window) -> VendorCount:
        total = 0
        for group in group_ids(get, kind):
            asked = {f"additional-fields[{kind}]": "profile_count"}
            answer = get(f"/api/{kind}s/{group}", asked, f"{kind}_members count", accept=(404,))
            total += int(field_at(answer.body, "data.attributes.profile_count") or 0)
        # People come and go while the lists are walked.
        return VendorCount(total, tolerance=max(SMALLEST_MOVEMENT, total // 100))

    return count


def is_member_of(kind: str) -> Callable[[Get, str], bool]:
    """Return how to ask whether somebody who was not shown is in the list, or the segment, all the same."""

    def is_there(get: Get, record_id: str) -> bool:
        group, _, profile = record_id.partition("/")
        answer = get(f"/api/profiles/{profile}/relationships/{kind}s", {}, f"{kind}s of a profile", accept=(404,))
        return any(one["id"] == group for one in answer.body.get("data") or ())

    return is_there


def members(kind: str) -> RestStream:
    """Return the stream of who is in the lists, or in the segments."""
    return RestStream(
        f"{kind}_members",
        key=("group_id", "id"),
        is_snapshot=True,
        read=members_of(kind),
        count=count_members(kind),
        is_there=is_member_of(kind),
    )


def groups(kind: str) -> RestStream:
    """Return the stream of the lists, or of the segments."""
    return RestStream(
        f"{kind}s",
        path=f"/api/{kind}s",
        records="data",
        is_snapshot=True,
        parameters={"page[size]": "10"},
        pagination=LinkPages(),
    )


SOURCE = RestSource(
    name="klaviyo",
    clock_path="/api/lists",
    auth_scheme="Klaviyo-API-Key ",
    headers={"revision": REVISION},
    overlap=timedelta(minutes=5),
    streams=(
        RestStream(
            "profiles",
            path="/api/profiles",
            records="data",
            updated="attributes.updated",
            is_bounded=False,
            parameters={"page[size]": "100", "sort": "updated", "additional-fields[profile]": "subscriptions"},
            window=changed_since,
            pagination=LinkPages(),
            can_be_swept=True,
            list_ids=list_profile_ids,
            is_there=is_profile,
        ),
        RestStream(
            "events",
            path="/api/events",
            records="data",
            updated="attributes.datetime",
            is_bounded=False,
            overlap=LATEST_EVENT,
            parameters={"page[size]": "1000", "sort": "datetime"},
            window=happened_since,
            pagination=LinkPages(),
        ),
        RestStream("metrics", path="/api/metrics", records="data", is_snapshot=True, pagination=LinkPages()),
        groups("list"),
        groups("segment"),
        members("list"),
        members("segment"),
    ),
)
