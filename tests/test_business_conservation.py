"""Stored days equal what raw events give when every hour has a reading of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tests.business_month import Month, month
from tests.test_rollup import SIGNALS
from twin.business.rollup import totals
from twin.business.spans import local_day_span
from twin.ports import StepCommit
from twin.schema.history import STATES, UNKNOWN, Totals, rows
from twin.schema.instant import from_seconds
from twin.services.history_keeper import HistoryKeeper
from twin.stores.opening import open_memory_stores

ROWS_A_STEP = 20


def kept(found: Month) -> dict[str, Totals]:
    """Days as the history keeper stores them when the readings arrive in order, some at a time."""
    device = found.device
    stores = open_memory_stores(now=lambda: from_seconds(found.start_s))
    keeper = HistoryKeeper("S0", stores.history, {device.asset_class: SIGNALS}, keep_recent=False)
    lease = stores.shards.acquire("S0", "w", take_over=False)
    assert lease is not None
    raw = found.columns()
    for first in range(0, len(raw), ROWS_A_STEP):
        step = rows(raw, slice(first, first + ROWS_A_STEP))
        now_s = float(step.t_s[-1])
        written = keeper.absorb({device.device_id: step}, {device.device_id: device}, now_s)
        lease = stores.shards.commit(
            lease, StepCommit(from_seconds(now_s), {}, {}, hours=written.hours, days=written.days)
        )
    days = stores.history.days("S0", found.first.isoformat(), found.last.isoformat())
    return {day: totals[device.device_id] for day, totals in days.items()}


@pytest.mark.parametrize("zone", ["Europe/Zurich", "Asia/Kolkata"])
def test_stored_days_equal_raw_events(zone: str) -> None:
    first = date(2026, 3, 28)  # the 29th has 23 hours in Zurich
    found = month(5, zone, first, first + timedelta(days=2))
    own = {minute: (status, min(hold, 15), rate, who) for minute, status, hold, rate, who in found.readings}
    own |= {m: ("RUNNING", 15, 6.0, "OP-1") for m in range(5, found.minutes, 30) if m not in own}
    readings = tuple((minute, *own[minute]) for minute in sorted(own))
    found = replace(found, readings=readings, counter=tuple(float(i) for i in range(len(readings))))
    stored = kept(found)
    assert len(stored) == 3
    for day, value in list(stored.items())[:2]:  # the last day's last hour is still open
        start_s, end_s = local_day_span(day, ZoneInfo(zone))
        truth = totals(found.columns(), found.device, SIGNALS, start_s, end_s - start_s)
        assert value.span_s == truth.span_s
        for state in (*STATES[:-1], UNKNOWN):
            assert value.state_s[state] == pytest.approx(truth.state_s[state], abs=1e-3), (day, state)
        assert value.integral["throughput"] == pytest.approx(truth.integral["throughput"])
        assert value.increase == pytest.approx(truth.increase)
        assert value.operators_s == pytest.approx(truth.operators_s)
        assert value.staffed_state_s == pytest.approx(truth.staffed_state_s, abs=1e-3)
        assert np.isclose(value.booked_running_s, truth.booked_running_s)
