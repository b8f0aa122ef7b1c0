"""The filter's covariance algebra compiled by numba, behind the same two functions as `algebra`, its reference.

The asset class's equations still come from numpy; what is compiled is everything done to the covariance. For each
pattern of Jacobians (zero, one, constant, per device) a kernel is written out (kernel_source.py) and compiled once
per process, some seconds each.

Agrees with `algebra` to rounding (fused multiply-add), not to the bit: one fleet stays on one backend.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from twin.errors import SettingsError
from twin.estimation.checks import Mask
from twin.estimation.kernel_source import TILE, Pattern, Writer
from twin.estimation.model import Array, Entry, Matrix
from twin.estimation.outcome import Update


def transform(P: Array, part: slice, F: Matrix, Q: Matrix, out: Array) -> None:
    """out[:, part] = F P F' + Q, as `algebra.transform`."""
    first, _, _ = part.indices(P.shape[1])
    patterns, constants, arrays = _sort_entries((F, Q))
    kernel = _compiled(len(F), 0, patterns[0], patterns[1], None)
    n = part.indices(P.shape[1])[1] - first
    kernel(first, n, constants, *arrays, np.ascontiguousarray(P), out)


def correct(
    F: Matrix | None,
    Q: Matrix | None,
    P: Array,
    part: slice,
    x: Array,
    H: Matrix,
    noise: Array,
    z: Array,
    observed: Mask,
    expected: Array,
    gate: Array,
    out: Update,
) -> None:
    """Predict (given F and Q) and fold in the measurements of `part`, as `algebra.correct`, in one pass."""
    moved = F is not None and Q is not None
    patterns, constants, arrays = _sort_entries((F, Q, H) if F is not None and Q is not None else (H,))
    kernel = _compiled(len(x), len(H), *((patterns[0], patterns[1]) if moved else (None, None)), patterns[-1])
    kernel(
        part.start,
        x.shape[1],
        constants,
        *arrays,
        np.ascontiguousarray(P),
        np.ascontiguousarray(x),
        noise,
        np.ascontiguousarray(z),
        np.ascontiguousarray(observed),
        np.ascontiguousarray(expected),
        gate,
        *(out.P, out.x, out.expected, out.nu, out.S, out.ratio, out.white, out.nis),
        *(out.seen, out.accepted, out.diverged),
    )


def _sort_entries(matrices: Sequence[Matrix]) -> tuple[list[Pattern], Array, list[Array]]:
    """The pattern of each matrix, all their constants, all their arrays, in reading order."""
    constants: list[float] = []
    arrays: list[Array] = []
    patterns = []
    for matrix in matrices:
        pattern = []
        for entry in (entry for row in matrix for entry in row):
            pattern.append(_kind(entry))
            if pattern[-1] == "a":
                arrays.append(np.ascontiguousarray(entry))
            elif pattern[-1] == "c":
                constants.append(float(entry))
        patterns.append(tuple(pattern))
    return patterns, np.array(constants), arrays


def _kind(entry: Entry) -> str:
    if isinstance(entry, np.ndarray):
        return "a"
    return "0" if entry == 0.0 else "1" if entry == 1.0 else "c"


@lru_cache(maxsize=128)
def _compiled(
    dx: int, dz: int, F: Pattern | None, Q: Pattern | None, H: Pattern | None
) -> Callable[..., None]:
    try:
        import numba
    except ImportError as error:
        raise SettingsError(
            "backend",
            value="numba",
            rule="needs the optional package numba",
            next_step="Install it, or use backend='numpy', which does the same more slowly.",
        ) from error
    writer = Writer(dx, dz)
    source = writer.write(F, Q, H)
    names: dict[str, Any] = {"np": np, **{f"_{k}": np.uint64(k * TILE) for k in range(len(writer.rows))}}
    exec(compile(source, "<twin filter kernel>", "exec"), names)
    kernel: Callable[..., None] = numba.njit(error_model="numpy", fastmath={"contract"}, nogil=True)(
        names["kernel"]
    )
    return kernel
