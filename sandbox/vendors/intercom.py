"""Intercom's API over the world: contacts and conversations by search, one conversation with its parts, tags."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.intercom.conversations import show_conversation, show_tag, with_parts
from sandbox.intercom.records import FIRST_ADMIN, FIRST_CONVERSATION, WORKSPACE, Inbox, show_contact
from sandbox.intercom.search import Searched, SearchError, page_of, select
from sandbox.intercom.webhooks import webhooks
from sandbox.support_cases import AGENTS, TOPICS

if TYPE_CHECKING:
    from sandbox.setting import Setting

__all__ = ["NAME", "operation_of", "rate_limited", "routes", "row_lists", "webhooks"]

NAME = "intercom"
VERSIONS = ("2.0", *(f"2.{minor}" for minor in range(1, 16)))
SLICE_SECONDS = 10
# A new contact is not found by search for some minutes; the list has it at once.
SEARCHABLE_AFTER_SECONDS = 180
SEGMENTS = ("定期購入者", "休眠顧客")
Record = dict[str, Any]
Endpoint = Callable[[Request], Awaitable[Response]]


class RefusalError(Exception):
    """An answer that is an error, in the vendor's shape."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Keep status, code and message."""
        super().__init__(message)
        self.status, self.body = status, refusal(code, message)


def refusal(code: str, message: str) -> Record:
    """Write an error."""
    request_id = str(uuid5(NAMESPACE_URL, f"{code}/{message}"))
    return {"type": "error.list", "request_id": request_id, "errors": [{"code": code, "message": message}]}


def operation_of(path: str, _body: bytes) -> str:
    """Name a request for statistics and faults by its method and path, without ids."""
    method, _, place = path.partition(" ")
    words = [word for word in place.split("/") if word and not any(letter.isdigit() for letter in word)]
    return f"{method} {'/'.join(words)}"


def rate_limited(status: int) -> tuple[int, Record]:
    """Refuse for too many requests."""
    return status or 429, refusal("rate_limit_exceeded", "The rate limit for the App has been exceeded")


def row_lists(answered: object) -> Iterator[tuple[dict[str, Any], str]]:
    """Find the list of rows in an answer."""
    if isinstance(answered, dict):
        yield from ((answered, key) for key in ("data", "conversations", "segments") if key in answered)


def routes(setting: Setting) -> list[Route]:
    """Serve the API under the vendor's own paths."""
    api = WorkspaceApi(setting)
    served: list[tuple[str, str, Endpoint]] = [
        ("GET", "/me", api.me),
        ("POST", "/contacts/search", api.search_contacts),
        ("GET", "/contacts", api.list_contacts),
        ("GET", "/contacts/{contact_id}", api.contact),
        ("POST", "/conversations/search", api.search_conversations),
        ("GET", "/conversations/{conversation_id}", api.conversation),
        ("GET", "/tags", api.tags),
        ("GET", "/segments", api.segments),
        ("GET", "/{rest:path}", api.unknown),
    ]
    return [Route(path, api.guarded(endpoint), methods=[method]) for method, path, endpoint in served]


