"""What is old goes, what is made of it stays: batches for hours, device-hours for months, days for years."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.stores.given import batch, hour
from tests.test_rollup import columns, device
from twin.business.periods import last_days
from twin.errors import SettingsError
from twin.ports import Lease, StepCommit, Stores
from twin.schema.history import Totals
from twin.schema.instant import to_seconds
from twin.schema.retention import Retention
from twin.services.assembly import build_reporting
from twin.services.history_keeper import HistoryKeeper
from twin.settings import Settings
from twin.stores.documents import Document
from twin.stores.memory import MemoryDocuments
from twin.stores.opening import open_memory_stores, open_sqlite_stores, stores_over

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
KEPT = Retention(raw_h=24.0, hours_d=10.0, days_d=40.0)


def ran(start_s: float, span_s: float) -> Totals:
    return Totals(start_s, span_s, 20, 20.0, {"RUNNING": span_s / 2.0, "IDLE": span_s / 2.0})


class Kept:
    """A store on a clock that moves when told; days and hours of 60 days behind it."""

    def __init__(self, opener: Callable[..., Stores]) -> None:
        self.now = NOW
        self.stores = opener(now=lambda: self.now, retention=KEPT)
        self.stores.registry.register([device(device_id="INST-001", time_zone="UTC")])
        lease = self.stores.shards.acquire("S0", "w", take_over=False)
        assert lease is not None
        self.lease: Lease = lease
        for back in range(60):
            self.commit(NOW - back * DAY)

    def commit(self, day: datetime) -> None:
        start = day.replace(hour=8)
        step = StepCommit(
            self.now,
            {},
            {},
            hours=[replace(hour(to_seconds(start)), totals=ran(to_seconds(start), 3600.0))],
            days={f"{day:%Y-%m-%d}": {"INST-001": ran(to_seconds(start), 86_400.0)}},
        )
        self.lease = self.stores.shards.commit(self.lease, step)

    def hours(self) -> int:
        return len(self.stores.history.hours("INST-001", 0.0, 4e9))

    def days(self) -> list[str]:
        return sorted(self.stores.history.days("S0", "2026-01-01", "2027-12-31"))


@pytest.fixture(params=["memory", "sqlite"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Stores]:
    if request.param == "memory":
        return open_memory_stores
    return lambda **named: open_sqlite_stores(tmp_path / "twin.sqlite", **named)


def test_hours_go_after_their_time_and_days_stay_until_theirs(opener: Callable[..., Stores]) -> None:
    kept = Kept(opener)
    assert (kept.hours(), len(kept.days())) == (60, 60)
    kept.stores.tidy()
    assert kept.hours() == 10
    assert kept.days()[0] == "2026-10-11"
    assert len(kept.days()) == 41
    kept.stores.tidy()
    assert (kept.hours(), len(kept.days())) == (10, 41)


def test_figures_are_the_same_before_and_after_their_hours_went(opener: Callable[..., Stores]) -> None:
    kept = Kept(opener)
    period = last_days(NOW.date(), 30)
    before = build_reporting(kept.stores).counted(period, NOW, compare=False)
    kept.stores.tidy()
    after = build_reporting(kept.stores).counted(period, NOW, compare=False)
    assert after.overview.figures == before.overview.figures
    assert after.overview.figures["utilisation_calendar"].figure.value is not None


def test_rows_older_than_hours_are_kept_do_not_overwrite_their_day(opener: Callable[..., Stores]) -> None:
    kept = Kept(opener)
    kept.stores.tidy()
    keeper = HistoryKeeper("S0", kept.stores.history, {"spectrometer": {}}, keep_s=KEPT.hours_s)
    old_s, young_s = (to_seconds((NOW - n * DAY).replace(hour=9)) for n in (20, 5))
    step = {"INST-001": columns([old_s, young_s, young_s + 7300.0], ["RUNNING"] * 3)}
    written = keeper.absorb(step, {"INST-001": device(time_zone="UTC")}, to_seconds(NOW))
    assert keeper.too_old == 1
    assert {f"{found.start_s:.0f}" for found in written.hours} == {
        f"{young_s + n * 3600:.0f}" for n in (0, 2)
    }
    assert list(written.days) == ["2026-11-15"]


def test_every_stored_hour_and_day_says_when_it_expires() -> None:
    documents = MemoryDocuments()
    Kept(lambda **named: stores_over(documents, MemoryDocuments(), expires=True, **named)).stores.tidy()
    found: dict[str, list[Document]] = {
        name: [document for _, document in documents.scan(name)]
        for name in ("device_history", "fleet_history")
    }
    assert [len(those) for those in found.values()] == [60, 60], "such a store deletes by itself"
    newest = max(found["device_history"], key=lambda document: document.sort)
    assert newest.expire_s == newest.sort + 10 * 86_400.0
    day = max(found["fleet_history"], key=lambda document: document.sort)
    assert day.expire_s == to_seconds(datetime(2026, 11, 20, tzinfo=UTC)) + 40 * 86_400.0


def test_a_batch_is_kept_as_long_as_the_setting_says(opener: Callable[..., Stores]) -> None:
    kept = Kept(opener)
    kept.stores.telemetry.append(batch(1))
    kept.now = NOW + timedelta(hours=25)
    assert kept.stores.telemetry.expire(kept.now - timedelta(hours=kept.stores.retention.raw_h)) == 1


@pytest.mark.parametrize(
    "environ",
    [
        {"TWIN_KEEP_RAW_H": "72"},
        {"TWIN_KEEP_RAW_H": "1"},
        {"TWIN_KEEP_HOURS_D": "1"},
        {"TWIN_KEEP_DAYS_D": "80"},
        {"TWIN_KEEP_DAYS_D": "30"},
        {"TWIN_KEEP_DAYS_D": "soon"},
    ],
)
def test_a_retention_that_cannot_be_is_refused_by_name(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=next(iter(environ)).removesuffix("_D")[:12]):
        Settings.from_environ(environ)


def test_the_defaults_are_two_days_ninety_days_and_two_years() -> None:
    assert Settings.from_environ({}).retention == Retention(48.0, 90.0, 730.0)
    chosen = {"TWIN_KEEP_RAW_H": "12", "TWIN_KEEP_HOURS_D": "400", "TWIN_KEEP_DAYS_D": "1000"}
    assert Settings.from_environ(chosen).retention == Retention(12.0, 400.0, 1000.0)
