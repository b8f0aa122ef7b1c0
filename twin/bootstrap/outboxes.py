"""The outboxes of a home, for commands that go over all of them."""

from __future__ import annotations

from pathlib import Path

from twin.edge.outbox_forgetting import forget_in_outbox
from twin.errors import OutboxBusyError
from twin.ports import TelemetryStore


def forget_in_outboxes(
    home: Path, name: str, replacement: str, telemetry: TelemetryStore
) -> tuple[int, int, list[Path]]:
    """(files, rows changed, files in use) of the outboxes in `home`."""

    def is_stored(gateway: str, epoch: str, seq: int) -> bool:
        return any(batch.seq == seq for batch in telemetry.read(gateway, epoch, seq - 1, 1))

    paths, changed, busy = sorted((home / "outbox").glob("*.sqlite")), 0, []
    for path in paths:
        try:
            changed += forget_in_outbox(path, name, replacement, is_stored)
        except OutboxBusyError:
            busy.append(path)
    return len(paths), changed, busy
