"""From a step of the twin to a receiver: what its worker tells, through silences, restarts and maintenance."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.notice_bench import notify, told
from tests.receivers import Receiver, http_receiver
from tests.test_run_twin import CLASSES, Bench
from twin.schema.instant import to_seconds
from twin.schema.quieting import Quieting, QuietKind
from twin.services.assembly import build_twin_service
from twin.services.cadence import EMBEDDED
from twin.services.notifying import Notifying, build_notifying
from twin.services.run_twin import TAKE_OVER_S


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as found:
        yield found


def service_of(it: Bench, notifying: Notifying, holder: str = "a") -> Any:
    return build_twin_service(it.stores, CLASSES, holder=holder, clock=it.clock, notifying=notifying)


def notifying_of(it: Bench, port: int, **other: Any) -> Notifying:
    return build_notifying(
        it.stores, notify(port, **other), clock=it.clock, rng=random.Random(7), cadence=EMBEDDED
    )


def silent(port: int, looks: int = 12) -> tuple[Bench, Any]:
    """(two devices that sent and fell silent, the worker that noticed); nothing was delivered yet."""
    it = Bench(2)
    worker = service_of(it, notifying_of(it, port))
    it.send(20)
    it.run(worker)
    for _ in range(looks):
        it.clock.sleep(10.0)
        worker.step()
    return it, worker


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
    it, _ = silent(receiver.port)
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
    it, _ = silent(receiver.port)
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


def test_a_worker_that_restarts_during_a_silence_neither_ends_it_nor_tells_it_again(
    receiver: Receiver,
) -> None:
    it, first = silent(receiver.port)
    (before,) = it.stores.alerts.cases()
    first.close()
    notifying = notifying_of(it, receiver.port)
    second = service_of(it, notifying, "b")
    for _ in range(20):
        it.clock.sleep(10.0)
        second.step()
        notifying.sender.deliver_due()
    (after,) = it.stores.alerts.cases()
    assert (after.case.case_id, after.case.closed_s) == (before.case.case_id, None)
    assert told(receiver) == [("opened major GW-1",)]
    for _ in range(30):
        it.send(1)
        it.run(second)
        notifying.sender.deliver_due()
    assert told(receiver)[1:] == [("closed major GW-1",)], "and ends when readings come"


def test_a_case_does_not_become_an_old_find_because_a_worker_was_restarted(receiver: Receiver) -> None:
    it, first = silent(receiver.port, looks=100)
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
