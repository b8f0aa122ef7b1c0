"""How close the filter is to what this machine can do: a C version of ours, and the speed at which its data can move.

`python -m benchmarks.limit [--quick]`. `pump_filter.c` is compiled with `-O3 -march=native` into a temporary folder
and checked against numpy first. Three things take turns with the filters at each size: STREAM's triad over the same
bytes, the filter's own arrays read and written with next to no arithmetic, and filterpy's loop (at one size, for the
ratio). A step must move MOVED bytes however it is written; bytes a second over the data's own speed is the share of the
limit. Without a C compiler the triad is numpy's and the C figures are left as they were.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from benchmarks.ekf import LOOPED, Round, backends, filterpy_loop
from benchmarks.results import best_seconds, record
from twin.estimation import ekf
from twin.estimation.outcome import blank_update

SOURCE = Path(__file__).with_name("pump_filter.c")
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC")
READ = (4 + 10 + 1 + 1 + 3) * 8 + 3 + 8  # x, P, u, dt, z, masks, count of refused rounds
WRITTEN = 30 * 8 + 8 + 8 + 3 + 1 + 1  # x, P, five numbers a sensor, NIS, counts and flags
MOVED = READ + WRITTEN
ROWS_READ, ROWS_WRITTEN = READ // 8, WRITTEN // 8
SIZES = (1_000, 10_000, 100_000)
HOW = "best of repeated turns in one run, CPU time of one core; masks, per-device dt, Joseph form, gate and NIS on"


def compiler() -> str | None:
    """The C compiler here."""
    return next((found for name in ("gcc", "clang", "cc") if (found := shutil.which(name))), None)


def compile_library(folder: Path) -> ctypes.CDLL:
    """pump_filter.c as a library in `folder`."""
    target = folder / "pump_filter.so"
    command = [str(compiler()), *FLAGS, str(SOURCE), "-o", str(target), "-lm"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return ctypes.CDLL(str(target))


class CRound:
    """The round of a fleet through the C version; results in `out`, in arrays that are used again."""

    def __init__(self, fleet: Round, library: ctypes.CDLL) -> None:
        n = fleet.n
        self.out, self.rejected = blank_update(4, 3, n), np.zeros(n, np.int64)
        o, into = self.out, self.out.x.base
        assert into is not None and into.shape == (30, n)
        self._held = [
            np.ascontiguousarray(a) for a in (fleet.x, fleet.P, fleet.u, fleet.dt, fleet.z, fleet.observed)
        ]
        after = (into, o.seen, o.accepted, o.rejected, o.reinitialised, o.diverged)
        self._arguments = (
            ctypes.c_int64(n),
            *(pointer(a) for a in (*self._held, self.rejected)),
            ctypes.c_double(25.0),
            ctypes.c_int64(5),
            *(pointer(a) for a in after),
        )
        self._function = library.filter_round

    def run(self) -> ekf.Update:
        self._function(*self._arguments)
        return self.out


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def need_equal(ours: ekf.Update, theirs: ekf.Update) -> None:
    """AssertionError unless all fields of both agree to 1e-9."""
    for field in fields(ours):
        np.testing.assert_allclose(
            getattr(theirs, field.name), getattr(ours, field.name), rtol=1e-9, atol=1e-12, err_msg=field.name
        )


def movers(n: int, library: ctypes.CDLL | None) -> dict[str, Callable[[], object]]:
    """Calls that move the bytes of one round of n devices."""
    length = n * MOVED // 24
    a, b, c = np.ones((3, length))
    if library is None:

        def numpy_triad() -> None:
            np.multiply(c, 3.0, out=a)
            np.add(a, b, out=a)

        return {"triad": numpy_triad}
    into, out_of = np.ones((ROWS_READ, n)), np.ones((ROWS_WRITTEN, n))
    triad = (ctypes.c_int64(length), pointer(a), pointer(b), pointer(c))
    move = (
        ctypes.c_int64(n),
        pointer(into),
        ctypes.c_int64(ROWS_READ),
        pointer(out_of),
        ctypes.c_int64(ROWS_WRITTEN),
    )
    held = (a, b, c, into, out_of)  # the addresses above do not keep their arrays alive
    return {"triad": lambda: (held, library.triad(*triad)), "move": lambda: (held, library.move_only(*move))}


def measure(n: int, library: ctypes.CDLL | None, turns: int) -> None:
    from benchmarks.fleet_size import NAMES, word

    fleet, size = Round(n), word(n)
    rivals: dict[str, Callable[[], object]] = {b: (lambda b=b: fleet.run(b)) for b in backends()}  # type: ignore[misc]
    rivals |= movers(n, library)
    if library is not None:
        compiled = CRound(fleet, library)
        need_equal(fleet.run("numpy"), compiled.run())
        rivals["c"] = compiled.run
    if n == 10_000:
        rivals["filterpy"] = filterpy_loop(fleet)
    best = best_seconds(rivals, turns)
    working = f"{n * MOVED / 1e6:.1f} MB, {n} devices"
    for mover, what in (
        ("triad", "STREAM's triad, 24 bytes an element"),
        ("move", "the filter's own arrays moved"),
    ):
        if mover in best:
            record(f"limit_{mover}_gb_per_s_{size}", n * MOVED / best[mover] / 1e9, "GB/s",
                   note=f"{what}; {working}; write-allocate not counted; CPU time of one core")  # fmt: skip
    data = "move" if "move" in best else "triad"
    for way in [name for name in ("c", "numba", "numpy") if name in best]:
        name = NAMES.get(way, way)
        record(f"limit_{name}_share_{size}", best[data] / best[way] * 100.0, "%",
               f"the same bytes by `limit_{data}_gb_per_s_{size}`", f"{MOVED} B a device-step; {HOW}")  # fmt: skip
    if library is None:
        return
    record(f"ekf_c_device_steps_per_s_{size}", n / best["c"], "device-steps/s", note="pump_filter.c; " + HOW)
    if "numba" in best:
        record(f"ekf_c_vs_compiled_{size}", best["numba"] / best["c"], "times", "the numba backend", HOW)
    if "filterpy" in best:
        ratio = best["filterpy"] / LOOPED / (best["c"] / n)
        record(
            f"ekf_c_vs_filterpy_{size}",
            ratio,
            "times",
            "filterpy: a loop, same masks, dt, Joseph form, NIS",
            HOW,
        )


def main(arguments: Sequence[str] = ()) -> None:
    quick = "--quick" in arguments
    with tempfile.TemporaryDirectory() as folder:
        library = compile_library(Path(folder)) if compiler() else None
        if library is None:
            print("no C compiler here: the C version is left out")
        for n in SIZES[:2] if quick else SIZES:
            measure(n, library, 6 if quick else 25)


if __name__ == "__main__":
    main(sys.argv[1:])
