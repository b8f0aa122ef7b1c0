"""Columns of many devices <-> one binary value.

Layout: magic `OTWC`, a format byte, then zlib of: header length (u32), JSON header, and every array of all devices
one behind the other, by type, little-endian, with the bytes of equal significance side by side (they compress
better so). Never pickle. Leaves out: totals and states, which are JSON and stand in the header or the document.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import ShapeError, SnapshotError
from twin.schema.history import Columns
from twin.stores.documents import to_json

MAGIC = b"OTWC"
FORMAT = 1
_LEVEL = 1
_DTYPES = {"t": "<f8", "u": "|u1", "i": "<i2", "f": "<f4"}
_SINGLE = ("score", "health", "deviation", "hold_s")


def pack(columns: Mapping[str, Columns], extra: Mapping[str, Any] | None = None) -> bytes:
    """Columns by device_id and any JSON-able `extra`, as bytes; raises ShapeError on arrays of unequal length."""
    arrays: dict[str, list[NDArray[Any]]] = {kind: [] for kind in _DTYPES}
    names: dict[str, int] = {}
    devices: list[list[Any]] = []
    for device_id, value in columns.items():
        signals = [list(value.measured), list(value.expected), list(value.sigma)]
        floats: list[NDArray[Any]] = [
            *value.measured.values(),
            *value.expected.values(),
            *value.sigma.values(),
        ]
        floats += [getattr(value, name) for name in _SINGLE]
        size = len(value)
        others: list[NDArray[Any]] = [value.status, value.operator]
        for array in others + floats:
            if len(array) != size:
                raise ShapeError(
                    f"{device_id} columns",
                    value=(len(array), size),
                    rule="must all have as many samples as t_s",
                    next_step="Fill what was not measured with NaN",
                )
        arrays["t"].append(value.t_s)
        arrays["u"].append(value.status)
        arrays["i"].append(value.operator)
        arrays["f"] += floats
        layout = names.setdefault(json.dumps(signals), len(names))
        devices.append([device_id, size, layout, list(value.operators)])
    header = {"layouts": [json.loads(text) for text in names], "devices": devices, "extra": extra or {}}
    body = to_json(header).encode()
    parts = [struct.pack("<I", len(body)), body]
    for kind, dtype in _DTYPES.items():
        joined = np.concatenate(arrays[kind]) if arrays[kind] else np.empty(0)
        parts.append(_side_by_side(joined.astype(dtype, copy=False)))
    return MAGIC + bytes([FORMAT]) + zlib.compress(b"".join(parts), _LEVEL)


def unpack(value: bytes | None) -> tuple[dict[str, Columns], dict[str, Any]]:
    """(columns by device_id, extra) of `pack`'s bytes; nothing of None. Raises SnapshotError when it is not that."""
    if value is None:
        return {}, {}
    if value[:4] != MAGIC or value[4:5] != bytes([FORMAT]):
        raise SnapshotError(
            "stored columns",
            value=value[:8],
            rule=f"must begin with {MAGIC!r} and format {FORMAT}",
            next_step="Read them with the version of the program that wrote them",
        )
    try:
        return _unpacked(zlib.decompress(memoryview(value)[5:]))
    except (zlib.error, struct.error, ValueError, KeyError, IndexError, TypeError) as error:
        raise SnapshotError(
            "stored columns",
            value=len(value),
            rule=f"are damaged ({error})",
            next_step="Let the worker write them again from telemetry",
        ) from error


def _unpacked(body: bytes) -> tuple[dict[str, Columns], dict[str, Any]]:
    (length,) = struct.unpack_from("<I", body)
    header = json.loads(body[4 : 4 + length])
    place = 4 + length
    layouts, devices = header["layouts"], header["devices"]
    total = sum(size for _, size, _, _ in devices)
    wide = sum(size * (sum(map(len, layouts[layout])) + len(_SINGLE)) for _, size, layout, _ in devices)
    flat: dict[str, NDArray[Any]] = {}
    for kind, dtype in _DTYPES.items():
        count = wide if kind == "f" else total
        flat[kind] = _back(body, place, np.dtype(dtype), count)
        place += count * np.dtype(dtype).itemsize
    found: dict[str, Columns] = {}
    at = at_f = 0
    for device_id, size, layout, operators in devices:
        measured, expected, sigma = layouts[layout]
        rows = len(measured) + len(expected) + len(sigma) + len(_SINGLE)
        table = flat["f"][at_f : at_f + rows * size].reshape(rows, size)
        second = len(measured) + len(expected)
        third = second + len(sigma)
        found[device_id] = Columns(
            t_s=flat["t"][at : at + size],
            status=flat["u"][at : at + size],
            measured=dict(zip(measured, table, strict=False)),
            expected=dict(zip(expected, table[len(measured) :], strict=False)),
            sigma=dict(zip(sigma, table[second:], strict=False)),
            operator=flat["i"][at : at + size],
            operators=tuple(operators),
            **{name: table[third + i] for i, name in enumerate(_SINGLE)},
        )
        at += size
        at_f += rows * size
    return found, header["extra"]


def _side_by_side(array: NDArray[Any]) -> bytes:
    width = array.dtype.itemsize
    if width == 1:
        return array.tobytes()
    return np.ascontiguousarray(array).view(np.uint8).reshape(-1, width).T.tobytes()


def _back(body: bytes, place: int, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    width = dtype.itemsize
    raw = np.frombuffer(body, np.uint8, count * width, place)
    return np.ascontiguousarray(raw.reshape(width, count).T).reshape(-1).view(dtype)
