"""`python -m benchmarks [NAME …]`: run the named benchmarks, or all that need no data, and record their figures."""

from __future__ import annotations

import sys
from importlib import import_module

WITHOUT_DATA = ("ekf", "detection", "life")


def main(names: list[str]) -> None:
    for name in names or WITHOUT_DATA:
        import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
