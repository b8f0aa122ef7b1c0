"""`python -m benchmarks [NAME …]`: run the named benchmarks, or all that can run here, and record their figures.

Those on recorded data run when `python -m twin data`, or TWIN_DATA_DIR, has brought it; then their section of
docs/benchmarks.md is written anew.
"""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.skab import data_folder

WITHOUT_DATA = ("ekf", "detection", "life")
ON_DATA = ("skab", "tep", "ims")


def main(names: list[str]) -> None:
    here = [name for name in ON_DATA if data_folder(name).is_dir()]
    for name in names or [*WITHOUT_DATA, *here, "recorded_page"]:
        import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
