"""The device registry: one document per device, and one mark that changes with any of them.

Asking again costs one small read while nothing has changed. What is written past this port shows after the next start.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from twin.ports import RegistryStore
from twin.schema.registry import Device
from twin.stores.documents import Document, Documents, Put, read_all

_REGISTRY, _COUNTERS, _MARK = "device_registry", "counters", "registry_mark"


class DocumentRegistryStore(RegistryStore):
    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._known: tuple[str, Sequence[Device]] = ("", ())

    def register(self, devices: Sequence[Device]) -> None:
        if devices:
            mark = Document(_COUNTERS, _MARK, data={"mark": secrets.token_hex(8)})
            self._documents.write(
                [Put(mark), *(Put(Document(_REGISTRY, d.device_id, data=d.to_document())) for d in devices)]
            )

    def devices(self) -> Sequence[Device]:
        mark = self._documents.get(_COUNTERS, _MARK)
        text = "" if mark is None else str(mark.data.get("mark", ""))
        known, devices = self._known
        if text and text == known:
            return list(devices)
        found = [Device.from_document(d.data) for d in read_all(self._documents, _REGISTRY, "")]
        devices = sorted(found, key=lambda device: device.device_id)
        # The mark was read first: what changed in between shows with the next call.
        self._known = (text, devices)
        return list(devices)
