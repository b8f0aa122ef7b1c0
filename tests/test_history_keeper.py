"""Open hours, sealed hours, days: nothing of what a step brought is missing from history, or there twice."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from tests.test_rollup import columns, device
from twin.ports import StepCommit
from twin.schema.history import Columns, joined, nbytes
from twin.schema.instant import from_seconds, to_seconds
from twin.schema.registry import Device
from twin.services import history_keeper
from twin.services.cadence import EMBEDDED, Cadence, metered
from twin.services.history_keeper import OPEN_FROM, HistoryKeeper
from twin.stores.opening import open_memory_stores

START_S = to_seconds(datetime(2026, 3, 2, 10, tzinfo=UTC))
DEVICES = {"INST-001": device(time_zone="UTC")}


class Bench:
    """A keeper that commits into a memory store, as the twin service does."""

    def __init__(
        self,
        devices: Mapping[str, Device] = DEVICES,
        keep_recent: bool = True,
        cadence: Cadence = EMBEDDED,
        shard: str = "S0",
    ) -> None:
        self.cadence = cadence
        self.shard = shard
        self.stores = open_memory_stores(now=lambda: from_seconds(self.now_s))
        self.devices = devices
        self.keep_recent = keep_recent
        self.now_s = START_S
        self.start()

    def start(self) -> None:
        lease = self.stores.shards.acquire(self.shard, "w", take_over=False)
        assert lease is not None
        self.lease = lease
        self.restart()

    def restart(self, now_s: float = START_S) -> None:
        signals: Mapping[str, Mapping[str, object]] = {"spectrometer": {}}
        self.keeper = HistoryKeeper(
            self.shard,
            self.stores.history,
            signals,  # type: ignore[arg-type]
            keep_recent=self.keep_recent,
            cadence=self.cadence,
        )
        self.keeper.resume(self.devices, self.stores.shards.fleet_state(self.shard))

    def bring(
        self,
        *offsets_s: float,
        status: str = "RUNNING",
        now_s: float | None = None,
        catching_up: Collection[str] = (),
    ) -> None:
        new = columns([START_S + t for t in offsets_s], [status] * len(offsets_s), hold_s=9.0)
        at_s = START_S + max(offsets_s) if now_s is None else now_s
        self.commit({"INST-001": new}, at_s, catching_up)

    def absorb_nothing(self, now_s: float) -> None:
        self.commit({}, now_s)

    def commit(self, new: Mapping[str, Columns], at_s: float, catching_up: Collection[str] = ()) -> None:
        self.now_s = max(self.now_s, at_s)
        written = self.keeper.absorb(new, self.devices, at_s, catching_up)
        self.tail = written.tail
        open_from_s = self.keeper.open_from_s
        self.lease = self.stores.shards.commit(
            self.lease,
            StepCommit(
                stepped_at=from_seconds(at_s),
                cursor={},
                states={},
                tail=written.tail,
                worker={} if open_from_s is None else {OPEN_FROM: open_from_s},
                recent=written.recent,
                hours=written.hours,
                days=written.days,
            ),
        )

    def stored(self) -> Columns:
        """Everything history holds of the device, as a page puts it together."""
        hours = self.stores.history.hours("INST-001", START_S - 1e6, START_S + 1e6)
        recent = self.stores.history.recent("S0", START_S - 1e6, START_S + 1e6)
        parts = [hour.columns for hour in hours]
        return joined(
            [*parts, *([recent["INST-001"]] if "INST-001" in recent else []), self.tail["INST-001"]]
        )

    def offsets(self) -> list[float]:
        return (self.stored().t_s - START_S).tolist()


def test_every_row_is_in_history_at_every_moment() -> None:
    bench = Bench()
    given: list[float] = []
    for t in np.arange(0.0, 4000.0, 30.0):
        bench.bring(float(t))
        given.append(float(t))
        assert bench.offsets() == given


def test_an_hour_is_sealed_once_its_device_has_passed_it() -> None:
    bench = Bench()
    bench.bring(*range(0, 3600, 3))
    assert bench.stores.history.hours("INST-001", START_S, START_S + 3600) == []
    bench.bring(3601.0)
    assert bench.stores.history.hours("INST-001", START_S, START_S + 3600) == []
    bench.bring(3663.0)
    (hour,) = bench.stores.history.hours("INST-001", START_S, START_S + 3600)
    assert len(hour.columns) == 1200
    assert hour.totals.state_s["RUNNING"] == 3600


def test_hours_that_end_all_at_once_are_sealed_a_few_at_a_time_and_no_row_is_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two hundred hours in one commit would be more than Firestore takes."""
    devices = {f"D-{n:02}": replace(DEVICES["INST-001"], device_id=f"D-{n:02}") for n in range(10)}
    bench = Bench(devices)
    hour = columns([START_S + t for t in range(0, 3600, 30)], ["RUNNING"] * 120, hold_s=90.0)
    monkeypatch.setattr(history_keeper, "SEALED_AT_ONCE", 3 * nbytes(hour))
    bench.commit(dict.fromkeys(devices, hour), START_S + 3570.0)
    sealed: list[int] = []
    for second in range(3690, 3690 + 5 * 30, 30):
        new = columns([START_S + second], ["RUNNING"], hold_s=90.0)
        bench.commit(dict.fromkeys(devices, new), START_S + second)
        hours = [bench.stores.history.hours(name, START_S, START_S + 1.0) for name in devices]
        sealed.append(sum(map(len, hours)))
        assert {len(found[0].columns) for found in hours if found} == {120}
        if second == 3720:  # another worker goes on from here
            bench.start()
    assert sealed == [3, 6, 9, 10, 10]


