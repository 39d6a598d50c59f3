"""LINE's audience endpoints: create, add to, read, list, delete; ids are checked, work takes its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.line.answers import USER_ID, RefusalError, answer, number, read_json
from sandbox.line.audiences import Audiences, Upload

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.line.friends import Friends
    from sandbox.setting import Setting

LARGEST_UPLOAD = 10_000
LARGEST_NAME = 120
MOST_AUDIENCES = 1_000
MOST_JOBS = 10
LARGEST_LIST = 40
LARGEST_ID = 2**63 - 1


class AudienceEndpoints:
    """The audiences of one channel."""

    def __init__(self, setting: Setting, friends: Friends) -> None:
        """Find them in the state."""
        self._setting = setting
        self._friends = friends
        self._audiences = Audiences(setting.state, setting.line_polls_until_ready)

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
        description = asked.get("uploadDescription")
        if not isinstance(description, str | None):
            raise RefusalError(400, "The property, 'uploadDescription', is not a text.")
        return Upload(user_ids, reachable, description, now)

    def _existing(self, audience_id: object) -> int:
        if not isinstance(audience_id, int) or not 0 < audience_id <= LARGEST_ID:
            raise RefusalError(400, "audience group not found", "AUDIENCE_GROUP_NOT_FOUND")
        if not self._audiences.exists(audience_id):
            raise RefusalError(400, "audience group not found", "AUDIENCE_GROUP_NOT_FOUND")
        return audience_id

    async def read_audience(self, request: Request) -> Response:
        """Show an audience and its uploads; asking lets the work go on."""
        audience_id = self._existing(read_id(request))
        self._audiences.poll(audience_id)
        described = self._audiences.describe(audience_id)
        return answer({"audienceGroup": described, "jobs": self._audiences.jobs(audience_id)})

    async def delete_audience(self, request: Request) -> Response:
        """Delete an audience."""
        self._audiences.delete(self._existing(read_id(request)))
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


def read_id(request: Request) -> int | None:
    """Read the id in a path: what is no number is the id of no audience."""
    text = request.path_params["audience_id"]
    return int(text) if text.isdecimal() and len(text) < 20 else None


def uploaded_ids(asked: dict[str, Any]) -> Collection[str]:
    """Read the user ids of an upload: one that is malformed fails them all."""
    audiences = asked.get("audiences") or []
    if not isinstance(audiences, list):
        raise RefusalError(400, "The property, 'audiences', is not a list.")
    if len(audiences) > LARGEST_UPLOAD:
        message = f"audience valid size is between 0 and {LARGEST_UPLOAD}"
        raise RefusalError(400, message, "UPLOAD_AUDIENCE_GROUP_TOO_MANY_AUDIENCES")
    user_ids = [str(entry.get("id") if isinstance(entry, dict) else None) for entry in audiences]
    if not all(USER_ID.fullmatch(user_id) for user_id in user_ids):
        raise RefusalError(400, "audience id format is invalid", "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT")
    return list(dict.fromkeys(user_ids))
