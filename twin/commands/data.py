"""`python -m twin data`: recorded data sets from their official sources, each file checked against its SHA-256.

The manifest (`datasets.json`) names source, licence, citation and checksum; data itself never enters the repository.
Files land in `TWIN_DATA_DIR` or `./data`. A broken download resumes where it stopped; a file that is there and right is
not fetched again; a file with another checksum is never left under its name.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from twin.commands.environment import ROOT, say, shown
from twin.errors import SetupError, TwinError

MANIFEST = Path(__file__).with_name("datasets.json")
ATTEMPTS = 4
TIMEOUT_S = 30.0
CHUNK = 1 << 16


@dataclass(frozen=True)
class DataSet:
    """One entry of the manifest; files maps a path below `folder` to its SHA-256."""

    name: str
    title: str
    folder: str
    base_url: str
    homepage: str
    licence: str
    citation: str
    files: dict[str, str]


def read_manifest(path: Path) -> dict[str, DataSet]:
    """name -> data set; raises SetupError when the manifest cannot be read or a path leaves its folder."""
    try:
        entries = [DataSet(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))["datasets"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SetupError(
            f"manifest {path}", rule=f"cannot be read: {error}", next_step="Restore it from the repository."
        ) from error
    for entry in entries:
        for name in (entry.folder, *entry.files):
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise SetupError(
                    f"manifest {path}",
                    value=name,
                    rule="paths must stay in the data folder",
                    next_step="Correct it.",
                )
    return {entry.name: entry for entry in entries}


def data_folder() -> Path:
    """Where recorded data is kept."""
    named = os.environ.get("TWIN_DATA_DIR", "")
    return Path(named).expanduser() if named else ROOT / "data"


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch_file(url: str, target: Path, sha256: str) -> None:
    """Download to `target`, resuming `target.part`; raises SetupError, and then `target` is not there."""
    part = target.with_name(f"{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _append(url, part)
            break
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500 and error.code != 429:
                raise _failed(url, f"the server answered {error.code} {error.reason}") from error
            reason = f"the server answered {error.code} {error.reason}"
        except (OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", "")) or str(error) or type(error).__name__
        if attempt == ATTEMPTS:
            raise _failed(url, f"{reason}, {ATTEMPTS} times")
        time.sleep(0.5 * 2**attempt)
    found = sha256_of(part)
    if found != sha256:
        part.unlink()
        raise SetupError(
            url,
            rule=f"has SHA-256 {found}, the manifest says {sha256}; it was thrown away",
            next_step="Start again; if it stays, the source has changed: look at it before you change the manifest.",
        )
    part.replace(target)


def fetch_set(entry: DataSet, folder: Path, mirror: str) -> tuple[int, int, list[TwinError]]:
    """(files fetched, files already right, errors); one bad file does not stop the others."""
    fetched, right, errors = 0, 0, list[TwinError]()
    base = f"{mirror.rstrip('/')}/{entry.folder}/" if mirror else entry.base_url
    for path, sha256 in entry.files.items():
        target = folder / entry.folder / path
        if target.is_file() and sha256_of(target) == sha256:
            right += 1
            continue
        try:
            target.unlink(missing_ok=True)
            fetch_file(base + urllib.parse.quote(path), target, sha256)
            fetched += 1
        except SetupError as error:
            errors.append(error)
        except OSError as error:
            errors.append(_failed(str(target), f"cannot be written: {error.strerror or error}"))
    return fetched, right, errors


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m twin data", description="Download recorded data sets.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="data sets (default: all)")
    parser.add_argument(
        "--list", action="store_true", help="show names, licences and sources, download nothing"
    )
    parser.add_argument(
        "--mirror", default="", metavar="URL", help="take URL/<folder>/<file> instead of the sources"
    )
    parser.add_argument("--manifest", type=Path, default=MANIFEST, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    sets = read_manifest(options.manifest)
    unknown = [name for name in options.names if name not in sets]
    if unknown:
        raise SetupError(
            "data set", value=unknown[0], rule=f"must be one of {', '.join(sets)}", next_step="See --list."
        )
    folder, bad = data_folder(), 0
    for entry in [sets[name] for name in options.names or sets]:
        say(
            f"{entry.name}: {entry.title}, {len(entry.files)} files\n  {entry.homepage}\n  licence: {entry.licence}"
        )
        if options.list:
            continue
        started = time.monotonic()
        fetched, right, errors = fetch_set(entry, folder, options.mirror)
        say(f"  cite: {entry.citation}")
        took_s = time.monotonic() - started
        say(
            f"  {fetched} fetched, {right} already there, {len(errors)} failed ({took_s:.1f} s) in {shown(folder)}"
        )
        for error in errors:
            say(f"  !! {error}")
        bad += len(errors)
    return 1 if bad else 0


def _append(url: str, part: Path) -> None:
    """One request for what is still missing; the server may send everything again instead."""
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        error.close()
        return  # nothing is missing any more; the checksum judges it
    with answer, part.open("ab" if answer.status == 206 else "wb") as file:
        while chunk := answer.read(CHUNK):
            file.write(chunk)
        # read(n) ends quietly when the connection breaks; http.client keeps what was promised in `length`.
        if answer.length:
            raise ConnectionError(f"the connection broke with {answer.length:,} bytes to come")


def _failed(what: str, reason: str) -> SetupError:
    return SetupError(
        what, rule=reason, next_step="What has arrived is kept: start again to go on from there."
    )
