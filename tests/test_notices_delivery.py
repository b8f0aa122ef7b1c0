"""From a commit to a receiver, over outages, restarts and rates: nothing lost, nothing told twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.notice_bench import NOW_S, Holder, bench, case, ids, notify, told
from tests.receivers import Receiver, free_port, http_receiver, smtp_receiver
from twin.errors import StoreUnavailableError
from twin.schema.alert import Severity
from twin.schema.notice import DeliveryState
from twin.services.notice_settings import NoticeSettings


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as found:
        yield found


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
