"""From a step of the twin to a receiver, over outages, restarts and rates: nothing lost, nothing told twice."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.receivers import Receiver, free_port, http_receiver, smtp_receiver
from tests.stores.given import step
from tests.test_actions import StillClock
from tests.test_rollup import device
from tests.test_run_twin import CLASSES, START, Bench
from twin.bootstrap.notifying import open_notifying
from twin.commands import notify as notify_command
from twin.errors import NotAuthorisedError, SettingsError, StoreUnavailableError
from twin.ports import Lease, Stores
from twin.schema.alert import Case, Severity
from twin.schema.instant import to_seconds
from twin.schema.notice import DeliveryState
from twin.schema.quieting import Quieting, QuietKind
from twin.services.assembly import build_app, build_twin_service
from twin.services.authority import Authority, Roles
from twin.services.cadence import EMBEDDED, metered
from twin.services.notice_desk import NoticeDesk
from twin.services.notice_settings import NoticeSettings
from twin.services.notifying import Notifying, build_notifying, notifier_of
from twin.services.run_twin import TAKE_OVER_S
from twin.settings import Settings
from twin.stores.opening import open_memory_stores, open_sqlite_stores

NOW_S = to_seconds(START)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as found:
        yield found


def notify(port: int, **other: Any) -> NoticeSettings:
    target = {"name": "ops", "channel": "webhook", "url": f"http://127.0.0.1:{port}/in", **other}
    document = {"targets": [target], "allow_networks": ["127.0.0.0/8"], "allow_http": True}
    return NoticeSettings.parsed(json.dumps(document), {})


def case(name: str = "INST-001", severity: Severity = Severity.MAJOR, **other: Any) -> Case:
    made = Case(
        name, NOW_S - 20, NOW_S - 10, severity, "Bearing wear", "bearing_wear", "machine",
        "Vibration is 38 % above.", "Swap the bearing", ("anomaly",),
    )  # fmt: skip
    return replace(made, **other)


class Holder:
    """A shard's holder without an engine: what it is handed as cases is planned, committed and sent as in a step."""

    def __init__(self, stores: Stores, given: NoticeSettings, clock: StillClock, name: str = "one") -> None:
        self.stores, self.clock = stores, clock
        self.notifying: Notifying = build_notifying(
            stores, given, clock=clock, rng=random.Random(7), cadence=EMBEDDED
        )
        self.notifier = notifier_of(self.notifying, stores, "s0", lambda _gateway: True)
        lease = stores.shards.acquire("s0", name, take_over=True)
        assert lease is not None
        self.lease: Lease = lease
        self.notifier.take_up(
            stores.alerts.cases(open_only=True), {}, lambda _c, _n: False, to_seconds(clock.now())
        )

    def step(self, *cases: Case) -> None:
        notices = self.notifier.notices(cases, {"INST-001": device()}, (), to_seconds(self.clock.now()))
        self.lease = self.stores.shards.commit(self.lease, step(cases=list(cases), notices=notices))
        self.notifier.committed(notices)

    def send(self, seconds: float = 0.0) -> None:
        """Let time pass, then one pass after another until nothing is due at that moment."""
        self.clock.sleep(seconds)
        while self.notifying.sender.deliver_due() == 0.0:
            pass

    def states(self) -> list[DeliveryState]:
        done = [record.delivery.state for record in self.stores.notices.newest_done(50)]
        return done + [record.delivery.state for record in self.stores.notices.waiting()]


def bench(tmp_path: Path | None = None) -> tuple[Stores, StillClock]:
    clock = StillClock()
    clock.at = START
    if tmp_path is not None:
        return open_sqlite_stores(tmp_path / "twin.sqlite", now=clock.now), clock
    return open_memory_stores(now=clock.now), clock


def told(receiver: Receiver) -> list[tuple[str, ...]]:
    """Per message, "event severity device" of each notice in it."""
    return [
        tuple(f"{n['event']} {n['severity']} {n['device_id']}" for n in json.loads(got.body)["notices"])
        for got in receiver.got
    ]


def ids(receiver: Receiver) -> list[str]:
    return [json.loads(got.body)["id"] for got in receiver.got]


