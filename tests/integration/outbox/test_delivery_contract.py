"""Every exchange of a delivery is one that LINE publishes, and nothing of other people's is touched."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import httpx
import pytest

from kizuna.destinations import line as destination
from kizuna.http import Client, VendorRefusedError
from kizuna.settings import Connection
from sandbox.in_process import InProcess
from tests.contract.tap import Contracts, ContractTap
from tests.integration.outbox.line_sandbox import FRIENDS, LineSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.outbox.segments import Segments


@pytest.fixture
def contracts(shared: Path) -> Contracts:
    """LINE's own specification."""
    return Contracts(shared)


@pytest.fixture
def tapped(line: LineSandbox, contracts: Contracts, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """An account whose every exchange is checked."""
    tap = ContractTap(InProcess(line.app), contracts)
    monkeypatch.setattr(destination, "Client", functools.partial(Client, transport=tap))
    return Connection("line", "http://sandbox/line", "sandbox-token")


def test_a_delivery_speaks_lines_contract_from_the_first_member_to_the_last(
    tapped: Connection, contracts: Contracts, line: LineSandbox, segments: Segments
) -> None:
    for members in (FRIENDS[:8], FRIENDS[4:12], []):
        segments.fill("seg_a", members)
        segments.deliver_in_small_batches(tapped, f"run-{len(members)}-{members[:1]}")
    operations = line.app.state.stats.requests["line"]
    assert set(operations) == {
        "POST audienceGroup/upload",
        "PUT audienceGroup/upload",
        "GET audienceGroup",
        "GET audienceGroup/list",
        "DELETE audienceGroup",
    }
    assert contracts.checked["line"] == sum(operations.values()) > 10


def test_an_audience_that_is_gone_may_be_deleted_and_is_not_usable(tapped: Connection) -> None:
    with destination.LineAudiences(tapped, lambda _: None) as account:
        account.delete(12345)
        assert account.read(12345).vendor_status == "deleted"


def test_a_refusal_is_not_mistaken_for_an_audience_that_is_gone(
    tapped: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = httpx.MockTransport(lambda _: httpx.Response(400, json={"message": "nonsense", "details": []}))
    monkeypatch.setattr(destination, "Client", functools.partial(Client, transport=refusing))
    with destination.LineAudiences(tapped, lambda _: None) as account:
        with pytest.raises(VendorRefusedError, match="delete audience answered 400"):
            account.delete(12345)
        with pytest.raises(VendorRefusedError, match="read audience answered 400"):
            account.read(12345)


def test_only_our_own_leftovers_are_deleted_however_many(line: LineSandbox, segments: Segments) -> None:
    foreign = ["not kizuna/seg_a/1", "KIZUNA/SEG_A/2", "kizuna/seg_ab/3", "made by hand"]
    leftovers = [f"kizuna/seg_a/{number}" for number in range(45)]  # more than one page of LINE's list
    headers = {"authorization": "Bearer sandbox-token"}
    with httpx.Client(base_url=line.base_url, headers=headers) as vendor:
        for name in [*leftovers, *foreign]:
            body = {"description": name, "audiences": [{"id": FRIENDS[0]}]}
            assert vendor.post("/v2/bot/audienceGroup/upload", json=body).status_code == 202
    segments.fill("seg_a", FRIENDS[:2])
    segments.deliver(line.connection())
    live = line.query("select description from audience where id = ?", segments.live("seg_a"))[0][0]
    assert sorted(line.names()) == sorted([*foreign, live])
