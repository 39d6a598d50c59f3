"""Scoring: how alike two records are that share no value, by Splink on DuckDB in this process. Optional.

A pair's probability depends on its two records, the model and the policy alone: not on other records, and not on what
is joined already. So only pairs of changed records are looked at, and the result is what scoring everything would give.
Pairs that share a value which joins by itself, that contradict each other, or that a person has parted are left out.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, LiteralString

from kizuna import warehouse
from kizuna.identity import likeness, pairing
from kizuna.identity.pairing import Use
from kizuna.identity.policy import load

if TYPE_CHECKING:
    from kizuna.identity.exchange import Connection
    from kizuna.identity.likeness import Model
    from kizuna.identity.pairing import Pair

LOCK = "select pg_advisory_xact_lock(hashtext('kizuna.identity'))"
# One value of each kind a record: what it shares with another joins them without a score. Blocked values say nothing.
# The hash is of all that its pairs depend on, decisions to part it included.
INPUT = """
create temporary table scoring_input on commit drop as
with carried as (
    select distinct stored_links.record_number, kinds.kind, values.value
    from identity.stored_links
    inner join identity.kinds on stored_links.kind_number = kinds.kind_number
    inner join identity.values on stored_links.value_hash = values.value_hash
    where not exists (select from identity.blocked_values where blocked_values.value_hash = stored_links.value_hash)
),

contacts as (
    select
        record_number,
        min(value) filter (where kind = 'email') as email,
        min(value) filter (where kind = 'phone') as phone,
        coalesce(
            min(split_part(value, '|', 1)) filter (where kind = 'address'),
            min(split_part(value, '|', 2)) filter (where kind = 'name_postal')
        ) as postal,
        coalesce(
            min(split_part(value, '|', 2)) filter (where kind = 'address'),
            min(split_part(value, '|', 2)) filter (where kind = 'name_address')
        ) as address,
        hashtextextended(string_agg(kind || ':' || value, ' ' order by kind, value), 0) as carried_hash
    from carried
    group by record_number
),

parted as (
    select sides.record_key, string_agg(sides.other_key, ' ' order by sides.other_key) as others
    from identity.overrides_in_force as decisions
    cross join lateral (
        values (decisions.record_key_a, decisions.record_key_b), (decisions.record_key_b, decisions.record_key_a)
    ) as sides (record_key, other_key)
    where decisions.decision = 'never'
    group by sides.record_key
)

select
    records.record_number,
    records.record_key,
    profile.value as profile,
    said.family,
    said.given,
    said."full" as whole,
    said.family_kana,
    said.given_kana,
    said.full_kana as whole_kana,
    said.birth,
    contacts.email,
    contacts.phone,
    contacts.postal,
    contacts.address,
    hashes.content_hash,
    %(full)s or scored.content_hash is distinct from hashes.content_hash
    or scored.version is distinct from %(version)s as is_changed
from identity.records
left join identity.values as profile on records.profile_hash = profile.value_hash and profile.kind = 'profile'
left join lateral jsonb_to_record(profile.value::jsonb) as said (
    family text, given text, "full" text, family_kana text, given_kana text, full_kana text, birth text
) on true
left join contacts on records.record_number = contacts.record_number
left join parted on records.record_key = parted.record_key
cross join lateral (
    select hashtextextended(concat_ws(' ', records.profile_hash, contacts.carried_hash, parted.others), 0)
) as hashes (content_hash)
left join identity.scored_records as scored on records.record_number = scored.record_number
where not records.is_gone
"""


class ScoringError(RuntimeError):
    """Records cannot be scored as things are; the text says why and what to do."""


@dataclass(frozen=True)
class Scored:
    """What one scoring looked at and wrote, in counts; a re-run writes nothing."""

    records: int
    changed: int
    pairs: int
    written: int
    withdrawn: int
    model_version: str
    seconds: float


def score(warehouse_url: str, *, full: bool = False) -> Scored:
    """Bring `identity.scored_pairs` up to date with the records that changed; with all of them when `full`.

    Raises:
        ScoringError: when the optional packages are not installed, or no model was trained.
    """
    require_splink()
    policy, started = load(), time.monotonic()
    with warehouse.connect(warehouse_url, "kizuna_transform") as connection:
        connection.execute(LOCK)
        count = _count(connection, "select count(*) from identity.records where not is_gone")
        model = _model()
        use = Use(model.version(count), f"{model.version(count)} {policy.digest()}")
        changed = stage(connection, use.version, full=full)
        found = likeness_of(connection, model, count, policy.scored.review) if changed else []
        written = pairing.write(connection, found, policy, use)
    seconds = round(time.monotonic() - started, 2)
    return Scored(count, changed, *written, use.model_version, seconds)


def stage(connection: Connection, version: str = "", *, full: bool = False) -> int:
    """Put all records that may be scored, and which of them changed, into scoring_input; return how many changed."""
    connection.execute(INPUT, {"version": version, "full": full})
    connection.execute("create unique index on scoring_input (record_number)")
    connection.execute("analyze scoring_input")
    return _count(connection, "select count(*) from scoring_input where is_changed")


def likeness_of(connection: Connection, model: Model, count: int, review: float) -> list[Pair]:
    """Score the staged records by a trained model."""
    from kizuna.identity import predicting  # noqa: PLC0415 - optional packages, a second to import

    with predicting.People(connection) as people:
        return people.predict(model.settings_for(count), review)


def require_splink() -> None:
    """Say how to install what is missing.

    Raises:
        ScoringError: when Splink or DuckDB is not there.
    """
    missing = [name for name in ("splink", "duckdb") if find_spec(name) is None]
    if missing:
        message = (
            f"{' and '.join(missing)} not installed: scoring is optional, `pip install kizuna[scoring]` installs it"
        )
        raise ScoringError(message)


def _model() -> Model:
    try:
        return likeness.load()
    except FileNotFoundError:
        message = (
            f"No model at {likeness.MODEL_FILE.name}: restore it, or train one with `kizuna identity score --train`"
        )
        raise ScoringError(message) from None


def _count(connection: Connection, query: LiteralString) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
