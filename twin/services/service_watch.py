"""What the worker hears of work done on machines: one small read now and then, each service told to the block once.

Whoever gets True writes a checkpoint with the next commit: from then on the service is part of the block.
"""

from __future__ import annotations

import logging

from twin.engine.block import Block
from twin.ports import ServiceStore
from twin.services.cadence import Cadence

log = logging.getLogger(__name__)

OVERLAP_S = 600.0
"""Orders are closed by other processes, whose clocks differ and whose writes take time."""


class ServiceWatch:
    def __init__(self, services: ServiceStore, cadence: Cadence) -> None:
        self._store = services
        self._every_s = cadence.registry_s
        self.resume(0.0)

    def resume(self, since_s: float) -> None:
        """Tell everything done since then again; the block knows what it has heard."""
        self._since_s = since_s
        self._looked_at = float("-inf")

    def tell(self, block: Block, monotonic: float) -> bool:
        """Whether the block learned of anything new."""
        if monotonic - self._looked_at < self._every_s:
            return False
        found = self._store.services(self._since_s)
        self._looked_at = monotonic
        told = [service for service in found if block.serviced(service)]
        for service in told:
            log.info("%s: %s is done, a new segment begins", service.device_id, service.service_id)
        if found:
            self._since_s = max(self._since_s, found[-1].at_s - OVERLAP_S)
        return bool(told)
