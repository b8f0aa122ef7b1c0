"""Snapshots as bytes: magic, format, a JSON head, then float64 arrays one after the other. Never pickle.

Promises exact numbers (JSON writes floats so that they read back equal) and a checksum over everything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from twin.errors import SnapshotError
from twin.estimation.model import Array

MAGIC = b"TWINSIM1"
_SUM = 16


def pack(meta: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """`meta` must be JSON; arrays are stored as little-endian float64."""
    table = {name: list(array.shape) for name, array in arrays.items()}
    head = json.dumps({"meta": meta, "arrays": table}, separators=(",", ":")).encode()
    body = b"".join(np.ascontiguousarray(array, dtype="<f8").tobytes() for array in arrays.values())
    content = len(head).to_bytes(8, "little") + head + body
    return MAGIC + hashlib.sha256(content).digest()[:_SUM] + content


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """Inverse of `pack`; raises SnapshotError when a byte is wrong."""
    start = len(MAGIC) + _SUM
    content = data[start:]
    if not data.startswith(MAGIC) or hashlib.sha256(content).digest()[:_SUM] != data[len(MAGIC) : start]:
        raise SnapshotError(
            "fleet snapshot",
            rule="is damaged or of another format",
            next_step="Start the simulator without it; the machines then begin anew",
        )
    size = int.from_bytes(content[:8], "little")
    head = json.loads(content[8 : 8 + size])
    arrays: dict[str, Array] = {}
    at = 8 + size
    for name, shape in head["arrays"].items():
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(content, dtype="<f8", count=count, offset=at).reshape(shape).copy()
        at += 8 * count
    return head["meta"], arrays
