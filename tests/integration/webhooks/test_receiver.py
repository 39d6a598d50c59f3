"""The receiver: 200 is stored, everything else is not, and nobody's data is in the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from signed_requests import SECRETS, VENDORS, ReceiverClient, line_request, opened

from kizuna import warehouse
from kizuna.webhooks import receiver as receiving
from kizuna.webhooks import storing
from kizuna.webhooks.events import Event
from kizuna.webhooks.receiver import create_receiver
from kizuna.webhooks.storing import Storing, StoringError

Query = Callable[..., list[tuple[Any, ...]]]
IDS = "select event_id from ops.webhook_inbox order by webhook_id"


def test_what_was_answered_200_is_stored_event_by_event(client: ReceiverClient, query: Query) -> None:
    assert client.post("/webhooks/line", **line_request("a", "b")).status_code == 200
    assert query("select vendor, event_id, topic, convert_from(body, 'utf8') from ops.webhook_inbox order by 2") == [
        ("line", "a", "follow", '{"type":"follow","webhookEventId":"a"}'),
        ("line", "b", "follow", '{"type":"follow","webhookEventId":"b"}'),
    ]


def test_sent_again_it_is_stored_once_and_answered_200(client: ReceiverClient, query: Query) -> None:
    for request in (line_request("a"), line_request("a"), line_request("a", "b", isRedelivery=True)):
        assert client.post("/webhooks/line", **request).status_code == 200
    assert query(IDS) == [("a",), ("b",)]


@pytest.mark.parametrize("secret", SECRETS)
def test_during_a_rotation_both_secrets_are_good(client: ReceiverClient, query: Query, secret: str) -> None:
    assert client.post("/webhooks/line", **line_request("a", secret=secret)).status_code == 200
    assert query(IDS) == [("a",)]


def test_a_bad_or_missing_signature_is_401_and_stores_nothing(client: ReceiverClient, query: Query) -> None:
    signed = line_request("a")
    for headers in ({}, {"X-Line-Signature": "AAAA"}, line_request("b")["headers"]):
        assert client.post("/webhooks/line", content=signed["content"], headers=headers).status_code == 401
    assert client.post("/webhooks/line", **line_request("a", secret="another")).status_code == 401
    assert client.post("/webhooks/shopify", **signed).status_code == 401
    assert query(IDS) == []


def test_an_unknown_vendor_is_404_and_only_post_is_taken(client: ReceiverClient) -> None:
    assert client.post("/webhooks/nobody", content=b"{}").status_code == 404
    assert client.post("/webhooks/zendesk", content=b"{}").status_code == 404
    assert client.get("/webhooks/line").status_code == 405


def test_lines_test_of_the_address_is_answered_200(client: ReceiverClient, query: Query) -> None:
    assert client.post("/webhooks/line", **line_request()).status_code == 200
    assert query(IDS) == []


def test_a_body_that_is_announced_too_large_is_413(
    client: ReceiverClient, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "LARGEST_BODY_BYTES", 1_000)
    announced = line_request("a", text="x" * 1_000)
    assert client.post("/webhooks/line", **announced).status_code == 413
    assert query(IDS) == []
    assert client.post("/webhooks/line", **line_request("small")).status_code == 200


async def body_in_pieces(app: Any, pieces: list[bytes]) -> tuple[int, int]:
    """Send a body piece by piece; give the status and how many pieces were taken."""
    left, statuses = list(pieces), []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: Any) -> None:
        statuses.append(message.get("status"))

    headers = [(b"x-line-signature", b"AAAA")]
    scope = {"type": "http", "method": "POST", "path": "/webhooks/line", "headers": headers, "query_string": b""}
    await app({**scope, "root_path": "", "scheme": "http", "server": ("localhost", 80)}, receive, send)
    return statuses[0], len(pieces) - len(left)


def test_no_more_of_a_body_is_taken_than_allowed(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "LARGEST_BODY_BYTES", 1_000)
    app = create_receiver(VENDORS, warehouse_url)
    assert asyncio.run(body_in_pieces(app, [b"x" * 600] * 100)) == (413, 2)


def test_all_bodies_together_are_limited_too(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "MOST_READ_BYTES", 1_000)
    app = create_receiver(VENDORS, warehouse_url)
    assert asyncio.run(body_in_pieces(app, [b"x" * 600] * 100)) == (503, 2)
    assert asyncio.run(body_in_pieces(app, [b"x" * 600])) == (401, 1)


def test_a_body_that_does_not_come_is_not_waited_for(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "ANSWER_SECONDS", 0.01)
    statuses: list[Any] = []

    async def never() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def send(message: Any) -> None:
        statuses.append(message.get("status"))

    scope = {"type": "http", "method": "POST", "path": "/webhooks/line", "headers": [], "query_string": b""}
    app = create_receiver(VENDORS, warehouse_url)
    asyncio.run(app({**scope, "root_path": "", "scheme": "http", "server": ("localhost", 80)}, never, send))
    assert statuses[0] == 503


def test_while_the_database_is_away_vendors_are_told_to_come_again(warehouse_url: str) -> None:
    away = "postgresql://nobody:secret@127.0.0.1:9/nothing"
    with opened(create_receiver(VENDORS, away)) as client:
        assert client.post("/webhooks/line", **line_request("a")).status_code == 503
        assert client.get("/health").status_code == 503


def test_a_connection_that_broke_costs_one_answer_at_most(client: ReceiverClient, query: Query) -> None:
    client.post("/webhooks/line", **line_request("a"))
    query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'kizuna kizuna_webhooks'")
    statuses = [client.post("/webhooks/line", **line_request("b")).status_code for _ in range(3)]
    assert statuses[1:] == [200, 200]
    assert query(IDS) == [("a",), ("b",)]


def test_a_locked_inbox_is_not_waited_for_longer_than_vendors_wait(
    client: ReceiverClient, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "OPTIONS", storing.OPTIONS.replace("lock_timeout=2s", "lock_timeout=10ms"))
    with warehouse.connect(warehouse_url) as session:
        session.execute("lock table ops.webhook_inbox")
        assert client.post("/webhooks/line", **line_request("a")).status_code == 503
    assert client.post("/webhooks/line", **line_request("a")).status_code == 200


def test_health_says_who_is_received(client: ReceiverClient) -> None:
    answered = client.get("/health")
    assert (answered.status_code, answered.json()) == (200, {"status": "ok", "vendors": ["line", "shopify"]})


def test_no_body_signature_or_invented_name_gets_into_the_log(
    client: ReceiverClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    signed = line_request("a", text="hanako@example.jp")
    client.post("/webhooks/line", **signed)
    client.post("/webhooks/shopify", **signed)
    client.post("/webhooks/hanako@example.jp", **signed)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("kizuna")]
    assert ours == [
        "shopify: 401, the signature does not fit",
        "unknown vendor: 404, is not a vendor with a webhook_secret in its connection",
    ]


def test_a_row_that_is_refused_is_not_quoted_in_the_log(
    client: ReceiverClient, query: Query, warehouse_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with warehouse.connect(warehouse_url) as session:
        session.execute("alter table ops.webhook_inbox add check (topic <> 'follow')")
    assert client.post("/webhooks/line", **line_request("a", text="hanako@example.jp")).status_code == 503
    assert query(IDS) == []
    assert "webhook_inbox" in caplog.text
    assert "Failing row" not in caplog.text


def test_requests_that_wait_share_a_commit(warehouse_url: str, query: Query) -> None:
    async def many() -> None:
        store = Storing(warehouse_url)
        waiting = [asyncio.create_task(store.store("line", [Event(str(n), "", b"{}")])) for n in range(300)]
        await asyncio.sleep(0)
        running = asyncio.create_task(store.run())
        await asyncio.gather(*waiting)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(many())
    assert query("select count(*), count(distinct transaction_id) from ops.webhook_inbox") == [(300, 1)]


def test_a_row_that_postgres_refuses_does_not_cost_the_others(warehouse_url: str, query: Query) -> None:
    async def three() -> list[object]:
        store = Storing(warehouse_url)
        waiting = [asyncio.create_task(store.store("line", [Event(text, "", b"{}")])) for text in ("a", "\0", "b")]
        await asyncio.sleep(0)
        running = asyncio.create_task(store.run())
        found = await asyncio.gather(*waiting, return_exceptions=True)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return [type(one) for one in found]

    assert asyncio.run(three()) == [type(None), StoringError, type(None)]
    assert query(IDS) == [("a",), ("b",)]


def test_who_gave_up_waiting_is_not_stored_and_what_waits_is_limited(
    warehouse_url: str, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "MOST_WAITING_BYTES", 5)

    async def some() -> None:
        store = Storing(warehouse_url)
        first = asyncio.create_task(store.store("line", [Event("gave up", "", b"{  }")]))
        await asyncio.sleep(0)
        with pytest.raises(StoringError, match="too much"):
            await store.store("line", [Event("too much", "", b"{}")])
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        running = asyncio.create_task(store.run())
        await store.store("", [])
        await store.store("line", [Event("next", "", b"{ }")])
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(some())
    assert query(IDS) == [("next",)]