def test_a_case_is_told_after_the_group_wait_and_its_end_with_its_length(receiver: Receiver) -> None:
    stores, clock = bench()
    holder = Holder(stores, notify(receiver.port), clock)
    holder.step(case())
    holder.send(29.0)
    assert receiver.got == []
    holder.send(1.0)
    holder.step(case(closed_s=NOW_S + 7780.0))
    holder.send(30.0)
    assert told(receiver) == [("opened major INST-001",), ("closed major INST-001",)]
    assert json.loads(receiver.got[1].body)["notices"][0]["lasted_s"] == 7800.0
    assert holder.states() == [DeliveryState.DELIVERED] * 2


def test_several_cases_at_once_are_one_message(receiver: Receiver) -> None:
    stores, clock = bench()
    holder = Holder(stores, notify(receiver.port), clock)
    holder.step(case("A"))
    clock.sleep(10.0)
    holder.step(case("B"), case("C", Severity.CRITICAL))
    holder.send(20.0)
    assert len(told(receiver)) == 1
    assert len(told(receiver)[0]) == 3


def test_while_the_server_is_down_news_waits_and_is_delivered_once_when_it_is_back() -> None:
    stores, clock = bench()
    port = free_port()
    holder = Holder(stores, notify(port), clock)
    holder.step(case("A"))
    for _ in range(4):
        holder.send(40.0)
    holder.step(case("B"))
    holder.send(40.0)
    facts = holder.notifier.facts()["targets"][0]
    assert facts["waiting"] == 2
    assert "does not accept connections" in facts["reason"]
    restarted = Holder(stores, notify(port), clock)
    assert restarted.notifier.facts()["targets"][0]["reason"] == facts["reason"], "a restart still says why"
    with http_receiver(port=port) as receiver:
        holder.send(600.0)
        holder.send(600.0)
        assert sorted(told(receiver)) == [("opened major A",), ("opened major B",)]
    assert holder.notifier.facts()["targets"][0]["reason"] == ""
    assert holder.states() == [DeliveryState.DELIVERED] * 2


def test_a_500_then_200_repeats_the_same_message_under_the_same_id(receiver: Receiver) -> None:
    stores, clock = bench()
    holder = Holder(stores, notify(receiver.port), clock)
    receiver.answers = [500, 500]
    holder.step(case("A"))
    holder.send(30.0)
    holder.step(case("B"))
    holder.send(60.0)
    holder.send(60.0)
    assert told(receiver) == [("opened major A",)] * 3 + [("opened major B",)]
    assert len(set(ids(receiver)[:3])) == 1
    assert ids(receiver)[3] != ids(receiver)[0]


@pytest.mark.parametrize("on_sqlite", [False, True])
def test_killed_between_commit_and_delivery_the_next_holder_delivers(
    receiver: Receiver, on_sqlite: bool, tmp_path: Path
) -> None:
    stores, clock = bench(tmp_path if on_sqlite else None)
    killed = Holder(stores, notify(receiver.port), clock)
    killed.step(case())
    after = Holder(stores, notify(receiver.port), clock, "two")
    after.step(case())  # the engine says again what it found
    after.send(31.0)
    after.send(60.0)
    assert told(receiver) == [("opened major INST-001",)]
    third = Holder(stores, notify(receiver.port), clock, "three")
    third.step(case())
    third.send(60.0)
    third.step(case(closed_s=NOW_S + 60))
    third.send(60.0)
    assert told(receiver) == [("opened major INST-001",), ("closed major INST-001",)]
    stores.close()


def test_killed_after_delivery_and_before_it_was_noted_the_repeat_has_the_same_id(receiver: Receiver) -> None:
    stores, clock = bench()
    killed = Holder(stores, notify(receiver.port), clock)
    killed.step(case("A"))
    killed.notifying.sender._settle = lambda: None  # type: ignore[method-assign]
    killed.send(30.0)
    after = Holder(stores, notify(receiver.port), clock, "two")
    after.step(case("A"), case("B"))
    after.send(40.0)
    assert told(receiver) == [("opened major A",), ("opened major A",), ("opened major B",)]
    assert ids(receiver)[0] == ids(receiver)[1]


def test_a_paused_holder_that_wakes_up_sends_nothing_that_another_has_sent(receiver: Receiver) -> None:
    stores, clock = bench()
    paused = Holder(stores, notify(receiver.port), clock)
    paused.step(case("A"))
    awake = Holder(stores, notify(receiver.port), clock, "two")
    awake.send(30.0)
    paused.send(1.0)
    paused.send(600.0)
    assert told(receiver) == [("opened major A",)]


