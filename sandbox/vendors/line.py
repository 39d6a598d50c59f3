"""LINE's Messaging API over the world: followers, profiles, insight, and audiences to upload."""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.audiences import Audiences, Upload
from sandbox.friends import Friends

if TYPE_CHECKING:
    from sandbox.setting import Setting

NAME = "line"
USER_ID = re.compile(r"U[0-9a-f]{32}")
LARGEST_UPLOAD = 10_000
LARGEST_NAME = 120
MOST_AUDIENCES = 1_000
MOST_JOBS = 10
LARGEST_LIST = 40
START_LIFETIME_SECONDS = 86_400
JAPAN = timezone(timedelta(hours=9))
Endpoint = Callable[[Request], Awaitable[Response]]


class RefusalError(Exception):
    """An answer that is an error, in the vendor's shape."""

    def __init__(self, status: int, message: str, *details: str) -> None:
        """Keep status, message and the codes that explain it."""
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message}
        if details:
            self.body["details"] = [{"message": detail} for detail in details]


def operation_of(path: str, _body: bytes) -> str:
    """Name a request for statistics and faults by its method and path, without ids."""
    method, _, place = path.partition(" ")
    words = [word for word in place.split("/")[3:] if not word.isdigit() and not USER_ID.fullmatch(word)]
    return f"{method} {'/'.join(words)}"


def rate_limited(status: int) -> tuple[int, dict[str, Any]]:
    """Refuse for too many requests."""
    return status or 429, {"message": "The API rate limit has been exceeded. Try again later."}


def describe(setting: Setting) -> dict[str, Any]:
    """Describe what the vendor holds, for whoever controls the sandbox."""
    return {"audiences": Audiences(setting.state, setting.line_polls_until_ready).summary()}


def routes(setting: Setting) -> list[Route]:
    """Serve the API under the vendor's own paths."""
    api = MessagingApi(setting)
    served: list[tuple[str, str, Endpoint]] = [
        ("GET", "/v2/bot/followers/ids", api.followers),
        ("GET", "/v2/bot/profile/{user_id}", api.profile),
        ("GET", "/v2/bot/info", api.info),
        ("GET", "/v2/bot/insight/followers", api.insight),
        ("POST", "/v2/bot/audienceGroup/upload", api.create_audience),
        ("PUT", "/v2/bot/audienceGroup/upload", api.add_to_audience),
        ("GET", "/v2/bot/audienceGroup/list", api.list_audiences),
        ("GET", "/v2/bot/audienceGroup/{audience_id:int}", api.read_audience),
        ("DELETE", "/v2/bot/audienceGroup/{audience_id:int}", api.delete_audience),
    ]
    return [
        Route(path, api.guarded(f"{method} {path}", endpoint), methods=[method]) for method, path, endpoint in served
    ]


def answer(body: object, status: int = 200) -> Response:
    """Write an answer."""
    return Response(orjson.dumps(body), status, media_type="application/json")


