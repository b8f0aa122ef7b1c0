"""The outbox of notifications: notices are merged in by commits, their deliveries by the sender.

A commit that is repeated merges the same notice again and leaves its delivery alone; a claim looks at the delivery in
the transaction that writes, so that what was delivered is not sent again. Waiting ones are filed apart from done ones,
and all of them by case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from twin.ports import NoticeStore
from twin.schema.notice import Delivery, DeliveryState, Notice, NoticeRecord
from twin.stores.documents import Document, Documents, Merge, Write, read_all

NOTICES = "notices"
WAITING, DONE = "waiting", "done"
KEEP_S = 30 * 86_400.0


class DocumentNoticeStore(NoticeStore):
    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def waiting(self) -> Sequence[NoticeRecord]:
        found = (_record(document) for document in list(read_all(self._documents, NOTICES, WAITING)))
        records: list[NoticeRecord] = []
        for record in found:
            # A repeated commit filed it as waiting once more.
            if record.delivery.is_over:
                self.settle(record.notice, record.delivery)
            else:
                records.append(record)
        return records

    def newest_done(self, limit: int) -> Sequence[NoticeRecord]:
        return [
            _record(document)
            for document in read_all(self._documents, NOTICES, DONE, descending=True, limit=limit)
        ]

    def of_case(self, case_id: str) -> Sequence[NoticeRecord]:
        return [_record(document) for document in read_all(self._documents, NOTICES, case_id, by="also")]

    def claim(self, notice: Notice, message_id: str) -> Delivery | None:
        claimed: list[Delivery] = []

        def change(found: Document | None) -> Document | None:
            claimed.clear()
            if found is None:
                return None
            delivery = _record(found).delivery
            if delivery.is_over or delivery.message_id not in ("", message_id):
                claimed.append(delivery)
                return None
            claimed.append(replace(delivery, message_id=message_id, attempts=delivery.attempts + 1))
            return replace(found, data={**found.data, "delivery": asdict(claimed[0])})

        self._documents.update(NOTICES, notice.notice_id, change)
        return claimed[0] if claimed else None

    def wait_again(self, notice_id: str) -> NoticeRecord | None:
        again: list[NoticeRecord] = []

        def change(found: Document | None) -> Document | None:
            again.clear()
            if found is None or _record(found).delivery.state is not DeliveryState.FAILED:
                return None
            again.append(NoticeRecord(Notice.from_document(found.data)))
            return replace(found, part=WAITING, data={**found.data, "delivery": asdict(Delivery())})

        self._documents.update(NOTICES, notice_id, change)
        return again[0] if again else None

    def settle(self, notice: Notice, delivery: Delivery) -> None:
        self._documents.write([Merge(_filed(notice, {"delivery": asdict(delivery)}, delivery))])


def notice_write(notice: Notice) -> Write:
    return Merge(_filed(notice, notice.to_document(), Delivery()))


def forget_notices(documents: Documents, now_s: float) -> None:
    """Delete what is older than KEEP_S; a store that expires documents by itself has done so already."""
    for part in (DONE, WAITING):
        documents.delete_range(NOTICES, part, now_s - KEEP_S)


def _filed(notice: Notice, data: dict[str, object], delivery: Delivery) -> Document:
    return Document(
        NOTICES,
        notice.notice_id,
        part=DONE if delivery.is_over else WAITING,
        also=notice.case_id,
        sort=notice.at_s,
        data=data,
        expire_s=notice.at_s + KEEP_S,
    )


def _record(document: Document) -> NoticeRecord:
    data = document.data
    return NoticeRecord(
        Notice.from_document(data),
        Delivery.from_document(data["delivery"]) if "delivery" in data else Delivery(),
    )
