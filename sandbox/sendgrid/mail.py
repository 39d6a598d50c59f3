"""What SendGrid sends to the invented people, and what becomes of each mail.

A purchase is confirmed at once; the first one is followed up after 1, 3 and 5 days; a newsletter goes out on the first
of each month to whoever bought lately. A life is invented anew whenever it is asked for, always the same.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

from sandbox.world_people import write_email

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.records import Human

DAY = 86_400
JAPAN_OFFSET = 9 * 3600
FOLLOW_UP_DAYS = (1, 3, 5)
NEWSLETTER_DAYS = 120
# Nothing becomes of a mail any more after these days; who has not bought for so long gets none.
LONGEST_TAIL = 12 * DAY
FOLLOW_UP_GROUP, NEWSLETTER_GROUP = 21_101, 21_102
GROUPS = {
    FOLLOW_UP_GROUP: ("お買い上げ後のご案内", "商品の使い方と、次のお買い物のご案内"),
    NEWSLETTER_GROUP: ("ニュースレター", "毎月のお知らせとキャンペーン"),
}
INVALID = ("5.1.1", "550 5.1.1 The email account does not exist")
FULL = ("5.2.2", "552 5.2.2 Mailbox full")
IP = "192.0.2.25"
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person: when it was handed over, what for, and the group it can be unsubscribed from."""

    owner: int
    at: int
    category: str
    group: int | None

    @property
    def id(self) -> str:
        """The vendor's id of the mail."""
        return token(self.owner, self.at, self.category)


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a mail, in the vendor's words; `details` are the fields that only this kind of event has."""

    at: int
    kind: str
    email: str
    mail: Mail
    details: dict[str, object] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The vendor's id of the event."""
        return token(self.mail.owner, self.mail.at, self.mail.category, self.kind, self.at)


@dataclass(slots=True)
class Suppression:
    """An address on one of the vendor's lists (`kind`), from `created` until somebody removes it."""

    kind: str
    email: str
    created: int
    details: dict[str, object] = field(default_factory=dict)
    group: int | None = None
    removed: int | None = None

    def is_on(self, moment: int) -> bool:
        """Tell whether the address is on the list at a moment."""
        return self.created <= moment and (self.removed is None or moment < self.removed)


@dataclass(slots=True)
class Life:
    """All that happens between the vendor and one person."""

    email: str
    happenings: list[Happening] = field(default_factory=list)
    suppressions: list[Suppression] = field(default_factory=list)


def live(human: Human) -> Life:
    """Invent what becomes of all mails to a person, in order of time."""
    random = Random(f"sendgrid/{human.number}")
    life = Life(write_email(random, human.email))
    fate = random.random()
    for mail in mails(human):
        reason = drop_reason(life, mail)
        if reason is not None:
            happen(life, mail, mail.at + 1, "dropped", reason=reason)
            continue
        happen(life, mail, mail.at + 1, "processed")
        if fate < 0.03 and not life.suppressions:
            fail(life, mail, random, is_invalid=fate < 0.012)
        elif random.random() < 0.008:
            block(life, mail, random)
        else:
            arrive(life, mail, random)
    return life


def mails(human: Human) -> list[Mail]:
    """List the mails to a person, oldest first."""
    sent: list[tuple[int, str, int | None]] = [(at + 60, "order_confirmation", None) for at in human.purchases]
    if human.purchases:
        first = human.purchases[0]
        sent += [(first + days * DAY, "follow_up", FOLLOW_UP_GROUP) for days in FOLLOW_UP_DAYS]
        sent += [(at, "newsletter", NEWSLETTER_GROUP) for at in newsletters(human)]
    sent.sort(key=lambda one: one[0])
    return [Mail(human.number, at, category, group) for at, category, group in sent]


def newsletters(human: Human) -> Iterator[int]:
    """Give the moments of the newsletters to a person: only who bought in the last months gets one."""
    for moment in newsletter_moments(human.purchases[0], human.purchases[-1] + NEWSLETTER_DAYS * DAY):
        last = human.purchases[bisect_right(human.purchases, moment) - 1]
        if moment - last <= NEWSLETTER_DAYS * DAY:
            yield moment


@lru_cache(maxsize=65_536)
def newsletter_moments(begin: int, end: int) -> Sequence[int]:
    """Give the first of each month at 11 o'clock in Japan, between two moments."""
    day = datetime.fromtimestamp(begin + JAPAN_OFFSET, UTC)
    year, month = day.year, day.month
    moments: list[int] = []
    while True:
        moment = int(datetime(year, month, 1, 11, tzinfo=UTC).timestamp()) - JAPAN_OFFSET
        if moment > end:
            return moments
        if moment > begin:
            moments.append(moment)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def drop_reason(life: Life, mail: Mail) -> str | None:
    """Tell why the vendor drops a mail; an order's confirmation goes out to who unsubscribed all the same."""
    reasons = {
        "bounces": "Bounced Address",
        "invalid_emails": "Invalid",
        "spam_reports": "Spam Reporting Address",
        "unsubscribes": "Unsubscribed Address",
        "group_unsubscribes": "Unsubscribed Address",
    }
    for suppression in life.suppressions:
        is_for_group = suppression.kind == "group_unsubscribes" and suppression.group != mail.group
        is_bypassed = suppression.kind.endswith("unsubscribes") and mail.group is None
        if suppression.is_on(mail.at) and suppression.kind in reasons and not is_for_group and not is_bypassed:
            return reasons[suppression.kind]
    return None


