"""Deliveries to LINE's audiences: what is sent, what is acknowledged, what is refused."""

from __future__ import annotations

import dataclasses
import hashlib
from contextlib import nullcontext

import pytest

from kizuna import outbox, warehouse
from kizuna.destinations import DESTINATIONS
from kizuna.http import VendorRefusedError
from kizuna.sending import AudienceState, AudienceStatus, ListedAudience, NewAudience
from tests.integration.outbox.line_sandbox import FRIENDS, LineSandbox
from tests.integration.outbox.segments import NoWaiting, Segments


def test_members_arrive_are_acknowledged_and_written_down(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", FRIENDS[:5])
    delivery = segments.deliver(line.connection(), "run-1")
    assert (delivery.members, delivery.added, delivery.removed, delivery.unchanged) == (5, 5, 0, 0)
    assert (delivery.sent, delivery.acknowledged, delivery.rejected, delivery.ignored) == (5, 5, 0, 0)
    assert line.audiences() == {segments.live("seg_a"): set(FRIENDS[:5])}
    assert segments.read("select distinct change, consent_evidence, run_id, audience_id from ops.sync_ledger") == [
        ("added", "consent-1", "run-1", segments.live("seg_a"))
    ]
    assert {customer for _, _, customer in segments.ledger()} == {f"customer {user}" for user in FRIENDS[:5]}


def test_the_name_tells_which_members_an_audience_has(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", reversed(FRIENDS[:3]))
    segments.deliver(line.connection())
    digest = hashlib.sha256("\n".join(FRIENDS[:3]).encode()).hexdigest()
    assert line.names() == [f"kizuna/seg_a/{digest[:12]}"]


def test_a_second_run_asks_the_vendor_nothing_and_writes_nothing(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", [*FRIENDS[:5], "malformed"])
    segments.deliver(line.connection())
    line.forget_requests()
    tables = ("sync_audiences", "sync_jobs", "sync_acknowledged", "sync_ledger")
    before = [segments.read(f"select ctid, xmin from ops.{table}") for table in tables]
    delivery = segments.deliver(line.connection(), "run-2")
    assert line.wire.requests == []
    assert (delivery.sent, delivery.requests, delivery.unchanged, delivery.acknowledged) == (0, 0, 5, 5)
    assert [segments.read(f"select ctid, xmin from ops.{table}") for table in tables] == before


def test_a_changed_segment_is_built_beside_the_live_one_and_swapped(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", FRIENDS[:5])
    segments.deliver(line.connection(), "run-1")
    old = segments.live("seg_a")
    alive_while_polled: list[bool] = []
    line.wire.answered = lambda _: alive_while_polled.append(old in line.audiences())
    line.forget_requests()
    segments.fill("seg_a", FRIENDS[3:8])
    delivery = segments.deliver(line.connection(), "run-2")
    assert line.wire.requests == ["POST /upload", *["GET /2"] * 2, "GET /list", "DELETE /1"]
    assert alive_while_polled == [True, True, True, True, False]
    assert (delivery.added, delivery.removed, delivery.unchanged, delivery.sent) == (3, 3, 2, 5)
    assert line.audiences() == {segments.live("seg_a"): set(FRIENDS[3:8])}
    changes = segments.read("select change, count(*) from ops.sync_ledger where run_id = 'run-2' group by 1 order by 1")
    assert changes == [("added", 3), ("removed", 3)]


def test_an_emptied_segment_deletes_its_audience_and_builds_none(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", FRIENDS[:5])
    segments.deliver(line.connection(), "run-1")
    line.forget_requests()
    segments.fill("seg_a", [])
    delivery = segments.deliver(line.connection(), "run-2")
    assert (delivery.members, delivery.removed, delivery.sent) == (0, 5, 0)
    assert line.wire.requests == ["GET /list", "DELETE /1"]
    assert line.audiences() == {}
    assert segments.live("seg_a") is None
    assert len([change for _, change, _ in segments.ledger() if change == "removed"]) == 5
    line.forget_requests()
    segments.deliver(line.connection(), "run-3")
    assert line.wire.requests == []
    segments.fill("seg_a", FRIENDS[:1])
    segments.deliver(line.connection(), "run-4")
    assert line.audiences() == {segments.live("seg_a"): {FRIENDS[0]}}


@pytest.mark.usefixtures("small_batches")
def test_members_are_sent_in_batches(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", FRIENDS[:8])
    segments.deliver(line.connection())
    assert line.wire.requests[:3] == ["POST /upload", "PUT /upload", "PUT /upload"]
    assert line.audiences() == {segments.live("seg_a"): set(FRIENDS[:8])}


@pytest.mark.usefixtures("small_batches")
def test_no_more_uploads_are_under_way_than_line_allows(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", FRIENDS[:40])  # 14 uploads; LINE answers the eleventh unfinished one with 429
    waiting = NoWaiting()
    segments.deliver(line.connection(), pace=waiting.pace)
    assert "429" not in line.app.state.stats.statuses["line"]
    assert line.audiences() == {segments.live("seg_a"): set(FRIENDS)}


def test_audiences_do_not_touch_each_other(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", FRIENDS[:2])
    segments.fill("seg_a_b", FRIENDS[1:4])
    segments.deliver(line.connection(), "run-1")
    kept = segments.live("seg_a_b")
    segments.fill("seg_a", FRIENDS[:1])
    segments.deliver(line.connection(), "run-2")
    assert line.audiences() == {kept: set(FRIENDS[1:4]), segments.live("seg_a"): {FRIENDS[0]}}


def test_rows_that_must_not_leave_are_written_down_once_and_do_not_stop_the_rest(
    line: LineSandbox, segments: Segments
) -> None:
    segments.fill("seg_a", [FRIENDS[0], "not-a-user", FRIENDS[10].upper(), None])
    segments.fill("seg_b", FRIENDS[5:7], consent=" ")
    for run in ("run-1", "run-2"):
        delivery = segments.deliver(line.connection(), run)
        assert (delivery.members, delivery.rejected) == (1, 5)
    assert line.audiences() == {segments.live("seg_a"): {FRIENDS[0]}}
    rejected = segments.read(
        "select audience, reason, run_id, count(*) from ops.sync_ledger "
        "where change = 'rejected' group by 1, 2, 3 order by 1"
    )
    assert rejected == [("seg_a", "malformed_id", "run-1", 3), ("seg_b", "no_consent_evidence", "run-1", 2)]


def test_withdrawn_consent_takes_a_member_out(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", FRIENDS[:3])
    segments.deliver(line.connection(), "run-1")
    with warehouse.connect(segments.url, "kizuna_activate") as connection:
        connection.execute(
            "update sync.sync_line__audiences set consent_evidence = null where line_user_id = %s", [FRIENDS[0]]
        )
    delivery = segments.deliver(line.connection(), "run-2")
    assert (delivery.removed, delivery.rejected) == (1, 1)
    assert line.audiences() == {segments.live("seg_a"): set(FRIENDS[1:3])}


def test_a_merged_customer_changes_the_acknowledged_state_without_a_call(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", FRIENDS[:2])
    segments.deliver(line.connection(), "run-1")
    line.forget_requests()
    with warehouse.connect(segments.url, "kizuna_activate") as connection:
        connection.execute("update sync.sync_line__audiences set customer_id = 'merged'")
    delivery = segments.deliver(line.connection(), "run-2")
    assert (line.wire.requests, delivery.unchanged) == ([], 2)
    assert segments.read("select distinct customer_id from ops.sync_acknowledged") == [("merged",)]


def test_users_that_line_leaves_out_are_reported(line: LineSandbox, segments: Segments) -> None:
    strangers = [f"U{number:032x}" for number in range(100, 103)]
    segments.fill("seg_a", [*FRIENDS[:5], *strangers])
    delivery = segments.deliver(line.connection())
    assert (delivery.sent, delivery.ignored) == (8, 3)
    assert segments.read("select member_count, ignored_count from ops.sync_audiences") == [(8, 3)]


def test_an_audience_that_no_one_reached_is_not_made_live(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", FRIENDS[:5])
    segments.deliver(line.connection(), "run-1")
    live = segments.live("seg_a")
    segments.fill("seg_a", [*(f"U{number:032x}" for number in range(100, 112))])
    with pytest.raises(outbox.AudienceCountError, match="has 0 members at the vendor: expected 1 to 12"):
        segments.deliver(line.connection(), "run-2")
    assert segments.live("seg_a") == live
    assert line.audiences()[live] == set(FRIENDS[:5])
    # The next run clears away what was built.
    segments.fill("seg_a", FRIENDS[:6])
    segments.deliver(line.connection(), "run-3")
    assert line.audiences() == {segments.live("seg_a"): set(FRIENDS[:6])}


def test_a_vendor_that_is_not_done_in_time_is_waited_for_by_the_next_run(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", FRIENDS[:5])
    slow = line.connection(poll_seconds="5", deadline_seconds="0")
    with pytest.raises(outbox.AudienceNotReadyError, match="is still IN_PROGRESS after 0 s: expected READY"):
        segments.deliver(slow, "run-1")
    assert segments.live("seg_a") is None
    assert segments.ledger() == []
    segments.deliver(line.connection(), "run-2")
    assert line.wire.requests.count("POST /upload") == 1
    assert line.audiences() == {segments.live("seg_a"): set(FRIENDS[:5])}


def test_polling_backs_off(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", FRIENDS[:1])
    waiting = NoWaiting()

    def hold_back(place: int) -> None:
        if place < 6:
            with line.app.state.setting.state.connection as books:
                books.execute("update audience_job set polls_left = 2")

    line.wire.answered = hold_back
    segments.deliver(line.connection(poll_seconds="2"), pace=waiting.pace)
    assert waiting.slept == [2.0, 3.0, 4.5, 6.75, 10.125]


def test_a_deleted_audience_under_construction_is_built_anew(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", FRIENDS[:5])
    with pytest.raises(outbox.AudienceNotReadyError):
        segments.deliver(line.connection(deadline_seconds="0"), "run-1")
    with line.app.state.setting.state.connection as books:
        books.execute("delete from audience")
    with pytest.raises(outbox.AudienceFailedError, match="is deleted"):
        segments.deliver(line.connection(), "run-2")
    segments.deliver(line.connection(), "run-3")
    assert line.audiences() == {segments.live("seg_a"): set(FRIENDS[:5])}


def test_an_audience_about_to_expire_is_renewed(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", FRIENDS[:5])
    segments.deliver(line.connection(), "run-1")
    assert segments.read("select expires_at - swapped_at from ops.sync_audiences")[0][0].days == 180
    with warehouse.connect(segments.url) as connection:
        connection.execute("update ops.sync_audiences set expires_at = now() + interval '13 days'")
    first = segments.live("seg_a")
    delivery = segments.deliver(line.connection(), "run-2")
    assert (delivery.added, delivery.removed, delivery.sent) == (0, 0, 5)
    assert line.audiences() == {segments.live("seg_a"): set(FRIENDS[:5])}
    assert segments.live("seg_a") != first


@pytest.mark.parametrize(("kind", "creations"), [("server_error", 2), ("cut_off", 1)])
def test_a_creation_that_may_have_happened_is_looked_for_before_it_is_repeated(
    line: LineSandbox, segments: Segments, kind: str, creations: int
) -> None:
    segments.fill("seg_a", FRIENDS[:5])
    line.switch_on(kind=kind, operation="POST audienceGroup/upload", times=1)
    segments.deliver(line.connection())
    assert line.wire.requests.index("GET /list") < line.wire.requests.index("GET /1")
    assert line.wire.requests.count("POST /upload") == creations
    assert line.audiences() == {segments.live("seg_a"): set(FRIENDS[:5])}


def test_a_failing_audience_does_not_keep_the_others_waiting(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", [*(f"U{number:032x}" for number in range(100, 112))])
    segments.fill("seg_b", FRIENDS[:2])
    with pytest.raises(outbox.AudienceCountError, match="seg_a"):
        segments.deliver(line.connection())
    assert line.audiences()[segments.live("seg_b")] == set(FRIENDS[:2])  # type: ignore[index]


def test_a_dry_run_has_the_counts_of_the_real_one_and_touches_nothing(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", FRIENDS[:5])
    segments.fill("seg_b", FRIENDS[10:12])
    segments.deliver(line.connection(), "run-1")
    segments.fill("seg_a", [*FRIENDS[3:9], "malformed"])
    line.forget_requests()
    ledger = segments.ledger()
    dry = segments.deliver(line.connection(paused="true"), "run-2", dry_run=True)
    assert (line.wire.requests, segments.ledger(), segments.open_jobs()) == ([], ledger, [])
    real = segments.deliver(line.connection(), "run-2")
    for count in ("members", "added", "removed", "unchanged", "sent", "acknowledged", "rejected"):
        assert getattr(dry, count) == getattr(real, count), count
    assert dry.added


def test_an_audience_whose_live_id_was_taken_away_is_built_anew(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", FRIENDS[:5])
    segments.deliver(line.connection(), "run-1")
    with warehouse.connect(segments.url) as connection:
        connection.execute("update ops.sync_audiences set live_audience_id = null")
    delivery = segments.deliver(line.connection(), "run-2")
    assert (delivery.added, delivery.sent) == (0, 5)
    assert line.audiences() == {2: set(FRIENDS[:5])}


class Scripted:
    """A vendor that says what it is told to, one answer a question."""

    def __init__(self, answers: list[AudienceState]) -> None:
        self.answers, self.requests = answers, 0

    def create(self, *_: object) -> NewAudience:
        return NewAudience(1, None)

    def read(self, _: int) -> AudienceState:
        self.requests += 1
        return self.answers.pop(0)

    def find(self, _: str) -> list[ListedAudience]:
        return []

    def delete(self, _: int) -> None:
        raise AssertionError


def test_ready_is_believed_only_when_every_upload_is_in(
    line: LineSandbox, segments: Segments, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments.fill("seg_a", FRIENDS[:1])
    note = f"{hashlib.sha256(FRIENDS[0].encode()).hexdigest()[:12]} 1/1"

    def ready(uploads: set[str], working: int) -> AudienceState:
        return AudienceState(AudienceStatus.READY, "READY", 1, frozenset(uploads), working, 0)

    vendor = Scripted([ready({note}, 1), ready({"another"}, 0), ready({note}, 0)])
    declared = dataclasses.replace(DESTINATIONS["line__audiences"], open_account=lambda *_: nullcontext(vendor))  # type: ignore[arg-type, return-value]
    monkeypatch.setitem(DESTINATIONS, "line__audiences", declared)
    assert segments.deliver(line.connection()).requests == 3


def test_failed_uploads_fail_the_delivery(
    line: LineSandbox, segments: Segments, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments.fill("seg_a", FRIENDS[:1])
    vendor = Scripted([AudienceState(AudienceStatus.WORKING, "IN_PROGRESS", 0, frozenset(), 0, 1)])
    declared = dataclasses.replace(DESTINATIONS["line__audiences"], open_account=lambda *_: nullcontext(vendor))  # type: ignore[arg-type, return-value]
    monkeypatch.setitem(DESTINATIONS, "line__audiences", declared)
    with pytest.raises(outbox.AudienceFailedError, match="IN_PROGRESS with 1 failed uploads"):
        segments.deliver(line.connection())
    assert segments.open_jobs() == [("seg_a", "abandoning")]


def test_two_deliveries_to_one_destination_do_not_run_at_once(
    line: LineSandbox, segments: Segments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kizuna.outbox.delivery.LONGEST_WAIT_FOR_ANOTHER_RUN", "50ms")
    segments.fill("seg_a", FRIENDS[:1])
    with warehouse.connect(segments.url) as connection:
        connection.execute("select pg_advisory_lock(hashtext('kizuna.outbox'), hashtext('line__audiences'))")
        with pytest.raises(outbox.DeliveryInProgressError, match="another run has been delivering"):
            segments.deliver(line.connection())
    assert line.wire.requests == []


def test_a_paused_destination_is_refused(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", FRIENDS[:5])
    with pytest.raises(outbox.DestinationPausedError, match="'line' is paused"):
        segments.deliver(line.connection(paused="true"))
    assert line.wire.requests == []


@pytest.mark.parametrize("results", [[], [("sync", False)], [("sync", True), ("sync", False)], [("marts", True)]])
def test_nothing_leaves_without_a_passed_gate(
    line: LineSandbox, segments: Segments, results: list[tuple[str, bool]]
) -> None:
    segments.fill("seg_a", FRIENDS[:5])
    segments.pass_gate("another run")
    for gate, success in results:
        segments.pass_gate("run", gate=gate, success=success)
    with pytest.raises(outbox.GateNotPassedError, match="The sync gate"):
        outbox.deliver("line__audiences", line.connection(), segments.url, "run")
    assert line.wire.requests == []


def test_nothing_leaves_when_the_gate_cannot_be_asked(line: LineSandbox, segments: Segments) -> None:
    with warehouse.connect(segments.url) as connection:
        connection.execute("drop table ops.quality_results cascade")
    segments.fill("seg_a", FRIENDS[:5])
    with pytest.raises(outbox.GateNotPassedError, match="does not exist"):
        outbox.deliver("line__audiences", line.connection(), segments.url, "run")


def test_an_audience_that_would_lose_most_of_its_people_is_refused(
    line: LineSandbox, segments: Segments, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = [f"U{number:032x}" for number in range(240)]
    segments.fill("seg_a", crowd)
    segments.deliver(line.connection(), "run-1")
    line.forget_requests()
    segments.fill("seg_a", crowd[:119])
    with pytest.raises(outbox.LargeChangeError, match="would lose 121 of its 240 members"):
        segments.deliver(line.connection(), "run-2")
    assert line.wire.requests == []
    segments.fill("seg_a", crowd[:120])
    segments.deliver(line.connection(), "run-3")
    segments.fill("seg_a", crowd[:20])  # 100 persons are not yet a crowd
    segments.deliver(line.connection(), "run-4")
    segments.fill("seg_a", crowd)
    segments.deliver(line.connection(), "run-5")
    segments.fill("seg_a", crowd[:1])
    monkeypatch.setenv("KIZUNA_ALLOW_LARGE_CHANGE", "1")
    assert segments.deliver(line.connection(), "run-6").removed == 239


def test_an_undeclared_destination_is_named(warehouse_url: str, line: LineSandbox) -> None:
    with pytest.raises(outbox.UnknownDestinationError, match="'fax__audiences' is not declared"):
        outbox.deliver("fax__audiences", line.connection(), warehouse_url, "run")


def test_a_missing_sync_model_is_named(warehouse_url: str, line: LineSandbox) -> None:
    with pytest.raises(outbox.SyncModelMissingError, match=r"sync\.sync_line__audiences does not exist"):
        outbox.deliver("line__audiences", line.connection(), warehouse_url, "run")


@pytest.mark.parametrize("name", ["a/b", "", "x" * 101, "line\nbreak"])
def test_a_segment_whose_name_the_vendor_cannot_take_is_refused(
    line: LineSandbox, segments: Segments, name: str
) -> None:
    segments.fill(name, FRIENDS[:1])
    with pytest.raises(outbox.AudienceNameError):
        segments.deliver(line.connection())
    assert line.wire.requests == []


def test_no_user_id_is_kept_or_told(line: LineSandbox, segments: Segments) -> None:
    segments.fill("seg_a", FRIENDS[:3])
    with pytest.raises(VendorRefusedError) as refusal:
        segments.deliver(line.connection().__class__("line", line.base_url, "wrong token"))
    delivery = segments.deliver(line.connection())
    kept = [
        segments.read(f"select * from ops.{table}") for table in ("sync_audiences", "sync_jobs", "sync_acknowledged")
    ]
    told = f"{refusal.value} {delivery} {kept} {segments.read('select member_key from ops.sync_ledger')}"
    assert not any(f"'{user}'" in told or f"{user} " in told for user in FRIENDS)


def test_the_ledger_cannot_be_rewritten_by_the_role_that_writes_it(segments: Segments) -> None:
    import psycopg

    for change in ("delete from ops.sync_ledger", "update ops.sync_ledger set change = 'added'"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            segments.read(change)
