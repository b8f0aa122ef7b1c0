"""The rules as people use them: allowed, checked, one winner, rolled back, audited; and history to try them on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.test_actions import StillClock
from tests.test_rules_engine import CLASSES, START_S, pump
from twin.alerts.overrides import Key, Value
from twin.commands import rules as command
from twin.errors import ConcurrentChangeError, NotAuthorisedError, SettingsError
from twin.ports import Stores
from twin.schema.history import NO_ROWS, Columns, DeviceHour, Totals
from twin.schema.instant import from_seconds
from twin.services.authority import Authority, Roles
from twin.services.rule_desk import RuleDesk
from twin.services.tracks import Tracks
from twin.stores.opening import open_memory_stores, open_sqlite_stores

RULE = "threshold:temperature"
WARN = Key("classes", "centrifugal_pump", RULE, "warn_high")
OFF = Key("classes", "centrifugal_pump", RULE, "off_s")


def desk(stores: Stores | None = None, *, demo: bool = False) -> tuple[RuleDesk, Stores]:
    stores = stores or open_memory_stores()
    stores.registry.register([pump()])
    roles = Roles(demo, frozenset({"anna", "ben"}))
    authority = Authority(roles=roles, audit=stores.audit, clock=StillClock())
    return RuleDesk(
        authority=authority, rules=stores.rules, registry=stores.registry, classes=CLASSES, clock=StillClock()
    ), stores


def change(it: RuleDesk, values: Mapping[Key, Value], version: int, actor: str = "anna", **more: Any) -> Any:
    given = {"reason": "warm summer", "key": f"k{version}{actor}", **more}
    return it.change(values, expected_version=version, actor=actor, **given)


def test_a_change_is_a_version_with_who_when_why_and_what() -> None:
    it, stores = desk()
    stored = change(it, {WARN: 75.0}, 0)
    assert (stored.version, stored.changed_by, stored.reason, stored.origin) == (
        1,
        "anna",
        "warm summer",
        "edited",
    )
    book = it.known()
    assert [c.key for c in book.changed_by(stored)] == [WARN]
    (entry,) = stores.audit.entries()
    assert (entry.actor, entry.action, entry.target) == ("anna", "change_rules", "alert rules version 1")
    assert entry.detail["changes"] == ["centrifugal_pump threshold:temperature warn_high: default → 75"]


def test_of_two_at_once_one_wins_and_the_other_is_told_who() -> None:
    it, stores = desk()
    other, _ = desk(stores)
    change(it, {WARN: 75.0}, 0)
    with pytest.raises(ConcurrentChangeError, match="changed first by anna"):
        change(other, {WARN: 70.0}, 0, "ben")
    assert it.refresh().rules.overrides.values == {WARN: 75.0}


def test_the_same_press_again_is_harmless() -> None:
    it, stores = desk()
    assert change(it, {WARN: 75.0}, 0) == change(it, {WARN: 75.0}, 0)
    assert len(stores.rules.versions()) == len(stores.audit.entries()) == 1


def test_rolling_back_is_a_new_version_equal_to_an_old_one() -> None:
    it, _ = desk()
    change(it, {WARN: 75.0}, 0)
    change(it, {WARN: 80.0, OFF: 90.0}, 1)
    back = it.roll_back(1, expected_version=2, reason="too late", actor="ben", key="b")
    assert (back.version, back.origin, it.known().rules.overrides.values) == (
        3,
        "rolled back to 1",
        {WARN: 75.0},
    )
    it.roll_back(0, expected_version=3, reason="as delivered", actor="ben", key="c")
    assert it.known().rules.overrides.values == {}
    assert [v.version for v in it.known().versions] == [4, 3, 2, 1]
    with pytest.raises(SettingsError, match="is not kept"):
        it.roll_back(9, expected_version=4, reason="x", actor="ben", key="d")


def test_a_value_goes_back_to_what_the_wider_scope_says() -> None:
    it, _ = desk()
    own = Key("devices", "PUMP-001", RULE, "warn_high")
    change(it, {WARN: 75.0, own: 80.0}, 0)
    change(it, {}, 1, back=(own,))
    assert it.known().rules.overrides.values == {WARN: 75.0}


@pytest.mark.parametrize(
    ("values", "reason", "words"),
    [
        ({WARN: 95.0}, "why not", "must not lie above the trip"),
        ({WARN: 75.0, OFF: -1.0}, "why not", "a delay cannot be negative"),
        ({WARN: 75.0}, "  ", "Say why"),
        ({}, "why not", "are so already"),
    ],
)
def test_a_refused_change_leaves_nothing_half_applied(
    values: dict[Key, Value], reason: str, words: str
) -> None:
    it, stores = desk()
    with pytest.raises(SettingsError, match=words):
        change(it, values, 0, reason=reason)
    assert (stores.rules.current(), list(stores.audit.entries())) == (None, [])


def test_a_device_that_left_the_registry_stops_nobody_else() -> None:
    it, stores = desk()
    gone = Key("devices", "PUMP-009", RULE, "warn_high")
    stores.registry.register([pump("PUMP-009")])
    change(it, {gone: 80.0}, 0)
    stores.registry.devices = lambda: [pump()]  # type: ignore[method-assign]
    assert change(it, {WARN: 75.0}, 1).version == 2


def test_visitors_of_the_demo_and_strangers_change_nothing() -> None:
    it, stores = desk(demo=True)
    for actor in ("demo:1", "stranger"):
        with pytest.raises(NotAuthorisedError, match="operator role"):
            change(it, {WARN: 75.0}, 0, actor)
    assert stores.rules.current() is None


def test_a_file_says_what_it_would_change_before_it_is_taken() -> None:
    it, _ = desk()
    change(it, {WARN: 75.0}, 0)
    text = it.to_file().replace("75.0", "78.0")
    (told,) = it.read_file(text)
    assert (told.key, told.before, told.after) == (WARN, 75.0, 78.0)
    assert it.refresh().version == 1
    taken = it.take_file(text, expected_version=1, reason="from the other lab", actor="ben", key="f")
    assert (taken.version, taken.origin) == (2, "imported")


# --- history to try rules on ---------------------------------------------------------------------------------------


class Hours:
    """Sealed hours of one device, one row a minute; counts what is read."""

    def __init__(self, n: int) -> None:
        self.read = 0
        self.starts = [START_S - 3600.0 * (i + 1) for i in range(n)][::-1]

    def hours(self, device_id: str, from_s: float, to_s: float) -> list[DeviceHour]:
        found = [at for at in self.starts if from_s <= at < to_s]
        self.read += len(found)
        return [DeviceHour(device_id, at, rows_of(at), Totals(at, 3600.0, 60, 60.0, {})) for at in found]


def rows_of(start_s: float, n: int = 60) -> Columns:
    t = start_s + 60.0 * np.arange(n)
    one = np.full(n, 1.0, np.float32)
    return Columns(
        t, np.zeros(n, np.uint8), {"temperature": 50.0 * one}, {}, {}, one, 90.0 * one, one, 9.0 * one,
        np.full(n, -1, np.int16),
    )  # fmt: skip


def test_an_hour_of_history_is_read_once_however_often_a_limit_is_dragged() -> None:
    clock = StillClock()
    clock.at = from_seconds(START_S + 600.0)
    hours = Hours(200)
    tracks = Tracks(hours, lambda _: rows_of(START_S, 10), clock)  # type: ignore[arg-type]
    day = tracks.track("PUMP-001", "temperature", 86_400.0)
    assert (len(day.t_s), day.t_s[0], day.t_s[-1]) == (1440, START_S - 85_800.0, START_S + 540.0)
    assert hours.read == 24
    for _ in range(5):
        tracks.track("PUMP-001", "temperature", 86_400.0)
    assert hours.read - 24 == 5 * 2, "only what late data may still change is looked at again"
    week = tracks.track("PUMP-001", "temperature", 7 * 86_400.0)
    assert len(week.t_s) == 7 * 1440
    assert np.all(np.diff(week.t_s) > 0)
    assert tracks.track("PUMP-001", "health", 3600.0).values.tolist() == [90.0] * 60
    assert np.isnan(tracks.track("PUMP-001", "flow", 3600.0).values).all()


def test_a_device_without_history_has_an_empty_track() -> None:
    tracks = Tracks(Hours(0), lambda _: NO_ROWS, StillClock())  # type: ignore[arg-type]
    assert len(tracks.track("PUMP-001", "temperature", 3600.0).t_s) == 0


# --- the command ---------------------------------------------------------------------------------------------------


def test_the_command_shows_exports_and_imports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path}/twin.sqlite"
    stores = open_sqlite_stores(tmp_path / "twin.sqlite")
    stores.registry.register([pump()])
    stores.close()
    wanted = tmp_path / "rules.json"
    wanted.write_text(
        json.dumps(
            {
                "schema": "twin-rules/1",
                "classes": {"centrifugal_pump": {RULE: {"unit": "°C", "warn_high": 75.0}}},
            }
        )
    )
    asked = ["import", "--store", url, "--file", str(wanted)]
    assert command.main([*asked, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "centrifugal_pump threshold:temperature warn_high: default → 75" in said
    assert "Nothing was changed" in said
    assert command.main([*asked, "--reason", "summer"]) == 0
    assert "version 1" in capsys.readouterr().out
    out = tmp_path / "out.json"
    assert command.main(["export", "--store", url, "--file", str(out)]) == 0
    assert json.loads(out.read_text()) == json.loads(wanted.read_text())
    assert command.main(["show", "--store", url]) == 0
    said = capsys.readouterr().out
    assert "Version 1, by command line" in said
    assert "summer" in said
    assert "centrifugal_pump threshold:temperature warn_high: 72 → 75 °C" in said


def test_the_command_refuses_a_broken_file_by_its_line(tmp_path: Path) -> None:
    wrong = tmp_path / "rules.json"
    wrong.write_text('{"schema": "twin-rules/1",\n "fleet": {"stale": {"delivery_s": -1}}}')
    with pytest.raises(SettingsError, match="line 2: fleet stale delivery_s"):
        command.main(["import", "--store", "memory://", "--file", str(wrong), "--reason", "x"])
    with pytest.raises(SettingsError, match="cannot be read"):
        command.main(["import", "--store", "memory://", "--file", str(tmp_path / "no.json"), "--reason", "x"])
