"""A recorded file as a device behind a gateway of its own."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path

from twin.bootstrap.gateways import GatewayBuilder, shown_instant
from twin.bootstrap.running import Simulation
from twin.edge.mapping import read_mapping
from twin.edge.pace import Pace
from twin.edge.recording import read_recording
from twin.edge.replay import Replay, span_s
from twin.errors import SettingsError, SnapshotError
from twin.schema.instant import from_seconds
from twin.schema.registry import Device


def open_recorded(builder: GatewayBuilder, path: Path) -> Simulation:
    """A recording as a device."""
    o = builder.options
    path = found(builder, path)
    mapping = read_mapping(o.mapping)
    rows = read_recording(path, mapping)
    device_id = mapping.device_id_of(path)
    start_s = builder.now_s - math.ceil(span_s(rows) * (1.0 - 1.0 / o.speed) if o.speed > 1.0 else 0.0)
    device = Device(
        device_id=device_id,
        asset_class=mapping.asset_class,
        model=mapping.model,
        site="Recorded",
        area=path.parent.name,
        time_zone=str(mapping.zone),
        commissioned_at=from_seconds(start_s) - timedelta(days=30),
        gateway=o.gateway or f"GW-{device_id}",
        interval_s=mapping.interval_s,
    )
    if mapping.asset_class not in builder.classes:
        raise SettingsError(
            "asset class of the mapping",
            value=mapping.asset_class,
            rule=f"must be one of {', '.join(builder.classes)}",
            next_step="Correct the mapping",
        )
    outbox = builder.outbox(device.gateway, device.gateway)
    source = Replay(rows, mapping, device, start_s, loop=o.loop)
    label = f"recording {device_id}"
    saved = builder.saved(outbox, label)
    last_s = start_s - mapping.interval_s
    if saved is not None:
        try:
            source.resume(saved.state)
            if source.finished:
                source = Replay(rows, mapping, device, start_s, loop=o.loop)
            else:
                last_s = saved.at_s
                builder.notes.append(f"{device_id} goes on where it was at {shown_instant(last_s)}.")
        except SnapshotError:
            builder.notes.append(f"{device_id}: the recording has changed; it starts from its first row.")
    gateway = builder.gateway(outbox, source, label, last_s, last_s + mapping.interval_s)

    def finished() -> bool:
        return source.finished

    sampling = builder.sampling([gateway], Pace(mapping.interval_s), builder.time([gateway]), finished)
    return Simulation(sampling, builder.clock, builder.notes)


def found(builder: GatewayBuilder, path: Path) -> Path:
    """The path as given, else below TWIN_DATA_DIR."""
    data_dir = builder.settings.data_dir
    if not path.exists() and data_dir is not None and (data_dir / path).exists():
        return data_dir / path
    return path
