"""Laws of what the engine says as a case goes on: a life that follows the damage, a cause that keeps its name, and no
verdict from readings that belong to another regime."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from tests.block_stories import RULES, Story
from tests.simulated import BY_ID, CLASSES, START_S, always_running
from twin.alerts.book import EMPTY
from twin.alerts.lifecycle import Lives
from twin.engine import outlook, wear
from twin.engine.diagnosis import NOBODY, Diagnosis
from twin.engine.evidence import alert_of
from twin.engine.roster import Roster
from twin.engine.tick import RUNNING, Tick, View, Work
from twin.schema.alert import Alert, Case
from twin.schema.fault import FaultKind
from twin.schema.reading import Reading, Status, parse_reading
from twin.schema.state import LifeState, Verdict

PUMP = "INST-008"
ONE = (PUMP,)
STATES = list(LifeState)
Levels = Mapping[str, float]


class Wearing:
    """A pump in alarm whose filter says what a test wants of its damages: 0 new, 1 failed."""

    def __init__(self) -> None:
        self.roster = Roster(always_running(ONE), CLASSES, RULES)
        self.facts = self.roster.facts[BY_ID[PUMP].asset_class]
        self.state = self.roster.fresh()
        self.t = START_S
        self.hour = 0.0
        self.rng = np.random.default_rng(3)

    def go(self, hours: float, damage: Callable[[float], Levels]) -> Work:
        """Let time pass at the filter's beat; damage(hours since the beginning)."""
        everybody = np.ones(1, np.bool_)
        w = self._work()
        for _ in range(round(hours * 3600.0 / wear.ALERT_S)):
            self.t += wear.ALERT_S
            self.hour += wear.ALERT_S / 3600.0
            w = self._work()
            for mode, level in damage(self.hour).items():
                row = self.row_of(mode)
                found = next(m for m in self.facts.asset_class.modes if m.name == mode)
                noisy = level + 0.003 * self.rng.standard_normal()
                w["x"][self.facts.damages[row]] = found.new + noisy * (found.failed - found.new)
            with np.errstate(all="ignore"):
                wear._trend(w, everybody, everybody)
            w.one("t")[...], w.one("n")[...] = self.t, 1.0
        w.one("settled")[...] = 1.0
        with np.errstate(all="ignore"):
            outlook.look(w, everybody, everybody)
        return w

    def row_of(self, mode: str) -> int:
        """Among the damages."""
        asset_class = self.facts.asset_class
        state = next(m.state for m in asset_class.modes if m.name == mode)
        return self.facts.damages.index(asset_class.state_names.index(state))

    def _work(self) -> Work:
        sizes = self.roster.sizes
        tick = Tick(
            np.array([self.t]), np.array([float(RUNNING)]), np.array([wear.ALERT_S]),
            np.zeros((sizes.U, 1)), np.full((sizes.J, 1), np.nan),
        )  # fmt: skip
        return Work(self.state, self.roster.rows, View(self.roster, np.arange(1)), tick, sizes)


def life_of(w: Work) -> LifeState:
    return STATES[int(w.one("life_state")[0])]


def test_a_damage_that_stops_growing_gets_a_longer_life_by_the_hour_and_in_the_end_none() -> None:
    pump = Wearing()
    growing = pump.go(8.0, lambda h: {"bearing_wear": h / 16.0})
    assert life_of(growing) is LifeState.VALUE
    assert growing.one("life_p50")[0] == pytest.approx(7.6, rel=0.05)
    still = pump.go(4.0, lambda _h: {"bearing_wear": 0.5})
    assert still.one("life_p50")[0] > 40.0, "the line through all twelve hours alone would say 11.5"
    long_still = pump.go(8.0, lambda _h: {"bearing_wear": 0.5})
    assert life_of(long_still) is LifeState.NO_TREND
    assert np.isnan(long_still.one("life_p50")[0])


def both(hour: float) -> Levels:
    """The clog is the fault; what it does to the readings looks like a faster wear of the bearing."""
    return {"clog": 0.1 * hour, "bearing_wear": 0.2 * hour}


def test_the_life_of_a_case_is_that_of_its_cause_and_not_of_an_echo_that_ends_sooner() -> None:
    pump = Wearing()
    w = pump.go(2.0, both)
    assert w.one("life_mode")[0] == pump.row_of("bearing_wear") + 1.0, (
        "without a case the first to end counts"
    )
    w.one("blamed")[...] = pump.row_of("clog") + 1.0
    w = pump.go(0.5, both)
    assert w.one("life_mode")[0] == pump.row_of("clog") + 1.0
    assert w.one("life_p50")[0] == pytest.approx(7.25, rel=0.1)


# --- what is said of a case -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def worn() -> Story:
    """A pump whose bearing has worn for ten minutes; the case is open."""
    story = Story(ONE)
    story.inject(FaultKind.BEARING_WEAR, PUMP, ramp_s=300.0, severity=0.7)
    return story.go(600.0)


