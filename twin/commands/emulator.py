"""The official Firestore emulator as a child process, for tests and for trying the Firestore store without an account.

Ready means it answers over HTTP. It keeps everything in memory (about 400 MB) and forgets it when it ends.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from twin.errors import SetupError

MAIN_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
EXPORT = "kept"


def free_port() -> int:
    """A TCP port nobody on this machine listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def emulator_command(java: Path, jar: Path, port: int, seed: Path | None = None) -> list[str]:
    """How it is started; `seed` is the folder of an `export`, from which it begins instead of empty."""
    command = [str(java), "-Duser.language=en", "-cp", str(jar), MAIN_CLASS, "start", "--host=127.0.0.1"]
    if seed is not None:
        command.append(f"--seed_from_export={seed / EXPORT / EXPORT}.overall_export_metadata")
    return [*command, f"--port={port}"]


def export(address: str, project: str, folder: Path) -> None:
    """Have a running emulator write one project's documents into `folder`: what it would forget when it ends."""
    asked = {
        "database": f"projects/{project}/databases/(default)",
        "export_directory": str(folder),
        "export_name": EXPORT,
    }
    request = urllib.request.Request(
        f"http://{address}/emulator/v1/projects/{project}:export",
        data=json.dumps(asked).encode(),
        headers={"Content-Type": "application/json"},
    )
    with _direct().open(request, timeout=30):
        pass


@contextlib.contextmanager
def running_emulator(java: Path, jar: Path, *, ready_within_s: float = 60.0) -> Iterator[str]:
    """Start it, yield "127.0.0.1:port" when it answers, end it; raises SetupError with its log when it does not."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            emulator_command(java, jar, port), stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        try:
            if not answers(process, address, ready_within_s):
                log.seek(0)
                raise SetupError(
                    f"Firestore emulator on {address}",
                    rule=f"did not answer: {log.read().decode(errors='replace')[-800:]}",
                    next_step="Start it by hand with the same java and jar to see why.",
                )
            yield address
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def answers(process: subprocess.Popen[bytes], address: str, within_s: float) -> bool:
    """Wait until it answers; False when it ends or the time is over."""
    deadline = time.monotonic() + within_s
    opener = _direct()
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with opener.open(f"http://{address}/", timeout=2) as answer:
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False


def _direct() -> urllib.request.OpenerDirector:
    """No proxy for this machine's own address, whatever the environment says."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
