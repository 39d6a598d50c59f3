"""What the invented customers write to support about, and how it ends: the same story for every support vendor.

Each vendor draws its own writers, so that one person may be known to one support desk, to both, or to none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.records import Human

SHARE_OF_WRITERS = 0.15
MINUTE, HOUR, DAY = 60, 3_600, 86_400
AGENTS = ("佐伯 みどり", "本間 航", "小暮 しおり")
Fate = Literal["kept", "merged", "deleted"]


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of enquiry: its tag, its subject, and what people write; `{name}` is their family name."""

    tag: str
    subject: str
    question: str
    answer: str


TOPICS = (
    Topic(
        "order_delay",
        "注文した商品が届きません",
        "先週注文した商品がまだ届いていません。発送状況を教えてください。{name}",
        "お待たせして申し訳ございません。本日発送いたしました。追跡番号をメールでお送りします。",
    ),
    Topic(
        "skin_trouble",
        "肌に合わないようです",
        "化粧水を使い始めて3日目ですが、頬が少し赤くなりました。使い続けて大丈夫でしょうか。",
        "ご不安なお気持ちにさせてしまい申し訳ございません。ご使用を中止し、症状が続く場合は皮膚科へご相談ください。",
    ),
    Topic(
        "cancel_subscription",
        "定期コースを解約したいです",
        "まだ前回の分が残っているので、定期を一度止めたいです。手続き方法を教えてください。",
        "定期コースの解約を承りました。次回お届け分から停止いたします。",
    ),
    Topic(
        "address_change",
        "お届け先の変更",
        "引っ越しました。次回のお届け先を新しい住所に変更してください。{name}です。",
        "ご連絡ありがとうございます。新しいお届け先で承りました。",
    ),
)
THANKS = ("ありがとうございます。助かりました。", "確認しました。よろしくお願いします。", "わかりました😊")
GOOD_COMMENTS = ("すぐに返事をいただけました", "丁寧な対応でした", None, None)
BAD_COMMENTS = ("返信が遅いです", "電話がつながらない", None)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a case."""

    at: int
    is_agent: bool
    text: str


@dataclass(frozen=True, slots=True)
class Rating:
    """What the customer thought of it, and the moment at which they thought again (then it is the opposite)."""

    at: int
    is_good: bool
    comment: str | None
    changed_at: int | None


@dataclass(frozen=True, slots=True)
class Case:
    """One enquiry. `email` is the address it was written from; a merged case went into the writer's case before."""

    human: Human
    turn: int
    topic: Topic
    email: str
    agent: int
    messages: Sequence[Message]
    solved_at: int | None
    rating: Rating | None
    fate: Fate
    fate_at: int

    @property
    def opened_at(self) -> int:
        """When it was written."""
        return self.messages[0].at


def cases_of(vendor: str, human: Human) -> Iterator[Case]:
    """Invent what a person writes to a vendor's support desk: mostly nothing, sometimes twice."""
    random = Random(f"{vendor}/{human.number}")
    if random.random() >= SHARE_OF_WRITERS:
        return
    occasion = random.choice(human.purchases) if human.purchases else human.arrives_at
    first = invent_case(random, human, 0, occasion + random.randint(2 * HOUR, 6 * DAY))
    yield first
    chance = random.random()
    if chance < 0.12:
        # No answer within the hour: the same again, from the other address; the agent puts the two together.
        again = invent_case(random, human, 1, first.opened_at + random.randint(10 * MINUTE, HOUR), first)
        yield again
    elif chance < 0.4:
        yield invent_case(random, human, 1, first.opened_at + random.randint(20 * DAY, 200 * DAY))


def invent_case(random: Random, human: Human, turn: int, at: int, repeated: Case | None = None) -> Case:
    """Invent one enquiry; a repeated one is merged into the case that it repeats."""
    topic = repeated.topic if repeated else random.choice(TOPICS)
    email = human.email if random.random() < 0.7 and not repeated else human.other_email
    question = Message(at, is_agent=False, text=topic.question.format(name=human.family[0]))
    agent = random.randrange(len(AGENTS))
    if repeated:
        return Case(human, turn, topic, email, agent, (question,), None, None, "merged", at + 2 * HOUR)
    answered = at + random.randint(20 * MINUTE, 30 * HOUR)
    messages = [question, Message(answered, is_agent=True, text=topic.answer)]
    if random.random() < 0.6:
        thanked = answered + random.randint(5 * MINUTE, DAY)
        messages.append(Message(thanked, is_agent=False, text=random.choice(THANKS)))
    is_left_open = random.random() < 0.1
    solved = None if is_left_open else messages[-1].at + random.randint(HOUR, 2 * DAY)
    rating = invent_rating(random, solved) if solved is not None else None
    is_deleted = random.random() < 0.06
    fate_at = messages[-1].at + random.randint(3 * DAY, 60 * DAY)
    return Case(
        human, turn, topic, email, agent, tuple(messages), solved, rating, "deleted" if is_deleted else "kept", fate_at
    )


def invent_rating(random: Random, solved: int) -> Rating | None:
    """Let a third of the customers rate, and a few of those change their mind."""
    if random.random() >= 0.35:
        return None
    at = solved + DAY + random.randint(HOUR, 3 * DAY)
    is_good = random.random() < 0.8
    comment = random.choice(GOOD_COMMENTS if is_good else BAD_COMMENTS)
    changed = at + random.randint(HOUR, 2 * DAY) if random.random() < 0.15 else None
    return Rating(at, is_good, comment, changed)


def iso(moment: int) -> str:
    """Write a moment in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(text: str) -> int:
    """Read a moment that was written so."""
    return int(datetime.fromisoformat(text).timestamp())
