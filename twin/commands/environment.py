"""The project's own virtual environment: made once, refreshed when the requirements change, otherwise left alone.

A stamp inside it (hash of the requirements and of the Python version, per group) says whether it is up to date, so a
second start touches no network. Core requirements stand in `requirements.txt`, the other groups in the extras of
`pyproject.toml`. `TWIN_VENV` names another folder; `TWIN_VENV=current` uses the running Python and installs nothing
(containers, where the image has it all).

Where uv is on PATH it installs (17 s instead of 40 s on two cores); pip does it otherwise, and when uv fails, because
a company's mirror or certificate is often set up for pip alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path

from twin.errors import SetupError

ROOT = Path(__file__).resolve().parents[2]
STAMP_NAME = "twin-setup.json"


def requirements(group: str) -> tuple[str, ...]:
    """The requirement lines of a group: "runtime", or an extra of pyproject.toml."""
    if group == "runtime":
        lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
        return tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    if group not in extras:
        raise SetupError(
            "requirement group",
            value=group,
            rule=f"must be 'runtime' or one of the extras {', '.join(sorted(extras))}",
            next_step="Correct the name.",
        )
    return tuple(extras[group])


def stamp_of(group: str) -> str:
    """What the environment must have been made from for `group` to be up to date."""
    parts = [platform.python_implementation(), series(), *requirements(group)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def series() -> str:
    """Python's major and minor version: packages built for one series do not load in another."""
    return "{}.{}".format(*sys.version_info[:2])


def folder() -> Path:
    """Where the environment is or will be."""
    named = os.environ.get("TWIN_VENV", "")
    return Path(named).expanduser().resolve() if named else ROOT / ".venv"


def python_in(home: Path) -> Path:
    return home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def ensured_python() -> Path | None:
    """The environment's Python as it stands, without making anything; None when there is none."""
    python = Path(sys.executable) if os.environ.get("TWIN_VENV") == "current" else python_in(folder())
    return python if python.is_file() else None


def is_current(python: Path) -> bool:
    """Whether `python` is the environment this process already runs in."""
    return Path(sys.prefix).resolve() == python.parent.parent.resolve() or python == Path(sys.executable)


def stamps(home: Path) -> dict[str, str]:
    """group -> stamp, empty when the environment was not finished or not made here."""
    try:
        read = json.loads((home / STAMP_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(group): str(stamp) for group, stamp in read.items()} if isinstance(read, dict) else {}


def is_ready_here(groups: Iterable[str]) -> bool:
    """Whether this very process can run a command that needs `groups`."""
    if os.environ.get("TWIN_VENV") == "current":
        return True
    home = folder()
    if not is_current(python_in(home)):
        return False
    found = stamps(home)
    return all(found.get(group) == stamp_of(group) for group in groups)


def ensure(groups: Sequence[str]) -> Path:
    """The environment's Python, after making it and installing what is missing; raises SetupError.

    Silent when nothing was to do. The stamp is written after pip has finished, so an interrupted set-up is repeated.
    """
    if os.environ.get("TWIN_VENV") == "current":
        return Path(sys.executable)
    home = folder()
    python = python_in(home)
    found = stamps(home)
    if python.is_file() and all(found.get(group) == stamp_of(group) for group in groups):
        return python
    started = time.monotonic()
    if not _starts(python):
        _create(home)
        found = {}
    missing = [group for group in groups if found.get(group) != stamp_of(group)]
    wanted = [line for group in groups for line in requirements(group)]
    say(f"Installing {len(wanted)} packages and what they need into {shown(home)} ({', '.join(missing)}) …")
    _install(python, wanted)
    found.update({group: stamp_of(group) for group in groups})
    (home / STAMP_NAME).write_text(json.dumps(found, indent=1), encoding="utf-8")
    say(f"Ready after {time.monotonic() - started:.0f} s; the next start takes none of this.")
    return python


def run_again(python: Path, argv: Sequence[str]) -> int:
    """`python -m twin ARGV` in the environment; returns its exit code (on POSIX it replaces this process)."""
    command = [str(python), "-m", "twin", *argv]
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    sys.stdout.flush()
    if os.name != "nt":
        os.execve(command[0], command, env)
    # Windows has no exec that keeps the console: wait for the child and leave Ctrl-C to it.
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.call(command, env=env)
    finally:
        signal.signal(signal.SIGINT, previous)


def say(text: str) -> None:
    print(text, flush=True)


def shown(path: Path) -> str:
    """A path as people read it: relative to the project when inside it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _starts(python: Path) -> bool:
    """Whether this environment exists, runs, and has our Python series and a pip."""
    if not python.is_file():
        return False
    probe = "import pip, sys; print('{}.{}'.format(*sys.version_info[:2]))"
    try:
        done = subprocess.run(
            [str(python), "-c", probe], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.strip() == series()


def _create(home: Path) -> None:
    again = "again " if home.exists() else ""
    say(f"Making {shown(home)} {again}with Python {platform.python_version()} …")
    command = [sys.executable, "-m", "venv", "--clear", str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(
            f"virtual environment {shown(home)}",
            rule=f"could not be made: {(done.stderr or done.stdout).strip()[-600:]}",
            next_step="On Debian and Ubuntu `apt-get install python3-venv` brings what is missing; then start again.",
        )


def _install(python: Path, wanted: Sequence[str]) -> None:
    """Install with uv or pip; raises SetupError with pip's last lines."""
    uv = shutil.which("uv")
    if (
        uv
        and not _run_installer(
            [uv, "pip", "install", "--compile-bytecode", "--python", str(python), *wanted]
        )[0]
    ):
        return
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *wanted]
    code, last = _run_installer(pip)
    if code:
        raise SetupError(
            "installation of the requirements",
            rule="pip ended with an error:\n  " + "\n  ".join(last) + "\n",
            next_step="Check the network (or pip's proxy and mirror settings) and start again; nothing is lost.",
        )


def _run_installer(command: Sequence[str]) -> tuple[int, list[str]]:
    """Exit code and last lines; on a terminal what it does now shows in one moving line."""
    last: deque[str] = deque(maxlen=15)
    moving = sys.stdout.isatty()
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line.rstrip())
            if moving and line.lstrip().startswith(
                ("Collecting", "Downloading", "Installing", "Resolved", "Prepared")
            ):
                print(f"\r\033[K  {line.strip()[:100]}", end="", flush=True)
    if moving:
        print("\r\033[K", end="", flush=True)
    return process.returncode, list(last)
