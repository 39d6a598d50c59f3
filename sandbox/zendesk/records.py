"""What a Zendesk account holds at a moment: users, tickets with their metrics, ratings, and metric events.

A ticket's `generated_timestamp` moves with every change; `updated_at` only with those a person or a rule made.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from sandbox.support_cases import AGENTS, DAY, HOUR, MINUTE, Case, cases_of, iso
from sandbox.world_people import write_email
from sandbox.zendesk.metrics import metric_set
from sandbox.zendesk.users import API, FIRST_AGENT, GROUP, Requester, agent, end_user

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.records import World

Record = dict[str, Any]
FIRST_USER, FIRST_TICKET = 380_000_000_001, 1_001
FORM, BRAND = 360_000_200_001, 360_000_300_001
FIRST_RATING, FIRST_METRIC, FIRST_EVENT = 390_000_000_001, 370_000_000_001, 400_000_000_001
DELETED_TICKETS_DAYS = 30
# System changes are seen in the export, but are no ticket event: they leave `updated_at` alone.
SYSTEM = ("reindexed", "requester merged")


@dataclass(slots=True)
class Ticket:
    """A ticket, and all that ever happens to it, in order of time."""

    id: int
    case: Case
    requester: Requester
    happenings: Sequence[tuple[int, str]]

    def so_far(self, now: int) -> list[tuple[int, str]]:
        """Give what has happened up to a moment."""
        return [(at, kind) for at, kind in self.happenings if at <= now]


class Desk:
    """The whole account, of which `now` shows what has happened so far."""

    def __init__(self, world: World) -> None:
        """Number everything in order of time."""
        self.opened_at = world.starts_at - 1_000 * DAY
        cases = [case for human in world.humans for case in cases_of("zendesk", human)]
        cases.sort(key=lambda case: case.opened_at)
        self.requesters: dict[tuple[int, str], Requester] = {}
        self.tickets = [self._ticket(FIRST_TICKET + rank, case) for rank, case in enumerate(cases)]

    def _ticket(self, number: int, case: Case) -> Ticket:
        requester = self._requester(case)
        if case.fate == "merged":
            first = next(known for (human, _), known in self.requesters.items() if human == case.human.number)
            if first is not requester:
                requester.merged_at, requester.merged_into = case.fate_at + HOUR, first.id
        return Ticket(number, case, requester, tuple(sorted(happenings(case, requester))))

    def _requester(self, case: Case) -> Requester:
        key = (case.human.number, case.email)
        if key not in self.requesters:
            random = Random(f"zendesk/{case.human.number}/{case.email}")
            typed = write_email(random, case.email)
            created = Requester(FIRST_USER + len(self.requesters), case.human, typed, case.opened_at)
            if case.turn == 0 and random.random() < 0.05:
                created.deleted_at = case.fate_at + 200 * DAY
            self.requesters[key] = created
        return self.requesters[key]

    def users(self, now: int) -> Iterator[Record]:
        """Show agents and end users; one who was merged into another is gone."""
        for number, name in enumerate(AGENTS):
            yield agent(FIRST_AGENT + number, name, self.opened_at)
        for requester in self.requesters.values():
            is_merged = requester.merged_at is not None and requester.merged_at <= now
            if requester.created_at <= now and not is_merged:
                yield end_user(requester, now)

    def current(self, now: int) -> Iterator[Record]:
        """Show the tickets with their metrics; a deleted one is a stub."""
        for ticket in self.tickets:
            if ticket.case.opened_at <= now:
                yield show_ticket(ticket, now)

    def deleted(self, now: int) -> Iterator[Record]:
        """Show the tickets deleted in the last 30 days."""
        for ticket in self.tickets:
            at = ticket.case.fate_at
            if ticket.case.fate == "deleted" and at <= now < at + DELETED_TICKETS_DAYS * DAY:
                agent_number = ticket.case.agent
                yield {
                    "id": ticket.id,
                    "subject": ticket.case.topic.subject,
                    "actor": {"id": FIRST_AGENT + agent_number, "name": AGENTS[agent_number]},
                    "deleted_at": iso(at),
                    "previous_state": status_of(ticket.so_far(at - 1)),
                }

    def ratings(self, now: int) -> Iterator[Record]:
        """Show the satisfaction ratings that were offered or given, each as it is now."""
        for ticket in self.tickets:
            rating = show_rating(ticket, now)
            if rating is not None:
                yield rating


def happenings(case: Case, requester: Requester) -> Iterator[tuple[int, str]]:
    """Tell everything that happens to a ticket; nothing does after it was merged or deleted."""
    end = case.fate_at if case.fate != "kept" else None
    for at, kind in _course(case):
        if end is None or at < end:
            yield at, kind
    if end is not None:
        yield end, case.fate
    if requester.merged_at is not None:
        yield requester.merged_at, "requester merged"


def _course(case: Case) -> Iterator[tuple[int, str]]:
    for message in case.messages:
        yield message.at, "answered" if message.is_agent else "asked"
    if case.solved_at is None:
        return
    # Automations run once an hour: many tickets close in the same second.
    closed = (case.solved_at + 4 * DAY) // HOUR * HOUR
    yield from ((case.solved_at, "solved"), (case.solved_at + DAY, "offered"), (closed, "closed"))
    if case.human.number % 3 == 0:
        yield closed + 20 * DAY + 7 * MINUTE, "reindexed"
    if case.rating is not None:
        yield case.rating.at, "rated"
        if case.rating.changed_at is not None:
            yield case.rating.changed_at, "rated again"


def status_of(past: Sequence[tuple[int, str]]) -> str:
    """Say which status the happenings leave a ticket in."""
    status = "new"
    for _, kind in past:
        changes = {"answered": "pending", "solved": "solved", "closed": "closed", "merged": "closed"}
        if kind == "asked" and status != "new":
            status = "open"
        status = "deleted" if kind == "deleted" else changes.get(kind, status)
    return status


def show_ticket(ticket: Ticket, now: int) -> Record:
    """Write a ticket as the export does, with the metrics beside it."""
    case, past = ticket.case, ticket.so_far(now)
    kinds = {kind for _, kind in past}
    is_moved = "requester merged" in kinds
    requester = ticket.requester.merged_into if is_moved else ticket.requester.id
    shown = {
        "url": f"{API}/tickets/{ticket.id}.json",
        "id": ticket.id,
        "external_id": None,
        "created_at": iso(case.opened_at),
        "updated_at": iso(max(at for at, kind in past if kind not in SYSTEM)),
        "generated_timestamp": past[-1][0],
        "status": status_of(past),
        "requester_id": requester,
        "submitter_id": requester,
    }
    if "deleted" in kinds:
        return {**shown, "subject": case.topic.subject, "raw_subject": case.topic.subject}
    is_assigned = "answered" in kinds or "merged" in kinds
    return {
        **shown,
        "via": {"channel": "email", "source": {"from": {"address": ticket.requester.email}, "to": {}, "rel": None}},
        "type": "question",
        "subject": case.topic.subject,
        "raw_subject": case.topic.subject,
        "description": case.messages[0].text,
        "priority": "high" if case.topic.tag == "skin_trouble" else "normal",
        "recipient": "support@tsubaki-labo.example",
        "assignee_id": FIRST_AGENT + case.agent if is_assigned else None,
        "organization_id": None,
        "group_id": GROUP,
        "collaborator_ids": [],
        "follower_ids": [],
        "email_cc_ids": [],
        "forum_topic_id": None,
        "problem_id": None,
        "has_incidents": False,
        "is_public": True,
        "due_at": None,
        "tags": [case.topic.tag, *(["closed_by_merge"] if "merged" in kinds else [])],
        "custom_fields": [],
        "satisfaction_rating": in_ticket(show_rating(ticket, now)),
        "sharing_agreement_ids": [],
        "custom_status_id": None,
        "followup_ids": [],
        "ticket_form_id": FORM,
        "brand_id": BRAND,
        "allow_channelback": False,
        "allow_attachments": True,
        "from_messaging_channel": False,
        "metric_set": metric_set(ticket.id, FIRST_METRIC, case, past),
    }


def in_ticket(rating: Record | None) -> Record:
    """Write a rating the way a ticket carries it."""
    if rating is None:
        return {"score": "unoffered"}
    return {key: rating[key] for key in ("score", "id", "comment", "reason", "reason_id")}


def show_rating(ticket: Ticket, now: int) -> Record | None:
    """Write a rating as it is now: offered by the help desk, then good or bad, then perhaps the opposite."""
    moments = {kind: at for at, kind in ticket.so_far(now) if kind in ("offered", "rated", "rated again")}
    if "offered" not in moments:
        return None
    rating, score, comment = ticket.case.rating, "offered", None
    if rating is not None and "rated" in moments:
        score, comment = ("good" if rating.is_good else "bad"), rating.comment
        if "rated again" in moments:
            score = "bad" if rating.is_good else "good"
    number = FIRST_RATING + ticket.id
    return {
        "url": f"{API}/satisfaction_ratings/{number}.json",
        "id": number,
        "assignee_id": FIRST_AGENT + ticket.case.agent,
        "group_id": GROUP,
        "requester_id": ticket.requester.id,
        "ticket_id": ticket.id,
        "score": score,
        "created_at": iso(moments["offered"]),
        "updated_at": iso(max(moments.values())),
        "comment": comment,
        "reason": "No reason provided",
        "reason_id": 0,
        "reason_code": 0,
    }


def truth_of(world: World) -> dict[str, int]:
    """Tell whose each end user is, for tests alone: Zendesk's id → the person's number."""
    return {str(requester.id): requester.human.number for requester in Desk(world).requesters.values()}
