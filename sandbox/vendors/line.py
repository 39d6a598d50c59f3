"""LINE's Messaging API over the world: users, insight, audiences to upload, and webhooks of what users do."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.line.answers import USER_ID, RefusalError, answer
from sandbox.line.audience_endpoints import AudienceEndpoints
from sandbox.line.audiences import Audiences
from sandbox.line.friends import Friends
from sandbox.line.insight import InsightEndpoints
from sandbox.line.users import UserEndpoints
from sandbox.line.webhooks import redelivered, webhooks

if TYPE_CHECKING:
    from sandbox.setting import Setting

__all__ = ["NAME", "describe", "operation_of", "rate_limited", "redelivered", "routes", "webhooks"]

NAME = "line"
# Users come here with their browser, not with the shop's token.
LINK_PATH = "/dialog/bot/accountLink"
# Not LINE's but the shop's: its account link page lists the nonces it issued.
NONCES_PATH = "/shop/account-link-nonces.jsonl"
Endpoint = Callable[[Request], Awaitable[Response]]


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
    friends = Friends(setting.world.friends)
    users, insight = UserEndpoints(setting, friends), InsightEndpoints(setting, friends)
    audiences = AudienceEndpoints(setting, friends)
    served: list[tuple[str, str, Endpoint]] = [
        ("GET", "/v2/bot/followers/ids", users.followers),
        ("GET", "/v2/bot/profile/{user_id}", users.profile),
        ("GET", "/v2/bot/info", users.info),
        ("POST", "/v2/bot/user/{user_id}/linkToken", users.issue_link_token),
        ("GET", LINK_PATH, users.link_account),
        ("GET", NONCES_PATH, users.nonces),
        ("GET", "/v2/bot/insight/followers", insight.followers),
        ("GET", "/v2/bot/insight/demographic", insight.demographic),
        ("GET", "/v2/bot/insight/message/event/aggregation", insight.aggregation),
        ("GET", "/v2/bot/message/aggregation/list", insight.units),
        ("POST", "/v2/bot/audienceGroup/upload", audiences.create_audience),
        ("PUT", "/v2/bot/audienceGroup/upload", audiences.add_to_audience),
        ("GET", "/v2/bot/audienceGroup/list", audiences.list_audiences),
        ("GET", "/v2/bot/audienceGroup/{audience_id}", audiences.read_audience),
        ("DELETE", "/v2/bot/audienceGroup/{audience_id}", audiences.delete_audience),
    ]
    guard = Guard(setting)
    return [
        Route(path, guard.guarded(f"{method} {path}", endpoint), methods=[method]) for method, path, endpoint in served
    ]


class Guard:
    """What every request passes: the token, and the rate limit that each endpoint has for itself."""

    def __init__(self, setting: Setting) -> None:
        """Count from zero."""
        self._setting = setting
        self._recent: dict[str, deque[float]] = {}

    def guarded(self, name: str, endpoint: Endpoint) -> Endpoint:
        """Check token and rate limit before an endpoint, and write refusals as the vendor does."""

        async def guard(request: Request) -> Response:
            try:
                if not name.endswith((LINK_PATH, NONCES_PATH)):
                    self._authenticate(request)
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
        seconds, limit = self._limit(name)
        now = self._setting.monotonic()
        recent = self._recent.setdefault(name, deque())
        while recent and recent[0] <= now - seconds:
            recent.popleft()
        if len(recent) >= limit:
            status, body = rate_limited(0)
            raise RefusalError(status, body["message"])
        recent.append(now)

    def _limit(self, name: str) -> tuple[int, int]:
        """Give how many requests an endpoint takes in how many seconds."""
        if "audienceGroup" in name:
            return 60, self._setting.line_requests_per_minute
        if "/insight/" in name:
            return 3600, self._setting.line_insights_per_hour
        return 1, self._setting.line_requests_per_second
