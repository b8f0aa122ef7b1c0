"""A forgotten operator is nowhere in the store any more, and nothing else has changed."""

from __future__ import annotations

import json
import sqlite3
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tests.stores.given import T0, alert, batch, case, columns, hour, refusal, step, totals
from tests.test_rollup import device
from twin.commands import forget_operator as command
from twin.edge.outbox import Outbox, SavedMachines
from twin.edge.outbox_forgetting import forget_in_outbox
from twin.edge.vault import pack, unpack
from twin.engine import snapshot
from twin.errors import OutboxBusyError, SettingsError
from twin.ports import AuditEntry, Checkpoint, Setting, Stores
from twin.schema.alert import Response
from twin.schema.note import Note
from twin.schema.work import WorkOrder
from twin.services.forgetting import BLANK, forget
from twin.stores.forgetting import UNTOUCHED, parts
from twin.stores.memory import MemoryDocuments
from twin.stores.opening import open_memory_stores, open_sqlite_stores, stores_over
from twin.stores.sqlite_schema import COLLECTIONS

NOW = datetime(2026, 3, 3, tzinfo=UTC)
WHO = "OP-42"


def filled(stores: Stores) -> Stores:
    """OP-42 in every kind of document, beside OP-421, who is somebody else."""
    stores.registry.register([device(device_id="INST-001", gateway="gw-1")])
    stores.telemetry.append(batch(1))
    lease = stores.shards.acquire("s0", "w", take_over=False)
    assert lease is not None
    other = replace(columns(), operators=("OP-421",))
    block = snapshot.pack({"devices": {"INST-001": {"operator": WHO}}}, {})
    lease = stores.shards.commit(
        lease,
        step(
            tail={"INST-001": columns()},
            recent={T0.timestamp(): {"INST-001": columns(), "INST-002": other}},
            hours=[hour()],
            days={
                "2026-03-01": {
                    "INST-001": replace(totals(), operators_s={WHO: 60.0, "OP-421": 5.0, BLANK: 2.0})
                }
            },
            alerts=[alert()],
            cases=[case()],
            quarantine=[replace(refusal(1), excerpt=f'{{"operator": "{WHO}"}}')],
            checkpoint=Checkpoint(T0, {}, block),
        ),
    )
    response = Response(state="acknowledged", actor=WHO, at_s=1.0, comment=f"{WHO} looks, OP-421 helps")
    stores.responses.respond(case().case_id, response, expected_version=0)
    stores.notes.write(Note("INST-001", f"Ask {WHO} before use", WHO, 1.0), expected_version=0)
    order = WorkOrder("wo-1", "INST-001", f"{WHO} swaps the lamp", created_s=1.0, created_by=WHO, who=WHO)
    stores.work.put(order, expected_version=0)
    stores.settings.change(
        Setting("business.teams", {"Early": [WHO, "OP-421"]}, WHO, changed_by=WHO), expected_version=0
    )
    stores.audit.record(AuditEntry("k1", T0, WHO, "acknowledge", "INST-001", {"by": WHO}))
    return stores


def test_the_id_is_gone_everywhere_and_the_counts_say_where_it_was() -> None:
    stores = filled(open_memory_stores(now=lambda: NOW))
    changed = forget(stores, WHO, actor="command line", now=NOW)
    assert set(changed) >= {"telemetry_stream", "device_history", "fleet_history", "recent", "cases", "audit_log",
                            "quarantine", "checkpoints", "fleet_state"}  # fmt: skip
    day = stores.history.days("s0", "2026-03-01", "2026-03-01")["2026-03-01"]["INST-001"]
    assert day.operators_s == {BLANK: 62.0, "OP-421": 5.0}
    stored_hour = stores.history.hours("INST-001", 0, 4e9)[0]
    assert stored_hour.columns.operators == (BLANK,)
    assert stored_hour.columns.operator.tolist() == columns().operator.tolist()
    recent = stores.history.recent("s0", 0, 4e9)
    assert recent["INST-002"].operators == ("OP-421",)
    record = stores.alerts.cases()[0]
    assert (record.response.actor, record.response.comment) == (BLANK, f"{BLANK} looks, OP-421 helps")
    checkpoint = stores.shards.checkpoint("s0")
    assert checkpoint is not None
    assert snapshot.unpack(checkpoint.block)[0] == {"devices": {"INST-001": {"operator": BLANK}}}
    note = stores.notes.notes()["INST-001"]
    assert (note.text, note.actor) == (f"Ask {BLANK} before use", BLANK)
    (order,) = stores.work.orders()
    assert (order.title, order.who, order.created_by) == (f"{BLANK} swaps the lamp", BLANK, BLANK)
    assert stores.settings.settings()["business.teams"].value == {"Early": [BLANK, "OP-421"]}
    assert changed["settings"] == 2
    assert forget(stores, WHO, actor="command line", now=NOW) == {}


