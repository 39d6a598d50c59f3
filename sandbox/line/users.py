"""LINE's endpoints about users: who follows, profiles, the account itself, and link tokens for account linking."""

from __future__ import annotations

import base64
import binascii
import secrets
from bisect import bisect_right
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

from sandbox.line.answers import BOT_USER_ID, RefusalError, answer, number
from sandbox.line.links import LinkTokens, links

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.line.friends import Friends
    from sandbox.setting import Setting

START_LIFETIME_SECONDS = 86_400


class UserEndpoints:
    """The users of one channel."""

    def __init__(self, setting: Setting, friends: Friends) -> None:
        """Know who is a friend."""
        self._setting = setting
        self._friends = friends
        self._links = LinkTokens(setting.state)

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
                "userId": BOT_USER_ID,
                "basicId": "@000sandbox",
                "displayName": self._setting.world.name,
                "chatMode": "bot",
                "markAsReadMode": "auto",
            }
        )

    async def issue_link_token(self, request: Request) -> Response:
        """Issue a token with which a friend may link their account of the shop, once, within ten minutes."""
        user_id, now = request.path_params["user_id"], self._setting.clock.now()
        if self._friends.find(user_id, now) is None:
            raise RefusalError(404, "Not found")
        token = secrets.token_urlsafe(24)
        self._links.issue(token, user_id, now)
        return answer({"linkToken": token})

    async def nonces(self, _request: Request) -> Response:
        """List the nonces that the shop's page has issued, one a line, each with the customer who was logged in."""
        now = self._setting.clock.now()
        lines = [
            {
                "nonce": link.nonce,
                "customerId": f"gid://shopify/Customer/{link.customer}",
                "issuedAt": datetime.fromtimestamp(link.at, UTC).isoformat(),
            }
            for link in links(self._setting.world)
            if link.at <= now
        ]
        return Response(b"".join(orjson.dumps(line) + b"\n" for line in lines), media_type="application/x-ndjson")

    async def link_account(self, request: Request) -> Response:
        """Take a user back from the shop's login with token and nonce; the webhook tells how it went."""
        token, nonce = request.query_params.get("linkToken", ""), request.query_params.get("nonce", "")
        if not self._links.redeem(token, nonce, self._setting.clock.now()):
            raise RefusalError(400, "The link token or the nonce is invalid.")
        return answer({})
