"""Klaviyo's lists, which people join and leave, and segments, which the vendor computes from what they did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from zlib import crc32

from sandbox.klaviyo.events import LETTERS
from sandbox.klaviyo.profiles import DAY, text_of

if TYPE_CHECKING:
    from sandbox.klaviyo.profiles import Profile, Profiles

NEWSLETTER = "ニュースレター"
CAMPAIGNS = tuple(f"{year}年{season}の企画" for year in (2024, 2025, 2026, 2027) for season in ("春", "夏", "秋", "冬"))
# When a profile joined, or None for one that is no member.
Rule = Callable[["Profile", int], "int | None"]


@dataclass(frozen=True, slots=True)
class Group:
    """A list or a segment, from `created` until it is deleted."""

    id: str
    kind: str
    name: str
    created: int
    joined: Rule
    removed: int | None = None

    def exists(self, now: int) -> bool:
        """Tell whether the vendor has it at a moment."""
        return self.created <= now and (self.removed is None or now < self.removed)


def lists_of(starts_at: int) -> list[Group]:
    """Give the lists: the newsletter, and one for each season's campaign; the oldest campaign is deleted later."""
    opened = starts_at - 1200 * DAY
    groups = [Group(group_id(NEWSLETTER), "list", NEWSLETTER, opened, joined_newsletter)]
    for place, name in enumerate(CAMPAIGNS):
        begin = starts_at + (place - 11) * 91 * DAY
        removed = starts_at + 10 * DAY if place == 0 else None
        groups.append(Group(group_id(name), "list", name, begin, joins_campaign(name, begin), removed))
    return groups


def segments_of(starts_at: int) -> list[Group]:
    """Give the segments."""
    opened = starts_at - 800 * DAY
    rules: tuple[tuple[str, Rule], ...] = (
        ("初回購入から90日以内", joined_after_first),
        ("4回以上購入", joined_regulars),
        ("半年購入なし", joined_sleepers),
    )
    return [Group(group_id(name), "segment", name, opened, rule) for name, rule in rules]


def joined_newsletter(profile: Profile, now: int) -> int | None:
    """Have consented, and not taken it back."""
    consent = profile.consent(now)
    return profile.consents[0].since if consent.state == "SUBSCRIBED" else None


def joins_campaign(name: str, begin: int) -> Rule:
    """Make the rule of a campaign: one in six takes part, within its weeks, in steps of an hour."""

    def joined(profile: Profile, now: int) -> int | None:
        lot = crc32(f"{name}/{profile.id}".encode())
        at = max(profile.created, begin + lot // 6 % (60 * 24) * 3600)
        return at if lot % 6 == 0 and at <= now else None

    return joined


def joined_after_first(profile: Profile, now: int) -> int | None:
    """Have bought once, in the last 90 days."""
    first = profile.owner.purchases[0] if profile.orders(now) == 1 else None
    return first if first is not None and now - first < 90 * DAY else None


def joined_regulars(profile: Profile, now: int) -> int | None:
    """Have bought four times."""
    return profile.owner.purchases[3] if profile.orders(now) >= 4 else None


def joined_sleepers(profile: Profile, now: int) -> int | None:
    """Have bought, but not for half a year."""
    count = profile.orders(now)
    at = profile.owner.purchases[count - 1] + 180 * DAY if count else now + 1
    return at if at <= now else None


def members(group: Group, profiles: Profiles, now: int) -> list[tuple[int, Profile]]:
    """Give the members of a group with the time they joined, in that order."""
    joined = [(group.joined(profile, now), profile) for profile in profiles.current(now)]
    found = [(max(at, profile.created), profile) for at, profile in joined if at is not None]
    return sorted(found, key=lambda one: (one[0], one[1].id))


def describe_group(group: Group) -> dict[str, Any]:
    """Write a group's attributes."""
    body = {"name": group.name, "created": text_of(group.created), "updated": text_of(group.created)}
    if group.kind == "list":
        return {**body, "opt_in_process": "double_opt_in" if group.name == NEWSLETTER else "single_opt_in"}
    return {
        **body,
        "definition": {"condition_groups": []},
        "is_active": True,
        "is_processing": False,
        "is_starred": False,
    }


def group_id(name: str) -> str:
    """Make an id of the vendor's form."""
    digest = sha256(f"klaviyo/group/{name}".encode()).digest()
    return "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:6])
