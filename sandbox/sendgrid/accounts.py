"""What the SendGrid account holds at a moment: lists of suppressed addresses, contacts, and statistics by day."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_DNS, uuid5
from zlib import crc32

from sandbox.sendgrid.mail import DAY, GROUPS, Happening, Suppression, is_near, live
from sandbox.world_people import write_family_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.records import Human, World

# Opens and clicks enter the statistics of their day some hours late, so that figures of the last days still move.
LATEST_FIGURE = 30 * 3600
METRICS = (
    *("blocks", "bounce_drops", "bounces", "clicks", "deferred", "delivered", "invalid_emails", "opens", "processed"),
    *("requests", "spam_report_drops", "spam_reports", "unique_clicks", "unique_opens", "unsubscribe_drops"),
    "unsubscribes",
)
DROPS = {
    "Bounced Address": "bounce_drops",
    "Invalid": "invalid_emails",
    "Spam Reporting Address": "spam_report_drops",
    "Unsubscribed Address": "unsubscribe_drops",
}
FIGURES = {
    "deferred": ("deferred",),
    "delivered": ("delivered",),
    "open": ("opens", "unique_opens"),
    "click": ("clicks", "unique_clicks"),
    "spamreport": ("spam_reports",),
    "unsubscribe": ("unsubscribes",),
    "processed": ("processed", "requests"),
}


@dataclass(frozen=True, slots=True)
class Contact:
    """A person in the marketing contacts, from `created` until somebody deletes them."""

    id: str
    email: str
    family_name: str
    given_name: str
    created: int
    changes: tuple[int, ...]
    removed: int | None
    owner: int

    def describe(self, now: int) -> dict[str, Any]:
        """Write the contact as an export does; there, unlike elsewhere, its id is called `contact_id`."""
        updated = max((at for at in self.changes if at <= now), default=self.created)
        bought = sum(at <= now for at in self.changes)
        return {
            "contact_id": self.id,
            "email": self.email,
            "first_name": self.given_name,
            "last_name": self.family_name,
            "alternate_emails": [],
            "country": "JP",
            "custom_fields": {"orders": bought},
            "created_at": moment_text(self.created),
            "updated_at": moment_text(updated),
        }


class MailAccount:
    """The account over the world's people."""

    def __init__(self, world: World) -> None:
        """Invent nothing yet."""
        self._humans = world.humans
        self._counted: tuple[tuple[int, int, int], dict[tuple[int, str], Counter[str]]] = ((0, 0, 0), {})

    @cached_property
    def _suppressions(self) -> dict[str, list[Suppression]]:
        found: dict[str, list[Suppression]] = defaultdict(list)
        for human in self._humans:
            for suppression in live(human).suppressions:
                found[suppression.kind].append(suppression)
        for listed in found.values():
            listed.sort(key=lambda one: (-one.created, one.email))
        return found

    @cached_property
    def _contacts(self) -> list[Contact]:
        return [contact for human in self._humans for contact in contacts_of(human)]

    def suppressed(self, kind: str, now: int) -> list[Suppression]:
        """Give who is on a list, newest first."""
        return [one for one in self._suppressions.get(kind, []) if one.is_on(now)]

    def contacts(self, now: int) -> list[Contact]:
        """Give the contacts."""
        return [c for c in self._contacts if c.created <= now and (c.removed is None or now < c.removed)]

    def happenings(self, since: int, until: int) -> list[Happening]:
        """Give the events in (since, until], in order of time."""
        return sorted(self._between(since, until), key=lambda one: (one.at, one.id))

    def _between(self, since: int, until: int) -> Iterator[Happening]:
        near = (human for human in self._humans if is_near(human, since, until))
        return (one for human in near for one in live(human).happenings if since < one.at <= until)

    def statistics(self, first_day: int, last_day: int, now: int) -> Mapping[tuple[int, str], Counter[str]]:
        """Count by (day, category) over days of UTC (days since 1970), as far as they are known now."""
        if self._counted[0] == (first_day, last_day, now):
            return self._counted[1]
        counted: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
        for one in self._between(first_day * DAY - 1, min((last_day + 1) * DAY - 1, now)):
            if is_counted(one, now):
                counted[one.at // DAY, one.mail.category].update(figures(one))
        self._counted = ((first_day, last_day, now), counted)
        return counted


def is_counted(happening: Happening, now: int) -> bool:
    """Tell whether an event is in the statistics yet."""
    is_late = happening.kind in ("open", "click")
    return not is_late or happening.at + crc32(happening.id.encode()) % LATEST_FIGURE <= now


def figures(happening: Happening) -> tuple[str, ...]:
    """Name the figures that an event raises."""
    if happening.kind == "dropped":
        return ("requests", DROPS[str(happening.details["reason"])])
    if happening.kind == "bounce":
        return ("blocks",) if happening.details["type"] == "blocked" else ("bounces",)
    return FIGURES.get(happening.kind, ())


def contacts_of(human: Human) -> Iterator[Contact]:
    """Give the contacts of a person: one when they turn up, some a second one under their other address."""
    random = Random(f"sendgrid/contacts/{human.number}")
    family = write_family_name(random, human.family[0])
    removed = human.arrives_at + random.randint(30, 500) * DAY if random.random() < 0.02 else None
    yield contact(human, human.email, family, human.arrives_at, tuple(human.purchases), removed)
    if random.random() < 0.07 and len(human.purchases) > 1:
        begin = human.purchases[len(human.purchases) // 2]
        later = tuple(at for at in human.purchases if at >= begin)
        yield contact(human, human.other_email, family, begin, later, None)


def contact(
    human: Human, email: str, family: str, created: int, changes: tuple[int, ...], removed: int | None
) -> Contact:
    """Write one contact; the vendor keeps addresses in lower case."""
    known = str(uuid5(NAMESPACE_DNS, f"sendgrid/{email}"))
    return Contact(known, email.lower(), family, human.given[0], created, changes, removed, human.number)


def moment_text(moment: int) -> str:
    """Write a moment as the vendor does."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def truth_of(world: World) -> dict[str, int]:
    """Give the person behind each contact; no answer tells."""
    return {contact.id: contact.owner for human in world.humans for contact in contacts_of(human)}


def group_names() -> dict[int, str]:
    """Name the groups that people can unsubscribe from."""
    return {group: name for group, (name, _) in GROUPS.items()}