def test_no_byte_of_the_file_holds_the_id(tmp_path: Path) -> None:
    path = tmp_path / "twin.sqlite"
    stores = filled(open_sqlite_stores(path, now=lambda: NOW))
    forget(stores, WHO, actor="command line", now=NOW)
    stores.close()
    for file in (path, path.with_suffix(".truth.sqlite")):
        with sqlite3.connect(file) as connection:
            for name in COLLECTIONS:
                for row in connection.execute(f"SELECT id, data, blob FROM {name}"):
                    for value in row:
                        assert not _names(value), (name, row[0])
        connection.close()


def test_the_batch_sent_again_is_still_known() -> None:
    stores = filled(open_memory_stores(now=lambda: NOW))
    forget(stores, WHO, actor="command line", now=NOW)
    assert stores.telemetry.append(batch(1)) == "duplicate"


def test_every_collection_is_looked_through_or_named_as_holding_no_person() -> None:
    kernel = MemoryDocuments()
    stores_over(kernel, MemoryDocuments())
    assert set(parts(kernel)) | UNTOUCHED == set(COLLECTIONS)


@pytest.mark.parametrize("name", ["", "A", "INST-001", BLANK])
def test_a_name_that_could_be_something_else_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="operator id"):
        forget(filled(open_memory_stores(now=lambda: NOW)), name, actor="me", now=NOW)


def test_the_command_reports_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "twin.sqlite"
    filled(open_sqlite_stores(path)).close()
    assert command.main([WHO, "--store", f"sqlite:///{path}"]) == 0
    told = capsys.readouterr()
    text = told.out + told.err
    assert "device_history" in text
    assert "stop it and run this again" in text


def test_outboxes_forget_what_waits_what_was_refused_and_the_machines(tmp_path: Path) -> None:
    path = tmp_path / "outbox" / "GW-1.sqlite"
    outbox = Outbox(path, "GW-1")
    record = json.dumps({"device_id": "INST-001", "operator": WHO, "also": "OP-421"})
    state = pack({"plan": {"operator": WHO}}, {"wear": np.arange(3.0)})
    refused = replace(refusal(1), excerpt=f'{{"operator": "{WHO}"}}')
    for _ in range(2):
        outbox.put([record], SavedMachines("fleet", 1.0, state), [refused])
    with pytest.raises(OutboxBusyError):
        forget_in_outbox(path, WHO, BLANK, lambda gateway, epoch, seq: False)
    epoch = outbox.epoch
    outbox.close()
    asked: list[tuple[str, str, int]] = []

    def is_stored(gateway: str, its_epoch: str, seq: int) -> bool:
        asked.append((gateway, its_epoch, seq))
        return seq == 1

    assert forget_in_outbox(path, WHO, BLANK, is_stored) == 4
    assert asked == [("GW-1", epoch, 1), ("GW-1", epoch, 2)]
    assert forget_in_outbox(path, WHO, BLANK, is_stored) == 0
    again = Outbox(path, "GW-1")
    (waiting,) = again.unsent(NOW)
    assert (waiting.seq, waiting.records) == (
        2,
        [{"device_id": "INST-001", "operator": BLANK, "also": "OP-421"}],
    )
    saved = again.machines()
    assert saved is not None
    assert unpack(saved.state)[0] == {"plan": {"operator": BLANK}}
    again.close()
    for file in path.parent.iterdir():
        assert WHO.encode() not in file.read_bytes().replace(b"OP-421", b""), file


def test_the_command_cleans_the_outboxes_of_its_home(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWIN_HOME", str(tmp_path))
    store = tmp_path / "twin.sqlite"
    open_sqlite_stores(store).close()
    free, busy = (Outbox(tmp_path / "outbox" / f"{name}.sqlite", name) for name in ("GW-1", "GW-2"))
    free.put([json.dumps({"operator": WHO})], SavedMachines("fleet", 1.0, pack({}, {})))
    free.close()
    assert command.main([WHO, "--store", f"sqlite:///{store}"]) == 0
    busy.close()
    told = capsys.readouterr()
    text = told.out + told.err
    assert "1 batches and states" in text
    assert "GW-2.sqlite is in use" in text


def _names(value: object) -> bool:
    raw = value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else b""
    texts = [raw]
    for start in (5, 46):
        try:
            texts.append(zlib.decompress(raw[start:]))
        except zlib.error:
            continue
    return any(WHO.encode() in text.replace(b"OP-421", b"") for text in texts)
