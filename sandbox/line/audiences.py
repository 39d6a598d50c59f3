"""LINE audiences as the vendor keeps them: members, upload jobs, a status that turns READY only after some polls."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from sandbox.state import State

LIFETIME_SECONDS = 180 * 86_400
LISTED_JOBS = 50


@dataclass(frozen=True, slots=True)
class Upload:
    """Ids sent in one request; `reachable` are those among them that are friends."""

    user_ids: Collection[str]
    reachable: Collection[str]
    description: str | None
    at: int


class Audiences:
    """The audiences of one channel."""

    def __init__(self, state: State, polls_until_ready: int) -> None:
        """Keep them in the state file."""
        self._connection = state.connection
        self._polls = polls_until_ready

    def count(self) -> int:
        """Count the audiences."""
        return int(self._connection.execute("select count(*) from audience").fetchone()[0])

    def exists(self, audience_id: int) -> bool:
        """Say whether an audience exists."""
        found = self._connection.execute("select 1 from audience where id = ?", (audience_id,)).fetchone()
        return found is not None

    def create(self, name: str, upload: Upload) -> int:
        """Create an audience with its first ids, in one transaction."""
        with self._connection:
            cursor = self._connection.execute(
                "insert into audience (description, created) values (?, ?)", (name, upload.at)
            )
            audience_id = int(cursor.lastrowid or 0)
            self._insert(audience_id, upload)
        return audience_id

    def add(self, audience_id: int, upload: Upload) -> None:
        """Add ids to an audience."""
        with self._connection:
            self._insert(audience_id, upload)

    def _insert(self, audience_id: int, upload: Upload) -> None:
        if not upload.user_ids:
            return
        reachable = set(upload.reachable)
        self._connection.executemany(
            "insert or ignore into audience_member (audience_id, user_id, is_reachable) values (?, ?, ?)",
            [(audience_id, user_id, int(user_id in reachable)) for user_id in upload.user_ids],
        )
        self._connection.execute(
            "insert into audience_job (audience_id, description, created, member_count, polls_left) "
            "values (?, ?, ?, ?, ?)",
            (audience_id, upload.description, upload.at, len(reachable), self._polls),
        )

    def unfinished_jobs(self, audience_id: int) -> int:
        """Count the uploads still being worked on."""
        query = "select count(*) from audience_job where audience_id = ? and polls_left > 0"
        return int(self._connection.execute(query, (audience_id,)).fetchone()[0])

    def poll(self, audience_id: int) -> None:
        """Let the work on an audience go on by one step: it moves when it is asked after."""
        with self._connection:
            self._connection.execute(
                "update audience_job set polls_left = polls_left - 1 where audience_id = ? and polls_left > 0",
                (audience_id,),
            )

    def delete(self, audience_id: int) -> bool:
        """Delete an audience; False when there is none."""
        with self._connection:
            return self._connection.execute("delete from audience where id = ?", (audience_id,)).rowcount > 0

    def describe(self, audience_id: int) -> dict[str, Any]:
        """Write an audience in the vendor's words."""
        query = "select description, created from audience where id = ?"
        name, created = self._connection.execute(query, (audience_id,)).fetchone()
        members = "select count(*) from audience_member where audience_id = ? and is_reachable = 1"
        jobs = "select count(*) from audience_job where audience_id = ?"
        is_ready = (
            int(self._connection.execute(jobs, (audience_id,)).fetchone()[0]) > 0
            and self.unfinished_jobs(audience_id) == 0
        )
        return {
            "audienceGroupId": audience_id,
            "createRoute": "MESSAGING_API",
            "type": "UPLOAD",
            "description": name,
            "status": "READY" if is_ready else "IN_PROGRESS",
            "audienceCount": int(self._connection.execute(members, (audience_id,)).fetchone()[0]),
            "created": created,
            "permission": "READ_WRITE",
            "isIfaAudience": False,
            "expireTimestamp": created + LIFETIME_SECONDS,
        }

    def jobs(self, audience_id: int) -> list[dict[str, Any]]:
        """List an audience's last uploads in the vendor's words."""
        rows = self._connection.execute(
            "select id, description, created, member_count, polls_left from audience_job "
            "where audience_id = ? order by id desc limit ?",
            (audience_id, LISTED_JOBS),
        ).fetchall()
        return [
            {
                "audienceGroupJobId": job_id,
                "audienceGroupId": audience_id,
                "description": description or "",
                "type": "DIFF_ADD",
                "jobStatus": self._job_status(polls_left),
                "audienceCount": member_count,
                "created": created,
            }
            for job_id, description, created, member_count, polls_left in rows
        ]

    def _job_status(self, polls_left: int) -> str:
        if polls_left == 0:
            return "FINISHED"
        return "QUEUED" if polls_left == self._polls else "WORKING"

    def search(self, part_of_name: str | None) -> list[int]:
        """Find audiences, newest first; names match without regard to case."""
        rows = self._connection.execute("select id, description from audience order by id desc").fetchall()
        wanted = (part_of_name or "").casefold()
        return [audience_id for audience_id, name in rows if wanted in name.casefold()]

    def summary(self) -> list[dict[str, Any]]:
        """Describe every audience with a fingerprint of all ids that were sent to it."""
        described = []
        for audience_id in self.search(None):
            query = "select user_id from audience_member where audience_id = ? order by user_id"
            members = [row[0] for row in self._connection.execute(query, (audience_id,))]
            known = self.describe(audience_id)
            described.append(
                {
                    "id": audience_id,
                    "description": known["description"],
                    "status": known["status"],
                    "member_count": len(members),
                    "reachable_count": known["audienceCount"],
                    "members_sha256": hashlib.sha256("\n".join(members).encode()).hexdigest(),
                }
            )
        return described
