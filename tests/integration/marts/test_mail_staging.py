"""Staging of SendGrid and Klaviyo: what the sandbox's accounts hold, typed, the same on changes as built anew."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from kizuna import landing, layers, quality, rest, warehouse
from kizuna.http import Client
from kizuna.settings import Connection
from kizuna.sources import klaviyo, sendgrid
from kizuna.strategy import Strategy
from kizuna.webhooks import events
from sandbox.app import create_app
from sandbox.in_process import InProcess
from sandbox.klaviyo.events import Events
from sandbox.klaviyo.groups import lists_of, members
from sandbox.klaviyo.profiles import Profiles
from sandbox.sendgrid.accounts import MailAccount
from sandbox.vendors import sendgrid as sendgrid_vendor
from sandbox.world import invent_world

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from kizuna.rest import RestSource

DAY = 86_400


def test_sendgrid_staging_tells_what_the_account_holds(
    warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(warehouse_url, tmp_path, monkeypatch)
    setting = app.state.setting
    begun = setting.clock.now() - 20 * DAY
    for days in (0, 40):
        setting.clock.advance(days * DAY)
        receive(warehouse_url, setting, begun, setting.clock.now())
        land(sendgrid.SOURCE, warehouse_url)
        let_pass("sendgrid", warehouse_url, tmp_path)
        build("sendgrid", warehouse_url)
    same_when_built_anew("sendgrid", warehouse_url)

    account, now = MailAccount(setting.world), setting.clock.now()
    for kind in (*sendgrid.LISTS, "group_unsubscribes"):
        there = [(one.email, one.created) for one in account.suppressed(kind, now)]
        text = f"select email, extract(epoch from suppressed_at)::bigint from staging.stg_sendgrid__{kind}"
        assert sorted(ask(warehouse_url, text)) == sorted(there), kind
    told = Counter(one.kind for one in account.happenings(begun, now // 60 * 60))
    assert dict(ask(warehouse_url, "select event_type, count(*) from staging.stg_sendgrid__events group by 1")) == told
    text = "select sendgrid_contact_id, email, family_name from staging.stg_sendgrid__contacts"
    assert sorted(ask(warehouse_url, text)) == sorted((c.id, c.email, c.family_name) for c in account.contacts(now))
    figures = "select sum(delivered)::int, sum(opens)::int from staging.stg_sendgrid__{}"
    assert ask(warehouse_url, figures.format("stats")) == ask(warehouse_url, figures.format("category_stats"))
    app.state.setting.state.close()


def test_klaviyo_staging_tells_what_the_account_holds(
    warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(warehouse_url, tmp_path, monkeypatch)
    setting = app.state.setting
    for days in (0, 40):
        setting.clock.advance(days * DAY)
        land(klaviyo.SOURCE, warehouse_url)
        profiles = next(stream for stream in klaviyo.SOURCE.streams if stream.can_be_swept)
        landing.sweep_stream(klaviyo.SOURCE, profiles, account_of("klaviyo"), warehouse_url, "run")
        let_pass("klaviyo", warehouse_url, tmp_path)
        build("klaviyo", warehouse_url)
    same_when_built_anew("klaviyo", warehouse_url)

    now, known = setting.clock.now(), Profiles(setting.world)
    consents = [(one.id, one.email, one.consent(now).state, one.consent(now).suppression) for one in known.current(now)]
    text = (
        "select klaviyo_profile_id, email, email_consent, email_suppression_reason from staging.stg_klaviyo__profiles"
    )
    assert sorted(ask(warehouse_url, text), key=str) == sorted(consents, key=str)
    happened = Counter(one.metric for one in Events(setting.world, known).between((0, ""), now, now))
    counted = """
        select metrics.name, count(*)
        from staging.stg_klaviyo__events as events
        inner join staging.stg_klaviyo__metrics as metrics on events.klaviyo_metric_id = metrics.klaviyo_metric_id
        group by 1
    """
    assert dict(ask(warehouse_url, counted)) == happened
    there = [group for group in lists_of(setting.world.starts_at) if group.exists(now)]
    joined = sorted((group.id, profile.id, at) for group in there for at, profile in members(group, known, now))
    text = "select klaviyo_list_id, klaviyo_profile_id, extract(epoch from joined_at)::bigint from staging.{}"
    assert sorted(ask(warehouse_url, text.format("stg_klaviyo__list_members"))) == joined
    app.state.setting.state.close()


def opened(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    app = create_app(invent_world(400, 3, date(2026, 11, 22)), folder)
    monkeypatch.setattr(rest, "Client", partial(Client, transport=InProcess(app)))
    landing.ensure_tables(url)
    return app


def account_of(vendor: str) -> Connection:
    return Connection(vendor, f"http://sandbox/{vendor}", "sandbox-token", {"poll_seconds": "0"})


def land(source: RestSource, url: str) -> None:
    for stream in source.streams:
        landing.land_stream(source, stream, account_of(source.name), url, "run")


def receive(url: str, setting: Any, since: int, until: int) -> None:
    """Put what SendGrid sends into the inbox, as the receiver does; what was received before changes nothing."""
    row = "insert into ops.webhook_inbox (vendor, event_id, topic, body) values ('sendgrid', %s, %s, %s)"
    with warehouse.connect(url) as session, session.cursor() as cursor:
        for webhook in sendgrid_vendor.webhooks(setting, since, until):
            sent = events.sendgrid(webhook.headers, webhook.body, webhook.at)
            cursor.executemany(f"{row} on conflict do nothing", [(one.event_id, one.topic, one.body) for one in sent])


def let_pass(vendor: str, url: str, folder: Path) -> None:
    report = quality.run_gate("raw", url, "run", only=vendor, docs_folder=folder / "docs")
    assert (report.failed_critical, report.failed_warning) == (0, 0)
    assert report.expectations > 0


def build(vendor: str, url: str, *, full_refresh: bool = False) -> None:
    layers.build(
        f"path:models/staging/{vendor}",
        "transform",
        run_id="run",
        warehouse_url=url,
        strategy=Strategy(),
        as_of=date(2026, 11, 22),
        full_refresh=full_refresh,
    )


def same_when_built_anew(vendor: str, url: str) -> None:
    on_changes = contents(vendor, url)
    assert on_changes
    assert all(on_changes.values())
    build(vendor, url, full_refresh=True)
    assert contents(vendor, url) == on_changes


def contents(vendor: str, url: str) -> dict[str, list[tuple[Any, ...]]]:
    tables = ask(url, f"select tablename from pg_tables where schemaname = 'staging' and tablename like '%%{vendor}%%'")
    return {name: ask(url, f"select to_jsonb(kept)::text from staging.{name} as kept order by 1") for (name,) in tables}


def ask(url: str, text: str) -> list[tuple[Any, ...]]:
    with warehouse.connect(url) as session:
        return session.execute(text).fetchall()  # type: ignore[arg-type]