def test_beyond_the_rate_one_digest_says_how_many_more(receiver: Receiver) -> None:
    stores, clock = bench()
    holder = Holder(stores, notify(receiver.port, most=3), clock)
    for number in range(20):
        holder.step(case(f"D{number:02d}"))
        holder.send(30.0)
    holder.send(600.0)
    assert [len(notices) for notices in told(receiver)] == [1, 1, 1, 17]
    last = json.loads(receiver.got[-1].body)
    assert last["digest"]
    assert last["subject"].startswith("17 more cases, first Major: D03")


def test_a_turn_to_critical_is_sent_through_a_full_rate(receiver: Receiver) -> None:
    stores, clock = bench()
    holder = Holder(stores, notify(receiver.port, most=1), clock)
    holder.step(case("A"))
    holder.send(30.0)
    holder.step(case("B"))
    holder.step(case("A", Severity.CRITICAL))
    holder.send(30.0)
    assert told(receiver) == [("opened major A",), ("raised critical A",)]


def test_what_a_receiver_refuses_is_given_up_after_a_few_attempts_and_shown(receiver: Receiver) -> None:
    stores, clock = bench()
    holder = Holder(stores, notify(receiver.port), clock)
    receiver.answers = [404] * 10
    holder.step(case("A"))
    for _ in range(10):
        holder.send(60.0)
    assert len(receiver.got) == 4
    assert holder.states() == [DeliveryState.FAILED]
    (failed,) = holder.notifier.facts()["failed"]
    assert (failed["device_id"], failed["reason"]) == ("A", "127.0.0.1: answered 404 Not Found")
    receiver.answers = []
    again = Holder(stores, notify(receiver.port), clock, "two")
    assert again.notifier.facts()["failed"][0]["device_id"] == "A", "a restart still shows it"


def test_a_target_that_hangs_in_there_does_not_stop_another(receiver: Receiver) -> None:
    stores, clock = bench()
    given = notify(receiver.port)
    dead = replace(given.targets[0], name="dead", url=f"http://127.0.0.1:{free_port()}/")
    holder = Holder(stores, replace(given, targets=(dead, *given.targets)), clock)
    holder.step(case("A"))
    holder.send(30.0)
    assert told(receiver) == [("opened major A",)]


def test_a_store_that_is_away_after_delivery_does_not_send_twice(receiver: Receiver) -> None:
    stores, clock = bench()
    holder = Holder(stores, notify(receiver.port), clock)
    holder.step(case("A"))
    real, down = stores.notices.settle, [True]

    def settle(*arguments: Any) -> None:
        if down[0]:
            raise StoreUnavailableError("store", rule="did not answer", next_step="Wait")
        real(*arguments)

    stores.notices.settle = settle  # type: ignore[method-assign]
    clock.sleep(30.0)
    for _ in range(3):
        with pytest.raises(StoreUnavailableError):
            holder.notifying.sender.deliver_due()
    down[0] = False
    holder.send(60.0)
    assert told(receiver) == [("opened major A",)]
    assert holder.states() == [DeliveryState.DELIVERED]


def test_a_mail_goes_out_like_the_rest() -> None:
    with smtp_receiver() as mailbox:
        document = {
            "targets": [{"name": "post", "channel": "email", "to": "ann@x.test"}],
            "smtp": {"host": "127.0.0.1", "port": mailbox.port, "sender": "twin@x.test", "security": "none"},
            "allow_networks": ["127.0.0.0/8"],
            "allow_http": True,
        }
        stores, clock = bench()
        holder = Holder(stores, NoticeSettings.parsed(json.dumps(document), {}), clock)
        mailbox.refuse = "451 later"
        holder.step(case())
        holder.send(30.0)
        mailbox.refuse = ""
        holder.send(30.0)
        assert [mail["Subject"] for mail in mailbox.got] == ["Major: INST-001: Bearing wear"]


def test_nothing_is_asked_of_the_store_while_nothing_waits(receiver: Receiver) -> None:
    stores, clock = bench()
    holder = Holder(stores, notify(receiver.port), clock)
    holder.notifying.book._refresh_s = 1e9

    class Untouchable:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"{name} was asked")

    holder.notifying.sender._notices = Untouchable()  # type: ignore[assignment]
    for _ in range(20):
        holder.send(60.0)


# --- through the twin service -----------------------------------------------------------------------------------------


def service_of(it: Bench, notifying: Notifying, holder: str = "a") -> Any:
    return build_twin_service(it.stores, CLASSES, holder=holder, clock=it.clock, notifying=notifying)


