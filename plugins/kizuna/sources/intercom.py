"""Intercom 2.15: contacts, conversations with their parts and rating, tags, segments, webhooks.

Surprises of this vendor:
- In a search, a contact's dates are whole days of the workspace's time zone, and `>` means from the next day on: we ask
  for what changed after the day before yesterday, and land what we know already not again.
- A new contact is not found for some minutes; the days searched again find it later.
- A contact that was merged or deleted, and a deleted conversation, vanish from search and list, and are 404 by their
  id: the sweep finds them.
- A conversation shows its newest 500 parts; staging keeps those that have been seen before.
- 429 carries no Retry-After: `X-RateLimit-Reset` says when the next ten seconds' share begins.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kizuna import answers
from kizuna.answers import Answer, Ruling, Verdict
from kizuna.inbox import InboxStream
from kizuna.pagination import TokenPages, field_at
from kizuna.reading import EPOCH, VendorCount, Window
from kizuna.rest import RestSource, RestStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kizuna.asking import Get

TOKEN = TokenPages(parameter="starting_after", field="pages.next.starting_after")
PAGE_SIZE = 150
# A day less than the start of the window is not enough: where clocks change, days have 25 hours.
DAYS_SEARCHED_AGAIN = timedelta(days=2)


def judge(answer: Answer) -> Ruling:
    """Wait for as long as the vendor says in its own header; else as everywhere."""
    reset = answer.headers.get("x-ratelimit-reset", "")
    if answer.status == 429 and reset.isdigit() and answer.date is not None:
        wait = datetime.fromtimestamp(int(reset), UTC) - answer.date
        return Ruling(Verdict.RETRY_AFTER, "rate limit", max(0.0, wait.total_seconds()))
    return answers.judge(answer)


def search(window: Window, page: Mapping[str, str], order: str = "ascending") -> dict[str, Any]:
    """Write the search of a window: in the order of change, so that what changes while we page comes again at the end.

    Conversations are said to be searched to the second; that the days before come too costs little and loses nothing.
    """
    since = max(0, int((window.lower - DAYS_SEARCHED_AGAIN).timestamp()))
    return {
        "query": {"field": "updated_at", "operator": ">", "value": since},
        "sort": {"field": "updated_at", "order": order},
        "pagination": {"per_page": PAGE_SIZE, **page},
    }


def count_contacts(get: Get, window: Window) -> VendorCount:
    """Return how many contacts the search finds, less those that changed after the window.

    Who changes between reading and counting is missing in the count, never in what was read.
    """
    operation = "contacts count"
    answer = get.post("/contacts/search", search(window, {}, "descending"), operation)
    later = sum(changed_at(row) >= window.upper.timestamp() for row in answer.body.get("data") or ())
    return VendorCount(total_of(get, answer, operation) - later, is_lower_bound=True)


def count_conversations(get: Get, window: Window) -> VendorCount:
    """Return how many conversations changed in the window, by walking the search without asking for their parts."""
    lower, upper = window.lower.timestamp(), window.upper.timestamp()
    found = {
        # One that changes while we page comes again.
        str(field_at(row, "id"))
        for rows in walk_conversations(get, window, "conversations count")
        for row in rows
        if lower <= changed_at(row) < upper
    }
    return VendorCount(len(found), is_lower_bound=True)


def walk_conversations(get: Get, window: Window, operation: str) -> Iterator[Sequence[object]]:
    """Yield what the search shows of the conversations, page by page."""

    def ask(page: Mapping[str, str]) -> Answer:
        return get.post("/conversations/search", search(window, page), operation)

    for _, rows in get.walk(operation, ask, {}, TOKEN, "conversations"):
        yield rows


def complete_conversations(get: Get, window: Window, rows: Sequence[object]) -> list[object]:
    """Return the conversations of a page that changed since the window's start, each with its parts."""
    whole: list[object] = []
    for row in rows:
        conversation_id = str(row.get("id")) if isinstance(row, dict) else ""
        if not conversation_id.isdigit():
            # What cannot be asked for is passed on as it is: landing says what is wrong with it.
            whole.append(row)
        elif changed_at(row) >= window.lower.timestamp():
            path = f"/conversations/{conversation_id}"
            answer = get(path, {"display_as": "plaintext"}, "conversation", accept=(404,))
            # Deleted since the search.
            whole += [] if answer.status == 404 else [answer.body]
    return whole


def list_contacts(get: Get) -> Iterator[Sequence[object]]:
    """Yield the ids of all contacts."""

    def ask(page: Mapping[str, str]) -> Answer:
        return get("/contacts", page, "contacts list")

    for _, rows in get.walk("contacts list", ask, {"per_page": str(PAGE_SIZE)}, TOKEN, "data"):
        yield [{"id": field_at(row, "id")} for row in rows]


def list_conversations(get: Get) -> Iterator[Sequence[object]]:
    """Yield the ids of all conversations."""
    for rows in walk_conversations(get, Window(EPOCH, EPOCH), "conversations list"):
        yield [{"id": field_at(row, "id")} for row in rows]


def is_contact(get: Get, contact_id: str) -> bool:
    """Tell whether a contact is there; after a merge only the other one is."""
    return get(f"/contacts/{contact_id}", {}, "contact", accept=(404,)).status == 200


def is_conversation(get: Get, conversation_id: str) -> bool:
    """Tell whether a conversation is there."""
    return get(f"/conversations/{conversation_id}", {}, "conversation", accept=(404,)).status == 200


def changed_at(row: object) -> float:
    """Return when a listed row changed; one that does not say counts as changed never."""
    moment = field_at(row, "updated_at")
    return float(moment) if isinstance(moment, int) else 0.0


def total_of(get: Get, answer: Answer, operation: str) -> int:
    """Return the vendor's own count of all that it found."""
    total = answer.body.get("total_count")
    if not isinstance(total, int):
        get.fail(operation, answer, "no number 'total_count' in the page", "compare with the vendor's reference")
    return total


SOURCE = RestSource(
    name="intercom",
    clock_path="/me",
    headers={"Intercom-Version": "2.15"},
    judge=judge,
    streams=(
        RestStream(
            "contacts",
            path="/contacts/search",
            records="data",
            updated="updated_at",
            updated_unit="seconds",
            is_bounded=False,
            search=search,
            pagination=TOKEN,
            count=count_contacts,
            key_pattern="[0-9A-Za-z_-]+",
            can_be_swept=True,
            list_ids=list_contacts,
            is_there=is_contact,
        ),
        RestStream(
            "conversations",
            path="/conversations/search",
            records="conversations",
            updated="updated_at",
            updated_unit="seconds",
            is_bounded=False,
            search=search,
            pagination=TOKEN,
            complete=complete_conversations,
            count=count_conversations,
            key_pattern="[0-9]+",
            can_be_swept=True,
            list_ids=list_conversations,
            is_there=is_conversation,
        ),
        RestStream("tags", path="/tags", records="data", is_snapshot=True),
        RestStream("segments", path="/segments", records="segments", is_snapshot=True),
        InboxStream(),
    ),
)
