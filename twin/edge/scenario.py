"""A scenario file: which simulated machine breaks, how and when. JSON, checked before anything starts.

    {"faults": [{"device": "INST-001", "kind": "bearing_wear", "onset": "+10m", "ramp": "2h", "severity": 0.8}]}

`onset` is relative to the start of the run ("+10m", simulated time) or an instant with a time zone. `ramp` (default:
at once) and `duration` (default: until repaired) are spans, or seconds as a number; `signal` names the metric of a
sensor fault. Leaves out whether a machine can have that fault: the machines say that when it is injected.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twin.edge.durations import parse_duration
from twin.errors import ScenarioError
from twin.schema.fault import Fault, FaultKind, fault_kind
from twin.schema.instant import parse_instant, to_seconds

FIELDS = ("device", "kind", "onset", "ramp", "severity", "duration", "signal")


def read_scenario(
    path: Path, start_s: float, devices: Sequence[str], kinds: Sequence[str] = tuple(FaultKind)
) -> list[Fault]:
    """The faults of the file, for a run that starts at start_s; raises ScenarioError naming line or field.

    kinds  that some machine of the fleet can have
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(
            f"scenario {path}", rule=f"cannot be read ({error.strerror})", next_step="Give the path of a file"
        ) from error
    except UnicodeDecodeError as error:
        raise ScenarioError(
            f"scenario {path}", rule="is not UTF-8 text", next_step="Save it as UTF-8"
        ) from error
    except json.JSONDecodeError as error:
        raise ScenarioError(
            f"scenario {path}, line {error.lineno}, column {error.colno}",
            rule=f"is not JSON: {error.msg}",
            next_step="Correct that line",
        ) from error
    if not isinstance(document, dict) or not isinstance(document.get("faults"), list):
        raise ScenarioError(
            f"scenario {path}",
            rule='must be an object with a list "faults"',
            next_step='Begin with {"faults": [ … ]}',
        )
    return [
        _fault(f"scenario {path}, faults[{i}]", entry, start_s, devices, kinds)
        for i, entry in enumerate(document["faults"])
    ]


def _fault(where: str, entry: object, start_s: float, devices: Sequence[str], kinds: Sequence[str]) -> Fault:
    if not isinstance(entry, Mapping):
        raise ScenarioError(
            where, value=entry, rule="must be an object", next_step=f"Give it {', '.join(FIELDS)}"
        )
    for name in entry:
        if name not in FIELDS:
            raise ScenarioError(
                f"{where}.{name}",
                rule=f"is not known; fields are {', '.join(FIELDS)}",
                next_step="Correct the name",
            )
    device = _choice(where, "device", entry, devices)
    kind = fault_kind(_choice(where, "kind", entry, kinds))
    onset_s = _onset(where, entry.get("onset", "+0"), start_s)
    severity = entry.get("severity", 1.0)
    if isinstance(severity, bool) or not isinstance(severity, int | float) or not 0.0 < severity <= 1.0:
        raise ScenarioError(
            f"{where}.severity",
            value=severity,
            rule="must lie above 0 and at most at 1",
            next_step="Correct it",
        )
    signal = entry.get("signal", "")
    if not isinstance(signal, str):
        raise ScenarioError(f"{where}.signal", value=signal, rule="must be text", next_step="Name a metric")
    return Fault(
        fault_id=f"scenario-{device}-{kind}-{onset_s:.0f}",
        device_id=device,
        kind=kind,
        onset_s=onset_s,
        ramp_s=_span(where, "ramp", entry.get("ramp", 0)),
        severity=float(severity),
        duration_s=_span(where, "duration", entry["duration"]) if entry.get("duration") is not None else None,
        signal=signal,
    )


def _choice(where: str, name: str, entry: Mapping[str, Any], known: Sequence[str]) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or value not in known:
        raise ScenarioError(
            f"{where}.{name}",
            value=value,
            rule=f"must be one of {', '.join(known)}",
            next_step=f"Correct {name}",
        )
    return value


def _onset(where: str, value: object, start_s: float) -> float:
    try:
        if isinstance(value, str) and value.startswith("+"):
            return start_s + parse_duration(value[1:])
        if isinstance(value, str):
            return to_seconds(parse_instant(value))
    except (ValueError, OverflowError):
        pass
    raise ScenarioError(
        f"{where}.onset",
        value=value,
        rule='must be relative to the start ("+10m") or an instant with a zone ("2026-05-04T08:00:00Z")',
        next_step="Correct it",
    )


def _span(where: str, name: str, value: object) -> float:
    try:
        return parse_duration(str(value)) if isinstance(value, str | int | float) else parse_duration("")
    except ValueError as error:
        raise ScenarioError(
            f"{where}.{name}",
            value=value,
            rule='must be seconds or a span such as "90s" or "2h"',
            next_step="Correct it",
        ) from error