def notifying_of(it: Bench, port: int, **other: Any) -> Notifying:
    return build_notifying(
        it.stores, notify(port, **other), clock=it.clock, rng=random.Random(7), cadence=EMBEDDED
    )


def test_silence_is_told_and_its_end_only_when_readings_come_again(receiver: Receiver) -> None:
    it = Bench(2)
    notifying = notifying_of(it, receiver.port)
    service = service_of(it, notifying)
    it.send(20)
    it.run(service)
    for _ in range(30):
        it.clock.sleep(10.0)
        service.step()
        notifying.sender.deliver_due()
    silent = [entry for message in told(receiver) for entry in message]
    assert silent
    assert all(entry.startswith("opened major") for entry in silent), "silence never tells an end"
    for _ in range(60):
        it.send(1)
        it.run(service)
        notifying.sender.deliver_due()
    ended = [entry for message in told(receiver) for entry in message if entry.startswith("closed")]
    assert len(ended) == len(silent)


def test_a_worker_killed_after_its_commit_is_made_good_by_the_next(receiver: Receiver) -> None:
    it = Bench(2)
    first = service_of(it, notifying_of(it, receiver.port))
    it.send(20)
    it.run(first)
    for _ in range(12):
        it.clock.sleep(10.0)
        first.step()
    assert it.stores.notices.waiting()
    assert receiver.got == []
    notifying = notifying_of(it, receiver.port)
    second = service_of(it, notifying, "b")
    second.step()
    it.clock.sleep(TAKE_OVER_S + 1.0)
    for _ in range(20):
        second.step()
        notifying.sender.deliver_due()
        it.clock.sleep(10.0)
    entries = [entry for message in told(receiver) for entry in message]
    assert entries
    assert len(entries) == len(set(entries))
    assert it.stores.notices.waiting() == []


def test_a_silence_that_ended_while_no_worker_ran_is_closed_and_told(receiver: Receiver) -> None:
    it = Bench(2)
    first = service_of(it, notifying_of(it, receiver.port))
    it.send(20)
    it.run(first)
    for _ in range(12):
        it.clock.sleep(10.0)
        first.step()
    (opened,) = it.stores.alerts.cases(open_only=True)
    it.send(20)
    notifying = notifying_of(it, receiver.port)
    second = service_of(it, notifying, "b")
    second.step()
    it.clock.sleep(TAKE_OVER_S + 1.0)
    for _ in range(40):
        it.send(1)
        it.run(second)
        notifying.sender.deliver_due()
    assert it.stores.alerts.cases(open_only=True) == []
    assert it.stores.alerts.alerts(open_only=True) == []
    (closed,) = it.stores.alerts.cases()
    assert closed.case.case_id == opened.case.case_id
    assert closed.case.text.endswith("It ended while no worker ran.")
    assert told(receiver) == [("opened major GW-1", "closed major GW-1")]


def test_a_case_does_not_become_an_old_find_because_a_worker_was_restarted(receiver: Receiver) -> None:
    it = Bench(2)
    first = service_of(it, notifying_of(it, receiver.port))
    it.send(20)
    it.run(first)
    for _ in range(100):
        it.clock.sleep(10.0)
        first.step()
    first.close()
    (record, *_) = it.stores.alerts.cases(open_only=True)
    assert not record.case.catching_up
    second = service_of(it, notifying_of(it, receiver.port), "b")
    for _ in range(10):
        it.clock.sleep(10.0)
        second.step()
    assert [r.case.catching_up for r in it.stores.alerts.cases(open_only=True)] == [False]


def test_a_case_in_maintenance_is_not_told_until_the_window_is_over(receiver: Receiver) -> None:
    it = Bench(1)
    notifying = notifying_of(it, receiver.port)
    service = service_of(it, notifying)
    it.send(20)
    it.run(service)
    now_s = to_seconds(it.clock.now())
    window = Quieting(
        it.devices[0].device_id, QuietKind.MAINTENANCE, now_s, now_s + 400.0, "ann", "bearing swap"
    )
    it.stores.responses.quiet(window, expected_version=0)
    for _ in range(30):
        it.clock.sleep(10.0)
        service.step()
        notifying.sender.deliver_due()
    quiet = [entry for message in told(receiver) for entry in message]
    assert not any(it.devices[0].device_id in entry for entry in quiet)
    for _ in range(30):
        it.clock.sleep(10.0)
        service.step()
        notifying.sender.deliver_due()
    loud = [entry for message in told(receiver) for entry in message]
    assert f"opened major {it.devices[0].device_id}" in loud


