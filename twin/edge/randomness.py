"""Seeded random numbers that belong to one device, whatever other devices there are.

Counter-based (Philox): a number depends only on (seed, device, purpose, index), so a snapshot needs the index alone
and a resumed machine draws exactly what the stopped one would have drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.estimation.model import Array

BLOCK = 64


def device_key(seed: int, device_id: str, purpose: str) -> NDArray[np.uint64]:
    """The Philox key of one device and purpose: 128 bits of a SHA-256."""
    digest = hashlib.sha256(f"{seed}|{device_id}|{purpose}".encode()).digest()
    return np.frombuffer(digest[:16], dtype=np.uint64)


def generator(key: NDArray[np.uint64], index: int) -> np.random.Generator:
    """The generator number `index` of a key; each index is a stream of its own."""
    return np.random.Generator(np.random.Philox(key=key, counter=np.array([0, 0, 0, index], dtype=np.uint64)))


class NoiseTape:
    """Rows of standard normals [k, n], one row per call, drawn a block at a time from each device's own stream.

    position  how many rows were taken; the whole state
    """

    def __init__(self, keys: Sequence[NDArray[np.uint64]], k: int, position: int = 0) -> None:
        self._keys = tuple(keys)
        self._k = k
        self.position = position
        self._block_index = -1
        self._block: Array = np.empty((0, k, len(self._keys)))

    def take(self) -> Array:
        """The next row [k, n]; must not be changed."""
        index, offset = divmod(self.position, BLOCK)
        if index != self._block_index:
            self._block = np.empty((BLOCK, self._k, len(self._keys)))
            for i, key in enumerate(self._keys):
                self._block[:, :, i] = generator(key, index).standard_normal((BLOCK, self._k))
            self._block_index = index
        self.position += 1
        row: Array = self._block[offset]
        return row
