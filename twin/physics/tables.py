"""The reference chapter of every asset class in Markdown, made from the classes themselves.

The equations are the class's module docstring, so that they stand once. Leaves out where the text is put.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Sequence

from twin.physics.asset_class import AssetClass
from twin.schema.signal import Signal


def reference(classes: Iterable[AssetClass]) -> str:
    """All chapters, one after the other, ending with a newline."""
    return "\n".join(chapter(declared) for declared in classes)


def chapter(declared: AssetClass) -> str:
    """One class: equations, signals, failure modes, parameters."""
    about = [
        f"Models {', '.join(declared.models)}",
        f"class version {declared.version}",
        f"design life {declared.life_h:,.0f} h (Weibull shape {declared.weibull_shape:g})",
    ]
    if declared.ideal_rate_per_h is not None:
        about.append(f"ideal rate {declared.ideal_rate_per_h:g} samples/h")
    parts = [
        f"## {declared.label} (`{declared.name}`)",
        "; ".join(about) + ".",
        f"```text\n{_equations(declared)}\n```",
        "### Signals",
        _table(
            ("signal", "unit", "role", "range", "warning", "trip", "sigma", "roll-up"), _signal_rows(declared)
        ),
        "### Failure modes",
        _table(
            ("mode", "label", "precursors", "repair"),
            (
                (f"`{m.name}`", m.label, ", ".join(f"`{p}`" for p in m.precursors), m.action)
                for m in declared.modes
            ),
        ),
        "### Parameters",
        _table(
            ("parameter", "value", "unit", "source"),
            ((f"`{k}`", f"{p.value:g}", p.unit, p.source) for k, p in declared.parameters.items()),
        ),
        "Sources: " + "; ".join(declared.sources) + ".",
    ]
    return "\n\n".join(parts) + "\n"


def _equations(declared: AssetClass) -> str:
    return inspect.getdoc(sys.modules[type(declared.model).__module__]) or ""


def _signal_rows(declared: AssetClass) -> Iterable[Sequence[str]]:
    for role, signals in (
        ("input", declared.inputs[1:]),
        ("output", declared.outputs),
        ("counter", declared.counters),
    ):
        for s in signals:
            limits = _limits(s.warn_low, s.warn_high), _limits(s.trip_low, s.trip_high)
            yield f"`{s.name}`", s.unit, role, f"{s.low:g} … {s.high:g}", *limits, _sigma(s), s.roll_up.value


def _limits(low: float | None, high: float | None) -> str:
    given = ([f"< {low:g}"] if low is not None else []) + ([f"> {high:g}"] if high is not None else [])
    return ", ".join(given) or "–"


def _sigma(signal: Signal) -> str:
    return f"{signal.sigma:g}" if signal.sigma > 0.0 else "–"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
