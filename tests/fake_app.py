"""A small, made-up, deterministic application for tests of views and pages: no store, no threads, no clock.

`FakeApp()` is a fleet of twelve with five open problems; `FakeApp(empty=True)` has no device, `stale=True` a feed that
stopped four minutes ago, `broken=True` a store that fails every call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tests.fake_fleet import (
    DAY_S,
    HOUR_S,
    NOW,
    NOW_S,
    fake_classes,
    fake_columns,
    fake_faults,
    fake_feed,
    fake_totals,
)
from tests.fake_notices import FakeNoticeDesk
from twin.alerts.quieting import suppression_of
from twin.business.periods import Period
from twin.business.report import Report
from twin.errors import ConcurrentChangeError, NotAuthorisedError, StoreUnavailableError
from twin.ports import AuditEntry, RuleVersion
from twin.schema.alert import (
    Alert,
    CaseRecord,
    Judgement,
    Response,
)
from twin.schema.day_table import DayTable, day_table
from twin.schema.fault import Command, CommandKind, CommandState, Fault
from twin.schema.history import NO_ROWS, Columns, DeviceHour, Totals
from twin.schema.quarantine import QuarantineEntry
from twin.schema.quieting import Quieting, QuietKind
from twin.schema.registry import Device
from twin.schema.spending import Spending, Usage
from twin.schema.state import (
    Freshness,
)
from twin.services.authority import Authority, Roles
from twin.services.business_desk import BusinessDesk
from twin.services.live_feed import Feed
from twin.services.reporting import Reporting
from twin.services.rule_desk import RuleDesk
from twin.services.tracks import Tracks
from twin.services.work_desk import WorkDesk
from twin.stores.memory import MemoryDocuments
from twin.stores.opening import open_memory_stores, stores_over
from twin.stores.rule_versions import DocumentRuleStore
from twin.stores.work import DocumentWorkStore


class FakeApp:
    """See the module's first lines. `moving=True` lets time and lines go on, for looking at the pages."""

    def __init__(
        self, *, empty: bool = False, stale: bool = False, broken: bool = False, moving: bool = False
    ) -> None:
        """`hide_newest` keeps showing the feed before the last change, as a slower viewer sees it."""
        self.broken = broken
        self.demo = True
        self.local_operator = ""
        self.moving = moving
        self.started = datetime.now(UTC)
        self.classes = fake_classes()
        self.asked: list[Command] = []
        self.spent: dict[str, Usage] = {}
        self.looked_from = ""
        self.denied = False
        self._later_s = 0.0
        self.hide_newest = False
        self._feed = Feed(1, NOW, None) if empty else fake_feed()
        self._before = self._feed
        self._faults = [] if empty else list(fake_faults())
        self.alert_desk = FakeDesk(self)
        self.notice_desk = FakeNoticeDesk()
        self.people = open_memory_stores(now=self.now)
        self.people.registry.register(list(self._feed.devices.values()))
        self.work_desk = fake_work_desk(self)
        self.business_desk = fake_business_desk(self)
        self.rule_desk = fake_rule_desk(self)
        if stale:
            self._feed = replace(self._feed, stepped_at=NOW - timedelta(seconds=252))
        if broken:
            self._feed = replace(
                self._feed,
                store_error="StoreUnavailableError: deadline of 3 s passed on fleet_state/0",
                store_silent_since=NOW - timedelta(seconds=252),
            )

    def fail(self, *, after_s: float) -> None:
        """The store stops answering now; `after_s` later somebody looks."""
        self.broken = True
        silent_since = NOW
        self._later_s = after_s
        self._feed = replace(
            self._feed,
            version=self._feed.version + 1,
            store_error="StoreUnavailableError",
            store_silent_since=silent_since,
        )

    def publish(self, **changes: Any) -> None:
        """Somebody changed something: the feed goes on."""
        self._before = self._feed
        self._feed = replace(self._feed, version=self._feed.version + 1, **changes)

    def now(self) -> datetime:
        if self._later_s:
            return NOW + timedelta(seconds=self._later_s)
        return NOW + (datetime.now(UTC) - self.started) if self.moving else NOW

    def feed(self) -> Feed:
        if self.hide_newest:
            return self._before
        if not self.moving:
            return self._feed
        moved = int((self.now() - NOW).total_seconds() // 3)
        live = {d: _shifted(c, moved * 3.0) for d, c in self._feed.live.items()}
        states = {
            d: replace(
                s, observed_at_s=s.observed_at_s + (moved * 3.0 if s.freshness is Freshness.ON_TIME else 0)
            )
            for d, s in self._feed.states.items()
        }
        at = NOW + timedelta(seconds=moved * 3)
        return replace(
            self._feed,
            version=1 + moved,
            now=at,
            stepped_at=at - timedelta(seconds=2),
            live=live,
            states=states,
        )

    def device_columns(self, device_id: str, from_s: float, to_s: float) -> Columns:
        self._check()
        step_s = max(3.0, (to_s - from_s) / 400)
        return fake_columns(device_id, from_s, to_s, step_s)

    def day_totals(self, from_day: str, to_day: str) -> Mapping[str, Mapping[str, Totals]]:
        self._check()
        first, last = datetime.fromisoformat(from_day), datetime.fromisoformat(to_day)
        days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
        return {
            day.date().isoformat(): {
                d: fake_totals(d, day.replace(tzinfo=UTC).timestamp(), DAY_S) for d in self._feed.devices
            }
            for day in days
        }

    def report(self, period: Period) -> Report:
        self._check()
        return Reporting(
            history=_FakeHistory(self),  # type: ignore[arg-type]
            shards=_FakeShards(),  # type: ignore[arg-type]
            registry=_FakeRegistry(list(self._feed.devices.values())),  # type: ignore[arg-type]
            settings=self.people.settings,
            alerts=_FakeAlerts(),  # type: ignore[arg-type]
            notes=self.people.notes,
        ).report(period, self.now())

    def report_file(self, report: Report, kind: str) -> bytes:
        return f"{kind} of {len(report.devices)} devices".encode()

    def authorised(self, actor: str, action: str) -> bool:
        return not self.denied

    def acknowledge(
        self, case_id: str, *, actor: str, comment: str, expected_version: int, key: str
    ) -> Response:
        self._check()
        if self.denied:
            raise NotAuthorisedError(
                "acknowledge", rule="needs the operator role", next_step="Sign in as operator"
            )
        for i, record in enumerate(self._feed.cases):
            if record.case.case_id == case_id:
                if record.response.version != expected_version:
                    raise ConcurrentChangeError(
                        case_id, rule=f"was changed first by {record.response.actor}", next_step="Look again"
                    )
                response = Response(
                    "acknowledged", actor, self.now().timestamp(), comment, expected_version + 1
                )
                self._before = self._feed
                cases = list(self._feed.cases)
                cases[i] = replace(record, response=response)
                self._feed = replace(self._feed, cases=cases, version=self._feed.version + 1)
                return response
        raise AssertionError(f"no case {case_id}")

    def inject(
        self, device_id: str, kind: str, *, severity: float, ramp_s: float, signal: str, actor: str, key: str
    ) -> Command:
        self._check()
        arguments = {"kind": kind, "severity": severity, "ramp_s": ramp_s, "signal": signal}
        return self._ask(CommandKind.INJECT, device_id, arguments, actor, key)

    def repair(self, device_id: str, fault_id: str, *, actor: str, key: str) -> Command:
        self._check()
        return self._ask(CommandKind.REPAIR, device_id, {"fault_id": fault_id}, actor, key)

    def faults(self) -> Sequence[Fault]:
        self._check()
        return tuple(self._faults)

    def commands(self) -> Sequence[Command]:
        self._check()
        return tuple(reversed(self.asked))

    def close(self) -> None:
        """Nothing runs behind it."""

    def readiness(self) -> tuple[bool, str]:
        return (
            not self.broken,
            "the store has not answered for 90 s" if self.broken else "the newest step is 2 s old",
        )

    def look_from(self, page: str) -> None:
        self.looked_from = page

    def spending(self) -> Spending:
        return Spending("here:1", 7200.0, self.spent)

    def quarantined(self) -> tuple[Sequence[QuarantineEntry], int]:
        self._check()
        reason = "INST-004 metrics.temperature = 1e+06: must lie between -20 and 150 °C. Check the sensor"
        entry = QuarantineEntry(
            "q-1", NOW - timedelta(minutes=3), "gateway gw-1", reason, '{"device_id": "<b>"}', 412
        )
        return (entry,), 7

    def _ask(
        self, kind: CommandKind, device_id: str, arguments: Mapping[str, Any], actor: str, key: str
    ) -> Command:
        at_s = self.now().timestamp()
        command = Command(
            key, "gw-1", device_id, kind, actor, at_s, arguments, CommandState.DONE, "done", at_s + 1
        )
        self.asked.append(command)
        return command

    def _check(self) -> None:
        if self.broken:
            raise StoreUnavailableError(
                "fleet_state/0", rule="answered not within 3 s", next_step="Nothing is lost; try again"
            )


def _shifted(columns: Columns, by_s: float) -> Columns:
    k = round(by_s / 3.0) % max(1, len(columns))
    return replace(columns, t_s=columns.t_s + by_s, deviation=np.roll(columns.deviation, -k))


class FakeDesk:
    """What people do about alerts, on the fake feed; `rival` is who was first when two act at once."""

    operators = 1

    def __init__(self, app: FakeApp) -> None:
        self._app = app
        self.rival = ""
        self.past: list[CaseRecord] = list(app.feed().cases)
        self.log: list[AuditEntry] = []

    def shelve(
        self, case_id: str, *, for_s: float, reason: str, actor: str, key: str, rule: str = ""
    ) -> Quieting:
        self._check(case_id)
        record = next(r for r in self._app.feed().cases if r.case.case_id == case_id)
        kept = Quieting(
            record.case.device_id, QuietKind.SHELVED, NOW_S, NOW_S + for_s, actor, reason, rule, case_id,
            record.case.severity, 1,
        )  # fmt: skip
        return self._keep(kept, key, "shelved")

    def plan_maintenance(
        self, device_id: str, *, from_s: float, until_s: float, reason: str, actor: str, key: str
    ) -> Quieting:
        self._check(device_id)
        window = Quieting(device_id, QuietKind.MAINTENANCE, from_s, until_s, actor, reason, version=1)
        return self._keep(window, key, "maintenance")

    def take_out_of_service(self, device_id: str, *, reason: str, actor: str, key: str) -> Quieting:
        self._check(device_id)
        away = Quieting(device_id, QuietKind.OUT_OF_SERVICE, NOW_S, None, actor, reason, version=1)
        return self._keep(away, key, "out_of_service")

    def end_quiet(self, quieting: Quieting, *, actor: str, key: str) -> Quieting:
        self._check(quieting.device_id)
        return self._keep(replace(quieting, until_s=NOW_S, by=actor), key, "unshelve")

    def judge(
        self, case_id: str, verdict: str, *, actor: str, comment: str, expected_version: int, key: str
    ) -> Judgement:
        self._check(case_id)
        said = Judgement(verdict, actor, NOW_S, comment, expected_version + 1)
        cases = [
            replace(r, judgement=said) if r.case.case_id == case_id else r for r in self._app.feed().cases
        ]
        self._app.publish(cases=cases)
        return said

    def case(self, case_id: str) -> CaseRecord | None:
        self._app._check()
        return next((r for r in self.past if r.case.case_id == case_id), None)

    def past_cases(self, since_s: float, limit: int) -> Sequence[CaseRecord]:
        self._app._check()
        return [r for r in self.past if r.case.onset_s >= since_s][:limit]

    def all_alerts(self) -> Sequence[Alert]:
        self._app._check()
        return self._app.feed().alerts

    def quietings(self, since_s: float) -> Sequence[Quieting]:
        self._app._check()
        return [q for q in self._app.feed().quietings if not q.is_over(since_s)]

    def watched_since_s(self) -> float | None:
        return NOW_S - 7 * DAY_S

    def audit(self, limit: int, after: AuditEntry | None = None) -> Sequence[AuditEntry]:
        self._app._check()
        newest = self.log[::-1]
        start = 0 if after is None else newest.index(after) + 1
        return newest[start : start + limit]

    def _keep(self, kept: Quieting, key: str, action: str) -> Quieting:
        feed = self._app.feed()
        quietings = [q for q in feed.quietings if q.quieting_id != kept.quieting_id]
        quietings += [] if kept.is_over(NOW_S) else [kept]
        cases = [
            r
            if r.suppression.state == "suppressed" and not r.suppression.quieting_id
            else replace(r, suppression=suppression_of(r.case, quietings, NOW_S))
            for r in feed.cases
        ]
        self._app.publish(cases=cases, quietings=quietings)
        self.log.append(
            AuditEntry(key, NOW, kept.by, action, kept.case_id or kept.device_id, {"reason": kept.reason})
        )
        return kept

    def _check(self, what: str) -> None:
        self._app._check()
        if self.rival:
            raise ConcurrentChangeError(
                what, rule=f"was changed first by {self.rival}", next_step="Look again"
            )


class _FakeClock:
    def __init__(self, app: FakeApp) -> None:
        self.now = app.now

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None: ...


class FakeAuthority(Authority):
    """Who may act is the app's to say."""

    def __init__(self, app: FakeApp) -> None:
        super().__init__(roles=Roles(True), audit=app.people.audit, clock=_FakeClock(app))
        self._app = app

    def authorise(self, actor: str, action: str) -> None:
        self._app._check()
        if not self._app.authorised(actor, action):
            raise NotAuthorisedError(action, rule="needs the operator role", next_step="Sign in as operator")


def fake_business_desk(app: FakeApp) -> BusinessDesk:
    """The real desk over a store in memory; `denied` and `broken` are the app's to say."""

    return BusinessDesk(
        authority=FakeAuthority(app),
        settings=app.people.settings,
        notes=app.people.notes,
        registry=app.people.registry,
        clock=_FakeClock(app),
    )


def fake_rule_desk(app: FakeApp) -> RuleDesk:
    """The real desk over a store in memory, with made-up history: one row a minute in sealed hours."""

    class FakeHours:
        def hours(self, device_id: str, from_s: float, to_s: float) -> list[DeviceHour]:
            app._check()
            starts = np.arange(np.ceil(from_s / HOUR_S), np.floor(NOW_S / HOUR_S)) * HOUR_S
            nothing = Totals(0.0, HOUR_S, 0, 0.0, {})
            return [
                DeviceHour(device_id, at, fake_columns(device_id, at, at + HOUR_S, 60.0), nothing)
                for at in starts.tolist()
            ]

    class AskedStore(DocumentRuleStore):
        def current(self) -> RuleVersion | None:
            app._check()
            return super().current()

    clock = _FakeClock(app)
    return RuleDesk(
        authority=FakeAuthority(app),
        rules=AskedStore(MemoryDocuments()),
        registry=app.people.registry,
        classes=app.classes,
        clock=clock,
        tracks=Tracks(FakeHours(), lambda d: app.feed().live.get(d, NO_ROWS), clock),  # type: ignore[arg-type]
    )


def fake_work_desk(app: FakeApp) -> WorkDesk:
    """The real desk over a store in memory; who may act is the app's to say, and so is whether the store answers."""

    class AskedStore(DocumentWorkStore):
        def mark(self) -> str:
            app._check()
            return super().mark()

    documents = MemoryDocuments()
    stores = stores_over(documents, documents, now=lambda: NOW)
    return WorkDesk(
        authority=FakeAuthority(app),
        work=AskedStore(documents),
        settings=stores.settings,
        classes=app.classes,
        feed=app.feed,  # type: ignore[arg-type]
        clock=_FakeClock(app),
    )


class _FakeHistory:
    def __init__(self, app: FakeApp) -> None:
        self._app = app

    def day_table(self, shard: str, from_day: str, to_day: str, *, operators: bool = True) -> DayTable:
        return day_table(self._app.day_totals(from_day, to_day))


class _FakeShards:
    def shards(self) -> list[tuple[str, int]]:
        return [("S0", 1)]


class _FakeRegistry:
    def __init__(self, devices: list[Device]) -> None:
        self.devices = lambda: devices


class _FakeAlerts:
    def cases(self, **_: object) -> list[object]:
        return []
