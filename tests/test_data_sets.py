"""Laws of `python -m twin data`, against a real HTTP server on this machine that can misbehave."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from twin.commands import data
from twin.errors import SetupError

CONTENT = b"datetime;pressure\n" + b"2020-03-09 10:14:33;0.05\n" * 20_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Source(ThreadingHTTPServer):
    """Serves CONTENT at /good.csv with ranges; /broken.csv breaks off half way once; /busy.csv answers 503."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str]] = []
        self.broken = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    server: Source

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.server.asked.append((self.path, wanted))
        if self.path.endswith("busy.csv"):
            self.send_error(503)
            return
        if not self.path.endswith((".csv", "good%20one.csv")) or self.path.endswith("gone.csv"):
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        body = CONTENT[start:]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.path.endswith("broken.csv") and not self.server.broken:
            self.server.broken = True
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the tests read `asked`."""


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with Source() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TWIN_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data" / "rig"


def fetch(source: Source, tmp_path: Path, files: dict[str, str], *options: str) -> int:
    entry = {
        "name": "rig",
        "title": "A rig",
        "folder": "rig",
        "base_url": source.url,
        "homepage": source.url,
        "licence": "none",
        "citation": "nobody",
        "files": files,
    }
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"datasets": [entry]}))
    return data.main(["--manifest", str(manifest), *options])


def test_a_file_arrives_whole_and_is_not_fetched_twice(source: Source, tmp_path: Path, folder: Path) -> None:
    assert fetch(source, tmp_path, {"valve/good one.csv": SHA256}) == 0
    assert (folder / "valve/good one.csv").read_bytes() == CONTENT
    assert fetch(source, tmp_path, {"valve/good one.csv": SHA256}) == 0
    assert source.asked == [("/valve/good%20one.csv", "")]


def test_a_wrong_checksum_leaves_no_file_and_names_both(
    source: Source, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(source, tmp_path, {"good.csv": "0" * 64}) == 1
    assert list(folder.rglob("*.csv*")) == []
    printed = capsys.readouterr().out
    assert SHA256 in printed
    assert "0" * 64 in printed


def test_a_changed_file_is_fetched_again(source: Source, tmp_path: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "good.csv").write_bytes(b"somebody edited this")
    assert fetch(source, tmp_path, {"good.csv": SHA256}) == 0
    assert (folder / "good.csv").read_bytes() == CONTENT


def test_a_broken_connection_resumes_where_it_stopped(source: Source, tmp_path: Path, folder: Path) -> None:
    assert fetch(source, tmp_path, {"broken.csv": SHA256}) == 0
    assert (folder / "broken.csv").read_bytes() == CONTENT
    assert source.asked == [("/broken.csv", ""), ("/broken.csv", f"bytes={len(CONTENT) // 2}-")]


def test_a_part_from_an_earlier_run_is_finished(source: Source, tmp_path: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "good.csv.part").write_bytes(CONTENT[:1000])
    assert fetch(source, tmp_path, {"good.csv": SHA256}) == 0
    assert source.asked == [("/good.csv", "bytes=1000-")]
    assert [path.name for path in folder.iterdir()] == ["good.csv"]


def test_a_complete_part_needs_no_more_bytes(source: Source, tmp_path: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "good.csv.part").write_bytes(CONTENT)
    assert fetch(source, tmp_path, {"good.csv": SHA256}) == 0
    assert (folder / "good.csv").read_bytes() == CONTENT


def test_a_missing_file_is_told_and_the_others_still_arrive(
    source: Source, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(source, tmp_path, {"gone.csv": SHA256, "good.csv": SHA256}) == 1
    assert (folder / "good.csv").read_bytes() == CONTENT
    printed = capsys.readouterr().out
    assert "gone.csv: the server answered 404" in printed
    assert "1 fetched, 0 already there, 1 failed" in printed


def test_a_busy_server_is_asked_again_and_then_given_up(
    source: Source, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(source, tmp_path, {"busy.csv": SHA256}) == 1
    assert len(source.asked) == data.ATTEMPTS
    assert "503" in capsys.readouterr().out


def test_nobody_at_the_address_is_an_error_not_a_trace(
    source: Source, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(source, tmp_path, {"good.csv": SHA256}, "--mirror", "http://127.0.0.1:1/mirror") == 1
    assert "127.0.0.1:1/mirror/rig/good.csv" in capsys.readouterr().out


def test_list_downloads_nothing(source: Source, tmp_path: Path, folder: Path) -> None:
    assert fetch(source, tmp_path, {"good.csv": SHA256}, "--list") == 0
    assert source.asked == []


def test_an_unknown_set_is_refused_by_name(source: Source, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"'moon'.*rig"):
        fetch(source, tmp_path, {"good.csv": SHA256}, "moon")


def test_a_manifest_may_not_leave_the_folder(source: Source, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="stay in the data folder"):
        fetch(source, tmp_path, {"../good.csv": SHA256})


def test_the_shipped_manifest_is_complete() -> None:
    for entry in data.read_manifest(data.MANIFEST).values():
        assert entry.base_url.startswith("https://")
        assert entry.base_url.endswith("/")
        assert entry.licence
        assert entry.citation
        assert all(len(bytes.fromhex(sha256)) == 32 for sha256 in entry.files.values())
