"""Ruling: what a changed policy makes necessary to look at again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kizuna import warehouse
from kizuna.identity import policy as policies
from kizuna.identity.blocking import find_placeholders

if TYPE_CHECKING:
    from kizuna.identity.exchange import Connection
    from kizuna.identity.policy import Policy

LAST_POLICY = """
select runs.policy_version, policies.policy
from identity.runs
inner join identity.policies using (policy_version)
order by runs.run_number desc limit 1
"""
# Only values that the texts block now and did not, or did and do not.
LIFT = """
insert into lifted
select value_hash from identity.blocked_values
where reason = 'placeholder' and kind = any(%s)
    and not exists (select from placeholders where placeholders.value_hash = blocked_values.value_hash)
"""
TOUCH_BLOCKED = """
insert into touched_values (value_hash, kind, concerns_all)
select values.value_hash, values.kind, false
from (
    select value_hash from lifted
    union
    select value_hash from placeholders
    where not exists (
        select from identity.blocked_values
        where blocked_values.value_hash = placeholders.value_hash and blocked_values.reason = 'placeholder'
    )
) as ruled
inner join identity.values on ruled.value_hash = values.value_hash
"""


@dataclass(frozen=True)
class Ruling:
    """Which rules differ from those of the last run."""

    is_new: bool = False
    everything: bool = False
    rescored: bool = False
    kinds: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)


def rule(connection: Connection, policy: Policy) -> Ruling:
    """Compare the policy with the last run's."""
    row = connection.execute(LAST_POLICY).fetchone()
    if row is None:
        return Ruling(is_new=True, everything=True)
    version, before = row
    if version == policy.digest():
        return Ruling()
    now = json.loads(policy.model_dump_json())
    common = [name for name in before["kinds"] if name in now["kinds"]]
    reordered = common != [name for name in now["kinds"] if name in before["kinds"]]
    return Ruling(
        is_new=True,
        everything=reordered or before["conflicts"] != now["conflicts"] or before.get("code") != now["code"],
        rescored=before["scored"]["accept"] != now["scored"]["accept"],
        kinds=_differing(before["kinds"], now["kinds"]),
        blocked=_differing(before["blocked"], now["blocked"]),
    )


def reread_by_new_rules(warehouse_url: str) -> None:
    """Let all evidence be read again where the policy is another than the last run's.

    Brands and placeholders are known when evidence is normalized; what then says the same is still no news.
    """
    policy = policies.load()
    with warehouse.connect(warehouse_url, "kizuna_transform") as connection:
        if rule(connection, policy).is_new:
            connection.execute("delete from identity.read_up_to")


def _differing(before: dict[str, object], now: dict[str, object]) -> list[str]:
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def touch_ruled(connection: Connection, policy: Policy, ruling: Ruling) -> None:
    """Leave in `touched_values` the values that a changed rule concerns."""
    if ruling.blocked:
        find_placeholders(connection, policy, "identity.values where kind = %s", ruling.blocked)
        connection.execute("analyze placeholders")
        connection.execute(LIFT, [ruling.blocked])
        connection.execute(TOUCH_BLOCKED)
    if ruling.kinds:
        connection.execute(
            "insert into touched_values (value_hash, kind, concerns_all) "
            "select distinct stored_links.value_hash, kinds.kind, true "
            "from identity.stored_links inner join identity.kinds using (kind_number) where kinds.kind = any(%s)",
            [ruling.kinds],
        )