def test_a_pass_over_the_past_tells_nobody(receiver: Receiver) -> None:
    it = Bench(1)
    service = build_twin_service(
        it.stores,
        CLASSES,
        holder="past",
        clock=it.clock,
        backfill=True,
        notifying=notifying_of(it, receiver.port),
    )
    assert service._notifier is None


def test_the_worker_says_how_its_targets_do_in_facts_without_secrets(receiver: Receiver) -> None:
    it = Bench(1)
    notifying = notifying_of(it, receiver.port, secret="a key nobody may see")
    service = service_of(it, notifying)
    it.send(5)
    it.run(service)
    state = it.stores.shards.fleet_state("S0")
    assert state is not None
    facts = state.worker["notices"]
    assert facts["targets"][0]["to"] == f"http://127.0.0.1:{receiver.port}/…"
    assert "nobody may see" not in json.dumps(facts)
    assert "/in" not in json.dumps(facts)


# --- the demo, and what people may do ---------------------------------------------------------------------------------


def test_in_demo_mode_there_is_no_sender_and_the_desk_says_so(tmp_path: Path) -> None:
    stores, clock = bench()
    settings = Settings(
        tmp_path, "memory://", demo=True, notify='{"targets": [{"name": "x", "channel": "log"}]}'
    )
    assert open_notifying(settings, stores, {}) is None
    app = build_app(stores, {}, clock=clock, demo=True, local_operator="me", operators=frozenset({"ann"}))
    assert app.notice_desk.off == "Notifications are off in the demo."
    for actor in ("demo:1", "ann", "me"):
        with pytest.raises(NotAuthorisedError):
            app.notice_desk.test("x", actor=actor, key=actor)


def test_settings_name_a_file_or_hold_the_json(tmp_path: Path) -> None:
    stores, _ = bench()
    file = tmp_path / "notify.json"
    file.write_text('{"targets": [{"name": "from-file", "channel": "log"}]}')
    found = open_notifying(Settings(tmp_path, "memory://", notify=str(file)), stores, {})
    assert found is not None
    assert [target.name for target in found.book.targets()] == ["from-file"]
    with pytest.raises(SettingsError, match="can be read"):
        open_notifying(Settings(tmp_path, "memory://", notify="nowhere.json"), stores, {})


def desk_of(stores: Stores, clock: StillClock, given: NoticeSettings) -> tuple[NoticeDesk, Notifying]:
    notifying = build_notifying(stores, given, clock=clock, rng=random.Random(7), cadence=EMBEDDED)
    authority = Authority(roles=Roles(False, frozenset({"ann"})), audit=stores.audit, clock=clock)
    return NoticeDesk(book=notifying.book, carry=notifying.carry, authority=authority, clock=clock), notifying


def test_an_operator_sends_a_test_that_is_audited_once_and_says_how_it_went(receiver: Receiver) -> None:
    stores, clock = bench()
    desk, _ = desk_of(stores, clock, notify(receiver.port))
    assert desk.test("ops", actor="ann", key="k1").startswith(
        f"Delivered to http://127.0.0.1:{receiver.port}/…"
    )
    assert desk.test("ops", actor="ann", key="k1") == "This test was sent before."
    assert json.loads(receiver.got[0].body)["test"]
    assert len(receiver.got) == len(stores.audit.entries()) == 1
    receiver.answers = [503]
    assert (
        desk.test("ops", actor="ann", key="k2")
        == "Not delivered. 127.0.0.1: answered 503 Service Unavailable."
    )
    with pytest.raises(NotAuthorisedError, match="operator role"):
        desk.test("ops", actor="bob", key="k3")
    with pytest.raises(SettingsError, match="not known"):
        desk.test("nobody", actor="ann", key="k4")


def test_tests_are_limited_to_a_few_a_minute(receiver: Receiver) -> None:
    stores, clock = bench()
    desk, _ = desk_of(stores, clock, notify(receiver.port))
    for number in range(5):
        desk.test("ops", actor="ann", key=f"k{number}")
    with pytest.raises(NotAuthorisedError, match="in a minute"):
        desk.test("ops", actor="ann", key="one too many")
    clock.sleep(61.0)
    desk.test("ops", actor="ann", key="a minute later")


