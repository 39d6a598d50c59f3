"""Rebuild and swap: build the new audience beside the live one, wait until it is ready, switch, delete the old.

The state in `ops.sync_jobs` says which calls may have been made. A run that finds an open job with the members it
wants itself takes it up; with other members it deletes what was built and begins anew. The live audience stays usable
until the new one is ready.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kizuna.http import VendorUnavailableError
from kizuna.outbox.errors import AudienceCountError, AudienceFailedError, AudienceNotReadyError
from kizuna.outbox.snapshot import NAME_DIGITS, digest_of, read_member_ids, vendor_name
from kizuna.sending import AudienceStatus, NewAudience

if TYPE_CHECKING:
    from collections.abc import Callable

    from kizuna.outbox.ledger import Job, Ledger
    from kizuna.outbox.snapshot import Difference
    from kizuna.sending import AudienceAccount, AudienceObject, AudienceState

MOST_CREATIONS = 3
BACK_OFF = 1.5
LONGEST_PAUSE_SECONDS = 60.0
# Below this many, all of them may have withheld their consent to LINE; above, an empty audience is a fault.
SMALLEST_SUSPICIOUS_AUDIENCE = 10


@dataclass(frozen=True)
class Patience:
    """How often and how long to ask the vendor whether it is done."""

    sleep: Callable[[float], None]
    poll_seconds: float
    deadline_seconds: float


@dataclass(frozen=True)
class Swap:
    """The delivery of one audience."""

    declared: AudienceObject
    account: AudienceAccount
    ledger: Ledger
    patience: Patience

    def deliver(self, difference: Difference) -> None:
        """Bring one audience to its end, taking up or giving up what an earlier run began.

        Raises:
            AudienceFailedError: when the vendor gave up on the audience.
            AudienceNotReadyError: when the vendor was not done in time.
            AudienceCountError: when the vendor's count cannot be right.
        """
        member_ids = read_member_ids(self.ledger.connection, difference.audience)
        digest = digest_of(member_ids)
        job = self._take_up(difference, digest)
        must_rebuild, live = difference.must_rebuild, difference.live_audience_id
        if job is not None and job.state == "done":
            must_rebuild, live, job = bool(member_ids), None, None
        is_resumed = job is not None
        if job is None and must_rebuild:
            job = self.ledger.intend(difference.audience, digest, len(member_ids), live)
        if job is None:
            if difference.relinked:
                self.ledger.relink(difference.audience)
        elif job.state == "removing":
            self._remove(job)
        else:
            self._build(job, member_ids, is_resumed=is_resumed)

    def _take_up(self, difference: Difference, digest: str) -> Job | None:
        """Return the open job to go on with; a removal is finished here and returned as done."""
        job, live = self.ledger.open_job(difference.audience), difference.live_audience_id
        if job is None:
            return None
        if job.state == "removing":
            return self._remove(job)
        if job.state == "cleaning":
            self._clean(job, live)
            return None
        if job.state == "abandoning" or job.digest != digest:
            job = self.ledger.move(job, "abandoning")
            self._sweep(job.audience, keep=live, also=job.audience_id)
            self.ledger.move(job, "abandoned")
            return None
        return job

    def _build(self, job: Job, member_ids: list[str], *, is_resumed: bool) -> None:
        batches = [
            member_ids[start : start + self.declared.batch_size]
            for start in range(0, len(member_ids), self.declared.batch_size)
        ]
        if job.state == "creating":
            job = self._create(job, batches, is_resumed=is_resumed)
        if job.state == "adding":
            job = self._fill(job, batches, is_resumed=is_resumed)
        notes = {_note(job, place, len(batches)) for place in range(len(batches))}
        state = self._poll(job, lambda seen: self._is_complete(seen, notes))
        self._check_count(job, state)
        job = self.ledger.swap(job, ignored=job.member_count - state.member_count)
        self._clean(job, job.audience_id)

    def _create(self, job: Job, batches: list[list[str]], *, is_resumed: bool) -> Job:
        """Create the audience; where an earlier attempt may have done so, look for it first."""
        name = vendor_name(job.audience, job.digest)
        for attempt in range(MOST_CREATIONS):
            if is_resumed or attempt:
                found = [listed for listed in self.account.find(name) if listed.is_usable]
                if found:
                    return self.ledger.created(job, NewAudience(found[0].audience_id, found[0].lifetime))
            try:
                return self.ledger.created(job, self.account.create(name, _note(job, 0, len(batches)), batches[0]))
            except VendorUnavailableError:
                if attempt == MOST_CREATIONS - 1:
                    raise
                self.patience.sleep(self.patience.poll_seconds)
        raise AssertionError

    def _fill(self, job: Job, batches: list[list[str]], *, is_resumed: bool) -> Job:
        """Add the batches that are not in yet; the vendor's list of uploads tells of one that died unanswered."""
        landed = self._read(job).uploads if is_resumed else frozenset()
        for place in range(job.batches_sent, len(batches)):
            note = _note(job, place, len(batches))
            if note not in landed:
                if place % (self.declared.most_working_uploads - 1) == 0:
                    self._poll(job, lambda seen: not seen.working_uploads)
                self.account.add(_id_of(job), note, batches[place])
            job = self.ledger.added(job)
        return self.ledger.move(job, "waiting")

    def _is_complete(self, seen: AudienceState, notes: set[str]) -> bool:
        """Say whether the vendor is done with every batch, as far as it lists them."""
        are_listed = bool(seen.uploads) and len(notes) <= self.declared.most_listed_uploads
        return (
            seen.status is AudienceStatus.READY
            and not seen.working_uploads
            and (not are_listed or notes <= seen.uploads)
        )

    def _poll(self, job: Job, is_done: Callable[[AudienceState], bool]) -> AudienceState:
        pause, waited = self.patience.poll_seconds, 0.0
        while not is_done(state := self._read(job)):
            if waited >= self.patience.deadline_seconds:
                message = (
                    f"{self._name(job)} is still {state.vendor_status} after {waited:.0f} s: expected READY; "
                    "the live audience is unchanged; run again to go on waiting"
                )
                raise AudienceNotReadyError(message)
            self.patience.sleep(pause)
            # A pause of nothing still counts: a deadline must come.
            waited += max(pause, 1.0)
            pause = min(pause * BACK_OFF, LONGEST_PAUSE_SECONDS)
        return state

    def _read(self, job: Job) -> AudienceState:
        state = self.account.read(_id_of(job))
        if state.status is AudienceStatus.FAILED or state.failed_uploads:
            self.ledger.move(job, "abandoning")
            message = (
                f"{self._name(job)} is {state.vendor_status} with {state.failed_uploads} failed uploads: "
                "expected READY; the live audience is unchanged; run again to build it anew"
            )
            raise AudienceFailedError(message)
        return state

    def _check_count(self, job: Job, state: AudienceState) -> None:
        is_empty = not state.member_count and job.member_count >= SMALLEST_SUSPICIOUS_AUDIENCE
        if state.member_count > job.member_count or is_empty:
            self.ledger.move(job, "abandoning")
            message = (
                f"{self._name(job)} has {state.member_count} members at the vendor: expected 1 to {job.member_count}, "
                "the number sent; the live audience is unchanged; check that the ids are this account's, then run again"
            )
            raise AudienceCountError(message)

    def _name(self, job: Job) -> str:
        return f"{self.declared.full_name}: audience {job.audience!r} (id {job.audience_id})"

    def _remove(self, job: Job) -> Job:
        """Delete every audience of a segment that has no members: the vendor keeps an empty one unready for ever."""
        self._sweep(job.audience, keep=None, also=job.replaced_audience_id)
        return self.ledger.remove(job)

    def _clean(self, job: Job, live: int | None) -> None:
        """Delete what is not live: the audience replaced, and any that a run that died left behind."""
        self._sweep(job.audience, keep=live, also=job.replaced_audience_id)
        self.ledger.move(job, "done")

    def _sweep(self, audience: str, *, keep: int | None, also: int | None) -> None:
        found = {listed.audience_id for listed in self.account.find(vendor_name(audience, ""))}
        for audience_id in sorted(found | ({also} if also is not None else set())):
            if audience_id != keep:
                self.account.delete(audience_id)


def _note(job: Job, place: int, batches: int) -> str:
    """Name one batch of one audience, so that the vendor's list of uploads can be compared."""
    return f"{job.digest[:NAME_DIGITS]} {place + 1}/{batches}"


def _id_of(job: Job) -> int:
    if job.audience_id is None:
        message = (
            f"ops.sync_jobs: job {job.job_id} is {job.state} without an audience_id: expected one; "
            "set its state to abandoning and run again"
        )
        raise LookupError(message)
    return job.audience_id
