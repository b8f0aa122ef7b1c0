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
