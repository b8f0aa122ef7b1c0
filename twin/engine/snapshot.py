"""A block as bytes: magic, format, versions, a JSON header, then plain arrays, compressed. Never pickle.

Bytes that are damaged, of another format or of other asset-class versions raise SnapshotError; the caller rebuilds from
telemetry.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import SnapshotError

MAGIC = b"TWINBLK\x00"
FORMAT = 1
_HEAD = struct.Struct("<8sHI32s")


def pack(header: Mapping[str, Any], arrays: Mapping[str, NDArray[np.float64]]) -> bytes:
    """One bytes value; the same input gives the same bytes."""
    table = []
    parts = []
    for name, array in arrays.items():
        data = np.ascontiguousarray(array, dtype="<f8")
        table.append([name, list(data.shape)])
        parts.append(data.tobytes())
    text = json.dumps({**header, "arrays": table}, ensure_ascii=False, sort_keys=True).encode()
    body = zlib.compress(b"".join([struct.pack("<I", len(text)), text, *parts]), 1)
    return _HEAD.pack(MAGIC, FORMAT, len(body), hashlib.sha256(body).digest()) + body


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[np.float64]]]:
    """(header, arrays) of `pack`; raises SnapshotError."""
    try:
        magic, version, length, digest = _HEAD.unpack_from(data)
        body = data[_HEAD.size :]
        if magic != MAGIC or version != FORMAT:
            raise unreadable(f"is not of format {FORMAT}")
        if len(body) != length or hashlib.sha256(body).digest() != digest:
            raise unreadable("is damaged")
        raw = zlib.decompress(body)
        size = struct.unpack_from("<I", raw)[0]
        header = json.loads(raw[4 : 4 + size])
        at = 4 + size
        arrays = {}
        for name, shape in header.pop("arrays"):
            count = int(np.prod(shape))
            arrays[name] = np.frombuffer(raw, "<f8", count, at).reshape(shape).astype(np.float64)
            at += 8 * count
    except (struct.error, zlib.error, ValueError, KeyError, TypeError) as error:
        raise unreadable("is damaged") from error
    return header, arrays


def unreadable(rule: str) -> SnapshotError:
    return SnapshotError("block checkpoint", rule=rule, next_step="Rebuild the block from stored telemetry")
