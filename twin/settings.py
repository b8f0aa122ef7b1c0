"""Every setting of a process in one frozen value, from the environment and the command line.

Promises: nothing is read at import; what is malformed raises SettingsError with the variable's name. Leaves out
settings people change while it runs (rules, assumptions): those live in the store.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from twin.errors import SettingsError
from twin.schema.retention import Retention

T = TypeVar("T")

FLUSH_S = {"live": 3.0, "standard": 6.0, "free": 15.0}
"""Least time between a gateway's batches by profile, where writes are metered; SQLite flushes every tick."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process was told.

    home        TWIN_HOME: where stores and outboxes live
    store_url   TWIN_STORE: sqlite:///FILE, firestore://PROJECT, or memory://
    data_dir    TWIN_DATA_DIR: recorded data sets, else ./data, None when there are none
    profile     TWIN_PROFILE: live, standard or free
    gap_wait_s  TWIN_GAP_WAIT_S: how long a missing batch is waited for
    window_s    TWIN_WINDOW_S: within this time of a device's newest reading, arrival order does not matter
    step_interval_s  TWIN_STEP_INTERVAL_S: how often the twin service looks for new batches
    take_over_s TWIN_TAKE_OVER_S: how long a shard's holder must have been still before another worker takes over
    shards      TWIN_SHARDS: into how many shards the gateways are spread; fixed for the life of a store
    worker      TWIN_WORKER: inside the app's process, or separate (`python -m twin worker`)
    operators   TWIN_OPERATORS: names that may act, separated by commas; nobody when it is empty
    demo        TWIN_DEMO: 1 where everybody is a demo visitor and may break simulated machines
    local_operator  TWIN_LOCAL_OPERATOR: who acts in a browser on this machine, as an operator; counts only where the
                pages are served to this machine alone (`make demo` sets it)
    notify      TWIN_NOTIFY: who is told of cases, as JSON or the path of a JSON file (docs/notifications.md)
    retention   TWIN_KEEP_RAW_H, TWIN_KEEP_HOURS_D, TWIN_KEEP_DAYS_D: how long batches, hours and days are kept
    all_in_one  TWIN_ALL_IN_ONE: 1 for a hosted demo in one process: pages, worker, simulated fleet; implies demo
    """

    home: Path
    store_url: str
    data_dir: Path | None = None
    profile: str = "standard"
    gap_wait_s: float = 30.0
    window_s: float = 60.0
    step_interval_s: float = 1.0
    take_over_s: float = 20.0
    shards: int = 1
    worker: str = "inside"
    operators: frozenset[str] = frozenset()
    demo: bool = False
    all_in_one: bool = False
    notify: str = field(default="", repr=False)
    local_operator: str = ""
    retention: Retention = field(default_factory=Retention)

    @property
    def metered(self) -> bool:
        """Whether every document written costs money."""
        return self.store_url.startswith("firestore:")

    @property
    def flush_s(self) -> float:
        """Least real seconds between two batches of a gateway."""
        return FLUSH_S[self.profile] if self.metered else 0.0

    @classmethod
    def from_environ(
        cls,
        environ: Mapping[str, str],
        *,
        home: str | None = None,
        store_url: str | None = None,
        profile: str | None = None,
    ) -> Settings:
        """Settings from the environment; an argument that is not None wins over its variable."""
        chosen = home or environ.get("TWIN_HOME") or ".twin"
        folder = Path(chosen).expanduser().absolute()
        data_dir = environ.get("TWIN_DATA_DIR")
        all_in_one = _choice("TWIN_ALL_IN_ONE", environ.get("TWIN_ALL_IN_ONE"), ("0", "1"), "0") == "1"
        return cls(
            home=folder,
            store_url=store_url
            or environ.get("TWIN_STORE")
            or f"sqlite:///{(folder / 'twin.sqlite').as_posix()}",
            data_dir=Path(data_dir).expanduser() if data_dir else _here("data"),
            profile=_choice(
                "TWIN_PROFILE", profile or environ.get("TWIN_PROFILE"), tuple(FLUSH_S), "standard"
            ),
            gap_wait_s=_number(environ, "TWIN_GAP_WAIT_S", float, 30.0, 0.0),
            window_s=_number(environ, "TWIN_WINDOW_S", float, 60.0, 0.0),
            step_interval_s=_number(environ, "TWIN_STEP_INTERVAL_S", float, 1.0, 0.05),
            take_over_s=_number(environ, "TWIN_TAKE_OVER_S", float, 20.0, 5.0),
            shards=_number(environ, "TWIN_SHARDS", int, 1, 1),
            worker=_choice("TWIN_WORKER", environ.get("TWIN_WORKER"), ("inside", "separate"), "inside"),
            operators=frozenset(
                name.strip() for name in environ.get("TWIN_OPERATORS", "").split(",") if name.strip()
            ),
            demo=all_in_one or _choice("TWIN_DEMO", environ.get("TWIN_DEMO"), ("0", "1"), "0") == "1",
            all_in_one=all_in_one,
            notify=environ.get("TWIN_NOTIFY", "").strip(),
            local_operator=environ.get("TWIN_LOCAL_OPERATOR", "").strip(),
            retention=Retention(
                raw_h=_number(environ, "TWIN_KEEP_RAW_H", float, 48.0, 0.0),
                hours_d=_number(environ, "TWIN_KEEP_HOURS_D", float, 90.0, 0.0),
                days_d=_number(environ, "TWIN_KEEP_DAYS_D", float, 730.0, 0.0),
            ),
        )


def _here(name: str) -> Path | None:
    """The folder `name` below where the process runs, when there is one."""
    folder = Path(name).absolute()
    return folder if folder.is_dir() else None


def _choice(name: str, value: str | None, known: Sequence[str], default: str) -> str:
    if not value:
        return default
    if value not in known:
        raise SettingsError(
            name,
            value=value,
            rule=f"must be one of {', '.join(known)}",
            next_step="Correct it or leave it out",
        )
    return value


def _number(environ: Mapping[str, str], name: str, kind: Callable[[str], T], default: T, least: float) -> T:
    text = environ.get(name)
    if not text:
        return default
    try:
        value = kind(text)
        if math.isfinite(value) and value >= least:  # type: ignore[arg-type,operator]
            return value
    except ValueError:
        pass
    raise SettingsError(
        name,
        value=text,
        rule=f"must be a number of at least {least:g}",
        next_step="Correct the variable or unset it",
    )
