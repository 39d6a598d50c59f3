"""LINE Messaging API: audiences of user ids.

Surprises of this vendor:
- There is no call that takes members out: an audience that shrinks is built anew, and the old one deleted.
- 202 means taken on; an audience can be sent to once its status is READY, which may take hours. An empty one never is.
- One malformed user id fails the whole request. Users who have not agreed to the 2022 policy are left out in silence.
- All audience calls, asking for the status included, are limited to 60 a minute each; 429 carries no Retry-After.
- Names are found by any part of them and without regard to case. Audiences live 180 days.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kizuna.http import READ_SECONDS, Client, Request, VendorRefusedError
from kizuna.sending import AudienceObject, AudienceState, AudienceStatus, ListedAudience, NewAudience

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from kizuna.answers import Answer
    from kizuna.settings import Connection

AUDIENCES = "/v2/bot/audienceGroup"
LISTED_PER_PAGE = 40
# Every other status is final: FAILED, EXPIRED, INACTIVE.
WORKING_STATUSES = frozenset({"IN_PROGRESS", "ACTIVATING"})
UNFINISHED_UPLOADS = frozenset({"QUEUED", "WORKING"})
GONE_CODE = "AUDIENCE_GROUP_NOT_FOUND"


class LineAudiences:
    """The audiences of one channel."""

    def __init__(self, connection: Connection, sleep: Callable[[float], None]) -> None:
        """Open nothing yet: the first request connects."""
        headers = {"authorization": f"Bearer {connection.token}"}
        seconds = float(connection.extra.get("read_seconds", READ_SECONDS))
        self._client = Client("line", connection.base_url, headers, read_seconds=seconds, sleep=sleep)

    def __enter__(self) -> LineAudiences:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._client.close()

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""
        return self._client.requests

    def create(self, name: str, note: str, member_ids: Sequence[str]) -> NewAudience:
        """Create an audience with its first members; never resent blindly, for each would be one more audience."""
        body = {"description": name, "uploadDescription": note, "audiences": _members(member_ids)}
        answer = self._client.send(Request("POST", f"{AUDIENCES}/upload", "create audience", json=body, resend=False))
        return NewAudience(int(answer.body["audienceGroupId"]), _lifetime(answer.body))

    def add(self, audience_id: int, note: str, member_ids: Sequence[str]) -> None:
        """Add members; adding one twice changes nothing."""
        body = {"audienceGroupId": audience_id, "uploadDescription": note, "audiences": _members(member_ids)}
        self._client.send(Request("PUT", f"{AUDIENCES}/upload", "add to audience", json=body))

    def read(self, audience_id: int) -> AudienceState:
        """Ask how far LINE is."""
        answer = self._client.send(Request("GET", f"{AUDIENCES}/{audience_id}", "read audience", accept=(400, 404)))
        if _is_gone(answer):
            return AudienceState(AudienceStatus.FAILED, "deleted", 0, frozenset(), 0, 0)
        self._refuse_others(answer, "read audience")
        group, uploads = answer.body["audienceGroup"], answer.body.get("jobs") or []
        return AudienceState(
            status=_status(group["status"]),
            vendor_status=group["status"],
            member_count=int(group.get("audienceCount") or 0),
            uploads=frozenset(upload["description"] for upload in uploads if upload.get("description")),
            working_uploads=sum(upload.get("jobStatus") in UNFINISHED_UPLOADS for upload in uploads),
            failed_uploads=sum(upload.get("jobStatus") == "FAILED" for upload in uploads),
        )

    def find(self, prefix: str) -> list[ListedAudience]:
        """Return the audiences of this channel whose name begins with `prefix`."""
        found: list[ListedAudience] = []
        page, has_more = 0, True
        while has_more:
            page += 1
            answer = self._client.send(
                Request("GET", f"{AUDIENCES}/list", "list audiences", params=_search(prefix, page))
            )
            groups = answer.body["audienceGroups"]
            found.extend(_listed(group) for group in groups if str(group.get("description", "")).startswith(prefix))
            has_more = bool(answer.body.get("hasNextPage")) and bool(groups)
        return found

    def delete(self, audience_id: int) -> None:
        """Delete an audience; one that is gone already is fine."""
        answer = self._client.send(
            Request("DELETE", f"{AUDIENCES}/{audience_id}", "delete audience", accept=(400, 404))
        )
        if not _is_gone(answer):
            self._refuse_others(answer, "delete audience")

    def _refuse_others(self, answer: Answer, operation: str) -> None:
        if answer.status >= 400:
            step = "compare the request with the vendor's reference"
            msg = "line"
            raise VendorRefusedError(msg, operation, answer.status, 1, "refused", step)


def _members(member_ids: Sequence[str]) -> list[dict[str, str]]:
    return [{"id": member_id} for member_id in member_ids]


def _search(prefix: str, page: int) -> dict[str, str]:
    return {
        "page": str(page),
        "size": str(LISTED_PER_PAGE),
        "description": prefix,
        "includesExternalPublicGroups": "false",
        "createRoute": "MESSAGING_API",
    }


def _status(vendor_status: str) -> AudienceStatus:
    if vendor_status == "READY":
        return AudienceStatus.READY
    return AudienceStatus.WORKING if vendor_status in WORKING_STATUSES else AudienceStatus.FAILED


def _listed(group: Mapping[str, Any]) -> ListedAudience:
    usable = _status(group["status"]) is not AudienceStatus.FAILED
    return ListedAudience(int(group["audienceGroupId"]), group["description"], usable, _lifetime(group))


def _lifetime(group: Mapping[str, Any]) -> timedelta | None:
    if group.get("expireTimestamp") is None or group.get("created") is None:
        return None
    return timedelta(seconds=int(group["expireTimestamp"]) - int(group["created"]))


def _is_gone(answer: Answer) -> bool:
    details = answer.body.get("details") if isinstance(answer.body, dict) else None
    codes = {detail.get("message") for detail in details or [] if isinstance(detail, dict)}
    return answer.status == 404 or (answer.status == 400 and GONE_CODE in codes)


OBJECTS = (
    AudienceObject(
        destination="line",
        name="audiences",
        member_column="line_user_id",
        member_id=re.compile("^U[0-9a-f]{32}$"),
        largest_name=120,
        batch_size=10_000,
        most_working_uploads=10,
        most_listed_uploads=50,
        poll_seconds=5.0,
        open_account=LineAudiences,
    ),
)
