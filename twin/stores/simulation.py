"""Commands to simulated gateways, and the log of what was really broken.

An open command is filed under its gateway, so that a gateway listens to nothing else; answering files it away.
The ground truth is handed its own documents (file or collection): nothing of the twin holds them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from twin.ports import CommandStore, GroundTruthStore
from twin.schema.fault import COMMAND_LIFE_S, Command, CommandState, Fault
from twin.schema.instant import to_seconds
from twin.stores.documents import Create, Document, Documents, Put, read_all

_log = logging.getLogger(__name__)

_COMMANDS, _TRUTH = "commands", "ground_truth"
_ALL, _ANSWERED = "all", "answered"


class DocumentCommandStore(CommandStore):
    def __init__(self, documents: Documents, now: Callable[[], datetime]) -> None:
        self._documents = documents
        self._now = now

    def ask(self, command: Command) -> None:
        self._documents.write([Create(_filed(command))])
        self._expire(command.gateway, command.asked_at_s)

    def listen(self, gateway: str, on_command: Callable[[Command], None]) -> Callable[[], None]:
        seen: set[str] = set()

        def on_documents(found: Sequence[Document]) -> None:
            now_s = to_seconds(self._now())
            for document in found:
                if document.id in seen:
                    continue
                seen.add(document.id)
                try:
                    command = Command.from_document(document.data)
                    if not _is_over(command, now_s):
                        on_command(command)
                except Exception:  # one bad command must not stop the next
                    _log.exception("command %s could not be carried out", document.id)

        return self._documents.watch(_COMMANDS, f"open:{gateway}", on_documents)

    def _expire(self, gateway: str, now_s: float) -> None:
        """File away what nobody answered, so that a gateway's list of open commands stays short."""
        for old in self._documents.query(
            _COMMANDS, f"open:{gateway}", sort_to=now_s - COMMAND_LIFE_S, content="none"
        ):
            self.answer(old.id, CommandState.EXPIRED, "", now_s)

    def answer(self, command_id: str, state: CommandState, answer: str, at_s: float) -> bool:
        answered: list[bool] = []

        def write(found: Document | None) -> Document | None:
            answered.clear()
            if found is None:
                return None
            command = Command.from_document(found.data)
            if command.state is not CommandState.ASKED:
                return None
            if _is_over(command, at_s):
                return _filed(replace(command, state=CommandState.EXPIRED, answered_at_s=at_s))
            answered.append(True)
            return _filed(replace(command, state=state, answer=answer, answered_at_s=at_s))

        self._documents.update(_COMMANDS, command_id, write)
        return bool(answered)

    def commands(self, limit: int = 50) -> Sequence[Command]:
        now_s = to_seconds(self._now())
        found = read_all(self._documents, _COMMANDS, _ALL, by="also", descending=True, limit=limit)
        commands = [Command.from_document(document.data) for document in found]
        return [replace(c, state=CommandState.EXPIRED) if _is_over(c, now_s) else c for c in commands]


class DocumentGroundTruthStore(GroundTruthStore):
    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def record(self, fault: Fault) -> None:
        data = fault.to_document()
        self._documents.write([Put(Document(_TRUTH, fault.fault_id, sort=fault.onset_s, data=data))])

    def faults(self, *, since_s: float = 0.0, limit: int = 500) -> Sequence[Fault]:
        found = read_all(self._documents, _TRUTH, "", sort_from=since_s, descending=True, limit=limit)
        return [Fault.from_document(document.data) for document in found]


def _filed(command: Command) -> Document:
    waiting = command.state is CommandState.ASKED
    return Document(
        _COMMANDS,
        command.command_id,
        part=f"open:{command.gateway}" if waiting else _ANSWERED,
        also=_ALL,
        sort=command.asked_at_s,
        data=command.to_document(),
    )


def _is_over(command: Command, now_s: float) -> bool:
    return command.state is CommandState.ASKED and now_s - command.asked_at_s > COMMAND_LIFE_S
