"""What only a file can go through: several processes, kill -9, a full disk, damage, strangers' rows, old layouts."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.stores.given import Opened, batch, record, step
from twin.errors import StoreFullError, StoreUnavailableError, StoreUnreadableError
from twin.ports import Appended, Stores
from twin.stores import sqlite_schema
from twin.stores.opening import open_sqlite_stores, stores_over, truth_path
from twin.stores.sqlite import SqliteDocuments

ROOT = Path(__file__).parents[2]


def writer(path: Path, gateway: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.stores.writer", str(path), gateway, str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def over(path: Path, **options: object) -> Stores:
    documents = SqliteDocuments(path, **options)  # type: ignore[arg-type]
    return stores_over(documents, documents)


def seqs(stores: Stores, gateway: str = "gw-1") -> list[int]:
    return [b.seq for b in stores.telemetry.read(gateway, "e1", 0, 10_000)]


def test_four_processes_write_a_new_file_at_once_and_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "twin.sqlite"
    writers = [writer(path, f"gw-{number}", 40) for number in range(4)]
    for process in writers:
        process.communicate(timeout=60)
        assert process.returncode == 0
    stores = open_sqlite_stores(path)
    for number in range(4):
        assert seqs(stores, f"gw-{number}") == list(range(1, 41))
    assert len(stores.telemetry.epochs()) == 4
    stores.close()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_writer_leaves_whole_batches_and_all_it_confirmed(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "twin.sqlite"
    process = writer(path, "gw-1", 100_000)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(random.Random(seed).uniform(0.05, 0.3))
    process.send_signal(signal.SIGKILL)
    confirmed = [int(line) for line in process.stdout.read().split("\n")[:-1]]
    process.wait()
    process.stdout.close()
    assert confirmed
    stores = open_sqlite_stores(path)
    found = stores.telemetry.read("gw-1", "e1", 0, 100_000)
    assert [b.seq for b in found][: len(confirmed)] == confirmed
    assert len(found) - len(confirmed) <= 1
    assert all(len(b.records) == 50 for b in found)
    again = batch(1, records=[record(value=float(number)) for number in range(50)])
    assert stores.telemetry.append(again) is Appended.DUPLICATE
    stores.close()


def test_full_disk_refuses_the_batch_and_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "twin.sqlite"
    over(path).close()
    small = over(path, pragmas={"max_page_count": 400})
    big = [record(value=float(number)) for number in range(100)]
    stored = 0
    with pytest.raises(StoreFullError, match=r"twin\.sqlite"):
        for seq in range(1, 1000):
            small.telemetry.append(batch(seq, records=big))
            stored = seq
    assert stored > 10
    assert seqs(small) == list(range(1, stored + 1))
    lease = small.shards.acquire("s0", "one", take_over=False)
    assert lease is not None
    small.close()
    roomy = over(path)
    assert roomy.telemetry.append(batch(stored + 1, records=big)) is Appended.STORED
    assert roomy.shards.commit(lease, step()).version == 1
    roomy.close()


def test_locked_store_is_unavailable_after_a_bounded_wait(tmp_path: Path) -> None:
    path = tmp_path / "twin.sqlite"
    stores = over(path, busy_s=0.2)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(StoreUnavailableError, match="locked"):
            stores.telemetry.append(batch(1))
        assert time.monotonic() - began < 2.0
        assert seqs(stores) == []  # reading goes on
        other.execute("ROLLBACK")
    assert stores.telemetry.append(batch(1)) is Appended.STORED
    stores.close()


def test_slow_reader_stops_no_writer_and_sees_one_state(tmp_path: Path) -> None:
    path = tmp_path / "twin.sqlite"
    stores = over(path)
    stores.telemetry.append(batch(1))
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        count = "SELECT count(*) FROM telemetry_stream"
        assert reader.execute(count).fetchone() == (1,)
        for seq in range(2, 30):
            stores.telemetry.append(batch(seq))
        stores.tidy()
        assert reader.execute(count).fetchone() == (1,)
        reader.execute("COMMIT")
        assert reader.execute(count).fetchone() == (29,)
    stores.close()


def test_tidying_cuts_the_write_ahead_log_to_nothing(tmp_path: Path) -> None:
    path = tmp_path / "twin.sqlite"
    stores = over(path)
    for seq in range(1, 30):
        stores.telemetry.append(batch(seq))
    log = path.with_name("twin.sqlite-wal")
    assert log.stat().st_size > 0
    stores.tidy()
    assert log.stat().st_size == 0
    stores.close()


@pytest.mark.parametrize(
    "garbage", ["not JSON", "[1, 2]", "{", "17", "[" * 100_000, b"\xff\xfe\x00", "x" * 10_000_000]
)
def test_garbage_comes_out_as_a_stray_and_never_breaks_a_read(sqlite: Opened, garbage: str | bytes) -> None:
    sqlite.stores.telemetry.append(batch(1))
    sqlite.put_stray("x", garbage)
    sqlite.put_stray(None, garbage)
    strays = sqlite.stores.telemetry.take_strays(10)
    assert len(strays) == 2
    text = garbage if isinstance(garbage, str) else garbage.decode("utf-8", "replace")
    assert list(strays[0].records) == [text]
    assert seqs(sqlite.stores) == [1]
    assert len(sqlite.stores.telemetry.epochs()) == 1
    sqlite.stores.telemetry.drop_strays([stray.epoch for stray in strays])
    assert sqlite.stores.telemetry.take_strays(10) == []


def test_strays_come_in_portions_that_fit_memory(sqlite: Opened) -> None:
    for number in range(5):
        sqlite.put_stray(f"x{number}", "y" * 6_000_000)
    assert len(sqlite.stores.telemetry.take_strays(10)) == 4


def test_batch_that_was_overwritten_with_garbage_is_read_as_one_odd_record(
    sqlite: Opened, tmp_path: Path
) -> None:
    for seq in (1, 2, 3):
        sqlite.stores.telemetry.append(batch(seq))
    with closing(sqlite3.connect(tmp_path / "twin.sqlite")) as connection, connection:
        connection.execute("UPDATE telemetry_stream SET data = CAST(x'ff41' AS TEXT) WHERE sort = 2")
        connection.execute(
            "INSERT INTO telemetry_stream (id, part, sort) VALUES ('y', 'gw-1|e1', 'no number')"
        )
    first, odd, last = sqlite.stores.telemetry.read("gw-1", "e1", 0, 10)
    assert (first.seq, odd.seq, last.seq) == (1, 2, 3)
    assert list(odd.records) == ["\ufffdA"]


def test_damaged_file_is_named_clearly(tmp_path: Path) -> None:
    path = tmp_path / "twin.sqlite"
    path.write_bytes(b"this is no database " * 1000)
    with pytest.raises(StoreUnreadableError, match=r"twin\.sqlite.*damaged or not a store"):
        open_sqlite_stores(path)


def test_file_damaged_while_open_is_named_clearly(tmp_path: Path) -> None:
    path = tmp_path / "twin.sqlite"
    stores = over(path)
    for seq in range(1, 100):
        stores.telemetry.append(batch(seq))
    stores.tidy()
    stores.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 8192))
    with pytest.raises(StoreUnreadableError, match="damaged"):
        over(path).telemetry.read("gw-1", "e1", 0, 1000)


def test_path_that_cannot_be_a_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailableError, match="folder cannot be used"):
        open_sqlite_stores(tmp_path / "file" / "twin.sqlite")
    with pytest.raises(StoreUnavailableError):
        open_sqlite_stores(tmp_path)


def test_file_deleted_under_a_running_process_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "twin.sqlite"
    stores = over(path)
    stores.telemetry.append(batch(1))
    for part in tmp_path.iterdir():
        part.unlink()
    assert stores.telemetry.append(batch(2)) is Appended.STORED
    other = over(path)
    assert seqs(other) == seqs(stores) == [2]
    stores.close()
    other.close()


def test_older_layout_is_brought_up_with_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "twin.sqlite"
    old = over(path)
    old.telemetry.append(batch(1))
    old.close()

    def add_table(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE new_thing (id TEXT PRIMARY KEY)")

    monkeypatch.setattr(sqlite_schema, "MIGRATIONS", (*sqlite_schema.MIGRATIONS, add_table))
    monkeypatch.setattr(sqlite_schema, "VERSION", sqlite_schema.VERSION + 1)
    new = over(path)
    assert seqs(new) == [1]
    new.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM new_thing").fetchone() == (0,)
        assert connection.execute("PRAGMA user_version").fetchone() == (sqlite_schema.VERSION,)


def test_failed_migration_leaves_the_old_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "twin.sqlite"
    over(path).close()

    def half(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE new_thing (id TEXT PRIMARY KEY)")
        connection.execute("CREATE TABLE alerts (id TEXT)")

    with monkeypatch.context() as patched:
        patched.setattr(sqlite_schema, "MIGRATIONS", (*sqlite_schema.MIGRATIONS, half))
        patched.setattr(sqlite_schema, "VERSION", sqlite_schema.VERSION + 1)
        with pytest.raises(StoreUnavailableError, match="already exists"):
            over(path)
    stores = over(path)
    assert stores.telemetry.append(batch(1)) is Appended.STORED
    stores.close()


def test_newer_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twin.sqlite"
    over(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreUnreadableError, match=r"layout 99.*Start a newer version"):
        open_sqlite_stores(path)


def test_ground_truth_is_in_a_file_of_its_own(sqlite: Opened, tmp_path: Path) -> None:
    from twin.schema.fault import Fault, FaultKind

    sqlite.stores.ground_truth.record(Fault("f1", "INST-001", FaultKind.CLOG, 0.0))
    with closing(sqlite3.connect(tmp_path / "twin.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM ground_truth").fetchone() == (0,)
    with closing(sqlite3.connect(truth_path(tmp_path / "twin.sqlite"))) as connection:
        assert connection.execute("SELECT count(*) FROM ground_truth").fetchone() == (1,)


def test_writes_are_durable_unless_a_back_fill_asks_for_speed(tmp_path: Path) -> None:
    for durable, level in ((True, 2), (False, 1)):
        documents = SqliteDocuments(tmp_path / "twin.sqlite", durable=durable)
        with documents._pool.connection() as connection:
            assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        documents.close()


def test_listening_goes_on_after_the_listener_failed(
    sqlite: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    import threading

    from twin.stores.documents import Document, Put

    heard = threading.Event()
    calls: list[int] = []

    def on_documents(found: object) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise StoreUnavailableError("store", rule="was away", next_step="Try again")
        heard.set()

    documents = sqlite.stores.commands._documents  # type: ignore[attr-defined]
    stop = documents.watch("commands", "open:g", on_documents)
    documents.write([Put(Document("commands", "c", part="open:g"))])
    assert heard.wait(10)
    stop()
