"""All ports of one store: a bundle over memory, over a SQLite file, over a Firestore client.

Takes plain arguments; which one a URL asks for is bootstrap's to decide. The ground truth gets documents of its
own, so that no port of the twin can reach it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.ports import Meter, Stores, Unmetered
from twin.schema.instant import to_seconds
from twin.schema.retention import Retention
from twin.stores.alerts import DocumentAlertStore
from twin.stores.documents import Documents
from twin.stores.forgetting import forget_operator
from twin.stores.history import DocumentHistoryStore, forget_history, forget_minutes
from twin.stores.memory import MemoryDocuments
from twin.stores.notes import DocumentNoteStore
from twin.stores.notices import DocumentNoticeStore, forget_notices
from twin.stores.people import DocumentAuditStore, DocumentResponseStore, DocumentSettingsStore
from twin.stores.quarantine import DocumentQuarantineStore
from twin.stores.quieting import DocumentQuietStore
from twin.stores.registry import DocumentRegistryStore
from twin.stores.rule_versions import DocumentRuleStore
from twin.stores.shards import DocumentShardStore
from twin.stores.simulation import DocumentCommandStore, DocumentGroundTruthStore
from twin.stores.sqlite import SqliteDocuments
from twin.stores.telemetry import DocumentTelemetryStore
from twin.stores.work import DocumentServiceStore, DocumentWorkStore, forget_work

if TYPE_CHECKING:
    from twin.stores.firestore import FirestoreDocuments

Now = Callable[[], datetime]
HEAD_EVERY_S = 600.0
"""How old an epoch's head may get where every write is billed."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def open_memory_stores(*, now: Now = utc_now, retention: Retention | None = None) -> Stores:
    """Stores that live and end with this process."""
    return stores_over(MemoryDocuments(), MemoryDocuments(), now=now, retention=retention)


def open_sqlite_stores(
    path: str | Path, *, now: Now = utc_now, durable: bool = True, retention: Retention | None = None
) -> Stores:
    """Stores in the file `path`, created when it is not there, the ground truth in `truth_path(path)`.

    durable  False for back-fill: a power cut may lose the last writes, never half of one
    """
    return stores_over(*open_sqlite_documents(path, durable=durable), now=now, retention=retention)


def open_sqlite_documents(path: str | Path, *, durable: bool = True) -> tuple[Documents, Documents]:
    """The kernels of that store: everything but the ground truth, and the ground truth."""
    documents = SqliteDocuments(path, durable=durable)
    try:
        return documents, SqliteDocuments(truth_path(path), durable=durable)
    except BaseException:
        documents.close()
        raise


def truth_path(path: str | Path) -> Path:
    """Where the ground truth of the store at `path` is kept: `twin.sqlite` -> `twin.truth.sqlite`."""
    return Path(path).with_suffix(".truth.sqlite")


def open_firestore_stores(client: Any, *, now: Now = utc_now, retention: Retention | None = None) -> Stores:
    """Stores in the database of a `google.cloud.firestore.Client`; `close` leaves the client open."""
    documents = open_firestore_documents(client)
    return metered_stores_over(documents, documents.meter, now=now, retention=retention)


def open_firestore_documents(client: Any) -> FirestoreDocuments:
    """The kernel of that database."""
    from twin.stores.firestore import FirestoreDocuments

    return FirestoreDocuments(client)


def metered_stores_over(
    documents: Documents, meter: Meter, *, now: Now = utc_now, retention: Retention | None = None
) -> Stores:
    """Every port over a kernel that is billed by the document, the ground truth in the same database."""
    return stores_over(
        documents,
        documents,
        now=now,
        head_every_s=HEAD_EVERY_S,
        meter=meter,
        retention=retention,
        expires=True,
    )


def stores_over(
    documents: Documents,
    truth: Documents,
    *,
    now: Now = utc_now,
    head_every_s: float = 0.0,
    meter: Meter | None = None,
    retention: Retention | None = None,
    expires: bool = False,
) -> Stores:
    """Every port over one kernel; `head_every_s` as in DocumentTelemetryStore, meter None where nothing is billed.

    expires  the store deletes by itself what says when it expires, so the worker pays for no look
    """
    kept = retention or Retention()

    def close() -> None:
        documents.close()
        truth.close()

    def tidy() -> None:
        forget_minutes(documents, to_seconds(now()))
        if not expires:
            forget_history(documents, to_seconds(now()), kept)
        forget_work(documents, to_seconds(now()))
        forget_notices(documents, to_seconds(now()))
        documents.tidy()
        truth.tidy()

    return Stores(
        telemetry=DocumentTelemetryStore(documents, now, head_every_s),
        registry=DocumentRegistryStore(documents),
        shards=DocumentShardStore(documents, now, kept),
        history=DocumentHistoryStore(documents),
        alerts=DocumentAlertStore(documents),
        quarantine=DocumentQuarantineStore(documents, now),
        notices=DocumentNoticeStore(documents),
        commands=DocumentCommandStore(documents, now),
        ground_truth=DocumentGroundTruthStore(truth),
        quietings=DocumentQuietStore(documents),
        services=DocumentServiceStore(documents),
        work=DocumentWorkStore(documents),
        responses=DocumentResponseStore(documents),
        settings=DocumentSettingsStore(documents),
        notes=DocumentNoteStore(documents),
        rules=DocumentRuleStore(documents),
        audit=DocumentAuditStore(documents),
        meter=meter or Unmetered(),
        retention=kept,
        forget=partial(forget_operator, documents, truth),
        tidy=tidy,
        close=close,
    )
