"""A recorded CSV file as rows: its own clock, metrics, whether a fault was labelled, and what could not be read.

Promises: every line becomes a row or a refusal with its line number; a bad cell costs only itself. Leaves out when
rows are sent (replay).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from twin.edge.admission import Unreadable
from twin.edge.mapping import ColumnMapping
from twin.errors import ReplayError
from twin.schema.instant import to_seconds


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file; recorded_s by the file's clock, seconds since 1970."""

    recorded_s: float
    metrics: Mapping[str, float]
    faulty: bool
    unreadable: tuple[Unreadable, ...] = ()


def read_recording(path: Path, mapping: ColumnMapping) -> list[Row]:
    """All rows in file order; raises ReplayError when the file or a mapped column is not there.

    Lines of which not even the time can be read hang on the row before (the first ones on the first row).
    """
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            lines = csv.reader(file, delimiter=mapping.delimiter)
            header = next(lines, [])
            _check_header(path, header, mapping)
            rows = list(_rows(path.name, header, lines, mapping))
    except OSError as error:
        raise ReplayError(
            f"recording {path}",
            rule=f"cannot be read ({error.strerror})",
            next_step="Give its path, or set TWIN_DATA_DIR to the folder it lies below",
        ) from error
    except csv.Error as error:
        raise ReplayError(
            f"recording {path}", rule=f"is not CSV: {error}", next_step="Check the file"
        ) from error
    if not rows:
        raise ReplayError(
            f"recording {path}", rule="has no readable row", next_step="Check the file and its mapping"
        )
    return rows


def _check_header(path: Path, header: Sequence[str], mapping: ColumnMapping) -> None:
    wanted = [mapping.time_column, *(column.name for column in mapping.metrics.values())]
    wanted += [mapping.label_column] if mapping.label_column else []
    missing = [name for name in wanted if name not in header]
    if missing:
        raise ReplayError(
            f"recording {path}",
            value=header,
            rule=f"has no column {', '.join(missing)}",
            next_step="Choose the mapping that fits this file, or correct it",
        )


def _rows(
    name: str, header: Sequence[str], lines: Iterator[list[str]], mapping: ColumnMapping
) -> Iterator[Row]:
    place = {column: i for i, column in enumerate(header)}
    held: list[Unreadable] = []
    last_s: float | None = None
    for number, cells in enumerate(lines, start=2):
        if not cells:
            continue
        raw = mapping.delimiter.join(cells)
        where = f"{name} line {number}"
        try:
            if len(cells) != len(header):
                raise ValueError(f"has {len(cells)} cells instead of {len(header)}")
            recorded_s = _instant(cells[place[mapping.time_column]], mapping)
            if last_s is not None and abs(recorded_s - last_s) > mapping.longest_gap_s:
                raise ValueError(f"lies more than {mapping.longest_gap_s:g} s from the line before")
        except ValueError as error:
            held.append(Unreadable(raw, f"{where}: {error}. The line was left out; correct the recording"))
            continue
        last_s = recorded_s
        metrics: dict[str, float] = {}
        for metric, column in mapping.metrics.items():
            cell = cells[place[column.name]].strip()
            value = _number(cell)
            if value is not None:
                metrics[metric] = value * column.factor + column.offset
            elif cell:
                reason = f"{where}, {column.name} = {cell[:80]!r}: must be a number or empty. The cell was left out"
                held.append(Unreadable(raw, reason))
        faulty = (
            mapping.label_column is not None and (_number(cells[place[mapping.label_column]]) or 0.0) > 0.5
        )
        yield Row(recorded_s, metrics, faulty, tuple(held))
        held = []


def _instant(text: str, mapping: ColumnMapping) -> float:
    instant = datetime.fromisoformat(text.strip())
    return to_seconds(instant if instant.tzinfo else instant.replace(tzinfo=mapping.zone))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