def work_at_its_last_reading(story: Story) -> Work:
    roster, item = story.block._roster, story.block._last[PUMP]
    tick = Tick(
        np.array([item.t]), np.array([float(item.status)]), np.array([item.interval_s]),
        np.array([item.u]).T.copy(), np.array([item.z]).T.copy(),
    )  # fmt: skip
    return Work(story.block._head.state.copy(), roster.rows, View(roster, np.arange(1)), tick, roster.sizes)


def test_an_open_case_tells_the_engine_whose_life_to_tell(worn: Story) -> None:
    w = work_at_its_last_reading(worn)
    facts = worn.block._roster.facts[BY_ID[PUMP].asset_class]
    states = facts.asset_class.state_names
    worn_row = states.index(next(m.state for m in facts.asset_class.modes if m.name == "bearing_wear"))
    assert w.one("blamed")[0] == facts.damages.index(worn_row) + 1.0


@pytest.mark.parametrize("said", [NOBODY, Diagnosis(Verdict.SENSOR, "sensor:flow", 0)])
def test_a_case_that_keeps_its_cause_tells_it_with_todays_numbers(worn: Story, said: Diagnosis) -> None:
    w, block = work_at_its_last_reading(worn), worn.block
    before = block._head.books[0].alerts["anomaly"]
    larger = replace(before.evidence, score=1e9, value=99.0, text="Vibration was 900 % above.")
    alert = alert_of(
        w, Lives.of(w["lives"]), block._kernel.conditions, block._roster.facts[BY_ID[PUMP].asset_class],
        block._roster.devices[0], block._kernel.conditions.anomaly, 0,
        before=replace(before, evidence=larger), peak=None, diagnosis=said, error_code=None,
    )  # fmt: skip
    j = [s.name for s in CLASSES[BY_ID[PUMP].asset_class].outputs].index("vibration")
    share = 100.0 * w["off"][j, 0] / w["expected"][j, 0]
    assert (alert.evidence.cause, alert.evidence.verdict) == ("bearing_wear", "machine")
    assert (alert.title, alert.evidence.action) == ("Bearing wear", "Replace the drive-end bearing")
    assert alert.evidence.text.startswith(f"Vibration is {share:,.0f} % above what the twin expects.")
    assert alert.evidence.value == pytest.approx(w.tick.z[j, 0])


# --- maintenance, and the first readings after a change of status ----------------------------------------------------


def told(
    story: Story, seconds: float, change: Callable[[Reading], Reading], step_s: float = 15.0
) -> list[Alert]:
    """Alerts of the pump while its readings are changed on their way."""
    alerts: list[Alert] = []
    end_s = story.sim.now_s + seconds
    while story.sim.now_s < end_s:
        readings = [change(parse_reading(r)) for r in story.sim.advance(story.sim.now_s + step_s)]
        step = story.block.apply(readings, story.sim.now_s)
        alerts += step.alerts
        story.cases.update({case.case_id: case for case in step.cases})
    return alerts


def of_the_machine(story: Story) -> list[Case]:
    return [case for case in story.cases_of(PUMP) if case.verdict != "none"]


def new_parts(reading: Reading) -> Reading:
    """They vibrate a little more than the old ones did, for good."""
    return replace(reading, metrics={**reading.metrics, "vibration": reading.metrics["vibration"] * 1.12})


def in_maintenance(reading: Reading) -> Reading:
    return replace(reading, status=Status.MAINTENANCE)


def test_new_parts_after_maintenance_are_no_alert_and_without_it_they_are() -> None:
    unannounced = Story(ONE)
    told(unannounced, 600.0, new_parts)
    assert [case.cause for case in of_the_machine(unannounced)] != []
    serviced = Story(ONE)
    told(serviced, 300.0, in_maintenance)
    assert told(serviced, 1_800.0, new_parts) == []


@pytest.mark.parametrize(
    ("readings_ago", "blamed"), [(0, ("none", "")), (3, ("none", "")), (4, ("machine", "bearing_wear"))]
)
def test_in_the_first_readings_after_a_change_of_status_nobody_is_blamed(
    worn: Story, readings_ago: int, blamed: tuple[str, str]
) -> None:
    w, kernel = work_at_its_last_reading(worn), worn.block._kernel
    w.one("since")[...] = w.tick.t - readings_ago * w.tick.interval
    lives, books = Lives.of(w["lives"]), [EMPTY]
    which = np.zeros(lives.state.shape, np.bool_)
    which[kernel.conditions.anomaly] = True
    kernel._tell(w, lives, books, [None], which)
    evidence = books[0].alerts["anomaly"].evidence
    assert (evidence.verdict, evidence.cause) == blamed