def test_what_an_admin_changes_reaches_the_worker_and_survives(receiver: Receiver) -> None:
    stores, clock = bench()
    holder = Holder(stores, notify(receiver.port), clock)
    desk, _ = desk_of(stores, clock, notify(receiver.port))
    desk.switch("ops", is_on=False, actor="ann", key="a")
    holder.send(20.0)
    holder.step(case("A"))
    holder.send(60.0)
    assert receiver.got == []
    desk.switch("ops", is_on=True, actor="ann", key="b")
    desk.set_least("ops", "critical", actor="ann", key="c")
    holder.send(20.0)
    holder.step(case("B"), case("C", Severity.CRITICAL))
    holder.send(60.0)
    assert told(receiver) == [("opened critical C",)]
    _, notifying = desk_of(stores, clock, notify(receiver.port))
    notifying.book.refresh(now=True)
    assert notifying.book.named("ops").least is Severity.CRITICAL
    assert [entry.action for entry in stores.audit.entries()] == ["change_targets"] * 3


def test_an_admin_adds_and_removes_a_plain_webhook_and_what_waits_for_it_is_dropped(
    receiver: Receiver,
) -> None:
    stores, clock = bench()
    given = replace(notify(receiver.port), targets=())
    holder = Holder(stores, given, clock)
    desk, _ = desk_of(stores, clock, given)
    added = {"name": "new", "channel": "webhook", "url": f"http://127.0.0.1:{receiver.port}/hook"}
    desk.add(added, actor="ann", key="a")
    with pytest.raises(SettingsError, match="already"):
        desk.add(added, actor="ann", key="b")
    holder.send(20.0)
    holder.step(case("A"))
    holder.send(30.0)
    assert told(receiver) == [("opened major A",)]
    holder.step(case("B"))
    desk.remove("new", actor="ann", key="c")
    holder.send(60.0)
    assert len(receiver.got) == 1
    assert DeliveryState.DROPPED in holder.states()


@pytest.mark.parametrize(
    "document",
    [
        {"name": "s", "channel": "slack", "url": "https://hooks.slack.com/services/T0/B0/x"},
        {"name": "s", "channel": "webhook", "url": "https://x.test/hook?key=1"},
        {"name": "s", "channel": "webhook", "url": "https://x.test/hooks/0123456789abcdef0123"},
        {"name": "s", "channel": "webhook", "url": "https://x.test/a", "secret": "k"},
        {"name": "s", "channel": "webhook", "url": "http://x.test/a"},
        {"name": "s", "channel": "log"},
        {"name": "s", "channel": "email", "to": "a@x.test"},
    ],
)
def test_nothing_secret_can_be_stored_by_an_admin(document: dict[str, Any]) -> None:
    stores, clock = bench()
    desk, _ = desk_of(stores, clock, NoticeSettings())
    with pytest.raises(SettingsError):
        desk.add(document, actor="ann", key="a")
    assert stores.settings.settings() == {}
    assert stores.audit.entries() == []


def test_where_documents_are_billed_a_calm_hour_costs_a_few_reads_for_changed_targets() -> None:
    stores, clock = bench()
    reads: list[float] = []
    real = stores.settings.settings

    def counted() -> Any:
        reads.append(clock.monotonic())
        return real()

    stores.settings.settings = counted  # type: ignore[method-assign]
    notifying = build_notifying(
        stores, NoticeSettings(), clock=clock, rng=random.Random(7), cadence=metered(6.0)
    )
    until = clock.at + timedelta(hours=1)
    while clock.at < until:
        notifying.sender.deliver_due()
        clock.sleep(10.0)
    assert len(reads) == 12


def test_the_command_lists_targets_masked_and_sends_a_test(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"http://127.0.0.1:{receiver.port}/services/SECRET"
    document = {
        "targets": [{"name": "chat", "channel": "slack", "url": url}],
        "allow_networks": ["127.0.0.0/8"],
        "allow_http": True,
    }
    monkeypatch.setenv("TWIN_NOTIFY", json.dumps(document))
    assert notify_command.main([]) == notify_command.main(["--test", "chat"]) == 0
    assert "a test of this target" in json.loads(receiver.got[0].body)["text"]
    receiver.answers = [500]
    assert notify_command.main(["--test", "chat"]) == 1
    out = capsys.readouterr().out
    assert f"http://127.0.0.1:{receiver.port}/…" in out
    assert "500 Internal Server Error" in out
    assert "SECRET" not in out
