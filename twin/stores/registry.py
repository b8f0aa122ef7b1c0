"""The device registry: one document per device."""

from __future__ import annotations

from collections.abc import Sequence

from twin.ports import RegistryStore
from twin.schema.registry import Device
from twin.stores.documents import Document, Documents, Put, read_all

_REGISTRY = "device_registry"


class DocumentRegistryStore(RegistryStore):
    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def register(self, devices: Sequence[Device]) -> None:
        if devices:
            self._documents.write(
                [Put(Document(_REGISTRY, d.device_id, data=d.to_document())) for d in devices]
            )

    def devices(self) -> Sequence[Device]:
        found = [Device.from_document(d.data) for d in read_all(self._documents, _REGISTRY, "")]
        return sorted(found, key=lambda device: device.device_id)
