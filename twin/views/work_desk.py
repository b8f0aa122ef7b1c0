"""What the pages need of maintenance: what is known, what waiting costs, and the acts of an operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from twin.schema.work import Choice, Decision, WorkOrder
from twin.services.advice import Advice
from twin.services.work_desk import WorkBook


class WorkDesk(Protocol):
    """Acts raise NotAuthorisedError, WorkRefusedError, ConcurrentChangeError naming the winner, StoreUnavailableError.

    `key` makes a repeat harmless; `expected_version` is the one the person saw.
    """

    def known(self) -> WorkBook:
        """From memory: as of the last refresh or act of this process."""
        ...

    def refresh(self) -> WorkBook:
        """Asks the store: when a person opens a page, never in a tick."""
        ...

    def advice(self, case_id: str) -> Advice | None:
        """The cost of delay of a case now, from memory; None where its device has sent nothing."""
        ...

    def findings(self, device_id: str) -> Sequence[str]:
        """What may be found on a device: failure modes, "sensor:<signal>", "nothing found"."""
        ...

    def plan(
        self, device_id: str, *, case_id: str, title: str, from_s: float, until_s: float, who: str, note: str,
        actor: str, key: str,
    ) -> WorkOrder: ...  # fmt: skip

    def replan(
        self, id: str, *, from_s: float, until_s: float, who: str, note: str, actor: str, expected_version: int,
        key: str,
    ) -> WorkOrder: ...  # fmt: skip

    def start(self, id: str, *, actor: str, expected_version: int, key: str) -> WorkOrder: ...

    def close(
        self, id: str, *, found: str, alert_right: bool | None, relearn: bool = False, comment: str, actor: str,
        expected_version: int, key: str,
    ) -> WorkOrder: ...  # fmt: skip

    def cancel(self, id: str, *, comment: str, actor: str, expected_version: int, key: str) -> WorkOrder: ...

    def decide(
        self,
        case_id: str,
        choice: Choice,
        *,
        reason: str,
        until_s: float | None,
        actor: str,
        number: int,
        key: str,
    ) -> Decision: ...
