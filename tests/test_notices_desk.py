"""What people may do about notifications, from the page and from the command line; nothing in the demo."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.notice_bench import Holder, bench, case, notify, told
from tests.receivers import Receiver, http_receiver
from tests.test_actions import StillClock
from twin.bootstrap.notifying import open_notifying
from twin.commands import notify as notify_command
from twin.errors import NotAuthorisedError, SettingsError
from twin.ports import Stores
from twin.schema.alert import Severity
from twin.schema.notice import DeliveryState
from twin.services.assembly import build_app
from twin.services.authority import Authority, Roles
from twin.services.cadence import EMBEDDED, metered
from twin.services.notice_desk import NoticeDesk
from twin.services.notice_settings import NoticeSettings
from twin.services.notifying import Notifying, build_notifying
from twin.settings import Settings


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as found:
        yield found


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
        with pytest.raises(NotAuthorisedError):
            app.notice_desk.send_again(["x"], actor=actor, key=actor)


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
    desk = NoticeDesk(
        book=notifying.book, carry=notifying.carry, notices=stores.notices, authority=authority, clock=clock
    )
    return desk, notifying


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


def given_up(receiver: Receiver, *names: str) -> tuple[Stores, StillClock, Holder]:
    """A holder whose news of these devices the receiver has refused for good."""
    stores, clock = bench()
    holder = Holder(stores, notify(receiver.port), clock)
    receiver.answers = [404] * 4
    holder.step(*(case(name) for name in names))
    for _ in range(6):
        holder.send(60.0)
    assert set(holder.states()) == {DeliveryState.FAILED}
    receiver.got.clear()
    receiver.answers = []
    return stores, clock, holder


def test_what_was_given_up_is_sent_again_by_the_holder_once_and_audited(receiver: Receiver) -> None:
    stores, clock, holder = given_up(receiver, "A", "B")
    desk, _ = desk_of(stores, clock, notify(receiver.port))
    (first,) = [f for f in holder.notifier.facts()["failed"] if f["device_id"] == "A"]
    said = desk.send_again([first["notice_id"]], actor="ann", key="k1")
    assert said == "1 notice waits again for ops."
    assert desk.send_again([r.notice.notice_id for r in desk.given_up()], actor="ann", key="k1") == (
        "This was asked for before."
    )
    holder.send(20.0)
    holder.send(600.0)
    assert told(receiver) == [("opened major A",)]
    assert [f["device_id"] for f in holder.notifier.facts()["failed"]] == ["B"]
    assert sorted(holder.states()) == [DeliveryState.DELIVERED, DeliveryState.FAILED]
    (entry,) = stores.audit.entries()
    assert (entry.actor, entry.action, entry.detail) == (
        "ann", "change_targets", {"sent_again": [first["notice_id"]]},
    )  # fmt: skip


def test_what_is_refused_again_is_tried_as_often_as_on_its_first_day(receiver: Receiver) -> None:
    stores, clock, holder = given_up(receiver, "A")
    desk, _ = desk_of(stores, clock, notify(receiver.port))
    receiver.answers = [404] * 9
    desk.send_again([desk.given_up()[0].notice.notice_id], actor="ann", key="k1")
    for _ in range(8):
        holder.send(60.0)
    assert len(receiver.got) == 4
    assert [f["device_id"] for f in holder.notifier.facts()["failed"]] == ["A"]


def test_asked_again_while_no_worker_runs_the_next_one_sends(receiver: Receiver) -> None:
    stores, clock, holder = given_up(receiver, "A")
    holder.notifier.step_down()
    desk, _ = desk_of(stores, clock, notify(receiver.port))
    desk.send_again([desk.given_up()[0].notice.notice_id], actor="ann", key="k1")
    holder.send(60.0)
    assert receiver.got == [], "it is not its shard any more"
    after = Holder(stores, notify(receiver.port), clock, "two")
    after.send(1.0)
    assert told(receiver) == [("opened major A",)]


def test_only_what_was_given_up_is_sent_again_and_only_to_a_target_that_is_on(receiver: Receiver) -> None:
    stores, clock, holder = given_up(receiver, "A")
    desk, _ = desk_of(stores, clock, notify(receiver.port))
    (failed,) = desk.given_up()
    with pytest.raises(SettingsError, match="not among those"):
        desk.send_again(["nothing"], actor="ann", key="k1")
    with pytest.raises(NotAuthorisedError, match="operator role"):
        desk.send_again([failed.notice.notice_id], actor="bob", key="k2")
    desk.switch("ops", is_on=False, actor="ann", key="k3")
    with pytest.raises(SettingsError, match="switched off"):
        desk.send_again([failed.notice.notice_id], actor="ann", key="k4")
    desk.switch("ops", is_on=True, actor="ann", key="k5")
    desk.send_again([failed.notice.notice_id], actor="ann", key="k6")
    with pytest.raises(SettingsError, match="not among those"):
        desk.send_again([failed.notice.notice_id], actor="ann", key="k7")
    assert desk.given_up() == []
    desk.test("ops", actor="ann", key="t1")
    with pytest.raises(NotAuthorisedError, match="in a minute"):
        desk.send_again([failed.notice.notice_id], actor="ann", key="k8")
    assert holder.states() == [DeliveryState.WAITING]


def test_two_people_who_ask_at_once_are_both_heard(receiver: Receiver) -> None:
    stores, clock, holder = given_up(receiver, "A", "B")
    ann, _ = desk_of(stores, clock, notify(receiver.port))
    ben, _ = desk_of(stores, clock, notify(receiver.port))
    by_name = {r.notice.device_id: r.notice.notice_id for r in ann.given_up()}
    ann.send_again([by_name["A"]], actor="ann", key="k1")
    ben.send_again([by_name["B"]], actor="ann", key="k2")
    holder.send(20.0)
    assert sorted(entry for message in told(receiver) for entry in message) == [
        "opened major A",
        "opened major B",
    ]


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
    real = stores.settings.setting

    def counted(name: str) -> Any:
        reads.append(clock.monotonic())
        return real(name)

    stores.settings.setting = counted  # type: ignore[method-assign]
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


def test_the_command_lists_what_was_given_up_and_lets_it_wait_again(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stores, clock = bench(tmp_path)
    holder = Holder(stores, notify(receiver.port), clock)
    receiver.answers = [404] * 4
    holder.step(case("A"))
    for _ in range(6):
        holder.send(60.0)
    monkeypatch.setenv("TWIN_STORE", f"sqlite:///{tmp_path / 'twin.sqlite'}")
    monkeypatch.setenv("TWIN_NOTIFY", '{"targets": [{"name": "ops", "channel": "log"}]}')
    assert notify_command.main(["--given-up"]) == 0
    assert "ops          opened A: Bearing wear" in capsys.readouterr().out
    assert stores.notices.waiting() == []
    assert notify_command.main(["--again"]) == 0
    assert "1 notice waits again for ops." in capsys.readouterr().out
    assert [r.notice.device_id for r in stores.notices.waiting()] == ["A"]
    assert stores.audit.entries()[0].actor == "command line"
    assert notify_command.main(["--given-up"]) == 0
    assert "Nothing was given up." in capsys.readouterr().out
    holder.send(20.0)
    assert told(receiver)[-1] == ("opened major A",)
    stores.close()
