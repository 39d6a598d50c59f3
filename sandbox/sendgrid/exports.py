"""SendGrid's contact export jobs: asked for, waited for, and downloaded from links that live some hours."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_DNS, uuid5

import orjson

from sandbox.sendgrid.accounts import moment_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.sendgrid.accounts import Contact
    from sandbox.setting import Setting

LINK_LIFETIME_SECONDS = 72 * 3600
TABLE = """
create table if not exists sendgrid_export (
  number integer primary key autoincrement, id text not null unique, created integer not null,
  polls_left integer not null
)
"""


class Exports:
    """The export jobs of the account, kept in the sandbox's state."""

    def __init__(self, setting: Setting) -> None:
        """Create the table where it is missing."""
        self._setting = setting
        self._connection = setting.state.connection
        with self._connection:
            self._connection.execute(TABLE)

    def create(self) -> str:
        """Start a job over the contacts of now, and return its id."""
        (count,) = self._connection.execute("select count(*) from sendgrid_export").fetchone()
        job = str(uuid5(NAMESPACE_DNS, f"sendgrid/export/{count}"))
        with self._connection:
            self._connection.execute(
                "insert into sendgrid_export (id, created, polls_left) values (?, ?, ?)",
                (job, self._setting.clock.now(), self._setting.sendgrid_polls_until_ready),
            )
        return job

    def poll(self, job: str) -> None:
        """Let the work go on: it is done after some times of asking."""
        with self._connection:
            self._connection.execute(
                "update sendgrid_export set polls_left = polls_left - 1 where id = ? and polls_left > 0", (job,)
            )

    def read(self, job: str) -> tuple[str, int] | None:
        """Give the state of a job and the moment it looked at the contacts; None where there is no such job."""
        found = self._connection.execute(
            "select number, created, polls_left from sendgrid_export where id = ?", (job,)
        ).fetchone()
        if found is None:
            return None
        number, created, polls_left = found
        if polls_left > 0:
            return "pending", created
        return ("failure" if number <= self._setting.sendgrid_failing_exports else "ready"), created

    def file(self, contacts: Sequence[Contact], created: int, part: int) -> bytes:
        """Write one file of a job: a contact a line, compressed."""
        size = self._setting.sendgrid_contacts_per_file
        lines = [orjson.dumps(contact.describe(created)) for contact in contacts[part * size : (part + 1) * size]]
        return gzip.compress(b"\n".join(lines) + b"\n", mtime=0)

    def describe(self, job: str, contacts: Sequence[Contact], base: str) -> dict[str, Any] | None:
        """Describe a job; links and counts are there when it is ready."""
        found = self.read(job)
        if found is None:
            return None
        status, created = found
        times = {"created_at": moment_text(created), "updated_at": moment_text(self._setting.clock.now())}
        expires = created + LINK_LIFETIME_SECONDS
        body: dict[str, Any] = {"id": job, "status": status, **times, "expires_at": moment_text(expires), "urls": []}
        if status == "failure":
            body["message"] = "The export could not be completed."
        if status == "ready":
            size = self._setting.sendgrid_contacts_per_file
            parts = range(max(1, -(-len(contacts) // size)))
            body["urls"] = [f"{base}/contact-exports/{job}/{part}.json.gz?X-Amz-Expires={expires}" for part in parts]
            body["completed_at"] = times["updated_at"]
            body["contact_count"] = len(contacts)
        return body
