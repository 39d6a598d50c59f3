"""What LINE users do that the shop is told of: follow, block, come back, write, tap, watch, link their account."""

from __future__ import annotations

from bisect import bisect_right
from hashlib import sha256
from operator import attrgetter
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox.line.links import Link, links

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.records import Friend, World

DAY = 86_400
LAST_DAY = 180
# The shop's account is on LINE as long as the world is: a friend writes, taps or watches about once in two months.
SECONDS_BETWEEN = 60 * DAY
TEXTS = (
    "注文番号を教えてください",
    "届くのはいつごろになりますか?",
    "ありがとうございます😊",
    "定期便の次回お届け日を変更したいです",
    "敏感肌でも使えますか",
    "クーポンが使えないのですが…",
    "hello! do you ship overseas?",
)
TAPS = ("action=coupon&id=WELCOME10", "action=history", "action=subscription&do=skip", "action=faq&q=shipping")
VIDEOS = ("howto_serum", "brand_story")


class Happening(NamedTuple):
    """One event: when in milliseconds, what LINE calls it, who did it, and the fields of its own."""

    at_ms: int
    kind: str
    user_id: str
    fields: dict[str, Any]

    @property
    def second(self) -> int:
        """The second in which it happens."""
        return self.at_ms // 1000


# The last world asked for, and its happenings: they are many, and the same every time.
_known: list[tuple[World, Sequence[Happening]]] = []


def happenings(world: World, since: int, until: int) -> Sequence[Happening]:
    """Give what happens in (since, until], seconds, in order of time."""
    if not _known or _known[0][0] is not world:
        _known[:] = [(world, sorted(_all(world), key=attrgetter("at_ms", "user_id", "kind")))]
    events = _known[0][1]
    second = attrgetter("second")
    return events[bisect_right(events, since, key=second) : bisect_right(events, until, key=second)]


def link_happening(link: Link) -> Happening:
    """Tell of an account link."""
    fields = {"link": {"result": "ok" if link.is_ok else "failed", "nonce": link.nonce}}
    return Happening(link.at * 1000 + millisecond(link.nonce), "accountLink", link.user_id, fields)


def _all(world: World) -> Iterator[Happening]:
    for friend in world.friends:
        yield from _comings_and_goings(friend)
        yield from _activity(friend, world.starts_at + LAST_DAY * DAY)
    yield from map(link_happening, links(world))


def _comings_and_goings(friend: Friend) -> Iterator[Happening]:
    for turn, (begin, end) in enumerate(friend.spans):
        at = begin * 1000 + millisecond(f"{friend.user_id}/follow/{turn}")
        yield Happening(at, "follow", friend.user_id, {"follow": {"isUnblocked": turn > 0}})
        if end is not None:
            at = end * 1000 + millisecond(f"{friend.user_id}/unfollow/{turn}")
            yield Happening(at, "unfollow", friend.user_id, {})


def _activity(friend: Friend, horizon: int) -> Iterator[Happening]:
    random = Random(f"line/activity/{friend.user_id}")
    for begin, end in friend.spans:
        at = begin
        while True:
            at += int(random.expovariate(1 / SECONDS_BETWEEN)) + 60
            if at + 120 >= (horizon if end is None else end):
                break
            yield from _activity_at(random, friend.user_id, at)


def _activity_at(random: Random, user_id: str, at: int) -> Iterator[Happening]:
    at_ms, chance = at * 1000 + random.randrange(1000), random.random()
    if chance < 0.5:
        message = _message(random)
        yield Happening(at_ms, "message", user_id, {"message": message})
        if random.random() < 0.05:
            unsend = {"unsend": {"messageId": message["id"]}}
            yield Happening(at_ms + random.randint(5_000, 90_000), "unsend", user_id, unsend)
    elif chance < 0.85:
        yield Happening(at_ms, "postback", user_id, {"postback": {"data": random.choice(TAPS)}})
    else:
        watched = {"videoPlayComplete": {"trackingId": random.choice(VIDEOS)}}
        yield Happening(at_ms, "videoPlayComplete", user_id, watched)


def _message(random: Random) -> dict[str, Any]:
    common = {"id": str(random.randrange(10**17, 10**18)), "quoteToken": f"{random.getrandbits(200):050x}"}
    chance = random.random()
    if chance < 0.7:
        return {"type": "text", **common, "text": random.choice(TEXTS)}
    if chance < 0.9:
        sticker = {"packageId": "446", "stickerId": str(random.randint(1988, 2027)), "stickerResourceType": "STATIC"}
        return {"type": "sticker", **common, **sticker}
    return {"type": "image", **common, "contentProvider": {"type": "line"}}


def millisecond(text: str) -> int:
    """Draw a millisecond that is always the same for a text."""
    return sha256(text.encode()).digest()[0] * 999 // 255
