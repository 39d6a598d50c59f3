"""SendGrid v3: suppressions, unsubscribe groups, marketing contacts, statistics, and the event webhook.

Surprises of this vendor:
- A suppression has the time it was added and no other: that it was removed shows only by its absence. The lists are
  short (500 a request), so they are snapshots, read whole. Offsets drift when somebody is removed while we read: the
  second reading finds who was skipped.
- Suppressions have no id: raw keys them by a digest of address and time, for an address must not stand in a log.
- Contacts cannot be paged: an export job is asked for, waited for and downloaded. It says how many contacts it wrote,
  so that half a file is noticed; in the file a contact's `id` is called `contact_id`.
- Figures of the last days still grow: they are read again for a week. Days are those of the account's time zone.
- A refusal for too many requests says in `X-RateLimit-Reset` when the period ends, on the vendor's clock, and has no
  Retry-After.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kizuna.answers import Answer, Ruling, Verdict, judge
from kizuna.inbox import InboxStream
from kizuna.pagination import OffsetPages
from kizuna.reading import VendorCount, Window
from kizuna.rest import RestSource, RestStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kizuna.asking import Get

EXPORTS = "/v3/marketing/contacts/exports"
LONGEST_EXPORT_SECONDS = 3600.0
FIRST_POLL_SECONDS = 2.0
LONGEST_POLL_SECONDS = 60.0
PAGE_LINES = 1000
MOST_CATEGORIES = 10
SMALLEST_MOVEMENT = 10
# There were no such statistics before; the vendor writes a row for every day that is asked for.
FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)
# A week, because clicks come late, and a day more, because days are not UTC's.
MOVING_DAYS = timedelta(days=8)
LISTS = ("bounces", "blocks", "invalid_emails", "spam_reports", "unsubscribes")


def judge_answer(answer: Answer) -> Ruling:
    """Wait until the period of the rate limit ends; everything else is as with other vendors."""
    reset = answer.headers.get("x-ratelimit-reset", "")
    if answer.status != 429 or answer.date is None or not reset.isdigit():
        return judge(answer)
    # A time since 1970 in general; some endpoints tell the seconds that are left.
    seconds = int(reset) - answer.date.timestamp() if int(reset) > 1_000_000_000 else float(reset)
    return Ruling(Verdict.RETRY_AFTER, "rate limit", max(1.0, seconds))


def read_contacts(get: Get, _window: Window) -> Iterator[list[Any]]:
    """Export all contacts and yield them as they stand in the files.

    Raises:
        VendorContractError: when the job fails or takes too long, or the files do not hold what the job says it wrote.
    """
    job = wait_for_export(get, get.post(EXPORTS, {"file_type": "json"}, "contacts export").body.get("id"))
    found = 0
    page: list[Any] = []
    for location in job.body["urls"]:
        for contact in get.lines(location, "contacts download"):
            found += 1
            page.append(contact)
            if len(page) == PAGE_LINES:
                yield page
                page = []
    yield page
    promised = job.body.get("contact_count")
    if found != promised:
        why = f"the job wrote {promised} contacts, its files hold {found}"
        get.fail("contacts export", job, why, "run again; a new export is asked for every time")


def wait_for_export(get: Get, job_id: object) -> Answer:
    """Ask for the job, at growing intervals, until it is ready."""
    waited, pause = 0.0, float(get.connection.extra.get("poll_seconds", FIRST_POLL_SECONDS))
    while True:
        job = get(f"{EXPORTS}/{job_id}", {}, "contacts export")
        if job.body.get("status") == "ready" and isinstance(job.body.get("urls"), list):
            return job
        if job.body.get("status") != "pending":
            get.fail(
                "contacts export", job, "the export job failed", "run again; if it stays, ask the vendor's support"
            )
        if waited >= LONGEST_EXPORT_SECONDS:
            why = f"the export job is not ready after {waited:.0f} s"
            get.fail("contacts export", job, why, "run again later; if it stays, ask the vendor's support")
        get.sleep(pause)
        waited, pause = waited + pause, min(LONGEST_POLL_SECONDS, pause * 1.5)


def count_contacts(get: Get, _window: Window) -> VendorCount:
    """Return the contacts there are, give or take those who came and went since the export began."""
    answer = get("/v3/marketing/contacts/count", {}, "contacts count")
    count = int(answer.body["contact_count"])
    return VendorCount(count, tolerance=max(SMALLEST_MOVEMENT, count // 200))


def since_day(window: Window) -> Mapping[str, str]:
    """Ask for the days from the window's first one until today."""
    return {"start_date": max(window.lower, FIRST_DAY).strftime("%Y-%m-%d"), "aggregated_by": "day"}


def read_category_stats(get: Get, window: Window) -> Iterator[list[Any]]:
    """Yield the figures of each day and category: `{"date", "name", "type", "metrics"}`, ten categories at a time."""
    names = list(category_names(get))
    for begin in range(0, len(names), MOST_CATEGORIES):
        asked = {**since_day(window), "categories": names[begin : begin + MOST_CATEGORIES]}
        days = get("/v3/categories/stats", asked, "category_stats", as_list=True).body
        yield [{"date": day["date"], **figures} for day in days for figures in day["stats"]]


def category_names(get: Get) -> Iterator[str]:
    """Yield the names of all categories."""
    pages = OffsetPages(size=500)
    asked: Mapping[str, str] | None = pages.first()
    while asked is not None:
        found = get("/v3/categories", asked, "categories", as_list=True).body
        yield from (str(one["category"]) for one in found)
        asked = pages.following(found, len(found), asked)


def suppressions(name: str) -> RestStream:
    """Return the stream of one list of suppressed addresses."""
    return RestStream(
        name,
        path=f"/v3/suppression/{name}",
        key=("email", "created"),
        has_hashed_key=True,
        updated="created",
        updated_unit="seconds",
        is_snapshot=True,
        pagination=OffsetPages(size=500),
    )


SOURCE = RestSource(
    name="sendgrid",
    clock_path="/v3/scopes",
    headers={"Accept": "application/json"},
    judge=judge_answer,
    streams=(
        *(suppressions(name) for name in LISTS),
        RestStream(
            "group_unsubscribes",
            path="/v3/asm/suppressions",
            key=("group_id", "email", "created_at"),
            has_hashed_key=True,
            updated="created_at",
            updated_unit="seconds",
            is_snapshot=True,
        ),
        RestStream("contacts", key="contact_id", is_snapshot=True, read=read_contacts, count=count_contacts),
        RestStream("stats", path="/v3/stats", key="date", window=since_day, is_bounded=False, overlap=MOVING_DAYS),
        RestStream("category_stats", key=("date", "name"), read=read_category_stats, overlap=MOVING_DAYS),
        InboxStream(),
    ),
)
