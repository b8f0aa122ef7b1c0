"""What commits wrote of the past: recent minutes, sealed hours, daily totals.

One document per shard and minute holds all its devices' columns; late data that re-opens a minute makes a further
document, and the newest wins per device. Hours are one document per device, days one per shard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date

from twin.ports import HistoryStore
from twin.schema.day_table import DayTable
from twin.schema.history import Columns, DeviceHour, Totals, joined
from twin.schema.retention import Retention
from twin.stores.columns import pack, unpack
from twin.stores.day_documents import packed_day, table_of, unpacked_day
from twin.stores.documents import Document, Documents, Merge, Put, Write, read_all

RECENT_KEEP_S = 3 * 3600.0
RECENT_AT_MOST_S = 48 * 3600.0
"""As long as raw batches are kept: a shard that nobody steps finds its open hours again until then."""
_RECENT, _HOURS, _DAYS = "recent", "device_history", "fleet_history"


class DocumentHistoryStore(HistoryStore):
    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def recent(self, shard: str, from_s: float, to_s: float) -> Mapping[str, Columns]:
        found = list(read_all(self._documents, _RECENT, shard, sort_from=from_s, sort_to=to_s))
        found.sort(key=lambda document: (document.sort, document.data["token"], document.data["version"]))
        minutes: dict[str, dict[float, Columns]] = {}
        for document in found:
            for device_id, columns in unpack(document.blob)[0].items():
                minutes.setdefault(device_id, {})[document.sort] = columns
        return {device_id: joined(list(parts.values())) for device_id, parts in minutes.items()}

    def hours(
        self,
        device_id: str,
        from_s: float,
        to_s: float,
        *,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> Sequence[DeviceHour]:
        found = read_all(
            self._documents,
            _HOURS,
            device_id,
            sort_from=from_s,
            sort_to=to_s,
            descending=newest_first,
            limit=limit,
        )
        return [
            DeviceHour(
                device_id,
                document.sort,
                unpack(document.blob)[0][device_id],
                Totals(**document.data["totals"]),
                document.data.get("shard", ""),
            )
            for document in found
        ]

    def days(self, shard: str, from_day: str, to_day: str) -> Mapping[str, Mapping[str, Totals]]:
        found = read_all(
            self._documents, _DAYS, shard, sort_from=_ordinal(from_day), sort_to=_ordinal(to_day) + 1
        )
        return {
            date.fromordinal(int(document.sort)).isoformat(): unpacked_day(document.data)
            for document in found
        }

    def day_table(self, shard: str, from_day: str, to_day: str, *, operators: bool = True) -> DayTable:
        found = read_all(
            self._documents, _DAYS, shard, sort_from=_ordinal(from_day), sort_to=_ordinal(to_day) + 1
        )
        return table_of(found, operators=operators)


def recent_writes(
    shard: str, token: int, version: int, recent: Mapping[float, Mapping[str, Columns]], now_s: float
) -> list[Write]:
    """A document of its own per commit: re-opening a minute needs no read and disturbs no other device."""
    return [
        Put(
            Document(
                _RECENT,
                f"{shard}|{minute_s:.0f}|{token}|{version}",
                part=shard,
                sort=minute_s,
                data={"token": token, "version": version},
                blob=pack(columns),
                expire_s=now_s + RECENT_AT_MOST_S,
            )
        )
        for minute_s, columns in recent.items()
        if columns
    ]


def hour_writes(hours: Sequence[DeviceHour], keep_s: float) -> list[Write]:
    return [
        Put(
            Document(
                _HOURS,
                f"{hour.device_id}|{hour.start_s:.0f}",
                part=hour.device_id,
                sort=hour.start_s,
                data={"totals": asdict(hour.totals), "shard": hour.shard},
                blob=pack({hour.device_id: hour.columns}),
                expire_s=hour.start_s + keep_s,
            )
        )
        for hour in hours
    ]


def day_writes(shard: str, days: Mapping[str, Mapping[str, Totals]], keep_s: float) -> list[Write]:
    """Merged per device: a commit that brings some devices' totals leaves the others'."""
    return [
        Merge(
            Document(
                _DAYS,
                f"{shard}|{day}",
                part=shard,
                sort=_ordinal(day),
                data=packed_day(totals),
                expire_s=_midnight_s(day) + keep_s,
            )
        )
        for day, totals in days.items()
    ]


def forget_history(documents: Documents, now_s: float, retention: Retention) -> int:
    """Delete hours and days that are older than they are kept, where the store does not by itself; how many."""
    devices = [found.id for found in read_all(documents, "device_registry", "", content="none")]
    shards = [found.id for found in read_all(documents, "fleet_state", "", content="none")]
    hours = sum(documents.delete_range(_HOURS, device, now_s - retention.hours_s) for device in devices)
    before = (now_s - retention.days_s) // 86_400.0 + _ordinal("1970-01-01")
    return hours + sum(documents.delete_range(_DAYS, shard, before) for shard in shards)


def forget_minutes(documents: Documents, now_s: float) -> int:
    """Delete minutes whose hours are sealed, and all that began more than RECENT_AT_MOST_S ago; returns how many."""
    deleted = 0
    for shard in read_all(documents, "fleet_state", "", content=("worker",)):
        open_from_s = float(shard.data["worker"].get("history_open_from_s", now_s)) - RECENT_KEEP_S
        keep_from_s = max(min(open_from_s, now_s - RECENT_KEEP_S), now_s - RECENT_AT_MOST_S)
        deleted += documents.delete_range(_RECENT, shard.id, keep_from_s)
    return deleted


def _midnight_s(day: str) -> float:
    return (_ordinal(day) - _ordinal("1970-01-01")) * 86_400.0


def _ordinal(day: str) -> int:
    return date.fromisoformat(day).toordinal()
