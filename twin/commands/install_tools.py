"""Fetch what tests need and this machine lacks, where that can be done without asking a person.

As root on Debian or Ubuntu through apt (a container or a CI runner), otherwise through the tool's own installer:
Playwright for Chromium, gcloud for the emulator. Says what it runs and how long it took; what cannot be fetched is
left to `tools.py`, whose sentence tells the person what to do.
"""

from __future__ import annotations

import functools
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence

from twin.commands import environment, tools
from twin.commands.environment import say


def fetch(wanted: Iterable[tools.Tool]) -> None:
    """Try to install each; never raises for a tool that stays missing."""
    ways: dict[str, Callable[[], bool]] = {
        "Java 11 or newer": lambda: apt_install("default-jre-headless"),
        "the Firestore emulator": _fetch_emulator,
        "Chromium": _fetch_chromium,
    }
    for tool in wanted:
        say(f"{tool.name} is missing; fetching it …")
        started = time.monotonic()
        ways[tool.name]()
        tools.forget()
        path = tool.find()
        took_s = time.monotonic() - started
        say(f"  {tool.name}: {path} ({took_s:.0f} s)" if path else f"  not fetched ({took_s:.0f} s)")


def distribution() -> str:
    """ID of the Linux distribution ("debian", "ubuntu"), "" elsewhere."""
    try:
        return platform.freedesktop_os_release().get("ID", "")
    except OSError:
        return ""


def may_use_apt() -> bool:
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return is_root and distribution() in {"debian", "ubuntu"} and shutil.which("apt-get") is not None


def apt_install(*packages: str) -> bool:
    """Whether apt installed them; False where apt may not be used."""
    if not may_use_apt():
        return False
    apt_update()
    return _run(["apt-get", "install", "-y", "--no-install-recommends", *packages])


@functools.cache
def apt_update() -> bool:
    """Fresh package lists, once a run: an image's lists are old or empty."""
    return _run(["apt-get", "update"])


def _fetch_chromium() -> bool:
    # Ubuntu's package only starts a snap, which does not run in containers.
    if distribution() == "debian" and apt_install("chromium", "fonts-liberation"):
        return True
    python = environment.ensure(("runtime", "dev"))
    with_libraries = ["--with-deps"] if may_use_apt() else []
    return _run([str(python), "-m", "playwright", "install", *with_libraries, "chromium"])


def _fetch_emulator() -> bool:
    gcloud = shutil.which("gcloud")
    component = "cloud-firestore-emulator"
    if gcloud and _run([gcloud, "--quiet", "components", "install", component]):
        return True
    # Where the SDK came as a Debian package its own component manager is switched off.
    return apt_install("google-cloud-cli-firestore-emulator")


def _run(command: Sequence[str]) -> bool:
    """Run, show the command, and on failure its last lines."""
    say(f"  $ {' '.join(command)}")
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=env,
            timeout=600,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"    {error}")
        return False
    if done.returncode:
        for line in done.stdout.strip().splitlines()[-8:]:
            say(f"    {line}")
    return done.returncode == 0
