"""`python -m twin bench [NAME …] [--quick]`: measure, record the figures, write docs/benchmarks.md anew.

Without a name everything runs that can run here; what cannot says what it lacks. A quick run takes a minute or two,
shows that everything works, and records nothing. On a busy machine ratios hold and absolute figures do not.
"""

from __future__ import annotations

import argparse
import ast
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from benchmarks import figures_page, results
from benchmarks.skab import data_folder

FOLDER = Path(__file__).parent
NOT_HERE = ("soak", "recorded_page", "figures_page")
"""Modules with a `main` that are no part of `bench`: `python -m twin soak`, and the page itself."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """needs: packages; data: a recorded set; quick: arguments of a quick run, None = has none; slow: some minutes."""

    name: str
    needs: tuple[str, ...] = ()
    data: str = ""
    quick: tuple[str, ...] | None = ()
    slow: bool = False

    def lacks(self) -> str:
        """What is missing here, and what to do; empty when it can run."""
        missing = [package for package in self.needs if find_spec(package) is None]
        if missing:
            return (
                f"needs {', '.join(missing)}: pip install {' '.join(missing)}, or the extras bench and fast"
            )
        if self.data and not data_folder(self.data).is_dir():
            return f"needs recorded data: python -m twin data {self.data}, or TWIN_DATA_DIR"
        return ""


KNOWN = (
    Benchmark("ekf", ("filterpy", "simdkalman", "statsmodels"), quick=("--quick",)),
    Benchmark("detection", ("river",)),
    Benchmark("life", ("statsmodels",)),
    Benchmark("fleet_size", quick=("--quick",)),
    Benchmark("limit", ("filterpy",), quick=("--quick",)),
    Benchmark("unscented", quick=("--quick",)),
    Benchmark("skab", data="skab"),
    Benchmark("tep", data="tep"),
    Benchmark("ims", data="ims"),
    Benchmark("history", quick=None, slow=True),
    Benchmark("firestore", quick=None, slow=True),
    Benchmark("faults", quick=None, slow=True),
    Benchmark("cases", quick=None, slow=True),
)


def found() -> dict[str, Benchmark]:
    """Every benchmark of this folder by name: those known above in order, then any other module with a `main`."""
    stems = [path.stem for path in sorted(FOLDER.glob("[a-z]*.py")) if path.stem not in NOT_HERE]
    with_main = [stem for stem in stems if _has_main(FOLDER / f"{stem}.py")]
    known = [benchmark for benchmark in KNOWN if benchmark.name in with_main]
    others = [
        Benchmark(stem, quick=None, slow=True) for stem in with_main if stem not in {b.name for b in known}
    ]
    return {benchmark.name: benchmark for benchmark in [*known, *others]}


def _has_main(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body)


def main(arguments: Sequence[str] = ()) -> int:
    known = found()
    parser = argparse.ArgumentParser(
        prog="python -m twin bench",
        description="Measure speed and accuracy beside the alternatives. Names: " + ", ".join(known),
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="all that can run here when none is named")
    parser.add_argument("--quick", action="store_true", help="a short turn of each; nothing is recorded")
    options = parser.parse_args(list(arguments))
    for name in options.names:
        if name not in known:
            parser.error(f"{name!r} is none of {', '.join(known)}")
        if lack := known[name].lacks():
            parser.error(f"{name} {lack}")
    chosen = [known[name] for name in options.names or known]
    if not options.quick:
        return _run_all(chosen, quick=False)
    with tempfile.TemporaryDirectory() as folder, results.kept_in(Path(folder) / "results.json"):
        return _run_all(chosen, quick=True)


def _run_all(chosen: Sequence[Benchmark], *, quick: bool) -> int:
    left_out, failed = [], []
    for benchmark in chosen:
        reason = benchmark.lacks() or (
            "takes minutes, not in a quick run" if quick and benchmark.quick is None else ""
        )
        if reason:
            left_out.append(f"{benchmark.name} left out: {reason}")
            continue
        print(f"\n{benchmark.name}" + (" (some minutes)" if benchmark.slow and not quick else ""), flush=True)
        begin = time.monotonic()
        try:
            import_module(f"benchmarks.{benchmark.name}").main(list((benchmark.quick or ()) if quick else ()))
        except Exception:  # the others still run; the exit code tells
            traceback.print_exc()
            failed.append(benchmark.name)
        print(f"{benchmark.name} took {time.monotonic() - begin:.0f} s", flush=True)
    if not quick:
        figures_page.main()
    print("\n".join(["", *left_out, *(f"{name} FAILED" for name in failed)]).rstrip(), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))
