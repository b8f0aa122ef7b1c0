"""One shard of the fleet as the twin sees it: readings in, states, alerts, cases and history rows out.

Promise: pure (no clock, disk, network, chance); within `window_s` of a device's newest reading the order in which its
readings come does not matter, to the bit; applying the same again changes nothing; `to_bytes` is the state at the
window's start, so re-applying what came after it continues as if never stopped.

Two folds carry this. `base` has every reading older than its device's window; `head` has the pending ones on top. What
comes in order is folded on; what comes late inside the window is folded again from the base.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from twin.alerts.book import EMPTY, Book
from twin.alerts.cascade import Told
from twin.alerts.lifecycle import severity_code
from twin.alerts.quieting import quiet_cases
from twin.alerts.rules import RuleSet
from twin.alerts.watch import FLOWS, NOBODY, Watch
from twin.engine import checkpoint
from twin.engine.checkpoint import Saved
from twin.engine.kernel import Fold, Kernel
from twin.engine.neighbours import Neighbours
from twin.engine.report import Shown, device_states
from twin.engine.roster import Roster
from twin.engine.rows import Row, all_columns
from twin.engine.service import Services, renew
from twin.engine.tick import Columns_, Tick
from twin.engine.window import Arrival, Item, Window, item_of
from twin.estimation.model import Array
from twin.physics.asset_class import AssetClass
from twin.schema.alert import Alert, Case
from twin.schema.history import Columns
from twin.schema.quieting import Quieting
from twin.schema.reading import Reading
from twin.schema.registry import Device
from twin.schema.state import DeviceState, Freshness
from twin.schema.work import Service

_ODD_ARRIVALS = tuple(arrival.value for arrival in Arrival if arrival is not Arrival.NEW)


@dataclass(frozen=True, slots=True)
class BlockConfig:
    """window_s: how much late a reading may come and still be filtered."""

    window_s: float = 60.0


@dataclass(frozen=True)
class Step:
    """What one `apply` changed.

    columns  history rows by device; a row of the same instant replaces an older one. Rows too late to be filtered
             have NaN where the twin has nothing to say
    counts   readings, late, out_of_order, duplicates, conflicts, unknown, held …
    """

    states: tuple[DeviceState, ...] = ()
    alerts: tuple[Alert, ...] = ()
    cases: tuple[Case, ...] = ()
    columns: Mapping[str, Columns] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


class Block:
    """See the module; made by `create` or `from_bytes`."""

    def __init__(self, roster: Roster, config: BlockConfig) -> None:
        self._config = config
        self._set_roster(roster)
        n = roster.n
        self._base = Fold(roster.fresh(), [EMPTY] * n)
        self._head = Fold(roster.fresh(), [EMPTY] * n)
        self._windows = {d.device_id: Window() for d in roster.devices}
        self._last: dict[str, Item] = {}
        self._folded: dict[str, Item] = {}
        self._counts: dict[str, dict[str, int]] = {}
        self._watch = Watch.start([d.device_id for d in roster.devices], self._neighbours.gateways)
        self._told = Told()
        self._services = Services()
        self._shown: dict[str, Shown] = {}

    @classmethod
    def create(
        cls,
        devices: Sequence[Device],
        classes: Mapping[str, AssetClass],
        rules: RuleSet,
        config: BlockConfig | None = None,
    ) -> Block:
        """A block that has seen nothing; raises UnknownAssetClassError."""
        return cls(Roster(devices, classes, rules), config or BlockConfig())

    # ------------------------------------------------------------------------------------------------- stepping

    def apply(
        self,
        readings: Sequence[Reading],
        now_s: float,
        *,
        refused: Mapping[str, int] | None = None,
        catching_up: Collection[str] = (),
        quietings: Sequence[Quieting] = (),
        acknowledged: Mapping[str, float] = NOBODY,
    ) -> Step:
        """Fold readings in and let time pass up to now_s.

        refused       device_id -> readings refused at the door since the last call, where the caller knows
        catching_up   gateways that are sending the past: their devices are neither late nor silent meanwhile
        quietings     what people keep quiet: a quiet case is evaluated and handed out, but gives its device no severity
        acknowledged  case_id -> when, of `awaiting`: a latched alert ends with its next reading after that
        """
        self._kernel.acknowledged = acknowledged
        counts: dict[str, int] = {}
        rows: dict[str, list[Row]] = {}
        arrived = np.zeros((len(FLOWS), self._roster.n))
        touched = self._take(readings, counts, rows, arrived)
        for device_id, number in (refused or {}).items():
            if device_id in self._roster.column:
                arrived[FLOWS.index("refused"), self._roster.column[device_id]] += number
                counts["refused"] = counts.get("refused", 0) + number
        self._fold(touched, rows)
        states, alerts, cases = self._report(touched, now_s, arrived, counts, catching_up, quietings)
        columns: dict[str, Columns] = {}
        for facts, low, high in self._roster.spans:
            own = {
                device_id: rows[device_id]
                for device_id in rows
                if low <= self._roster.column[device_id] < high
            }
            if own:
                columns |= all_columns(own, facts.asset_class, self._roster.sizes.J)
        return Step(tuple(states), tuple(alerts), tuple(cases), columns, counts)

    def _take(
        self, readings: Sequence[Reading], counts: dict[str, int], rows: dict[str, list[Row]], arrived: Array
    ) -> dict[str, None]:
        """Sort readings into their windows; returns the devices that have something to fold."""
        touched: dict[str, None] = {}
        roster, sizes = self._roster, self._roster.sizes
        for reading in readings:
            device_id = reading.device_id
            column = roster.column.get(device_id)
            if column is None:
                counts["unknown"] = counts.get("unknown", 0) + 1
                continue
            device = roster.devices[column]
            asset_class = roster.classes[device.asset_class]
            item = item_of(reading, asset_class, device.interval_s, sizes.U, sizes.J)
            window = self._windows[device_id]
            arrival = window.offer(item)
            own = self._counts.setdefault(device_id, {})
            own[arrival.value] = own.get(arrival.value, 0) + 1
            counts[arrival.value] = counts.get(arrival.value, 0) + 1
            if arrival.value in FLOWS:
                arrived[FLOWS.index(arrival.value), column] += 1
            if arrival is Arrival.LATE:
                rows.setdefault(device_id, []).append((item, None))
            if arrival in (Arrival.NEW, Arrival.EARLIER, Arrival.LATE) or window.must_refold:
                touched[device_id] = None
        return touched

    def _fold(self, touched: Mapping[str, None], rows: dict[str, list[Row]]) -> None:
        base: dict[int, list[Item]] = {}
        head: dict[int, list[Item]] = {}
        again: list[int] = []
        bulk: set[int] = set()
        for device_id in touched:
            window, column = self._windows[device_id], self._roster.column[device_id]
            ready = window.close(window.newest_s - self._config.window_s)
            if ready:
                base[column] = ready
                self._folded[device_id] = ready[-1]
            folded_s = max((i.t for i in window.pending if i.in_head), default=float("-inf"))
            fresh = [i for i in window.pending if not i.in_head]
            is_bulk = any(not i.in_head for i in ready)
            if is_bulk:
                bulk.add(column)
            if is_bulk or window.must_refold or any(i.t < folded_s for i in fresh):
                again.append(column)
                fresh = list(window.pending)
            window.must_refold = False
            if fresh:
                head[column] = fresh
            if window.pending or ready:
                self._last[device_id] = (window.pending or ready)[-1]
            for item in fresh:
                item.in_head = True
        self._run(self._base, base, rows, bulk)
        self._head.copy_from(self._base, again)
        self._run(self._head, head, rows, set(head))

    def _run(
        self, fold: Fold, items: Mapping[int, list[Item]], rows: dict[str, list[Row]], told: set[int]
    ) -> None:
        """Fold every device's items, the k-th of each in one tick; rows of `told` columns are handed out."""
        turn = 0
        going = sorted(items)
        serviced = {self._roster.column[d] for d in self._services.told if d in self._roster.column}
        while going:
            now = [items[column][turn] for column in going]
            tick = Tick(
                t=np.array([i.t for i in now]),
                status=np.array([float(i.status) for i in now]),
                interval=np.array([i.interval_s for i in now]),
                u=np.array([i.u for i in now]).T.copy(),
                z=np.array([i.z for i in now]).T.copy(),
            )
            columns: Columns_ = np.array(going, dtype=np.intp)
            if serviced:
                self._renew(fold, going, now, serviced)
            shown = self._kernel.step(fold, columns, tick, [i.reading.error_code for i in now])
            for place, (column, item) in enumerate(zip(going, now, strict=True)):
                if column in told:
                    device_id = self._roster.devices[column].device_id
                    rows.setdefault(device_id, []).append((item, shown[:, place]))
            turn += 1
            going = [column for column in going if len(items[column]) > turn]

    def _renew(
        self, fold: Fold, columns: Sequence[int], items: Sequence[Item], serviced: Collection[int]
    ) -> None:
        """What was done to these devices between their last readings and these."""
        before = fold.state[self._roster.rows["t"].start]
        for column, item in zip(columns, items, strict=True):
            if column not in serviced:
                continue
            device_id = self._roster.devices[column].device_id
            due = self._services.due(device_id, float(before[column]), item.t)
            if due:
                renew(self._roster, fold.state, column, item, due)

    # ------------------------------------------------------------------------------------------------ reporting

    def _report(
        self,
        touched: Mapping[str, None],
        now_s: float,
        arrived: Array,
        counts: dict[str, int],
        catching_up: Collection[str],
        quietings: Sequence[Quieting],
    ) -> tuple[list[DeviceState], list[Alert], list[Case]]:
        roster, head = self._roster, self._head
        newest = np.array([self._windows[d.device_id].newest_s for d in roster.devices])
        interval = np.where(np.isfinite(newest), head.state[roster.rows["interval"].start], roster.interval)
        late, silent = self._neighbours.quiet(now_s, newest, interval)
        behind = np.array([device.gateway in catching_up for device in roster.devices], np.bool_)
        late, silent = late & ~behind, silent & ~behind
        groups, seen = self._neighbours.groups, self._kernel.acknowledged
        self._watch.look(roster.rules, now_s, newest, silent, arrived, groups, seen, behind)
        inherited = self._neighbours.inherited(now_s, head, self._watch, late)
        news: dict[int, Shown] = {}
        alerts: list[Alert] = []
        cases: list[Case] = []
        for column, device in enumerate(roster.devices):
            device_id = device.device_id
            books = (head.books[column], self._watch.books[column])
            is_held = bool(inherited[column])
            new_alerts, new_cases = self._told.tell(books, device_id, is_held)
            alerts += new_alerts
            cases += new_cases
            if is_held and any(book.case is not None for book in books):
                counts["held"] = counts.get("held", 0) + 1
            if not np.isfinite(newest[column]):
                continue
            fresh = (
                Freshness.NO_DATA if silent[column] else Freshness.LATE if late[column] else Freshness.ON_TIME
            )
            open_cases = self._open_cases(books)
            quiet = quiet_cases(open_cases, quietings, now_s) if open_cases else ()
            worst = max((c.severity for c in open_cases if c.case_id not in quiet), default=None)
            shown = (fresh, "" if worst is None else worst.word, inherited[column])
            if device_id in touched or self._shown.get(device_id) != shown:
                news[column] = self._shown[device_id] = shown
        for place, gateway in enumerate(self._neighbours.gateways):
            told = self._told.tell((self._watch.books[roster.n + place],), gateway, False)
            alerts += told[0]
            cases += told[1]
        arrivals = {roster.devices[column].device_id: self._arrivals(column) for column in news}
        states = device_states(roster, head, news, self._last, arrivals)
        self._settle()
        return states, alerts, cases

    def _open_cases(self, books: Sequence[Book]) -> list[Case]:
        return [b.case for b in books if b.case is not None and self._told.has_told(b.case)]

    def _arrivals(self, column: int) -> dict[str, int]:
        """How many readings of a device came otherwise than new and in order."""
        own = self._counts.get(self._roster.devices[column].device_id, {})
        return {name: own.get(name, 0) for name in _ODD_ARRIVALS}

    def _settle(self) -> None:
        """Closed cases of the base are final and have been told: forget them."""
        for column, book in enumerate(self._base.books):
            if book.closed:
                ids = {case.case_id for case in book.closed}
                self._base.books[column] = book.told(ids)
                self._head.books[column] = self._head.books[column].told(ids)
                self._told.forget(book.closed)
        for column, book in enumerate(self._watch.books):
            if book.closed:
                ids = {case.case_id for case in book.closed}
                self._watch.books[column] = book.told(ids)
                self._told.forget(book.closed)

    # ------------------------------------------------------------------------------------------- window, registry

    def serviced(self, service: Service) -> bool:
        """Tell of work on a machine; its next reading is the first of the renewed one. False when known already.

        A service done before the device's newest reading counts from that reading. Kept in `to_bytes`: whoever
        tells writes a checkpoint with it, so that nothing is renewed at another reading after a restart.
        """
        if service.device_id not in self._roster.column:
            return False
        return self._services.tell(service, self._windows[service.device_id].newest_s)

    def newest_s(self, device_id: str) -> float:
        """Time of the device's newest reading, -inf without one."""
        window = self._windows.get(device_id)
        return float("-inf") if window is None else window.newest_s

    def window_start_s(self, device_id: str) -> float:
        """Everything of the device up to this instant is in `to_bytes`; what came after must be applied again."""
        window = self._windows.get(device_id)
        return float("-inf") if window is None else window.start_s

    def open_cases(self) -> set[str]:
        """Ids of the cases that are open here, told or held."""
        return {
            book.case.case_id for book in (*self._head.books, *self._watch.books) if book.case is not None
        }

    def awaiting(self) -> set[str]:
        """Ids of the open cases with an alert that latches: whether a person acknowledged them must be known."""
        delays, latches = self._roster.rules.delays, set()
        for column, book in enumerate((*self._head.books, *self._watch.books)):
            for alert in book.alerts.values() if book.case is not None else ():
                own = self._kernel.latch_from(column, alert.rule) if column < self._roster.n else None
                if own is None:
                    own = severity_code(delays[alert.kind].latch_from)
                if alert.case_id == book.case.case_id and float(alert.condition.severity) + 1.0 >= own:  # type: ignore[union-attr]
                    latches.add(alert.case_id)
        return latches

    def remember(self, case_ids: Collection[str]) -> None:
        """These open cases were handed out in an earlier life, also after the bytes this block came from."""
        self._told.known |= set(case_ids)

    def close_windows(self, before_s: float) -> None:
        """Fold in all of the devices whose newest reading is not after before_s, so that a checkpoint has it."""
        items = {}
        for device_id, window in self._windows.items():
            if window.pending and window.newest_s <= before_s:
                ready = items[self._roster.column[device_id]] = window.close(window.newest_s)
                self._folded[device_id] = ready[-1]
        self._run(self._base, items, {}, set())

    def with_devices(self, devices: Sequence[Device]) -> Block:
        """Add or replace registry entries in place, keeping state; returns this block.

        A device whose asset class changed begins anew. Raises UnknownAssetClassError.
        """
        old = self._roster
        known = {d.device_id: d for d in old.devices}
        roster = Roster([*({**known, **{d.device_id: d for d in devices}}).values()], old.classes, old.rules)
        until = self._neighbours.until()
        self._set_roster(roster)
        self._neighbours.resume(until)
        base, head = Fold(roster.fresh(), [EMPTY] * roster.n), Fold(roster.fresh(), [EMPTY] * roster.n)
        watch = Watch.start([d.device_id for d in roster.devices], self._neighbours.gateways)
        watch.now_s = self._watch.now_s
        before = {name: i for i, name in enumerate(self._watch.names)}
        for column, name in enumerate(watch.names):
            if name in before:
                watch.lives[:, column] = self._watch.lives[:, before[name]]
                watch.books[column] = self._watch.books[before[name]]
        for column, device in enumerate(roster.devices):
            was = known.get(device.device_id)
            if was is None or was.asset_class != device.asset_class:
                self._windows[device.device_id] = Window()
                self._last.pop(device.device_id, None)
                self._folded.pop(device.device_id, None)
                self._shown.pop(device.device_id, None)
                continue
            place = old.column[device.device_id]
            watch.flow[:, column] = self._watch.flow[:, place]
            for new, kept in ((base, self._base), (head, self._head)):
                new.state[:, column] = kept.state[:, place]
                new.books[column] = kept.books[place]
        self._base, self._head, self._watch = base, head, watch
        return self

    @property
    def rules(self) -> RuleSet:
        """What it steps with."""
        return self._roster.rules

    def with_rules(self, rules: RuleSet) -> Block:
        """Judge everything that comes from here on by these rules, keeping state; returns this block.

        What has come is folded in first, under the rules it came under: half-finished delays go on, and a late reading
        from before is kept but no longer filtered. The rules are in `to_bytes`: whoever changes them writes a
        checkpoint with the change, so that a restart judges no reading by other rules than before.
        """
        self.close_windows(float("inf"))
        self._head.copy_from(self._base, range(self._roster.n))
        explained = self._neighbours
        self._set_roster(Roster(self._roster.devices, self._roster.classes, rules))
        self._neighbours.remember(explained)
        return self

    def _set_roster(self, roster: Roster) -> None:
        self._roster = roster
        self._kernel = Kernel(roster)
        self._neighbours = Neighbours(roster)

    def _device(self, device_id: str) -> Device:
        return self._roster.devices[self._roster.column[device_id]]

    # ------------------------------------------------------------------------------------------------- snapshot

    def to_bytes(self) -> bytes:
        """The state at the windows' start; see `from_bytes`."""
        starts = {device_id: window.start_s for device_id, window in self._windows.items()}
        saved = Saved(
            self._base,
            starts,
            self._folded,
            self._watch,
            self._services,
            self._told,
            self._neighbours.until(),
        )
        return checkpoint.write(self._roster, asdict(self._config), saved)

    @classmethod
    def from_bytes(cls, data: bytes, classes: Mapping[str, AssetClass], rules: RuleSet) -> Block:
        """The block as it was at the windows' start. Raises SnapshotError when this version cannot read the bytes."""
        roster, config, saved = checkpoint.read(data, classes, rules)
        block = cls(roster, BlockConfig(**config))
        block._base, block._watch, block._services = saved.base, saved.watch, saved.services
        block._head.copy_from(saved.base, range(roster.n))
        block._folded, block._last = dict(saved.last), dict(saved.last)
        block._told = saved.told
        block._neighbours.resume(saved.until)
        for device_id, item in saved.last.items():
            block._windows[device_id].newest_s = item.t
        for device_id, start_s in saved.starts.items():
            block._windows[device_id].start_s = start_s
        return block
