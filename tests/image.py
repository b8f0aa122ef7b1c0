"""What the image would hold, laid out without an engine: the files its Dockerfile copies, started as its user."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOBODY = 65_534


def instructions(text: str) -> list[tuple[str, str]]:
    """(INSTRUCTION, rest) of a Dockerfile, continued lines joined, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    parts = [line.strip().partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name.upper(), rest.strip()) for name, _, rest in parts]


def last_stage(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    start = max(number for number, (name, _) in enumerate(found) if name == "FROM")
    return found[start:]


def environment(found: list[tuple[str, str]]) -> dict[str, str]:
    """What ENV sets, as written."""
    pairs = [word.partition("=") for name, rest in found if name == "ENV" for word in shlex.split(rest)]
    return {name: value for name, _, value in pairs}


def lay_out(stage: list[tuple[str, str]], target: Path) -> None:
    """Copy what the stage's COPY lines take from the build context into `target`, readable by everybody."""
    for name, rest in stage:
        words = shlex.split(rest)
        if name != "COPY" or words[0].startswith("--from="):
            continue
        *sources, place = words
        for source in sources:
            into = target / place / source if place.endswith("/") else target / place
            into.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, into, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, into)
    for path in [target, *target.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def as_nobody(python: str) -> dict[str, object]:
    """Arguments of Popen that drop root, where there is root to drop and `python` stands where others can reach it."""
    if os.name != "posix" or os.getuid() != 0:
        return {}
    user: dict[str, object] = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    try:
        reached = subprocess.run([python, "-c", ""], check=False, **user)  # type: ignore[call-overload]
    except PermissionError:
        return {}
    return user if reached.returncode == 0 else {}
