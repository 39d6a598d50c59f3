"""What an Intercom workspace holds at a moment: contacts, and conversations with their parts.

A contact that was merged into another, or deleted, is not there any more: nothing that is left tells of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any

from sandbox.support_cases import AGENTS, DAY, HOUR, Case, cases_of
from sandbox.world_people import write_email, write_phone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.records import Human, World

Record = dict[str, Any]
WORKSPACE = "tsubakilabo"
FIRST_ADMIN, FIRST_CONVERSATION, FIRST_PART = 7_100_001, 215_000_000_001, 30_000_000_001
SHARE_OF_VISITORS = 0.12
# One conversation grows past what the API shows: an integration leaves a note in it four times a day.
NOTES_IN_THE_LONGEST, NOTE_EVERY = 560, 6 * HOUR
MOST_PARTS_NUMBER = 1_000


@dataclass(slots=True)
class Contact:
    """A person as Intercom knows them: one per address, until two are merged."""

    id: str
    human: Human
    email: str
    external_id: str | None
    created_at: int
    touched: list[int]
    gone_at: int | None = None
    merged_into: str | None = None

    def exists(self, now: int) -> bool:
        """Tell whether the contact is there."""
        return self.created_at <= now and (self.gone_at is None or now < self.gone_at)

    def updated_at(self, now: int) -> int:
        """Give the moment of the last change."""
        return max([self.created_at, *(at for at in self.touched if at <= now)])


@dataclass(slots=True)
class Conversation:
    """A conversation, and all that ever happens in it: (moment, what, text)."""

    number: int
    case: Case
    contact: Contact
    course: Sequence[tuple[int, str, str]]

    def exists(self, now: int) -> bool:
        """Tell whether the conversation is there."""
        is_deleted = self.case.fate == "deleted" and now >= self.case.fate_at
        return self.case.opened_at <= now and not is_deleted

    def so_far(self, now: int) -> list[tuple[int, str, str]]:
        """Give what has happened up to a moment."""
        return [entry for entry in self.course if entry[0] <= now]


class Inbox:
    """The whole workspace, of which a moment shows what has happened so far."""

    def __init__(self, world: World) -> None:
        """Invent contacts and conversations in order of time."""
        self._account_of: dict[int | None, str] = {}
        for account in world.accounts:
            self._account_of.setdefault(account.truth, account.key)
        cases = [case for human in world.humans for case in cases_of("intercom", human)]
        cases.sort(key=lambda case: case.opened_at)
        self.contacts: dict[tuple[int, str], Contact] = {}
        self.conversations = [self._conversation(rank, case) for rank, case in enumerate(cases)]
        for human in world.humans:
            visits = Random(f"intercom/{human.number}/visit")
            if visits.random() < SHARE_OF_VISITORS:
                self._contact(human, human.email, human.arrives_at).touched.extend(human.purchases)

    def _conversation(self, rank: int, case: Case) -> Conversation:
        contact = self._contact(case.human, case.email, case.opened_at)
        conversation = Conversation(FIRST_CONVERSATION + rank, case, contact, tuple(course_of(case, rank == 0)))
        contact.touched.extend(message.at for message in case.messages)
        if case.fate == "merged":
            first = next(known for (human, _), known in self.contacts.items() if human == case.human.number)
            if first is not contact:
                contact.gone_at, contact.merged_into = case.fate_at + HOUR, first.id
                first.touched.append(case.fate_at + HOUR)
        return conversation

    def _contact(self, human: Human, email: str, at: int) -> Contact:
        key = (human.number, email)
        if key not in self.contacts:
            random = Random(f"intercom/{human.number}/{email}")
            contact_id = sha256(f"intercom/{human.number}/{email}".encode()).hexdigest()[:24]
            is_logged_in = email == human.email and random.random() < 0.7
            external_id = self._account_of.get(human.number) if is_logged_in else None
            self.contacts[key] = Contact(contact_id, human, write_email(random, email), external_id, at, [])
            if random.random() < 0.04:
                self.contacts[key].gone_at = at + random.randint(100 * DAY, 400 * DAY)
        return self.contacts[key]


def course_of(case: Case, is_longest: bool) -> Iterator[tuple[int, str, str]]:  # noqa: FBT001
    """Tell what happens in a conversation, in order of time."""
    found = [(message.at, "answered" if message.is_agent else "asked", message.text) for message in case.messages]
    if case.solved_at is not None:
        found.append((case.solved_at, "closed", ""))
    if case.fate == "merged":
        found.append((case.fate_at, "closed", ""))
    if case.rating is not None:
        found.append((case.rating.at, "rated", case.rating.comment or ""))
        if case.rating.changed_at is not None:
            found.append((case.rating.changed_at, "rated again", case.rating.comment or ""))
    if is_longest:
        begin = case.opened_at + HOUR
        found += [(begin + turn * NOTE_EVERY, "noted", f"連携メモ {turn}") for turn in range(NOTES_IN_THE_LONGEST)]
    yield from sorted(found)


def show_contact(contact: Contact, now: int) -> Record:
    """Write a contact as it is now; a lead has no id of ours, a user has the shop's."""
    human, random = contact.human, Random(f"intercom/{contact.human.number}/name")
    updated = contact.updated_at(now)
    name = random.choice((f"{human.family[0]} {human.given[0]}", f"{human.family[0]}{human.given[0]}", None))
    return {
        "type": "contact",
        "id": contact.id,
        "workspace_id": WORKSPACE,
        "external_id": contact.external_id,
        "role": "user" if contact.external_id else "lead",
        "email": contact.email,
        "phone": write_phone(random, human.mobile) if random.random() < 0.3 else None,
        "name": name,
        "avatar": None,
        "owner_id": None,
        "social_profiles": {"type": "list", "data": []},
        "has_hard_bounced": False,
        "marked_email_as_spam": False,
        "unsubscribed_from_emails": random.random() < 0.1,
        "created_at": contact.created_at,
        "updated_at": updated,
        "signed_up_at": contact.created_at if contact.external_id else None,
        "last_seen_at": updated,
        "last_replied_at": None,
        "last_contacted_at": None,
        "last_email_opened_at": None,
        "last_email_clicked_at": None,
        "language_override": None,
        "browser": "chrome",
        "browser_version": "142.0.0.0",
        "browser_language": "ja",
        "os": "Android 16",
        "location": {"type": "location", "country": "Japan", "region": human.address.prefecture, "city": None},
        "custom_attributes": {},
        "tags": nothing(f"/contacts/{contact.id}/tags"),
        "notes": nothing(f"/contacts/{contact.id}/notes"),
        "companies": nothing(f"/contacts/{contact.id}/companies"),
    }


