"""Zendesk Support: tickets with their metrics, users, satisfaction ratings, metric events, the bin, event webhooks.

Surprises of this vendor:
- The exports compare `generated_timestamp`, which moves with every change; `updated_at` moves only with ticket events.
  Rows with an old `updated_at` are normal, and the newest `generated_timestamp` is the newest version.
- They leave out the last minute, allow 10 requests a minute, and refuse a `start_time` of the last minute with 422.
- A deleted ticket comes once more, as a stub with the status "deleted"; a deleted user has `active: false`.
- A user who was merged into another is simply gone, and 404 by the old id; the tickets move. The sweep finds them.
- Ratings are changed in place, without a way to ask for the changed ones: each window reads the last 30 days again.
- API tokens end on 2027-04-30 (authentication: docs/sources/zendesk.md).
"""

from __future__ import annotations

import base64
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from kizuna.inbox import InboxStream
from kizuna.oauth import client_credentials
from kizuna.pagination import LinkPages, TokenPages, field_at
from kizuna.rest import RestSource, RestStream
from kizuna.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kizuna.answers import Answer
    from kizuna.asking import Get
    from kizuna.http import Client
    from kizuna.reading import Window
    from kizuna.settings import Connection

log = logging.getLogger(__name__)
# The longest that Zendesk gives: a first load at ten requests a minute takes its time.
TOKEN_SECONDS = 172_800
WITHOUT_TOKENS_FROM = "2027-04-30"
EXPORT_PAGE = {"per_page": "1000"}
LIST_PAGE = {"page[size]": "100"}
# Twice the minute that the export leaves out, and more: used only where no cursor is known yet.
EXPORT_OVERLAP = timedelta(minutes=5)
# A customer can change a rating until the ticket is closed, 28 days after it was solved at the latest.
RATING_OVERLAP = timedelta(days=30)
METRIC_OVERLAP = timedelta(days=1)
CURSOR = TokenPages(
    parameter="cursor", field="after_cursor", end="end_of_stream", is_kept=True, instead_of=("start_time",)
)


def authorize(connection: Connection, client: Client, _warehouse_url: str) -> Mapping[str, str]:
    """Return the headers of the account, by the connection's extra `auth`.

    "access_token" (the default): the password is an OAuth access token. "client_credentials": login and password are
    an OAuth client's id and secret. "api_token": an agent's e-mail address and an API token.
    """
    kind = connection.extra.get("auth", "access_token")
    if kind == "access_token":
        return {"Authorization": f"Bearer {connection.token}"}
    if kind == "client_credentials":
        return client_credentials(connection, client, "/oauth/tokens", "read", TOKEN_SECONDS)
    if kind == "api_token":
        log.warning(
            "zendesk: this connection uses an API token, which Zendesk removes on %s: nothing will be read from then "
            "on. Next: create an OAuth client and set extra auth to client_credentials (docs/sources/zendesk.md)",
            WITHOUT_TOKENS_FROM,
        )
        both = base64.b64encode(f"{connection.login}/token:{connection.token}".encode()).decode()
        return {"Authorization": f"Basic {both}"}
    message = f"connection zendesk: extra auth is {kind!r}: expected access_token, client_credentials or api_token"
    raise SettingsError(message)


def start_time(window: Window) -> Mapping[str, str]:
    """Write where a window starts; Zendesk cannot end one."""
    return {"start_time": str(int(window.lower.timestamp()))}


def list_users(get: Get) -> Iterator[Sequence[object]]:
    """Yield the ids of all users, by an export from the beginning."""

    def ask(page: Mapping[str, str]) -> Answer:
        return get("/api/v2/incremental/users/cursor", page, "users list")

    for _, rows in get.walk("users list", ask, {**EXPORT_PAGE, "start_time": "0"}, CURSOR, "users"):
        yield [{"id": field_at(row, "id")} for row in rows]


def is_user(get: Get, user_id: str) -> bool:
    """Tell whether a user is there; after a merge only the other one is."""
    return get(f"/api/v2/users/{user_id}", {}, "user", accept=(404,)).status == 200


SOURCE = RestSource(
    name="zendesk",
    clock_path="/api/v2/users/me",
    authorize=authorize,
    streams=(
        # The metrics come beside each ticket: the list of all metrics knows no window and leaves out archived tickets.
        RestStream(
            "tickets",
            path="/api/v2/incremental/tickets/cursor",
            records="tickets",
            updated="generated_timestamp",
            updated_unit="seconds",
            parameters={**EXPORT_PAGE, "include": "metric_sets"},
            window=start_time,
            pagination=CURSOR,
            overlap=EXPORT_OVERLAP,
        ),
        RestStream(
            "users",
            path="/api/v2/incremental/users/cursor",
            records="users",
            key_pattern="[0-9]+",
            updated="updated_at",
            parameters=EXPORT_PAGE,
            window=start_time,
            pagination=CURSOR,
            can_be_swept=True,
            list_ids=list_users,
            is_there=is_user,
            overlap=EXPORT_OVERLAP,
        ),
        RestStream(
            "satisfaction_ratings",
            path="/api/v2/satisfaction_ratings",
            records="satisfaction_ratings",
            updated="updated_at",
            is_bounded=False,
            parameters=LIST_PAGE,
            window=start_time,
            pagination=LinkPages(),
            overlap=RATING_OVERLAP,
        ),
        RestStream(
            "ticket_metric_events",
            path="/api/v2/incremental/ticket_metric_events",
            records="ticket_metric_events",
            updated="time",
            is_bounded=False,
            parameters={**LIST_PAGE, "include_changes": "true"},
            window=start_time,
            pagination=LinkPages(),
            overlap=METRIC_OVERLAP,
        ),
        # The bin is small and empties itself after 30 days: read whole, but who is missing was not undeleted.
        RestStream(
            "deleted_tickets",
            path="/api/v2/deleted_tickets",
            records="deleted_tickets",
            updated="deleted_at",
            is_bounded=False,
            parameters=LIST_PAGE,
            pagination=LinkPages(),
        ),
        InboxStream(),
    ),
)
