"""The image's start command, as a user without rights, from nothing but the files the Dockerfile copies.

TWIN_IMAGE_PYTHON names the Python of a clean environment made from requirements.lock (CI and docs/deploy.md make
one); without it the tests' own is taken.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.image import ROOT, as_nobody, environment, instructions, last_stage, lay_out
from twin.bootstrap import Settings, open_stores

STAGE = last_stage(instructions((ROOT / "Dockerfile").read_text(encoding="utf-8")))
START = json.loads(next(rest for name, rest in STAGE if name == "ENTRYPOINT"))


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """/app of the image. Below the system's own temporary folder: pytest's is closed to other users."""
    with tempfile.TemporaryDirectory(prefix="twin-image-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        lay_out(STAGE, root / "app")
        yield root


@pytest.fixture
def home(image: Path, request: pytest.FixtureRequest) -> Path:
    folder = image / request.node.name.replace("[", "-").rstrip("]")
    folder.mkdir()
    folder.chmod(0o777)
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(
    image: Path, home: Path, *arguments: str, **more: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The start command of the image with its environment; yields (process, url) and ends it."""
    port = free_port()
    python = os.environ.get("TWIN_IMAGE_PYTHON", sys.executable)
    given = {**environment(STAGE), "PATH": os.environ["PATH"], "HOME": str(home), "TWIN_HOME": str(home)}
    given |= {"PORT": str(port), **more}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [python, *START[1:], *arguments],
            cwd=image / "app",
            env=given,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            **as_nobody(python),  # type: ignore[call-overload]
        )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def status(url: str) -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=3) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def body(url: str) -> str:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
        return str(answer.read().decode())


def becomes_ready(process: subprocess.Popen[bytes], url: str, home: Path, said: str = "") -> None:
    """Ready, and its body says so."""
    healthy(process, url, home, path="/ready")
    deadline = time.monotonic() + 30.0
    while said not in body(f"{url}/ready"):
        assert time.monotonic() < deadline, body(f"{url}/ready")
        time.sleep(0.2)


def healthy(
    process: subprocess.Popen[bytes],
    url: str,
    home: Path,
    within_s: float = 60.0,
    path: str = "/_stcore/health",
) -> None:
    deadline = time.monotonic() + within_s
    while status(f"{url}{path}") != 200:
        log = (home / "log").read_text(encoding="utf-8", errors="replace")[-2000:]
        assert process.poll() is None, log
        assert time.monotonic() < deadline, log
        time.sleep(0.2)


def ended(process: subprocess.Popen[bytes], within_s: float = 20.0) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(within_s)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the image is Linux")
def test_whole_demo_in_one_process_starts_answers_and_ends(image: Path, home: Path) -> None:
    with started(image, home, "--role", "all") as (process, url):
        healthy(process, url, home)
        assert status(f"{url}/") == 200
        becomes_ready(
            process, url, home, "the newest step is"
        )  # the application opens with the server, before anybody looks
        assert ended(process) in (0, -signal.SIGTERM)
    stores = open_stores(f"sqlite:///{home.as_posix()}/twin.sqlite")
    state = stores.shards.fleet_state("S0")
    stores.close()
    assert state is not None
    assert state.holder == "", "the last checkpoint was written and the shard freed"
    assert "Traceback" not in (home / "log").read_text(encoding="utf-8", errors="replace")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the image is Linux")
def test_simulator_and_worker_share_a_store_answer_probes_and_end_cleanly(image: Path, home: Path) -> None:
    url_of_store = f"sqlite:///{home.as_posix()}/twin.sqlite"
    with (
        started(image, home, "--role", "simulator", "--devices", "2", TWIN_STORE=url_of_store) as (
            simulator,
            one,
        ),
        started(image, home, "--role", "worker", TWIN_STORE=url_of_store) as (worker, two),
    ):
        healthy(simulator, one, home)
        healthy(worker, two, home)
        becomes_ready(simulator, one, home)
        becomes_ready(worker, two, home)
        assert status(f"{two}/x") == 404
        stores = open_stores(Settings.from_environ({"TWIN_STORE": url_of_store}).store_url)
        deadline = time.monotonic() + 40.0
        while not ((state := stores.shards.fleet_state("S0")) and len(state.states) == 2):
            assert time.monotonic() < deadline, (home / "log").read_text(encoding="utf-8", errors="replace")
            time.sleep(0.3)
        assert ended(simulator) == 0
        assert ended(worker) == 0
        held = stores.shards.fleet_state("S0")
        assert held is not None
        assert held.holder == "", "the worker freed its shard when it was told to end"
        stores.close()
