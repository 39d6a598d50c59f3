"""Whom a Zendesk account knows: its agents, and the people who wrote to it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from sandbox.support_cases import DAY, iso
from sandbox.world_people import write_phone

if TYPE_CHECKING:
    from sandbox.records import Human

Record = dict[str, Any]
API = "https://tsubaki-labo.zendesk.com/api/v2"
FIRST_AGENT, GROUP = 360_000_000_001, 360_000_100_001


@dataclass(slots=True)
class Requester:
    """A person as Zendesk knows them: one per address, until two are merged."""

    id: int
    human: Human
    email: str
    created_at: int
    deleted_at: int | None = None
    merged_at: int | None = None
    merged_into: int | None = None


def agent(number: int, name: str, at: int) -> Record:
    """Write an agent; the first is the account's owner."""
    is_owner = number == FIRST_AGENT
    return {
        **person(number, name, f"agent{number - FIRST_AGENT + 1}@tsubaki-labo.example", at, at),
        "role": "admin" if is_owner else "agent",
        "role_type": 4 if is_owner else 0,
        "default_group_id": GROUP,
        "ticket_restriction": None,
    }


def end_user(requester: Requester, now: int) -> Record:
    """Write a requester: one who called later has a phone number, one who was deleted is not active."""
    human = requester.human
    random = Random(f"zendesk/{human.number}/name")
    name = random.choice(
        (f"{human.family[0]} {human.given[0]}", f"{human.family[0]}{human.given[0]}", human.given[2], requester.email)
    )
    called_at = requester.created_at + DAY if random.random() < 0.5 else None
    changes = [at for at in (called_at, requester.deleted_at) if at is not None and at <= now]
    shown = person(requester.id, name, requester.email, requester.created_at, max([requester.created_at, *changes]))
    if called_at is not None and called_at <= now:
        shown["phone"] = write_phone(random, human.mobile)
    if requester.deleted_at is not None and requester.deleted_at <= now:
        shown["active"] = False
    return shown


def person(number: int, name: str, email: str, created: int, updated: int) -> Record:
    """Write what agents and end users have in common."""
    return {
        "id": number,
        "url": f"{API}/users/{number}.json",
        "name": name,
        "email": email,
        "created_at": iso(created),
        "updated_at": iso(updated),
        "time_zone": "Tokyo",
        "iana_time_zone": "Asia/Tokyo",
        "phone": None,
        "shared_phone_number": None,
        "photo": None,
        "locale_id": 67,
        "locale": "ja",
        "organization_id": None,
        "role": "end-user",
        "verified": True,
        "external_id": None,
        "tags": [],
        "alias": "",
        "active": True,
        "shared": False,
        "shared_agent": False,
        "last_login_at": None,
        "two_factor_auth_enabled": None,
        "signature": None,
        "details": "",
        "notes": "",
        "role_type": None,
        "custom_role_id": None,
        "moderator": False,
        "ticket_restriction": "requested",
        "only_private_comments": False,
        "restricted_agent": True,
        "suspended": False,
        "default_group_id": None,
        "report_csv": False,
        "user_fields": {},
    }
