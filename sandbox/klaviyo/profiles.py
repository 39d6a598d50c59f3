"""Klaviyo's profiles of the invented people: what they say at a moment, and what the owner has consented to.

Most people have one profile; some have a second one under their other address, which is later merged into the first
and is gone then. A few are erased on request. An import once touched every profile in the same second.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any

from sandbox.world_people import write_email, write_family_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.records import Human, World

DAY = 86_400
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# The day on which somebody imported a column for all profiles at once.
IMPORT_DAYS_BEFORE_START = 40
METHODS = {"SUBSCRIBED": "PREFERENCE_PAGE", "UNSUBSCRIBED": "INBOUND_MESSAGE", "NEVER_SUBSCRIBED": None}


@dataclass(frozen=True, slots=True)
class Consent:
    """From a moment on: the state of consent to e-mail, and the vendor's reason for sending none, if it has one."""

    since: int
    state: str
    suppression: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile, from `created` until it is merged away or erased."""

    id: str
    owner: Human
    email: str
    phone: str | None
    family_name: str
    created: int
    changes: Sequence[int]
    consents: Sequence[Consent]
    removed: int | None

    def exists(self, now: int) -> bool:
        """Tell whether the vendor has it at a moment."""
        return self.created <= now and (self.removed is None or now < self.removed)

    def updated(self, now: int) -> int:
        """Give the time of its last change."""
        return self.changes[bisect_right(self.changes, now) - 1]

    def consent(self, now: int) -> Consent:
        """Give the state of its consent."""
        return max((one for one in self.consents if one.since <= now), key=lambda one: one.since)

    def orders(self, now: int) -> int:
        """Count its orders."""
        return bisect_right(self.owner.purchases, now)


class Profiles:
    """All profiles of the account."""

    def __init__(self, world: World) -> None:
        """Invent nothing yet."""
        self._world = world
        self._seen: tuple[int, list[Profile]] = (-1, [])

    @cached_property
    def everyone(self) -> list[Profile]:
        """Give every profile that ever is."""
        imported = self._world.starts_at - IMPORT_DAYS_BEFORE_START * DAY
        return [profile for human in self._world.humans for profile in profiles_of(human, imported)]

    @cached_property
    def by_id(self) -> dict[str, Profile]:
        """Give every profile under its id."""
        return {profile.id: profile for profile in self.everyone}

    @cached_property
    def of_owner(self) -> dict[int, list[Profile]]:
        """Give the profiles of a person, the oldest first."""
        found: dict[int, list[Profile]] = {}
        for profile in self.everyone:
            found.setdefault(profile.owner.number, []).append(profile)
        return found

    def current(self, now: int) -> list[Profile]:
        """Give the profiles that exist at a moment."""
        if self._seen[0] != now:
            self._seen = (now, [profile for profile in self.everyone if profile.exists(now)])
        return self._seen[1]


def profiles_of(human: Human, imported: int) -> Iterator[Profile]:
    """Invent a person's profiles."""
    random = Random(f"klaviyo/{human.number}")
    family = write_family_name(random, human.family[0])
    phone = "+81" + human.mobile[1:] if random.random() < 0.6 else None
    consents = invent_consents(human, random)
    erased = human.arrives_at + random.randint(60, 600) * DAY if random.random() < 0.015 else None
    moments = {human.arrives_at, *human.purchases, *(one.since for one in consents)}
    if human.arrives_at < imported:
        moments.add(imported)
    known = profile_id(human.number, "first")
    email = write_email(random, human.email)
    merged = None
    if random.random() < 0.25 and len(human.purchases) > 1:
        begin = human.purchases[len(human.purchases) // 2]
        merged = begin + random.randint(2, 40) * DAY if random.random() < 0.6 else None
        later = sorted({begin, *(at for at in human.purchases if at >= begin)})
        never = (Consent(begin, "NEVER_SUBSCRIBED"),)
        other = profile_id(human.number, "second")
        yield Profile(other, human, human.other_email, None, family, begin, later, never, merged)
    if merged is not None:
        moments.add(merged)
    yield Profile(known, human, email, phone, family, human.arrives_at, sorted(moments), consents, erased)


def invent_consents(human: Human, random: Random) -> Sequence[Consent]:
    """Invent what a person consents to: most at once, some never; some take it back, bounce, or complain."""
    begin = human.arrives_at
    if random.random() >= 0.7:
        return (Consent(begin, "NEVER_SUBSCRIBED"),)
    asked, chance = Consent(begin, "SUBSCRIBED"), random.random()
    later = begin + random.randint(5, 400) * DAY
    if chance < 0.12:
        return (asked, Consent(later, "UNSUBSCRIBED", "UNSUBSCRIBE"))
    if chance < 0.135:
        return (asked, Consent(later, "SUBSCRIBED", "HARD_BOUNCE"))
    if chance < 0.138:
        return (asked, Consent(later, "UNSUBSCRIBED", "SPAM_COMPLAINT"))
    return (asked,)


def attributes(profile: Profile, now: int) -> dict[str, Any]:
    """Write what the vendor says of a profile, without the fields that are only there when asked for."""
    human = profile.owner
    count = profile.orders(now)
    return {
        "email": profile.email,
        "phone_number": profile.phone,
        "external_id": None,
        "first_name": human.given[0],
        "last_name": profile.family_name,
        "organization": None,
        "locale": "ja-JP",
        "title": None,
        "image": None,
        "created": text_of(profile.created),
        "updated": text_of(profile.updated(now)),
        "last_event_date": text_of(human.purchases[count - 1]) if count else None,
        "location": {
            "address1": human.address.line1,
            "address2": human.address.line2,
            "city": human.address.city,
            "country": "Japan",
            "region": human.address.prefecture,
            "zip": human.address.postal_code,
            "timezone": "Asia/Tokyo",
        },
        "properties": {"購入回数": count},
    }


def subscriptions(profile: Profile, now: int) -> dict[str, Any]:
    """Write what the owner of a profile has consented to."""
    consent = profile.consent(now)
    since = text_of(consent.since)
    is_asked = consent.state != "NEVER_SUBSCRIBED"
    marketing = {
        "can_receive_email_marketing": consent.suppression is None,
        "consent": consent.state,
        "consent_timestamp": text_of(profile.consents[0].since if consent.state == "SUBSCRIBED" else consent.since),
        "last_updated": since,
        "method": METHODS[consent.state],
        "method_detail": "",
        "custom_method_detail": None,
        "double_optin": consent.state == "SUBSCRIBED",
        "suppression": [{"reason": consent.suppression, "timestamp": since}] if consent.suppression else [],
        "list_suppressions": [],
    }
    if not is_asked:
        marketing |= {"consent_timestamp": None, "last_updated": None}
    no_sms = {
        "can_receive_sms_marketing": False,
        "consent": "NEVER_SUBSCRIBED",
        "consent_timestamp": None,
        "method": None,
        "method_detail": None,
        "last_updated": None,
    }
    return {"email": {"marketing": marketing}, "sms": {"marketing": no_sms}}


def profile_id(number: int, which: str) -> str:
    """Make an id of the vendor's form, which tells nothing."""
    digest = sha256(f"klaviyo/{number}/{which}".encode()).digest()
    return "01" + "".join(CROCKFORD[byte % 32] for byte in digest[:24])


def text_of(moment: int) -> str:
    """Write a moment as the vendor does."""
    return datetime.fromtimestamp(moment, UTC).isoformat()


def truth_of(world: World) -> dict[str, int]:
    """Give the person behind each profile; no answer tells."""
    return {profile.id: profile.owner.number for profile in Profiles(world).everyone}
