"""Zendesk's Support API over the world: incremental exports by cursor, ratings, deleted tickets, metric events."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.support_cases import moment_of
from sandbox.zendesk.metrics import metric_events
from sandbox.zendesk.pages import (
    YOUNGEST_SECONDS,
    RefusalError,
    bound,
    decode,
    encode,
    number,
    read_position,
    start_time,
)
from sandbox.zendesk.records import FIRST_EVENT, Desk
from sandbox.zendesk.tokens import Tokens
from sandbox.zendesk.webhooks import webhooks

if TYPE_CHECKING:
    from sandbox.setting import Setting

__all__ = ["NAME", "operation_of", "rate_limited", "routes", "row_lists", "webhooks"]

NAME = "zendesk"
LISTS = ("tickets", "users", "satisfaction_ratings", "deleted_tickets", "ticket_metric_events")
LARGEST_EXPORT_PAGE, LARGEST_PAGE = 1000, 100
Record = dict[str, Any]
Endpoint = Callable[[Request], Awaitable[Response]]
FORBIDDEN = {
    "title": "Forbidden",
    "message": "You do not have access to this page. Please contact the account owner of this help desk for further "
    "help.",
}


def operation_of(path: str, _body: bytes) -> str:
    """Name a request for statistics and faults by its method and path, without version, ids and suffix."""
    method, _, place = path.partition(" ")
    words = [word for word in place.removesuffix(".json").split("/") if word and not word.isdigit()]
    return f"{method} {'/'.join(word for word in words if word not in ('api', 'v2'))}"


def rate_limited(status: int) -> tuple[int, Record]:
    """Refuse for too many requests."""
    description = "Number of allowed incremental export API requests per minute exceeded"
    return status or 429, {"error": "APIRateLimitExceeded", "description": description}


def row_lists(answered: object) -> Iterator[tuple[dict[str, Any], str]]:
    """Find the list of rows in an answer."""
    if isinstance(answered, dict):
        yield from ((answered, key) for key in LISTS if key in answered)


def routes(setting: Setting) -> list[Route]:
    """Serve the API under the vendor's own paths, which also exist with `.json` at their end."""
    api = SupportApi(setting)
    served: list[tuple[str, Endpoint, bool]] = [
        ("/api/v2/users/me", api.me, False),
        ("/api/v2/users/{user_id:int}", api.user, False),
        ("/api/v2/incremental/tickets/cursor", api.tickets, True),
        ("/api/v2/incremental/users/cursor", api.users, True),
        ("/api/v2/incremental/ticket_metric_events", api.metric_events, True),
        ("/api/v2/satisfaction_ratings", api.ratings, True),
        ("/api/v2/deleted_tickets", api.deleted_tickets, False),
    ]
    found = [
        Route(path + suffix, api.guarded(path, endpoint, is_for_admins=is_for_admins), methods=["GET"])
        for path, endpoint, is_for_admins in served
        for suffix in ("", ".json")
    ]
    rest = Route("/{rest:path}", api.guarded("unknown", not_found, is_for_admins=False))
    return [*found, Route("/oauth/tokens", api.create_token, methods=["POST"]), rest]


async def not_found(_request: Request) -> Response:
    """Refuse a path that is not there."""
    raise RefusalError(404, {"error": "InvalidEndpoint", "description": "Not found"})


def answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Write an answer."""
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


class SupportApi:
    """The endpoints of one account."""

    def __init__(self, setting: Setting) -> None:
        """Remember the setting; nobody is invented before somebody asks."""
        self._setting = setting
        self._tokens = Tokens(setting)
        self._recent: dict[str, deque[float]] = {}
        self._events: tuple[tuple[int, bool], list[tuple[int, int, Record]]] = ((-1, False), [])

    @cached_property
    def _desk(self) -> Desk:
        return Desk(self._setting.world)

    def guarded(self, path: str, endpoint: Endpoint, *, is_for_admins: bool) -> Endpoint:
        """Check credentials and rate limits before an endpoint, and write refusals as the vendor does."""

        async def guard(request: Request) -> Response:
            try:
                self._authenticate(request.headers.get("authorization", ""), is_for_admins=is_for_admins)
                self._count("all", self._setting.zendesk_requests_per_minute)
                if "incremental" in path or "deleted" in path:
                    self._count(path, self._setting.zendesk_exports_per_minute)
                return await endpoint(request)
            except RefusalError as refusal:
                return answer(refusal.body, refusal.status, refusal.headers)

        return guard

    def _authenticate(self, authorization: str, *, is_for_admins: bool) -> None:
        """Accept a bearer token, or an agent's address with the API token; some endpoints are for admins alone."""
        scheme, _, given = authorization.partition(" ")
        if scheme == "Bearer":
            if self._tokens.is_valid(given):
                return
            description = "The access token provided is expired, revoked, malformed or invalid for other reasons."
            raise RefusalError(401, {"error": "invalid_token", "error_description": description})
        try:
            login, _, token = base64.b64decode(given, validate=True).decode().partition("/token:")
        except (binascii.Error, UnicodeDecodeError):
            login = token = ""
        if token != self._setting.token or "@" not in login:
            raise RefusalError(401, {"error": "Couldn't authenticate you"})
        if is_for_admins and login.startswith(("agent2@", "agent3@")):
            raise RefusalError(403, {"error": FORBIDDEN})

    def _count(self, what: str, allowed: int) -> None:
        now = self._setting.monotonic()
        recent = self._recent.setdefault(what, deque())
        while recent and recent[0] <= now - 60:
            recent.popleft()
        if len(recent) >= allowed:
            status, body = rate_limited(0)
            raise RefusalError(status, body, {"retry-after": str(int(recent[0] + 60 - now) + 1)})
        recent.append(now)

    async def create_token(self, request: Request) -> Response:
        """Give an access token for client credentials."""
        body = await request.body()
        try:
            is_json = request.headers.get("content-type", "").startswith("application/json")
            asked = orjson.loads(body) if is_json else dict(parse_qsl(body.decode()))
            return answer(self._tokens.create(asked))
        except (ValueError, KeyError) as problem:
            error = str(problem.args[0]) if isinstance(problem, KeyError) else "invalid_request"
            return answer({"error": error, "error_description": "The request could not be understood."}, 400)
        except PermissionError:
            description = "Client authentication failed due to unknown client or unsupported authentication method."
            return answer({"error": "invalid_client", "error_description": description}, 401)

    async def me(self, _request: Request) -> Response:
        """Show who asks."""
        return answer({"user": next(self._desk.users(self._setting.clock.now()))})

    async def user(self, request: Request) -> Response:
        """Show one user; one who was merged into another is not found."""
        for user in self._desk.users(self._setting.clock.now()):
            if user["id"] == request.path_params["user_id"]:
                return answer({"user": user})
        raise RefusalError(404, {"error": "RecordNotFound", "description": "Not found"})

    async def tickets(self, request: Request) -> Response:
        """Export tickets by the time at which they were last generated."""
        return self._export(request, "tickets", self._desk.current, lambda ticket: ticket["generated_timestamp"])

    async def users(self, request: Request) -> Response:
        """Export users by the time of their last change."""
        return self._export(request, "users", self._desk.users, lambda user: moment_of(user["updated_at"]))

    def _export(
        self,
        request: Request,
        name: str,
        show: Callable[[int], Iterator[Record]],
        changed: Callable[[Record], int],
    ) -> Response:
        now = self._setting.clock.now()
        after = read_position(request, now)
        size = number(request, "per_page", LARGEST_EXPORT_PAGE, LARGEST_EXPORT_PAGE)
        included = request.query_params.get("include", "").split(",")
        rows = sorted(((changed(row), row["id"], row) for row in show(now)), key=lambda entry: entry[:2])
        ready = [entry for entry in rows if after < entry[:2] and entry[0] <= now - YOUNGEST_SECONDS]
        page = ready[:size]
        if "metric_sets" not in included:
            page = [(at, key, {k: v for k, v in row.items() if k != "metric_set"}) for at, key, row in page]
        cursor = encode(f"{page[-1][0]}.0||{page[-1][1]}|") if page else request.query_params.get("cursor")
        url = request.url.include_query_params(cursor=cursor).remove_query_params("start_time")
        return answer(
            {
                name: [row for _, _, row in page],
                "after_url": None if cursor is None else str(url),
                "before_url": None,
                "after_cursor": cursor,
                "before_cursor": None,
                "end_of_stream": len(ready) <= size,
            }
        )

    async def metric_events(self, request: Request) -> Response:
        """List metric events in order of time, from a start on."""
        now = self._setting.clock.now()
        start = start_time(request, now)
        wanted = (now, request.query_params.get("include_changes") == "true")
        if self._events[0] != wanted:
            # A walk of many pages asks for the same moment again and again.
            found = [
                (at, event["id"], event)
                for ticket in self._desk.tickets
                for at, event in metric_events(ticket.id, FIRST_EVENT, ticket.so_far(now), with_changes=wanted[1])
            ]
            self._events = (wanted, sorted(found, key=lambda entry: entry[:2]))
        return self._paged(request, "ticket_metric_events", self._events[1], (start - 1, 2**62))

    async def ratings(self, request: Request) -> Response:
        """List the ratings that were offered between two moments, each as it is now."""
        start, end = bound(request, "start_time", 0), bound(request, "end_time", 2**62)
        rows = list(self._desk.ratings(self._setting.clock.now()))
        found = [(0, row["id"], row) for row in rows if start <= moment_of(row["created_at"]) <= end]
        return self._paged(request, "satisfaction_ratings", found)

    async def deleted_tickets(self, request: Request) -> Response:
        """List the tickets deleted in the last 30 days."""
        found = [(0, row["id"], row) for row in self._desk.deleted(self._setting.clock.now())]
        return self._paged(request, "deleted_tickets", found)

    def _paged(
        self, request: Request, name: str, rows: Sequence[tuple[int, int, Record]], begin: tuple[int, int] = (-1, -1)
    ) -> Response:
        """Answer one page of ordered rows by cursor; a cursor is the last row's place, so that nothing moves it."""
        size = number(request, "page[size]", LARGEST_PAGE, LARGEST_PAGE)
        after = request.query_params.get("page[after]")
        first = bisect_right(rows, begin if after is None else decode(after), key=lambda entry: entry[:2])
        page, has_more = rows[first : first + size], len(rows) > first + size
        cursor = encode(f"{page[-1][0]}.0||{page[-1][1]}|") if has_more else None
        url = request.url.include_query_params(**{"page[after]": cursor}) if cursor else None
        return answer(
            {
                name: [row for _, _, row in page],
                "meta": {"has_more": has_more, "after_cursor": cursor, "before_cursor": None},
                "links": {"next": str(url) if url else None, "prev": None},
            }
        )
