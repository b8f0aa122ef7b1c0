"""What every store promises of alerts, people's part of them, settings, audit, commands and the ground truth."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.stores.commit_contract import leased
from tests.stores.given import T0, T0_S, Opened, alert, case, step
from tests.stores.race import one_winner
from twin.errors import ConcurrentChangeError
from twin.ports import AuditEntry, Setting
from twin.schema.alert import Judgement, Response, Severity
from twin.schema.fault import Command, CommandKind, CommandState, Fault, FaultKind
from twin.schema.note import Note
from twin.schema.quieting import Quieting, QuietKind

ACKNOWLEDGED = Response("acknowledged", "anna", T0_S + 20, "on my way")
ASKED = Command(
    "c1", "gw-1", "INST-001", CommandKind.INJECT, "demo:1", T0_S, {"kind": "clog", "severity": 0.5}
)
SHELVED = Quieting(
    "A", QuietKind.SHELVED, T0_S, T0_S + 3600, "anna", "known", "threshold:temperature", "", Severity.MAJOR
)


class PeopleContract:
    def test_workers_and_peoples_fields_never_overwrite_each_other(self, opened: Opened) -> None:
        lease = opened.stores.shards.commit(leased(opened), step(cases=[case()]))
        stored = opened.again().responses.respond(case().case_id, ACKNOWLEDGED, expected_version=0)
        assert stored == replace(ACKNOWLEDGED, version=1)
        changed = case(title="Hotter", closed_s=T0_S + 100)
        lease = opened.stores.shards.commit(lease, step(cases=[changed]))
        opened.stores.responses.judge(case().case_id, Judgement("true", "anna", T0_S), expected_version=0)
        (found,) = opened.stores.alerts.cases()
        assert found.case == changed
        assert found.response == replace(ACKNOWLEDGED, version=1)
        assert found.judgement == Judgement("true", "anna", T0_S, "", 1)
        assert opened.stores.alerts.case(case().case_id) == found
        assert opened.stores.alerts.case("INST-001|1") is None

    def test_judgement_changes_only_from_the_version_that_was_seen(self, opened: Opened) -> None:
        opened.stores.shards.commit(leased(opened), step(cases=[case()]))
        judge = opened.stores.responses.judge
        judge(case().case_id, Judgement("false", "anna", T0_S), expected_version=0)
        with pytest.raises(ConcurrentChangeError, match="anna"):
            judge(case().case_id, Judgement("true", "ben", T0_S), expected_version=0)
        judge(case().case_id, Judgement("useful", "ben", T0_S + 5), expected_version=1)
        assert opened.again().alerts.cases()[0].judgement == Judgement("useful", "ben", T0_S + 5, "", 2)

    def test_of_two_notes_on_one_device_one_wins_and_each_version_is_told_apart(self, opened: Opened) -> None:
        notes = opened.stores.notes
        assert notes.notes() == {}
        mine = Note("INST-001", "Waits for a lamp until 3 May", "anna", T0_S)
        first = notes.write(mine, expected_version=0)
        assert first == replace(mine, version=1)
        assert notes.write(mine, expected_version=0) == first, "a lost reply"
        with pytest.raises(ConcurrentChangeError, match="anna"):
            opened.again().notes.write(replace(mine, text="Broken", actor="ben"), expected_version=0)
        second = notes.write(replace(mine, text="", actor="ben"), expected_version=1)
        other = notes.write(replace(mine, device_id="INST-002"), expected_version=0)
        assert opened.again().notes.notes() == {"INST-001": second, "INST-002": other}
        assert opened.stores.settings.settings() == {}, "a note is no setting that everybody reads"

    def test_quieting_is_seen_until_it_is_over_and_by_every_reader(self, opened: Opened) -> None:
        reader = opened.again().quietings
        assert list(reader.quietings(T0_S)) == []
        stored = opened.stores.responses.quiet(SHELVED, expected_version=0)
        assert stored == replace(SHELVED, version=1)
        assert list(reader.quietings(T0_S)) == [stored]
        window = Quieting("B", QuietKind.MAINTENANCE, T0_S + 7200, T0_S + 9000, "ben", "pump service")
        opened.stores.responses.quiet(window, expected_version=0)
        away = Quieting("C", QuietKind.OUT_OF_SERVICE, T0_S, None, "ben", "sold")
        opened.stores.responses.quiet(away, expected_version=0)
        ids = lambda since_s: sorted(q.device_id for q in reader.quietings(since_s))  # noqa: E731
        assert (ids(T0_S), ids(T0_S + 3600), ids(T0_S + 9000)) == (["A", "B", "C"], ["B", "C"], ["C"])
        assert ids(T0_S) == ["A", "B", "C"]

    def test_of_two_who_shelve_the_same_one_wins_and_may_end_it_again(self, opened: Opened) -> None:
        quiet = opened.stores.responses.quiet
        mine = quiet(SHELVED, expected_version=0)
        assert quiet(SHELVED, expected_version=0) == mine, "a lost reply"
        with pytest.raises(ConcurrentChangeError, match="anna"):
            opened.again().responses.quiet(replace(SHELVED, by="ben"), expected_version=0)
        mark = opened.stores.quietings.mark()
        quiet(replace(SHELVED, until_s=T0_S + 60, by="ben"), expected_version=1)
        assert opened.stores.quietings.mark() != mark
        assert list(opened.again().quietings.quietings(T0_S + 60)) == []
        again = quiet(replace(SHELVED, from_s=T0_S + 100), expected_version=0)
        assert again.version == 3

    def test_two_quietings_at_once_have_one_winner(self, opened: Opened) -> None:
        stores = {"anna": opened.stores.responses, "ben": opened.again().responses}

        def shelve(name: str) -> str:
            return stores[name].quiet(replace(SHELVED, by=name), expected_version=0).by

        one_winner(lambda: shelve("anna"), lambda: shelve("ben"))

    def test_two_acknowledgements_at_once_have_one_winner_who_is_named(self, opened: Opened) -> None:
        opened.stores.shards.commit(leased(opened), step(cases=[case()]))
        stores = {"anna": opened.stores.responses, "ben": opened.again().responses}

        def acknowledge(name: str) -> str:
            response = replace(ACKNOWLEDGED, actor=name)
            return stores[name].respond(case().case_id, response, expected_version=0).actor

        winner = one_winner(lambda: acknowledge("anna"), lambda: acknowledge("ben"))
        assert opened.stores.alerts.cases()[0].response.actor == winner

    def test_response_to_no_case_is_refused(self, opened: Opened) -> None:
        with pytest.raises(ConcurrentChangeError, match="not in the store"):
            opened.stores.responses.respond("INST-001|1", ACKNOWLEDGED, expected_version=0)

    def test_saying_the_same_response_again_is_no_conflict(self, opened: Opened) -> None:
        opened.stores.shards.commit(leased(opened), step(cases=[case()]))
        first = opened.stores.responses.respond(case().case_id, ACKNOWLEDGED, expected_version=0)
        assert opened.stores.responses.respond(case().case_id, ACKNOWLEDGED, expected_version=0) == first

    def test_alerts_are_told_apart_by_open_and_device(self, opened: Opened) -> None:
        given = [
            alert("A"),
            alert("A", "stale", is_open=False),
            alert("B"),
            alert("B", "anomaly", is_open=False),
        ]
        lease = opened.stores.shards.commit(leased(opened), step(alerts=given))
        ids = lambda **asked: sorted(a.alert_id for a in opened.stores.alerts.alerts(**asked))  # noqa: E731
        assert ids() == ["A|stale", "A|threshold:temperature", "B|anomaly", "B|threshold:temperature"]
        assert ids(open_only=True) == ["A|threshold:temperature", "B|threshold:temperature"]
        assert ids(device_id="A") == ["A|stale", "A|threshold:temperature"]
        assert ids(device_id="B", open_only=True) == ["B|threshold:temperature"]
        opened.stores.shards.commit(lease, step(alerts=[alert("A", is_open=False)]))
        assert ids(open_only=True) == ["B|threshold:temperature"]

    def test_cases_come_newest_onset_first_by_device_state_and_time(self, opened: Opened) -> None:
        given = [
            case("A", T0_S),
            case("A", T0_S + 10, closed_s=T0_S + 50),
            case("B", T0_S + 20, closed_s=T0_S + 50),
            case("B", T0_S + 30),
        ]
        opened.stores.shards.commit(leased(opened), step(cases=given))
        onsets = lambda **asked: [c.case.onset_s - T0_S for c in opened.stores.alerts.cases(**asked)]  # noqa: E731
        assert onsets() == [30, 20, 10, 0]
        assert onsets(open_only=True) == [30, 0]
        assert onsets(device_id="A") == [10, 0]
        assert onsets(device_id="A", open_only=True) == [0]
        assert onsets(since_s=T0_S + 20) == [30, 20]
        assert onsets(limit=3) == [30, 20, 10]

    def test_setting_changes_only_from_the_version_that_was_seen(self, opened: Opened) -> None:
        target = Setting("target", {"utilisation": 0.7}, "a guess", changed_by="anna", changed_at=T0)
        assert opened.stores.settings.change(target, expected_version=0).version == 1
        with pytest.raises(ConcurrentChangeError, match="anna"):
            opened.stores.settings.change(replace(target, value=1, changed_by="ben"), expected_version=0)
        newer = opened.again().settings.change(replace(target, value=[1, [2]]), expected_version=1)
        assert opened.stores.settings.settings() == {"target": newer}
        assert opened.stores.settings.setting("target") == newer
        assert opened.stores.settings.setting("another") is None
        assert newer.version == 2

    def test_action_is_recorded_once_per_key(self, opened: Opened) -> None:
        first = AuditEntry("k/1", T0, "anna", "acknowledge", "INST-001|1", {"comment": "ok"})
        assert opened.stores.audit.record(first) is True
        assert opened.again().audit.record(replace(first, actor="ben")) is False
        second = AuditEntry("k/2", T0.replace(hour=13), "ben", "shelve", "INST-001|1")
        opened.stores.audit.record(second)
        assert opened.stores.audit.entries() == [second, first]
        assert opened.stores.audit.entries(1) == [second]
        assert opened.stores.audit.entries(1, second) == [first]
        assert opened.stores.audit.entries(1, first) == []

    def test_command_is_answered_once(self, opened: Opened) -> None:
        opened.stores.commands.ask(ASKED)
        opened.stores.commands.ask(replace(ASKED, actor="somebody else"))
        assert opened.stores.commands.commands() == [ASKED]
        assert opened.again().commands.answer("c1", CommandState.DONE, "clog began", T0_S + 2)
        assert not opened.stores.commands.answer("c1", CommandState.REFUSED, "no", T0_S + 3)
        assert not opened.stores.commands.answer("unknown", CommandState.DONE, "", T0_S)
        (found,) = opened.stores.commands.commands()
        assert (found.state, found.answer, found.answered_at_s) == (CommandState.DONE, "clog began", T0_S + 2)

    def test_command_expires_after_a_minute(self, opened: Opened) -> None:
        opened.stores.commands.ask(ASKED)
        opened.clock.advance(61)
        assert opened.stores.commands.commands()[0].state is CommandState.EXPIRED
        assert not opened.stores.commands.answer("c1", CommandState.DONE, "late", T0_S + 61)
        later = replace(ASKED, command_id="c2", asked_at_s=T0_S + 61)
        opened.stores.commands.ask(later)
        assert opened.stores.commands.commands()[0] == later

    def test_gateway_hears_each_open_command_once_from_a_thread(self, opened: Opened) -> None:
        heard: list[tuple[str, bool]] = []
        news = threading.Condition()
        main = threading.get_ident()

        def on_command(command: Command) -> None:
            with news:
                heard.append((command.command_id, threading.get_ident() == main))
                news.notify_all()
            if command.command_id == "c1":
                raise RuntimeError("a gateway that stumbles over one command hears the next")

        opened.stores.commands.ask(replace(ASKED, command_id="expired", asked_at_s=T0_S - 61))
        opened.stores.commands.ask(ASKED)
        opened.stores.commands.ask(replace(ASKED, command_id="other", gateway="gw-2"))
        stop = opened.stores.commands.listen("gw-1", on_command)
        try:
            wait_for(news, lambda: len(heard) >= 1)
            opened.again().commands.ask(replace(ASKED, command_id="c2"))
            wait_for(news, lambda: len(heard) >= 2)
            opened.again().commands.answer("c2", CommandState.DONE, "", T0_S + 1)
            opened.again().commands.ask(replace(ASKED, command_id="c3"))
            wait_for(news, lambda: len(heard) >= 3)
        finally:
            stop()
        assert heard == [("c1", False), ("c2", False), ("c3", False)]

    def test_ground_truth_is_replaced_by_id_and_newest_first(self, opened: Opened) -> None:
        first = Fault("f1", "INST-001", FaultKind.CLOG, T0_S, 60.0, 0.5)
        second = Fault("f2", "INST-001", FaultKind.LEAK, T0_S + 60)
        opened.stores.ground_truth.record(first)
        opened.stores.ground_truth.record(second)
        repaired = replace(first, repaired_s=T0_S + 90)
        opened.stores.ground_truth.record(repaired)
        assert opened.again().ground_truth.faults() == [second, repaired]
        assert opened.stores.ground_truth.faults(since_s=T0_S + 1) == [second]
        assert opened.stores.ground_truth.faults(limit=1) == [second]


def wait_for(news: threading.Condition, met: Callable[[], bool], timeout_s: float = 15.0) -> None:
    with news:
        assert news.wait_for(met, timeout_s), "nothing was heard"
