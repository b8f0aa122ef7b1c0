"""Work orders and decisions as people use them: every change is one call, allowed, versioned, audited, harmless twice.

What has been read is kept in memory; `refresh` asks the store, with one small read while nothing is new, and is for
moments when a person asked, never for a tick. Leaves out who may: `Authority`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from twin.business.assumptions import Assumption, assumptions
from twin.errors import ConcurrentChangeError, WorkRefusedError
from twin.physics.asset_class import AssetClass
from twin.ports import Clock, SettingsStore, WorkStore
from twin.schema.instant import to_seconds
from twin.schema.work import NOTHING_FOUND, SENSOR, Choice, Decision, WorkOrder, WorkState, WorkStep, order_id
from twin.services.advice import Advice, advise, as_known
from twin.services.authority import Authority
from twin.services.live_feed import Feed

ACTION = "plan_work"
BACK_S = 400 * 86_400.0
MOST_TEXT = 500
LONGEST_S = 60 * 86_400.0


@dataclass(frozen=True)
class WorkBook:
    """What the store had when it was last asked; newest first. assumed: the prices behind every curve."""

    orders: Sequence[WorkOrder] = ()
    decisions: Sequence[Decision] = ()
    assumed: Mapping[str, Assumption] | None = None


class WorkDesk:
    """See the module. Threads of several visitors may call it."""

    def __init__(
        self,
        *,
        authority: Authority,
        work: WorkStore,
        settings: SettingsStore,
        classes: Mapping[str, AssetClass],
        feed: Callable[[], Feed],
        clock: Clock,
    ) -> None:
        self._authority = authority
        self._work = work
        self._settings = settings
        self._classes = classes
        self._feed = feed
        self._clock = clock
        self._lock = threading.Lock()
        self._mark: str | None = None
        self._book = WorkBook(assumed=assumptions({}))

    def known(self) -> WorkBook:
        """From memory."""
        return self._book

    def refresh(self) -> WorkBook:
        """Ask the store. Raises StoreUnavailableError; what is known stays."""
        with self._lock:
            mark = self._work.mark()
            assumed = assumptions(self._settings.settings())
            if mark != self._mark:
                since_s = self._now_s() - BACK_S
                orders = tuple(self._work.orders(since_s=since_s))
                decisions = tuple(self._work.decisions(since_s=since_s))
                self._book, self._mark = WorkBook(orders, decisions, assumed), mark
            else:
                self._book = replace(self._book, assumed=assumed)
            return self._book

    def advice(self, case_id: str) -> Advice | None:
        """What waiting with a case is expected to cost now; None without a reading of its device."""
        feed = self._feed()
        record = next((r for r in feed.cases if r.case.case_id == case_id), None)
        if record is None:
            return None
        device, state = feed.devices.get(record.case.device_id), feed.states.get(record.case.device_id)
        asset_class = self._classes.get(device.asset_class) if device else None
        if device is None or state is None or asset_class is None:
            return None
        assumed = self._book.assumed or assumptions({})
        return advise(record.case, device, state, asset_class, assumed, self._now_s())

    # ------------------------------------------------------------------------------------------------- commands

    def plan(
        self, device_id: str, *, case_id: str, title: str, from_s: float, until_s: float, who: str, note: str,
        actor: str, key: str,
    ) -> WorkOrder:  # fmt: skip
        """A new order, planned. case_id "" = by hand."""
        self._authority.authorise(actor, ACTION)
        if device_id not in self._feed().devices:
            raise _refused("device", device_id, "is not registered", "Choose a device from the list")
        _check_span(from_s, until_s)
        order = WorkOrder(
            order_id(key), device_id, _text(title) or "Look at the machine", case_id,
            created_s=self._now_s(), created_by=actor,
        )  # fmt: skip
        planned = replace(
            order, state=order.after(WorkStep.PLAN), from_s=from_s, until_s=until_s,
            who=_text(who), note=_text(note),
        )  # fmt: skip
        return self._put(planned, WorkStep.PLAN, 0, actor, key)

    def replan(
        self, id: str, *, from_s: float, until_s: float, who: str, note: str, actor: str, expected_version: int,
        key: str,
    ) -> WorkOrder:  # fmt: skip
        self._authority.authorise(actor, ACTION)
        _check_span(from_s, until_s)
        values = {"from_s": from_s, "until_s": until_s, "who": _text(who), "note": _text(note)}
        return self._step(id, WorkStep.PLAN, actor, expected_version, key, values)

    def start(self, id: str, *, actor: str, expected_version: int, key: str) -> WorkOrder:
        self._authority.authorise(actor, ACTION)
        return self._step(id, WorkStep.START, actor, expected_version, key, {"started_s": self._now_s()})

    def close(
        self, id: str, *, found: str, alert_right: bool | None, relearn: bool = False, comment: str, actor: str,
        expected_version: int, key: str,
    ) -> WorkOrder:  # fmt: skip
        """The work is done, and the twin is told what was renewed: a new segment of its baseline begins.

        found    a failure mode of the device's class, "sensor:<signal>", "nothing found"
        relearn  what it shows now is its normal, however far from before; without it a departure stays an alert
        """
        self._authority.authorise(actor, ACTION)
        order = self._order(id)
        known = self.findings(order.device_id)
        if found not in known:
            raise _refused(
                f"finding of {id}", found, f"must be one of {', '.join(known)}", "Choose what was found"
            )
        values = {
            "closed_s": self._now_s(), "found": found, "comment": _text(comment),
            "alert_right": alert_right if order.case_id else None,
            "relearn": relearn and found != NOTHING_FOUND,
        }  # fmt: skip
        return self._step(id, WorkStep.CLOSE, actor, expected_version, key, values)

    def cancel(self, id: str, *, comment: str, actor: str, expected_version: int, key: str) -> WorkOrder:
        self._authority.authorise(actor, ACTION)
        values = {"closed_s": self._now_s(), "comment": _text(comment)}
        return self._step(id, WorkStep.CANCEL, actor, expected_version, key, values)

    def decide(
        self,
        case_id: str,
        choice: Choice,
        *,
        reason: str,
        until_s: float | None,
        actor: str,
        number: int,
        key: str,
    ) -> Decision:
        """Accept, defer or reject a case's recommendation; what is known now is kept with it.

        number  of this decision within the case, one more than the newest the person saw
        """
        self._authority.authorise(actor, ACTION)
        record = next((r for r in self._feed().cases if r.case.case_id == case_id), None)
        advice, state = self.advice(case_id), None
        if record is not None:
            state = self._feed().states.get(record.case.device_id)
        if record is None or advice is None or state is None:
            raise _refused(f"case {case_id}", None, "is not there, or has no reading", "Reload the page")
        if choice is Choice.DEFER and (until_s is None or until_s <= self._now_s()):
            raise _refused(
                f"deferring of case {case_id}", until_s, "needs a day to come", "Choose a later day"
            )
        decision = Decision(
            case_id, number, record.case.device_id, choice, self._now_s(), actor, _text(reason),
            until_s if choice is Choice.DEFER else None, as_known(advice, record.case, state), key,
        )  # fmt: skip
        stored = self._work.decide(decision)
        self._authority.note(key, actor, f"{choice.value} recommendation", case_id, {"number": number})
        self.refresh()
        return stored

    def findings(self, device_id: str) -> list[str]:
        """What may be found on a device: its class's failure modes, its sensors, nothing."""
        device = self._feed().devices.get(device_id)
        asset_class = self._classes.get(device.asset_class) if device else None
        if asset_class is None:
            return [NOTHING_FOUND]
        modes = [mode.name for mode in asset_class.modes]
        return [*modes, *(f"{SENSOR}{signal.name}" for signal in asset_class.outputs), NOTHING_FOUND]

    # -------------------------------------------------------------------------------------------------- changes

    def _step(
        self,
        id: str,
        step: WorkStep,
        actor: str,
        expected_version: int,
        key: str,
        values: Mapping[str, object],
    ) -> WorkOrder:
        order = self._order(id)
        if order.last_key == key:
            return order
        if order.version != expected_version:
            raise ConcurrentChangeError(
                f"work order {id}",
                rule=f"was changed first by {order.changed_by or 'somebody'} (to {order.state.value})",
                next_step="Look at what is there now and decide again",
            )
        changed = replace(order, state=order.after(step), **values)  # type: ignore[arg-type]
        return self._put(changed, step, expected_version, actor, key)

    def _put(
        self, order: WorkOrder, step: WorkStep, expected_version: int, actor: str, key: str
    ) -> WorkOrder:
        stored = self._work.put(
            replace(order, changed_by=actor, last_key=key), expected_version=expected_version
        )
        detail = {"state": stored.state.value, "case": stored.case_id, "found": stored.found}
        self._authority.note(key, actor, f"{step.value} work", stored.order_id, detail)
        self.refresh()
        return stored

    def _order(self, id: str) -> WorkOrder:
        order = self._work.order(id)
        if order is None:
            raise _refused("work order", id, "is not in the store", "Reload the page")
        return order

    def _now_s(self) -> float:
        return to_seconds(self._clock.now())


def current(orders: Sequence[WorkOrder], case_id: str) -> WorkOrder | None:
    """The open order on a case, else the newest that was closed."""
    own = [o for o in orders if o.case_id == case_id and o.state is not WorkState.CANCELLED]
    return next((o for o in own if o.is_open), own[0] if own else None)


def _check_span(from_s: float, until_s: float) -> None:
    if not 0.0 < until_s - from_s <= LONGEST_S:
        raise _refused(
            "planned time",
            None,
            "must end after it begins, within 60 days",
            "Correct the beginning or the end",
        )


def _text(value: str) -> str:
    return " ".join(value.split())[:MOST_TEXT]


def _refused(what: str, value: object, rule: str, next_step: str) -> WorkRefusedError:
    return WorkRefusedError(what, value=value, rule=rule, next_step=next_step)