def test_a_silent_device_is_sealed_when_time_has_passed() -> None:
    bench = Bench()
    bench.bring(0.0, 3.0)
    written = bench.keeper.absorb({}, bench.devices, START_S + 3 * 3600)
    (hour,) = written.hours
    assert hour.totals.state_s["RUNNING"] == 12.0
    assert math.isclose(hour.totals.state_s["UNKNOWN"], 3588.0)


def test_a_device_silent_for_hours_stops_nobody_and_goes_on_where_it_was() -> None:
    bench = Bench()
    bench.bring(*range(0, 600, 3))
    for later_s in range(900, 6 * 3600, 300):
        bench.keeper.absorb({}, bench.devices, START_S + later_s)
        if later_s % 3600 == 0:
            bench.restart(START_S + later_s)
    bench.bring(*range(6 * 3600, 7 * 3600, 3))
    bench.bring(7 * 3600 + 100.0)
    hours = bench.stores.history.hours("INST-001", START_S, START_S + 1e5)
    assert [hour.start_s - START_S for hour in hours if len(hour.columns)] == [6 * 3600.0]


def test_late_rows_reseal_their_hour_and_its_day() -> None:
    bench = Bench()
    bench.bring(*range(0, 3600, 6))
    bench.bring(3700.0)
    bench.bring(*range(3, 3600, 6), now_s=START_S + 3700)
    (hour,) = bench.stores.history.hours("INST-001", START_S, START_S + 3600)
    assert hour.columns.t_s.tolist() == [START_S + t for t in range(0, 3600, 3)]
    days = bench.stores.history.days("S0", "2026-03-02", "2026-03-02")
    assert days["2026-03-02"]["INST-001"].readings == 1200


def test_a_day_is_the_sum_of_its_hours_across_a_restart() -> None:
    bench = Bench()
    bench.bring(*range(0, 3600, 60))
    bench.bring(*range(3600, 7200, 60))
    bench.bring(7300.0)
    bench.restart(START_S + 7300)
    bench.bring(7300.0, *range(7320, 10900, 60))  # the open minute is re-read, as after any restart
    bench.bring(10900.0)
    (day,) = bench.stores.history.days("S0", "2026-03-02", "2026-03-02").values()
    hours = bench.stores.history.hours("INST-001", START_S, START_S + 1e5)
    assert day["INST-001"].readings == sum(hour.totals.readings for hour in hours) == 179
    assert day["INST-001"].span_s == 3 * 3600