class MessagingApi:
    """The endpoints of one channel."""

    def __init__(self, setting: Setting) -> None:
        """Prepare friends and audiences."""
        self._setting = setting
        self._friends = Friends(setting.world.friends)
        self._audiences = Audiences(setting.state, setting.line_polls_until_ready)
        self._recent: dict[str, deque[float]] = {}

    def guarded(self, name: str, endpoint: Endpoint) -> Endpoint:
        """Check token and rate limit before an endpoint, and write refusals as the vendor does."""

        async def guard(request: Request) -> Response:
            try:
                self._authenticate(request)
                if "audienceGroup" in name:
                    self._count(name)
                return await endpoint(request)
            except RefusalError as refusal:
                return answer(refusal.body, refusal.status)

        return guard

    def _authenticate(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self._setting.token}":
            message = "Authentication failed. Confirm that the access token in the authorization header is valid."
            raise RefusalError(401, message)

    def _count(self, name: str) -> None:
        now = self._setting.monotonic()
        recent = self._recent.setdefault(name, deque())
        while recent and recent[0] <= now - 60:
            recent.popleft()
        if len(recent) >= self._setting.line_requests_per_minute:
            status, body = rate_limited(0)
            raise RefusalError(status, body["message"])
        recent.append(now)

    async def followers(self, request: Request) -> Response:
        """List the user ids of the friends, page by page."""
        limit = number(request, "limit", default=300, smallest=1, largest=1000)
        now = self._setting.clock.now()
        user_ids = self._friends.current(now)
        begin = bisect_right(user_ids, self._read_start(request.query_params.get("start")))
        end = begin + min(limit, self._setting.line_largest_followers_page)
        body: dict[str, Any] = {"userIds": user_ids[begin:end]}
        if end < len(user_ids):
            token = orjson.dumps({"after": user_ids[end - 1], "at": now})
            body["next"] = base64.urlsafe_b64encode(token).decode()
        return answer(body)

    def _read_start(self, start: str | None) -> str:
        if start is None:
            return ""
        try:
            token = orjson.loads(base64.b64decode(start, altchars=b"-_", validate=True))
            after, at = str(token["after"]), int(token["at"])
        except (binascii.Error, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise RefusalError(400, "Invalid start param") from None
        if self._setting.clock.now() - at >= START_LIFETIME_SECONDS:
            raise RefusalError(400, "Invalid start param")
        return after

    async def profile(self, request: Request) -> Response:
        """Show a friend's profile."""
        friend = self._friends.find(request.path_params["user_id"], self._setting.clock.now())
        if friend is None:
            raise RefusalError(404, "Not found")
        body = {"userId": friend.user_id, "displayName": friend.display_name}
        if friend.discloses_language:
            body["language"] = "ja"
        return answer(body)

    async def info(self, _request: Request) -> Response:
        """Describe the account."""
        return answer(
            {
                "userId": "U" + "0" * 31 + "1",
                "basicId": "@000sandbox",
                "displayName": self._setting.world.name,
                "chatMode": "bot",
                "markAsReadMode": "auto",
            }
        )

    async def insight(self, request: Request) -> Response:
        """Count followers and blocks as of the end of a day in Japan; a day is ready once it is over."""
        today = datetime.fromtimestamp(self._setting.clock.now(), UTC).astimezone(JAPAN).date()
        text = request.query_params.get("date")
        try:
            day = (
                today - timedelta(days=1)
                if text is None
                else datetime.strptime(text, "%Y%m%d").replace(tzinfo=JAPAN).date()
            )
        except ValueError:
            raise RefusalError(400, "The request parameter is invalid. The specified date is invalid.") from None
        if day >= today:
            return answer({"status": "unready"})
        followers, blocks = self._friends.totals(end_of(day))
        counts = {"followers": followers, "targetedReaches": followers - blocks, "blocks": blocks}
        return answer({"status": "ready", **counts})

    async def create_audience(self, request: Request) -> Response:
        """Create an audience from user ids."""
        asked = await read_json(request)
        name = asked.get("description")
        if not isinstance(name, str) or not name or len(name) > LARGEST_NAME or not name.isprintable():
            raise RefusalError(400, f"size must be between 1 and {LARGEST_NAME}", "AUDIENCE_GROUP_NAME_SIZE_OVER")
        upload = self._upload(asked)
        if self._audiences.count() >= MOST_AUDIENCES:
            raise RefusalError(
                400, "The maximum number of audiences has been reached.", "AUDIENCE_GROUP_COUNT_MAX_OVER"
            )
        audience_id = self._audiences.create(name, upload)
        described = self._audiences.describe(audience_id)
        return answer({key: value for key, value in described.items() if key not in ("status", "audienceCount")}, 202)

    async def add_to_audience(self, request: Request) -> Response:
        """Add user ids to an audience."""
        asked = await read_json(request)
        audience_id = self._existing(asked.get("audienceGroupId"))
        upload = self._upload(asked)
        if self._audiences.unfinished_jobs(audience_id) >= MOST_JOBS:
            raise RefusalError(429, "Too many jobs are running for the audience.")
        self._audiences.add(audience_id, upload)
        return answer({}, 202)

    def _upload(self, asked: dict[str, Any]) -> Upload:
        user_ids = uploaded_ids(asked)
        now = self._setting.clock.now()
        reachable = [user_id for user_id in user_ids if self._friends.find(user_id, now)]
        return Upload(user_ids, reachable, asked.get("uploadDescription"), now)

    def _existing(self, audience_id: object) -> int:
        if not isinstance(audience_id, int) or not self._audiences.exists(audience_id):
            raise RefusalError(400, "audience group not found", "AUDIENCE_GROUP_NOT_FOUND")
        return audience_id

    async def read_audience(self, request: Request) -> Response:
        """Show an audience and its uploads; asking lets the work go on."""
        audience_id = self._existing(request.path_params["audience_id"])
        self._audiences.poll(audience_id)
        described = self._audiences.describe(audience_id)
        return answer({"audienceGroup": described, "jobs": self._audiences.jobs(audience_id)})

    async def delete_audience(self, request: Request) -> Response:
        """Delete an audience."""
        self._audiences.delete(self._existing(request.path_params["audience_id"]))
        return answer({})

    async def list_audiences(self, request: Request) -> Response:
        """List audiences whose name contains a text."""
        page = number(request, "page", default=None, smallest=1, largest=None)
        size = number(request, "size", default=20, smallest=1, largest=LARGEST_LIST)
        found = [
            described
            for audience_id in self._audiences.search(request.query_params.get("description"))
            if (described := self._audiences.describe(audience_id))["status"]
            == request.query_params.get("status", described["status"])
        ]
        shown = found[(page - 1) * size : page * size]
        return answer(
            {
                "audienceGroups": shown,
                "hasNextPage": page * size < len(found),
                "totalCount": len(found),
                "readWriteAudienceGroupTotalCount": len(found),
                "page": page,
                "size": size,
            }
        )


def end_of(day: date) -> int:
    """Give the last second of a day in Japan."""
    return int(datetime.combine(day + timedelta(days=1), time(), JAPAN).timestamp()) - 1


async def read_json(request: Request) -> dict[str, Any]:
    """Read a JSON object from the body."""
    try:
        asked = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise RefusalError(400, "The request body could not be parsed as JSON") from None
    if not isinstance(asked, dict):
        raise RefusalError(400, "The request body could not be parsed as JSON")
    return asked


def uploaded_ids(asked: dict[str, Any]) -> Collection[str]:
    """Read the user ids of an upload: one that is malformed fails them all."""
    audiences = asked.get("audiences") or []
    if len(audiences) > LARGEST_UPLOAD:
        message = f"audience valid size is between 0 and {LARGEST_UPLOAD}"
        raise RefusalError(400, message, "UPLOAD_AUDIENCE_GROUP_TOO_MANY_AUDIENCES")
    user_ids = [str(entry.get("id") if isinstance(entry, dict) else None) for entry in audiences]
    if not all(USER_ID.fullmatch(user_id) for user_id in user_ids):
        raise RefusalError(400, "audience id format is invalid", "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT")
    return list(dict.fromkeys(user_ids))


def number(request: Request, name: str, *, default: int | None, smallest: int, largest: int | None) -> int:
    """Read a number from the query, within its limits."""
    text = request.query_params.get(name)
    value = default if text is None else int(text) if text.isdigit() else None
    if value is None or value < smallest or (largest is not None and value > largest):
        raise RefusalError(400, f"The request parameter is invalid. The value of '{name}' is out of range.")
    return value
