"""Assumptions, targets and notes: who may, from which version, with which source, and that the log says so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.test_actions import StillClock
from tests.test_rollup import device
from twin.business.assumptions import assumptions, targets
from twin.errors import ConcurrentChangeError, NotAuthorisedError, RecordError, SettingsError
from twin.ports import Setting
from twin.schema.note import MOST_CHARACTERS
from twin.services.authority import Authority, Roles
from twin.services.business_desk import BusinessDesk
from twin.stores.opening import open_memory_stores

NOW = datetime(2026, 11, 20, tzinfo=UTC)
DEMAND = "business.demand_share"


class Desk:
    """One store, and desks of two processes over it."""

    def __init__(self, *, demo: bool = False) -> None:
        clock = StillClock()
        clock.at = NOW
        self.stores = open_memory_stores(now=clock.now)
        self.stores.registry.register([device(device_id="INST-001")])
        roles = Roles(demo, frozenset({"anna", "ben"}))
        self.one, self.two = (
            BusinessDesk(
                authority=Authority(roles=roles, audit=self.stores.audit, clock=clock),
                settings=self.stores.settings,
                notes=self.stores.notes,
                registry=self.stores.registry,
                clock=clock,
            )
            for _ in range(2)
        )

    def save(
        self, value: float, *, actor: str = "anna", seen: int = 0, name: str = DEMAND, source: str = "list"
    ) -> Setting:
        key = f"{name}|{seen}|{actor}|{value}"
        return self.one.save_assumption(name, value, source, actor=actor, expected_version=seen, key=key)


def test_an_assumption_is_sourced_versioned_and_in_the_log() -> None:
    desk = Desk()
    assert desk.save(0.5, source="price list of 3 Nov").version == 1
    assert desk.save(0.4, actor="ben", seen=1, source="board, 10 Nov").version == 2
    found = assumptions(desk.stores.settings.settings())[DEMAND]
    assert (found.value, found.source, found.version, found.changed_by, found.changed_at) == (
        0.4,
        "board, 10 Nov",
        2,
        "ben",
        NOW,
    )
    said = {
        entry.detail["version"]: (entry.actor, dict(entry.detail)) for entry in desk.stores.audit.entries()
    }
    assert said[2] == ("ben", {"from": 0.5, "to": 0.4, "source": "board, 10 Nov", "version": 2})
    assert desk.one.changes == 2


def test_of_two_who_save_at_once_one_wins_and_the_other_is_told_who() -> None:
    desk = Desk()
    desk.save(0.5)
    with pytest.raises(ConcurrentChangeError, match="anna"):
        desk.save(0.3, actor="ben")
    assert desk.save(0.5).version == 1, "the same again after a lost reply"
    assert assumptions(desk.stores.settings.settings())[DEMAND].value == 0.5


@pytest.mark.parametrize(
    ("name", "value", "source"),
    [
        (DEMAND, 1.2, "list"),
        (DEMAND, -0.1, "list"),
        (DEMAND, float("nan"), "list"),
        (DEMAND, 0.5, "  "),
        (DEMAND, 0.5, "x" * 201),
        ("business.unheard_of", 0.5, "list"),
    ],
)
def test_what_cannot_be_or_has_no_source_is_refused(name: str, value: float, source: str) -> None:
    desk = Desk()
    with pytest.raises(SettingsError):
        desk.save(value, name=name, source=source)
    assert desk.stores.settings.settings() == {}


def test_a_target_of_any_figure_is_an_assumption_like_the_others() -> None:
    desk = Desk()
    desk.save(0.65, name="business.target_oee")
    desk.save(12.0, name="business.target_throughput")
    found = targets(assumptions(desk.stores.settings.settings()))
    assert found == {"utilisation_available": 0.8, "oee": 0.65, "throughput": 12.0}


def test_a_visitor_of_the_demo_may_neither_save_nor_write() -> None:
    desk = Desk(demo=True)
    with pytest.raises(NotAuthorisedError):
        desk.save(0.5, actor="demo:1")
    with pytest.raises(NotAuthorisedError):
        desk.one.write_note("INST-001", "hello", actor="demo:1", expected_version=0, key="k")
    assert desk.stores.audit.entries() == []
    assert desk.stores.notes.notes() == {}


def test_a_note_says_who_and_when_and_every_version_is_in_the_log() -> None:
    desk = Desk()
    first = desk.one.write_note("INST-001", " Waits for\na lamp ", actor="anna", expected_version=0, key="1")
    assert (first.text, first.actor, first.at_s, first.version) == (
        "Waits for a lamp",
        "anna",
        NOW.timestamp(),
        1,
    )
    with pytest.raises(ConcurrentChangeError, match="anna"):
        desk.two.write_note("INST-001", "Broken", actor="ben", expected_version=0, key="2")
    assert desk.two.note("INST-001") is None
    desk.two.refresh()
    assert desk.two.note("INST-001") == first
    desk.two.write_note("INST-001", "", actor="ben", expected_version=1, key="3")
    said = sorted(
        (entry.actor, entry.detail["from"], entry.detail["to"]) for entry in desk.stores.audit.entries()
    )
    assert said == [("anna", "", "Waits for a lamp"), ("ben", "Waits for a lamp", "")]


def test_a_note_is_short_and_on_a_known_device() -> None:
    desk = Desk()
    for device_id, text in (("INST-001", "x" * (MOST_CHARACTERS + 1)), ("INST-999", "hello")):
        with pytest.raises(RecordError):
            desk.one.write_note(device_id, text, actor="anna", expected_version=0, key=device_id)


def test_a_share_over_the_whole_is_refused_as_it_was_typed() -> None:
    with pytest.raises(SettingsError, match=r"'150 %': must be a share between 0 and 100 %"):
        Desk().save(1.5)
