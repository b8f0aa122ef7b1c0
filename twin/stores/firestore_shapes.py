"""The query shapes the ports issue, per collection, and which ids grow with time.

`check_shape` refuses a query that is not declared here, and a test holds this table against
`firestore.indexes.json`: no emulator enforces composite indexes, so a missing one would first show in production.
"""

from __future__ import annotations

from twin.stores.documents import Field

ASC, DESC = False, True

SHAPES: dict[str, tuple[tuple[Field, bool], ...]] = {
    "device_registry": (("part", ASC),),
    "telemetry_stream": (("part", ASC),),
    "telemetry_epochs": (("part", ASC),),
    "fleet_state": (("part", ASC),),
    "device_history": (("part", ASC), ("part", DESC)),
    "fleet_history": (("part", ASC),),
    "recent": (("part", ASC),),
    "alerts": (("part", DESC), ("also", DESC)),
    "cases": (("part", DESC), ("also", DESC)),
    "work_orders": (("part", ASC), ("part", DESC)),
    "audit_log": (("part", DESC),),
    "settings": (("part", ASC),),
    "quietings": (("part", ASC),),
    "commands": (("part", ASC), ("also", DESC)),
    "quarantine": (("part", ASC), ("part", DESC)),
    "notices": (("part", ASC), ("part", DESC), ("also", ASC)),
    "ground_truth": (("part", DESC),),
}

SPREAD = frozenset(
    {
        "telemetry_stream",
        "device_history",
        "fleet_history",
        "recent",
        "alerts",
        "cases",
        "audit_log",
        "commands",
        "quarantine",
        "notices",
        "ground_truth",
    }
)
"""Collections whose document names get a hash in front."""

EXPIRING = (
    "device_history",
    "fleet_history",
    "telemetry_stream",
    "recent",
    "quarantine",
    "work_orders",
    "notices",
)
"""Collections with a TTL policy on `_expire_at`."""


def check_shape(collection: str, by: Field, descending: bool) -> None:
    if (by, descending) not in SHAPES.get(collection, ()):
        raise LookupError(
            f"query of {collection} by {by}, {'descending' if descending else 'ascending'}, is not declared: "
            "add it to SHAPES and firestore.indexes.json"
        )
