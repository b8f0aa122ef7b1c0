"""Counts readings where they are kept: in stored batches, and in what the twin made of them."""

from __future__ import annotations

from collections import Counter

from twin.ports import Stores
from twin.schema.instant import parse_instant, to_seconds


def stored_readings(stores: Stores) -> Counter[tuple[str, float]]:
    """(device, second) -> how often it is in stored batches; checks that every epoch's numbers have no gap."""
    found: Counter[tuple[str, float]] = Counter()
    for head in stores.telemetry.epochs():
        seq = 0
        while batches := stores.telemetry.read(head.gateway, head.epoch, seq, 100):
            for batch in batches:
                assert batch.seq == seq + 1, f"{head.gateway}/{head.epoch}: {batch.seq} follows {seq}"
                seq = batch.seq
                found.update(
                    (record["device_id"], to_seconds(parse_instant(record["timestamp"])))
                    for record in batch.records
                )
    return found


def history_rows(stores: Stores, shard: str = "S0") -> Counter[tuple[str, float]]:
    """(device, second) -> how often history shows it: sealed hours, closed minutes and the open tail together."""
    state = stores.shards.fleet_state(shard)
    assert state is not None, "the worker has committed nothing"
    shown: dict[str, set[float]] = {}
    found: Counter[tuple[str, float]] = Counter()
    recent = stores.history.recent(shard, 0.0, 4e9)
    for device in stores.registry.devices():
        name = device.device_id
        times = [t for hour in stores.history.hours(name, 0.0, 4e9) for t in hour.columns.t_s]
        assert len(times) == len(set(times)), f"{name}: a sealed row is there twice"
        shown[name] = set(times)
        for part in (recent, state.tail):
            if name in part:
                shown[name].update(part[name].t_s)
        found.update((name, round(t, 6)) for t in shown[name])
    return found