def test_a_restart_goes_on_with_the_open_hour() -> None:
    bench = Bench()
    bench.bring(*range(0, 600, 3))
    bench.restart(START_S + 600)
    bench.bring(*range(540, 3600, 3), now_s=START_S + 3599)
    bench.bring(3700.0)
    (hour,) = bench.stores.history.hours("INST-001", START_S, START_S + 3600)
    assert len(hour.columns) == 1200


def test_a_restart_in_a_stretch_that_no_document_holds_yet_loses_no_row() -> None:
    """Where documents are billed a stretch is five minutes, far longer than the window a restart reads again."""
    bench = Bench(cadence=metered(6.0))
    for offset_s in range(0, 480, 6):
        bench.bring(float(offset_s))
    bench.restart(START_S + 480.0)
    for offset_s in range(480, 4000, 6):
        bench.bring(float(offset_s))
    assert (bench.stored().t_s - START_S).tolist() == [float(t) for t in range(0, 4000, 6)]


def test_a_local_midnight_inside_an_hour_splits_its_day() -> None:
    half = device(time_zone="Asia/Kolkata")
    bench = Bench({"INST-001": half}, keep_recent=False)
    offset = 8.0 * 3600  # 18:00 UTC, local midnight at 18:30
    bench.bring(*(offset + t for t in range(0, 3600, 3)))
    bench.bring(offset + 3700.0)
    days = bench.stores.history.days("S0", "2026-03-01", "2026-03-04")
    assert {day: found["INST-001"].state_s["RUNNING"] for day, found in days.items()} == {
        "2026-03-02": 1800.0,
        "2026-03-03": 1800.0,
    }


def test_an_hour_left_open_at_night_is_sealed_whole_the_next_day() -> None:
    bench = Bench()
    bench.bring(*range(0, 1200, 3))
    bench.bring(1203.0)
    bench.restart()
    bench.stores.tidy()
    bench.bring(86_400.0, now_s=START_S + 86_400.0)
    hours = bench.stores.history.hours("INST-001", START_S, START_S + 1e5)
    assert [len(hour.columns) for hour in hours] == [401]


def test_a_gateway_that_sends_yesterday_may_be_met_by_a_restart() -> None:
    """Its open hour is as old as its readings; the present has nothing to say about it."""
    bench = Bench()
    for offset_s in range(0, 1800, 30):
        bench.bring(float(offset_s), now_s=START_S + 86_400.0 + offset_s, catching_up=["GW-1"])
    bench.stores.tidy()
    bench.restart()
    bench.bring(1800.0, now_s=START_S + 90_000.0, catching_up=["GW-1"])
    bench.bring(3700.0, now_s=START_S + 90_000.0)
    (hour,) = bench.stores.history.hours("INST-001", START_S, START_S + 3600.0)
    assert len(hour.columns) == 61


def test_a_state_of_the_filled_in_past_does_not_take_the_hour_the_present_sealed() -> None:
    present, past = Bench(), Bench(keep_recent=False, shard="S0-backfill")
    past.stores = present.stores
    past.start()
    present.bring(3600.0 + 5.0, 7205.0, 7400.0)
    past.bring(3595.0)
    past.absorb_nothing(START_S + 86_400.0)
    mine, other = present.stores.history.hours("INST-001", START_S, START_S + 7200.0)[::-1]
    assert (mine.shard, mine.columns.t_s.tolist()) == ("S0", [START_S + 3605.0])
    assert (other.shard, other.totals.state_s["RUNNING"]) == ("S0-backfill", 5.0)
    days = present.stores.history.days("S0-backfill", "2026-03-02", "2026-03-02")
    assert days["2026-03-02"]["INST-001"].span_s == 3600.0