def nothing(url: str) -> Record:
    """Write an empty list that could be asked for."""
    return {"type": "list", "data": [], "url": url, "total_count": 0, "has_more": False}


def admin_of(case: Case) -> Record:
    """Name who answers a case."""
    number = FIRST_ADMIN + case.agent
    email = f"agent{case.agent + 1}@tsubaki-labo.example"
    return {"type": "admin", "id": str(number), "name": AGENTS[case.agent], "email": email}


def author_of(conversation: Conversation) -> Record:
    """Name who wrote a case."""
    contact, human = conversation.contact, conversation.case.human
    kind = "user" if contact.external_id else "lead"
    return {"type": kind, "id": contact.id, "name": f"{human.family[0]} {human.given[0]}", "email": contact.email}


def contact_of(conversation: Conversation, inbox: Inbox, now: int) -> Record:
    """Refer to the contact of a conversation: after a merge it is the other one."""
    contact = conversation.contact
    if contact.merged_into is not None and not contact.exists(now):
        contact = next(known for known in inbox.contacts.values() if known.id == contact.merged_into)
    return {"type": "contact", "id": contact.id, "external_id": contact.external_id}


def truth_of(world: World) -> dict[str, int]:
    """Tell whose each contact is, for tests alone: Intercom's id → the person's number."""
    return {contact.id: contact.human.number for contact in Inbox(world).contacts.values()}