class WorkspaceApi:
    """The endpoints of one workspace."""

    def __init__(self, setting: Setting) -> None:
        """Remember the setting; nobody is invented before somebody asks."""
        self._setting = setting
        self._zone = ZoneInfo(setting.world.timezone)
        self._slice, self._used = -1, 0

    @cached_property
    def _inbox(self) -> Inbox:
        return Inbox(self._setting.world)

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """Check token, version and rate limit before an endpoint; tell what is left of the limit with every answer."""

        async def guard(request: Request) -> Response:
            headers, is_over = self._count()
            try:
                if is_over:
                    status, body = rate_limited(0)
                    return answer(body, status, headers)
                self._authenticate(request)
                response = await endpoint(request)
            except RefusalError as refused:
                response = answer(refused.body, refused.status)
            except SearchError as refused:
                response = answer(refusal("parameter_invalid", str(refused)), 400)
            response.headers.update(headers)
            return response

        return guard

    def _authenticate(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self._setting.token}":
            raise RefusalError(401, "unauthorized", "Access Token Invalid")
        version = request.headers.get("intercom-version", VERSIONS[-1])
        if version not in VERSIONS:
            raise RefusalError(400, "intercom_version_invalid", "The requested version could not be found")

    def _count(self) -> tuple[dict[str, str], bool]:
        """Count a request in its slice of ten seconds; a minute's limit is dealt out evenly."""
        seconds, limit = self._setting.monotonic(), self._setting.intercom_requests_per_ten_seconds
        if int(seconds // SLICE_SECONDS) != self._slice:
            self._slice, self._used = int(seconds // SLICE_SECONDS), 0
        self._used += 1
        left = SLICE_SECONDS - seconds % SLICE_SECONDS
        headers = {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(max(0, limit - self._used)),
            "x-ratelimit-reset": str(int(self._setting.clock.now() + left) + 1),
        }
        return headers, self._used > limit

    async def me(self, _request: Request) -> Response:
        """Show who asks, and of which workspace."""
        app: Record = {"type": "app", "id_code": WORKSPACE, "name": self._setting.world.name, "region": "US"}
        app |= {"timezone": self._zone.key, "created_at": self._setting.world.starts_at, "identity_verification": True}
        admin = {"type": "admin", "id": str(FIRST_ADMIN), "name": AGENTS[0], "email": "agent1@tsubaki-labo.example"}
        return answer({**admin, "email_verified": True, "app": app})

    async def search_contacts(self, request: Request) -> Response:
        """Search contacts; a date is matched by its day in the workspace's time zone."""
        now = self._setting.clock.now()
        searched = Searched(are_dates_days=True, zone=self._zone, page_size=50)
        asked = await read_json(request)
        is_wanted = select(asked, searched)
        found = [row for row in self._contacts(now, SEARCHABLE_AFTER_SECONDS) if is_wanted(row)]
        return listed("list", "data", found, asked, searched)

    async def list_contacts(self, request: Request) -> Response:
        """List every contact, the new ones too."""
        asked: Record = {"sort": {"field": "created_at", "order": "ascending"}, "pagination": {}}
        if "per_page" in request.query_params:
            asked["pagination"]["per_page"] = whole_number(request.query_params["per_page"])
        asked["pagination"]["starting_after"] = request.query_params.get("starting_after")
        rows = list(self._contacts(self._setting.clock.now(), 0))
        return listed("list", "data", rows, asked, Searched(are_dates_days=True, zone=self._zone, page_size=50))

    def _contacts(self, now: int, seconds_old: int) -> Iterator[Record]:
        for contact in self._inbox.contacts.values():
            if contact.exists(now) and contact.created_at <= now - seconds_old:
                yield show_contact(contact, now)

    async def contact(self, request: Request) -> Response:
        """Show one contact; one that was merged is not found."""
        now = self._setting.clock.now()
        for contact in self._inbox.contacts.values():
            if contact.id == request.path_params["contact_id"] and contact.exists(now):
                return answer(show_contact(contact, now))
        raise RefusalError(404, "not_found", "User Not Found")

    async def search_conversations(self, request: Request) -> Response:
        """Search conversations, to the second."""
        now, inbox = self._setting.clock.now(), self._inbox
        searched = Searched(are_dates_days=False, zone=self._zone, page_size=20)
        asked = await read_json(request)
        is_wanted = select(asked, searched)
        shown = [show_conversation(inbox, known, now) for known in inbox.conversations if known.exists(now)]
        return listed("conversation.list", "conversations", [row for row in shown if is_wanted(row)], asked, searched)

    async def conversation(self, request: Request) -> Response:
        """Show one conversation with its newest parts."""
        now, inbox = self._setting.clock.now(), self._inbox
        number = request.path_params["conversation_id"]
        place = int(number) - FIRST_CONVERSATION if number.isdigit() else -1
        if not 0 <= place < len(inbox.conversations) or not inbox.conversations[place].exists(now):
            raise RefusalError(404, "not_found", "Resource Not Found")
        is_plain = request.query_params.get("display_as") == "plaintext"
        return answer(with_parts(inbox, inbox.conversations[place], now, is_plain=is_plain))

    async def tags(self, _request: Request) -> Response:
        """List the tags."""
        return answer({"type": "list", "data": [show_tag(topic.tag) for topic in TOPICS]})

    async def segments(self, _request: Request) -> Response:
        """List the segments."""
        at = self._setting.world.starts_at - 400 * 86_400
        rows = [
            {"type": "segment", "id": f"6507f1{number:018x}", "name": name, "created_at": at, "updated_at": at}
            | {"person_type": "contact"}
            for number, name in enumerate(SEGMENTS)
        ]
        return answer({"type": "segment.list", "segments": rows})

    async def unknown(self, _request: Request) -> Response:
        """Refuse a path that is not there."""
        raise RefusalError(404, "not_found", "The requested resource could not be found")


def listed(kind: str, name: str, rows: Sequence[Record], asked: Record, searched: Searched) -> Response:
    """Answer one page of a list, with the number of all that match."""
    page, pages = page_of(rows, asked, searched)
    return answer({"type": kind, name: page, "total_count": len(rows), "pages": pages})


def answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Write an answer."""
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


def whole_number(text: str) -> int:
    """Read a number from the query; what is none is out of every range."""
    return int(text) if text.isdecimal() and len(text) < 19 else -1


async def read_json(request: Request) -> Record:
    """Read a JSON object from the body."""
    try:
        asked = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        asked = None
    if not isinstance(asked, dict):
        raise RefusalError(400, "bad_request", "bad 'request' format")
    return asked
