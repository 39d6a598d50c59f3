"""How long a ticket took, as Zendesk counts it: the metric set beside a ticket, and the events it is counted from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.support_cases import iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.support_cases import Case

    Past = Sequence[tuple[int, str]]

Record = dict[str, Any]

MOST_EVENTS_PER_TICKET = 32


def metric_set(ticket_id: int, first_id: int, case: Case, past: Past) -> Record:
    """Write a ticket's metrics as of its last happening; times are minutes, by the calendar and in business hours."""
    opened = case.opened_at
    answered = first(past, "answered")
    solved = first(past, "solved") or first(past, "merged")
    assigned = answered or first(past, "merged")
    asked = [at for at, kind in past if kind == "asked"]
    replies = sum(kind == "answered" for _, kind in past)
    return {
        "url": f"https://tsubaki-labo.zendesk.com/api/v2/ticket_metrics/{first_id + ticket_id}.json",
        "id": first_id + ticket_id,
        "ticket_id": ticket_id,
        "created_at": iso(opened),
        "updated_at": iso(past[-1][0]),
        "group_stations": 1,
        "assignee_stations": int(assigned is not None),
        "reopens": 0,
        "replies": replies,
        "assignee_updated_at": moment(answered),
        "requester_updated_at": iso(asked[-1]),
        "status_updated_at": iso(past[-1][0]),
        "initially_assigned_at": moment(assigned),
        "assigned_at": moment(assigned),
        "solved_at": moment(solved),
        "latest_comment_added_at": iso(max(at for at, kind in past if kind in ("asked", "answered"))),
        "reply_time_in_minutes": minutes(opened, answered),
        "first_resolution_time_in_minutes": minutes(opened, solved),
        "full_resolution_time_in_minutes": minutes(opened, solved),
        "agent_wait_time_in_minutes": minutes(answered, solved),
        "requester_wait_time_in_minutes": minutes(opened, answered),
        "on_hold_time_in_minutes": {"calendar": 0, "business": 0},
        "custom_status_updated_at": iso(past[-1][0]),
        "reply_time_in_seconds": {"calendar": None if answered is None else answered - opened},
    }


def metric_events(ticket_id: int, first_id: int, past: Past, *, with_changes: bool) -> Iterator[tuple[int, Record]]:
    """Tell the metric events of a ticket so far, each with its moment; a deleted ticket's are marked when asked for."""
    is_deleted = with_changes and first(past, "deleted") is not None
    number = 0
    for at, kind in past:
        for metric, change in EVENTS.get(kind, ()):
            event: Record = {
                "id": first_id + ticket_id * MOST_EVENTS_PER_TICKET + number,
                "ticket_id": ticket_id,
                "metric": metric,
                "instance_id": 1,
                "type": change,
                "time": iso(at),
            }
            number += 1
            yield at, {**event, "deleted": True} if is_deleted else event


EVENTS = {
    "asked": (("reply_time", "activate"), ("requester_wait_time", "activate"), ("resolution_time", "activate")),
    "answered": (("reply_time", "fulfill"), ("requester_wait_time", "pause"), ("agent_work_time", "pause")),
    "solved": (("resolution_time", "fulfill"), ("agent_work_time", "fulfill")),
    "merged": (("resolution_time", "fulfill"),),
}


def first(past: Past, kind: str) -> int | None:
    """Give the first moment of a kind."""
    return next((at for at, happened in past if happened == kind), None)


def minutes(begin: int | None, end: int | None) -> dict[str, int | None]:
    """Write a span; a third of it falls into business hours."""
    if begin is None or end is None:
        return {"calendar": None, "business": None}
    span = (end - begin) // 60
    return {"calendar": span, "business": span // 3}


def moment(at: int | None) -> str | None:
    """Write a moment that may not have come."""
    return None if at is None else iso(at)