def fail(life: Life, mail: Mail, random: Random, *, is_invalid: bool) -> None:
    """Bounce for good; a shop that learns the address works again takes it off the list."""
    status, reason = INVALID if is_invalid else FULL
    at = mail.at + random.randint(2, 90)
    classification = "Invalid Address" if is_invalid else "Mailbox Unavailable"
    happen(life, mail, at, "bounce", reason=reason, status=status, type="bounce", bounce_classification=classification)
    details: dict[str, object] = {"reason": reason} if is_invalid else {"reason": reason, "status": status}
    removed = at + random.randint(10, 60) * DAY if random.random() < 0.3 else None
    kind = "invalid_emails" if is_invalid else "bounces"
    life.suppressions.append(Suppression(kind, life.email, at, details, removed=removed))


def block(life: Life, mail: Mail, random: Random) -> None:
    """Be refused this once by the receiver."""
    reason = "421 4.7.0 Too many messages from your IP address, try again later"
    at = mail.at + random.randint(60, 3600)
    happen(life, mail, at - 30, "deferred", response="421 4.7.0 try again later", attempt="1")
    happen(life, mail, at, "bounce", reason=reason, status="4.7.0", type="blocked", bounce_classification="Reputation")
    details: dict[str, object] = {"reason": reason, "status": "4.7.0"}
    life.suppressions.append(Suppression("blocks", life.email, at, details))


def arrive(life: Life, mail: Mail, random: Random) -> None:
    """Be delivered, perhaps read and clicked, and perhaps be the last of its kind."""
    at = mail.at + random.randint(2, 20)
    if random.random() < 0.02:
        happen(life, mail, at, "deferred", response="451 4.3.2 greylisted", attempt="1")
        at += random.randint(300, 1800)
    happen(life, mail, at, "delivered", response="250 2.0.0 OK")
    if random.random() >= (0.7 if mail.group is None else 0.38):
        return
    opened = at + int(random.expovariate(1 / 20_000)) % (3 * DAY) + 30
    is_machine = {"sg_machine_open": True} if random.random() < 0.2 else {}
    happen(life, mail, opened, "open", useragent=AGENT, **is_machine)
    if random.random() < 0.25:
        url = "https://shop.example.jp/my/orders" if mail.group is None else "https://shop.example.jp/recommended"
        happen(life, mail, opened + random.randint(5, 400), "click", useragent=AGENT, url=url)
    if mail.group is not None:
        leave(life, mail, random, opened + random.randint(10, 900))


def leave(life: Life, mail: Mail, random: Random, at: int) -> None:
    """Perhaps complain, or unsubscribe from all or from the group; some come back to the group."""
    chance = random.random()
    if chance < 0.002:
        happen(life, mail, at, "spamreport")
        life.suppressions.append(Suppression("spam_reports", life.email, at, {"ip": IP}))
    elif chance < 0.010:
        happen(life, mail, at, "unsubscribe")
        life.suppressions.append(Suppression("unsubscribes", life.email, at))
    elif chance < 0.030:
        happen(life, mail, at, "group_unsubscribe", useragent=AGENT)
        returned = at + random.randint(3600, 8 * DAY) if random.random() < 0.2 else None
        if returned is not None:
            happen(life, mail, returned, "group_resubscribe", useragent=AGENT)
        leaving = Suppression("group_unsubscribes", life.email, at, group=mail.group, removed=returned)
        life.suppressions.append(leaving)


def happen(life: Life, mail: Mail, at: int, kind: str, **details: object) -> None:
    """Note an event."""
    life.happenings.append(Happening(at, kind, life.email, mail, details))


def token(*parts: object) -> str:
    """Make an id as the vendor's look, which tells nothing."""
    digest = sha256("/".join(["sendgrid", *map(str, parts)]).encode()).digest()
    return urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def is_near(human: Human, since: int, until: int) -> bool:
    """Tell whether mails to a person can have events between two moments, without inventing their life."""
    if not human.purchases or human.purchases[0] > until:
        return False
    last = human.purchases[bisect_right(human.purchases, until) - 1]
    return last + NEWSLETTER_DAYS * DAY + LONGEST_TAIL >= since
