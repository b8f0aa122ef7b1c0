"""Where this machine keeps Java, the official Firestore emulator and Chromium; `python -m twin tools` shows it.

Only looks; `install_tools.py` fetches. Each finder answers with a path or None and never raises. A tool named by an
environment variable is taken as named: when that path is not there, nothing else is guessed.
"""

from __future__ import annotations

import argparse
import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

JAVA_MAJOR_MIN = 11
EMULATOR_JAR = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@dataclass(frozen=True)
class Tool:
    """Something outside Python that tests need.

    variable  environment variable that names it, "" for none
    advice    what a person does to get it, one sentence
    """

    name: str
    needed_for: str
    find: Callable[[], Path | None]
    variable: str
    advice: str

    def missing_sentence(self) -> str:
        """Why it was not found and what to do."""
        named = os.environ.get(self.variable, "") if self.variable else ""
        if named:
            return f"{self.name} is missing: {self.variable} names {named}, which is not there. Correct or unset it."
        return f"{self.name} is missing, so {self.needed_for} cannot run. {self.advice}"


@functools.cache
def find_java() -> Path | None:
    """A `java` of version 11 or newer: JAVA_HOME, PATH, then macOS' own register."""
    name = "java.exe" if os.name == "nt" else "java"
    home = os.environ.get("JAVA_HOME", "")
    candidates = [Path(home, "bin", name)] if home else []
    candidates += [Path(found) for found in [shutil.which("java")] if found]
    if sys.platform == "darwin":
        answer = _answer(["/usr/libexec/java_home"])
        candidates += [Path(answer.strip(), "bin", name)] if answer else []
    return next((path for path in candidates if path.is_file() and java_major(path) >= JAVA_MAJOR_MIN), None)


def java_major(java: Path) -> int:
    """17 for "17.0.9", 8 for "1.8.0_392", 0 when it does not answer."""
    found = re.search(r'version "(\d+)(?:\.(\d+))?', _answer([str(java), "-version"]))
    if not found:
        return 0
    major, minor = int(found[1]), int(found[2] or 0)
    return minor if major == 1 else major


@functools.cache
def find_emulator_jar() -> Path | None:
    """The Firestore emulator's jar: FIRESTORE_EMULATOR_JAR, a Google Cloud SDK, the Firebase CLI's cache."""
    named = os.environ.get("FIRESTORE_EMULATOR_JAR", "")
    if named:
        return _file(named)
    for root in _sdk_roots():
        if (root / EMULATOR_JAR).is_file():
            return root / EMULATOR_JAR
    cached = sorted(Path.home().glob(".cache/firebase/emulators/cloud-firestore-emulator-v*.jar"))
    return cached[-1] if cached else None


@functools.cache
def find_chromium() -> Path | None:
    """Chromium or Chrome: TWIN_CHROMIUM, PATH, the usual places, then Playwright's own browsers."""
    named = os.environ.get("TWIN_CHROMIUM", "")
    if named:
        return _file(named)
    on_path = [Path(found) for found in map(shutil.which, CHROMIUM_NAMES) if found]
    usual = [path for path in _usual_browsers() if path.is_file()]
    return next(iter([*on_path, *usual, *_playwright_browsers()]), None)


def forget() -> None:
    """Look again next time; called after something was installed."""
    for finder in (find_java, find_emulator_jar, find_chromium):
        finder.cache_clear()


TOOLS = (
    Tool(
        "Java 11 or newer",
        "the Firestore emulator",
        lambda: find_java(),
        "JAVA_HOME",
        "Install a JRE, for instance from https://adoptium.net, or `apt-get install default-jre-headless`.",
    ),
    Tool(
        "the Firestore emulator",
        "the tests marked 'emulator'",
        lambda: find_emulator_jar(),
        "FIRESTORE_EMULATOR_JAR",
        "Install the Google Cloud SDK (https://cloud.google.com/sdk/docs/install), then "
        "`gcloud components install cloud-firestore-emulator`.",
    ),
    Tool(
        "Chromium",
        "the tests marked 'browser'",
        lambda: find_chromium(),
        "TWIN_CHROMIUM",
        "Install Chromium or Chrome, or run `python -m twin tools`, or name one in TWIN_CHROMIUM.",
    ),
)


