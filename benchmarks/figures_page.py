"""The tables of docs/benchmarks.md, written from results.json between two marks; then the section on recorded data.

`python -m benchmarks.figures_page`. Promise: nothing outside the marks changes, every figure in results.json stands on
the page once, those of an unknown prefix under its own heading; no figure is typed by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from benchmarks import recorded_page
from benchmarks.bars import BARS
from benchmarks.results import FILE

PAGE = recorded_page.PAGE
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
Row = Mapping[str, object]

SECTIONS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("Simulated faults", ("faults_", "healthy_", "health_"),
     "Simulated machines run through the engine in batches (`python -m benchmarks.faults`); the twin sees readings and "
     "the registry, truth stays outside."),
    ("Cases and alerts", ("cases_", "alerts_"),
     "What people are told, over simulated device-weeks with faults (`python -m benchmarks.cases`)."),
    ("Remaining life", ("rul_",),
     "Speed against statsmodels (`python -m benchmarks.life`), accuracy from the simulated faults."),
    ("Filter", ("ekf_",),
     "One device-step is one round of one motor: predict over its own dt, then three sensors of which a tenth is "
     "missing (`python -m benchmarks.ekf`). `compiled` is the numba backend, `c` a version written for this comparison "
     "only. filterpy does the same work in a loop; simdkalman and statsmodels do less, as noted, so those ratios "
     "flatter them."),
    ("Where the filter's limit is", ("limit_",),
     "The bytes a step cannot avoid moving, over the speed at which the same arrays move with next to no arithmetic in "
     "the same run (`python -m benchmarks.limit`). Where the arrays fit the caches, the C version is held up by its "
     "arithmetic (divisions and roots) and not by memory; from 100,000 devices on memory is most of it. What separates "
     "the compiled backend from it: the model's own equations come from numpy, a pass over memory each, and every "
     "call makes new arrays."),
    ("Detectors", ("cusum_",), "`python -m benchmarks.detection`."),
    ("Fleet size", ("fleet_",),
     "Filter, EMA and CUSUM of three signals against the number of devices (`python -m benchmarks.fleet_size`). Below "
     "some thousand devices the fixed cost of a call shows. From there on numpy is flat; the compiled filter is so "
     "fast that a million devices at once, whose arrays fit no cache, cost it more than ten thousand."),
    ("The whole Block", ("block_",),
     "The same run, everything the twin does with a reading included. Filter and detectors are a small part of it: "
     "most goes into sorting readings into windows and reporting, one device at a time in Python."),
    ("One machine in code", ("system_",), "`TwinSystem`, same run."),
    ("Unscented filter", ("ukf_",), "`python -m benchmarks.unscented`; what it is for stands in "
     "[models](models.md#a-filter-for-strong-nonlinearity)."),
    ("History and business", ("history_",), "`python -m benchmarks.history`."),
    ("Firestore", ("firestore_", "worker_"), "`python -m benchmarks.firestore`; see [Firestore](firestore.md)."),
    ("Figures of the chaos run", ("chaos_",), "`python -m twin soak`, see [Chaos](#chaos)."),
)  # fmt: skip
MEASURES = ("detected", "delay_median_s", "delay_p95_s", "right_verdict", "right_cause", "cases")
"""Measured for every kind of fault: these make one table, a row per kind."""
RECORDED = tuple(prefix for prefix, _ in recorded_page.SETS.values())


def section(results: Mapping[str, Row]) -> str:
    """Markdown of all tables, marks included."""
    left = {name: row for name, row in results.items() if not name.startswith(RECORDED)}
    parts = [BEGIN, *_bars(results)]
    for title, prefixes, words in SECTIONS:
        found = {name: left.pop(name) for name in list(left) if name.startswith(prefixes)}
        parts += [f"## {title}", "", words, "", *(_tables(found) if found else ["Not measured yet.", ""])]
    for prefix, names in groupby(sorted(left), key=lambda name: name.split("_", 1)[0]):
        parts += [f"## {prefix}", "", *_tables({name: left[name] for name in names})]
    return "\n".join([*parts, END]) + "\n"


def _bars(results: Mapping[str, Row]) -> list[str]:
    verdicts = [bar.verdict(results) for bar in BARS]
    missed, unknown = verdicts.count("**missed**"), verdicts.count("not measured")
    parts = ["## Bars", "", f"{verdicts.count('met')} met, {missed} missed, {unknown} not measured.", ""]
    parts += ["| figure | what | value | bar | |", "|---|---|---|---|---|"]
    for bar, verdict in zip(BARS, verdicts, strict=True):
        row = results.get(bar.name)
        shown = "–" if row is None else _value(row)
        parts.append(f"| `{bar.name}` | {bar.words} | {shown} | {bar.sign} {bar.bound:,g} | {verdict} |")
    return [*parts, ""]


def _tables(rows: Mapping[str, Row]) -> list[str]:
    kinds = [n.removeprefix("faults_").removesuffix("_detected") for n in rows if n.endswith("_detected")]
    kinds = [kind for kind in kinds if f"faults_{kind}_delay_median_s" in rows]
    parts, pivoted = [], set()
    if kinds:
        parts += ["| fault | " + " | ".join(m.replace("_", " ") for m in MEASURES) + " | found by | how |"]
        parts += ["|---" * (len(MEASURES) + 3) + "|"]
        for kind in kinds:
            names = [f"faults_{kind}_{measure}" for measure in MEASURES]
            pivoted |= set(names)
            cells = [f"{rows[name]['value']:,g}" if name in rows else "–" for name in names]
            first = rows[names[0]]
            tail = f"{first['compared_with'] or '–'} | {first['note']}"
            parts.append(f"| `{kind}` | {' | '.join(cells)} | {tail} |")
        parts.append("")
    rest = {name: row for name, row in rows.items() if name not in pivoted}
    shared = _shared_note(rest)
    if shared:
        parts += [f"Unless *how* says otherwise: {shared}.", ""]
    if rest:
        parts += ["| figure | value | beside it | how |", "|---|---|---|---|"]
    for name, row in sorted(rest.items(), key=lambda item: _in_order(item[0])):
        note = str(row["note"])
        note = note.replace(shared, "").strip(" ;,") if shared else note
        parts.append(f"| `{name}` | {_value(row)} | {row['compared_with'] or '–'} | {note or '–'} |")
    return [*parts, ""]


def _shared_note(rows: Mapping[str, Row]) -> str:
    """The end of a note, from a semicolon or the start on, that three rows or more share and that saves most words."""
    ends: dict[str, int] = {}
    for row in rows.values():
        pieces = str(row["note"]).split("; ")
        for start in range(len(pieces)):
            end = "; ".join(pieces[start:])
            ends[end] = ends.get(end, 0) + 1
    shared = {end: count * len(end) for end, count in ends.items() if end and count >= 3}
    return max(shared, key=lambda end: shared[end], default="")


def _in_order(name: str) -> tuple[str, float, str]:
    """Names that end in a size or a number go by it: 1, 100, 1k, 10k, 1m."""
    head, _, tail = name.rpartition("_")
    scale = {"k": 1e3, "m": 1e6}.get(tail[-1:], 1.0)
    digits = tail[:-1] if scale > 1.0 else tail
    return (head, float(digits) * scale, "") if digits.isdigit() else (name, 0.0, "")


def _value(row: Row) -> str:
    value = float(str(row["value"]))
    shown = f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:g}"
    return f"{shown} {row['unit']}".strip()


def placed(page: str, text: str) -> str:
    """`page` with the tables in their place; before the recorded data when they had none."""
    if BEGIN in page and END in page:
        before, rest = page.split(BEGIN, 1)
        return before + text.rstrip("\n") + rest.split(END, 1)[1]
    before, mark, rest = page.partition(recorded_page.BEGIN)
    return before.rstrip("\n") + "\n\n" + text + ("\n" + mark + rest if mark else "")


def written(page: str, results: dict[str, dict[str, object]]) -> str:
    """The whole page as `results` make it."""
    return recorded_page.placed(placed(page, section(results)), recorded_page.section(results))


def main(arguments: object = ()) -> None:
    results = json.loads(Path(FILE).read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Benchmarks\n"
    PAGE.write_text(written(page, results), encoding="utf-8")
    print(f"written: {PAGE.name}")


if __name__ == "__main__":
    main()
