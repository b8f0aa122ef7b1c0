"""How a recorded CSV file is read: which column is the time, a metric, a label. One small JSON file per kind of file.

    delimiter         one character
    time              {"column", "zone"}: ISO-like local times; `zone` is an IANA name
    asset_class, model, interval_s, status
    device_id         text with {folder} and {stem} of the file, in capitals
    metrics           metric -> {"column", "factor" = 1, "offset" = 0}: value = cell × factor + offset
    label             {"column", "kind"}: where the cell is 1 a fault of that kind was running; never sent
    longest_gap_s     a row further than this from the row before is refused

A new kind of file needs a new mapping and no code. Leaves out reading the file (replay).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from twin.errors import ReplayError
from twin.schema.fault import FaultKind

FOLDER = Path(__file__).parent / "mappings"


@dataclass(frozen=True, slots=True)
class Column:
    """Where a metric comes from: value = cell × factor + offset."""

    name: str
    factor: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """A mapping file, checked."""

    delimiter: str
    time_column: str
    zone: ZoneInfo
    asset_class: str
    model: str
    device_id: str
    interval_s: float
    status: str
    metrics: Mapping[str, Column]
    label_column: str | None
    label_kind: FaultKind | None
    longest_gap_s: float

    def device_id_of(self, file: Path) -> str:
        return self.device_id.format(folder=file.parent.name, stem=file.stem).upper()


def read_mapping(name: str) -> ColumnMapping:
    """The mapping called `name` in this package, or the file of that path; raises ReplayError."""
    path = Path(name) if name.endswith(".json") else FOLDER / f"{name}.json"
    try:
        return _mapping(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.json")))
        raise ReplayError(
            f"mapping {name}",
            rule=f"cannot be read ({error.strerror})",
            next_step=f"Use one of {known}, or the path of a .json file",
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise ReplayError(
            f"mapping {path}",
            rule=f"is malformed: {type(error).__name__} {error}",
            next_step="Compare it with the ones in twin/edge/mappings",
        ) from error


def _mapping(document: Mapping[str, Any]) -> ColumnMapping:
    label = document.get("label")
    return ColumnMapping(
        delimiter=document["delimiter"],
        time_column=document["time"]["column"],
        zone=ZoneInfo(document["time"]["zone"]),
        asset_class=document["asset_class"],
        model=document["model"],
        device_id=document["device_id"],
        interval_s=float(document["interval_s"]),
        status=document["status"],
        metrics={
            metric: Column(
                source["column"], float(source.get("factor", 1.0)), float(source.get("offset", 0.0))
            )
            for metric, source in document["metrics"].items()
        },
        label_column=label["column"] if label else None,
        label_kind=FaultKind(label["kind"]) if label else None,
        longest_gap_s=float(document.get("longest_gap_s", 86_400.0)),
    )
