"""What was really broken against what the twin said: which case met which fault, how late, with the right cause.

Ground truth is known to simulation only; nothing here may flow back into the twin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twin.schema.alert import CaseRecord
from twin.schema.fault import SENSOR_KINDS, STREAM_KINDS, Fault

EARLY_S = 60.0
AFTER_S = 900.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault and the first case that met it. delay_s None = not found."""

    fault: Fault
    end_s: float | None
    case: CaseRecord | None
    delay_s: float | None
    right_cause: bool

    @property
    def runs(self) -> bool:
        return self.end_s is None


def finding(fault: Fault, cases: Sequence[CaseRecord], now_s: float) -> Finding:
    """The earliest case of the device that began while the fault was there, up to 15 min after its end."""
    end_s = fault.repaired_s
    if end_s is None and fault.duration_s is not None and fault.onset_s + fault.duration_s <= now_s:
        end_s = fault.onset_s + fault.duration_s
    last_s = (end_s if end_s is not None else now_s) + AFTER_S
    met = [
        c
        for c in cases
        if c.case.device_id == fault.device_id and fault.onset_s - EARLY_S <= c.case.onset_s <= last_s
    ]
    if not met:
        return Finding(fault, end_s, None, None, False)
    first = min(met, key=lambda c: c.case.opened_s)
    right = any(c.case.cause in causes(fault) for c in met)
    return Finding(fault, end_s, first, max(0.0, first.case.opened_s - fault.onset_s), right)


def causes(fault: Fault) -> tuple[str, ...]:
    """What a perfect twin would name."""
    if fault.kind in SENSOR_KINDS:
        return (f"sensor:{fault.signal}",)
    if fault.kind in STREAM_KINDS:
        return ("stale", "data_quality")
    return (str(fault.kind),)


def false_cases(
    cases: Sequence[CaseRecord], faults: Sequence[Fault], simulated: set[str], now_s: float
) -> list[CaseRecord]:
    """Cases of simulated devices that no fault explains.

    Silence explains itself (a gateway that was switched off sends nothing), so that it is never a false alert.
    """
    explained: set[str] = set()
    for fault in faults:
        end_s = fault.repaired_s if fault.repaired_s is not None else now_s
        explained |= {
            c.case.case_id
            for c in cases
            if c.case.device_id == fault.device_id
            and fault.onset_s - EARLY_S <= c.case.onset_s <= end_s + AFTER_S
        }
    return [
        c
        for c in cases
        if c.case.case_id not in explained
        and c.case.device_id in simulated
        and c.suppression.state != "suppressed"
        and not all(rule.startswith("stale") for rule in c.case.alerts)
    ]