def missing() -> list[Tool]:
    return [tool for tool in TOOLS if tool.find() is None]


def in_ci() -> bool:
    """Whether a missing tool is a failure rather than a test left out."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


def main(argv: Sequence[str]) -> int:
    from twin.commands import install_tools

    parser = argparse.ArgumentParser(
        prog="python -m twin tools", description="Find or fetch what the tests need."
    )
    parser.add_argument("--no-fetch", action="store_true", help="only look")
    options = parser.parse_args(argv)
    if not options.no_fetch:
        install_tools.fetch(missing())
    for tool in TOOLS:
        path = tool.find()
        print(f"  {tool.name:<24} {path}" if path else f"  {tool.missing_sentence()}")
    return 1 if missing() else 0


def _file(named: str) -> Path | None:
    path = Path(named).expanduser()
    return path if path.is_file() else None


def _answer(command: Sequence[str], timeout_s: float = 20.0) -> str:
    """What a program prints on either stream, "" when it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr


def _sdk_roots() -> Iterator[Path]:
    """Places a Google Cloud SDK may be, cheapest first; asking gcloud itself takes a second and comes last."""
    home = Path.home()
    variables = ("CLOUDSDK_ROOT_DIR", "GOOGLE_CLOUD_SDK_HOME", "GCLOUD_SDK_ROOT")
    yield from (Path(os.environ[name]) for name in variables if os.environ.get(name))
    gcloud = shutil.which("gcloud")
    if gcloud:
        yield Path(gcloud).resolve().parent.parent
    yield from map(
        Path,
        (
            "/usr/lib/google-cloud-sdk",
            "/opt/google-cloud-sdk",
            "/usr/local/google-cloud-sdk",
            "/snap/google-cloud-cli/current",
            "/snap/google-cloud-sdk/current",
            "/opt/homebrew/share/google-cloud-sdk",
            "/usr/local/share/google-cloud-sdk",
            "/opt/homebrew/Caskroom/google-cloud-sdk/latest/google-cloud-sdk",
            "/usr/local/Caskroom/google-cloud-sdk/latest/google-cloud-sdk",
        ),
    )
    yield home / "google-cloud-sdk"
    for variable in ("LOCALAPPDATA", "ProgramFiles", "ProgramFiles(x86)"):
        if os.environ.get(variable):
            yield Path(os.environ[variable], "Google", "Cloud SDK", "google-cloud-sdk")
    if gcloud:
        root = _answer([gcloud, "info", "--format=value(installation.sdk_root)"]).strip().splitlines()
        yield from map(Path, root[:1])


def _usual_browsers() -> Iterable[Path]:
    if sys.platform == "darwin":
        names = ("Google Chrome", "Chromium")
        folders = (Path("/Applications"), Path.home() / "Applications")
        return [folder / f"{name}.app/Contents/MacOS/{name}" for folder in folders for name in names]
    if os.name == "nt":
        roots = [os.environ.get(name, "") for name in ("ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA")]
        ends = ("Google/Chrome/Application/chrome.exe", "Chromium/Application/chrome.exe")
        return [Path(root, end) for root in roots if root for end in ends]
    return [Path("/snap/bin/chromium"), Path("/opt/google/chrome/chrome")]


def _playwright_browsers() -> Iterable[Path]:
    """Full browsers Playwright has downloaded, newest first."""
    if sys.platform == "darwin":
        usual, ends = Path.home() / "Library/Caches", ("chrome-mac*/*.app/Contents/MacOS/*",)
    elif os.name == "nt":
        usual, ends = Path(os.environ.get("LOCALAPPDATA", "")), ("chrome-win*/chrome.exe",)
    else:
        usual, ends = Path.home() / ".cache", ("chrome-linux*/chrome",)
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or usual / "ms-playwright")
    found = [path for end in ends for path in folder.glob(f"chromium-*/{end}") if path.is_file()]
    return sorted(found, reverse=True)
