"""The invented people through every vendor into one warehouse's raw tables, and the truth of whose each record is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kizuna import landing, warehouse
from kizuna.files import mapping
from kizuna.http import Client
from kizuna.settings import Connection
from kizuna.sources import SOURCES
from kizuna.webhooks import events
from sandbox import accounts
from sandbox.app import create_app
from sandbox.eccube.people import shop_of
from sandbox.eccube.people import truth_of as eccube_truth
from sandbox.exports.people import digits
from sandbox.exports.people import truth_of as files_truth
from sandbox.in_process import InProcess, time_out
from sandbox.intercom.records import truth_of as intercom_truth
from sandbox.klaviyo.profiles import truth_of as klaviyo_truth
from sandbox.line.friends import truth_of as line_truth
from sandbox.sendgrid.accounts import truth_of as sendgrid_truth
from sandbox.vendors.line import webhooks
from sandbox.zendesk.records import truth_of as zendesk_truth

if TYPE_CHECKING:
    import pytest

    from sandbox.records import World

YEARS = 3 * 365 * 86_400
INBOX = (
    "insert into ops.webhook_inbox (vendor, event_id, topic, body) values ('line', %s, %s, %s) on conflict do nothing"
)
FILES = ("customers", "subscription_contracts", "reviews", "survey_responses")


def land_world(world: World, folder: Path, url: str, patch: pytest.MonkeyPatch) -> None:
    """Land all that every vendor tells of the people of a world today, LINE's webhooks of the last years included."""
    app = create_app(world, folder, sleep=time_out, writes_exports=True)
    transport = InProcess(app)
    original = Client.__init__
    patch.setattr(Client, "__init__", lambda *given, **named: original(*given, **{**named, "transport": transport}))
    patch.setenv("KIZUNA_MAPPINGS", str(Path(mapping.__file__).parent / "examples"))
    landing.ensure_tables(url)
    now = app.state.setting.clock.now()
    with warehouse.connect(url, "kizuna_webhooks") as session:
        for webhook in webhooks(app.state.setting, now - YEARS, now):
            for event in events.line({}, webhook.body, 0):
                session.execute(INBOX, [event.event_id, event.topic, event.body])
    for source in SOURCES.values():
        for stream in source.streams:
            if _is_of_people(source.name, stream.name):
                account = _account(source.name, folder / "exports")
                landing.land_stream(source, stream, account, url, "run", sleep=lambda _seconds: None)
    app.state.setting.state.close()


def _is_of_people(source: str, stream: str) -> bool:
    """Whether a stream is evidence of persons, or core is made of it."""
    if source == "files":
        return stream in FILES
    return stream in {
        "shopify": ("customers", "orders", "products"),
        "line": ("followers", "webhooks", "account_link_nonces"),
        "eccube": ("customers", "orders"),
        "sendgrid": ("contacts",),
        "klaviyo": ("profiles",),
        "zendesk": ("users",),
        "intercom": ("contacts",),
    }.get(source, ())


def _account(source: str, exports: Path) -> Connection:
    if source in accounts.FILE_SOURCES:
        return Connection(source, "", "", {"path": str(exports / source), "quiet_seconds": "0"}, kind="fs")
    shown: dict[str, Any] = accounts.account(source, "http://sandbox")
    return Connection(source, shown["host"], shown["password"], shown["extra"], login=shown.get("login", ""))


def truth_of_records(world: World) -> dict[str, int]:
    """Whose each record is, by its record_key; a LINE friend who never buys is nobody known, and left out."""
    tools = {
        "line:follower": line_truth(world),
        "sendgrid:contact": sendgrid_truth(world),
        "klaviyo:profile": klaviyo_truth(world),
        "zendesk:user": zendesk_truth(world),
        "intercom:contact": intercom_truth(world),
    }
    told = {f"{prefix}:{key}": number for prefix, known in tools.items() for key, number in known.items()}
    return told | _truth_of_shops(world) | _truth_of_files(world)


def _truth_of_shops(world: World) -> dict[str, int]:
    customer, guest = "shopify:customer:gid://shopify/Customer/", "shopify:guest:gid://shopify/Order/"
    orders = [order for order in shop_of(world).orders if order.owner is None]
    found = {
        **{f"{customer}{account.key}": account.truth for account in world.accounts},
        **{f"{guest}{sale.key}": sale.truth for sale in world.sales if sale.account is None},
        **{f"eccube:customer:{key}": number for key, number in eccube_truth(world).items()},
        **{f"eccube:guest:{order.id}": order.truth for order in orders},
    }
    return {key: number for key, number in found.items() if number is not None}


def _truth_of_files(world: World) -> dict[str, int]:
    found = {f"files:customer:pos/{number}": owner for number, owner in files_truth(world).items()}
    for human in world.humans:
        subscriber = digits(f"tamago_repeat/customer/{human.number}", 9)
        found[f"files:customer:tamago_repeat/{subscriber}"] = human.number
        for turn in range(len(human.purchases)):
            found["files:review:reviews/R" + digits(f"reviews/{human.number}/{turn}", 10)] = human.number
            found["files:survey_response:nps/N" + digits(f"nps/{human.number}/{turn}", 10)] = human.number
    return found
