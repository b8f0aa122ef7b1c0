"""`python -m twin check`: what this machine has, what is missing, and what that keeps from running.

Looks, changes nothing, needs no network. Ends with 1 when something the demo needs is missing or wrong; tools that only
tests need are shown and do not count.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
from collections.abc import Iterator, Sequence

from twin.commands import data, environment, tools

# Runs in the environment's own Python, which has `packaging` inside pip; prints what does not fit.
PROBE = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
from pip._vendor.packaging.requirements import Requirement
wrong = []
for line in json.load(sys.stdin):
    wanted = Requirement(line)
    try:
        if not wanted.specifier.contains(version(wanted.name), prereleases=True):
            wrong.append(f"{line} (found {version(wanted.name)})")
    except PackageNotFoundError:
        wrong.append(f"{line} (not installed)")
print(json.dumps(wrong))
"""


def main(argv: Sequence[str]) -> int:
    argparse.ArgumentParser(
        prog="python -m twin check", description=(__doc__ or "").split("\n")[0]
    ).parse_args(argv)
    print(f"Python       {platform.python_version()} on {platform.platform(terse=True)}")
    wrong = packages_wrong("runtime")
    print(f"Packages     {environment.shown(environment.folder())}: {'ok' if not wrong else 'not ready'}")
    for line in wrong:
        print(f"             !! {line}")
    for tool in tools.TOOLS:
        path = tool.find()
        print(f"Tests        {tool.name}: {path}" if path else f"Tests        !! {tool.missing_sentence()}")
    for line in data_lines():
        print(f"Data         {line}")
    if wrong:
        print("\nThe demo needs the packages: `python -m twin setup` installs them.")
    return 1 if wrong else 0


def packages_wrong(group: str) -> list[str]:
    """Requirements of a group the environment does not meet, each with what was found instead."""
    python = environment.ensured_python()
    if python is None:
        return ["there is no environment yet"]
    wanted = json.dumps(environment.requirements(group))
    done = subprocess.run(
        [str(python), "-c", PROBE], input=wanted, capture_output=True, text=True, check=False
    )
    if done.returncode:
        return [f"{python} does not answer: {done.stderr.strip()[-200:]}"]
    found: list[str] = json.loads(done.stdout)
    return found


def data_lines() -> Iterator[str]:
    folder = data.data_folder()
    for entry in data.read_manifest(data.MANIFEST).values():
        there = sum((folder / entry.folder / path).is_file() for path in entry.files)
        where = environment.shown(folder)
        yield f"{entry.name}: {there} of {len(entry.files)} files in {where} (`python -m twin data` fetches)"
