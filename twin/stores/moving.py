"""Moves a whole fleet from one store to another: every collection, counted, and resumed where it was interrupted.

Promises: what is copied arrives whole, page by page in one commit with the mark it resumes from; running it again is
harmless; both stores are counted at the end, and a source that somebody wrote to meanwhile is noticed. The shards
come out free, so that a worker on the new store takes them at once. Leaves out strays (documents without filing,
the worker's to judge) and the gateways' outboxes, which stay with the gateways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from twin.errors import SettingsError, StoreUnavailableError
from twin.stores.documents import PAGE, Document, Documents, Put, Write, to_json
from twin.stores.sqlite_schema import COLLECTIONS

TRUTH = "ground_truth"
GROUP_BYTES = 3 * 2**19
GROUP_DOCUMENTS = 200
"""Of one commit, in bytes of JSON, up to twice as many on their way: Firestore takes 10 MiB, its emulator 4."""

_MARK = ("counters", "migration")
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Kernels:
    """A store's documents, and where its ground truth is (the same ones or a file of their own)."""

    documents: Documents
    truth: Documents

    def of(self, collection: str) -> Documents:
        return self.truth if collection == TRUTH else self.documents


@dataclass(frozen=True)
class Moved:
    """Documents per collection in the source and in the target, counted after the move."""

    source: Mapping[str, int]
    target: Mapping[str, int]
    resumed: bool

    @property
    def is_complete(self) -> bool:
        return dict(self.source) == dict(self.target)


def move(source: Kernels, target: Kernels, label: str, on_progress: Progress = lambda name, n: None) -> Moved:
    """Copy everything of `source` into `target`.

    label  names the source in the target's mark, so that a move from elsewhere is not taken for this one
    Raises SettingsError when the target holds another fleet, StoreUnavailableError when a store does not answer or
    the source was written to meanwhile; calling again goes on.
    """
    state = _begun(target, label)
    resumed = bool(state["done"] or state["after"])
    before = _versions(source)
    for name in COLLECTIONS:
        if name not in state["done"]:
            _copy(name, source, target, state, on_progress)
    if _versions(source) != before:
        # Begin anew next time: what was written early on in a collection may have been missed.
        _keep(
            target, {"from": label, "done": [], "collection": "", "after": "", "copied": 0, "complete": False}
        )
        raise StoreUnavailableError(
            "the source",
            rule="was written to while it was moved",
            next_step="Stop its workers and simulators, then run this again",
        )
    moved = Moved(_counts(source), _counts(target), resumed)
    _keep(target, {**state, "complete": moved.is_complete})
    return moved


def _begun(target: Kernels, label: str) -> dict[str, Any]:
    """Where an earlier run of the same move stopped, or a fresh beginning in an empty target."""
    fresh = {"from": label, "done": [], "collection": "", "after": "", "copied": 0, "complete": False}
    found = target.documents.get(*_MARK)
    if found is not None and found.data.get("from") == label:
        return fresh if found.data["complete"] else dict(found.data)
    held = next((name for name in COLLECTIONS if target.of(name).scan(name, limit=1, content="none")), None)
    if held is not None:
        raise SettingsError(
            "target store",
            rule=f"must be empty, but has documents in {held}",
            next_step="Move into an empty store; nothing was changed",
        )
    return fresh


def _copy(name: str, source: Kernels, target: Kernels, state: dict[str, Any], on_progress: Progress) -> None:
    kernel = source.of(name)
    after = state["after"] if state["collection"] == name else ""
    copied = state["copied"] if after else 0
    while True:
        page = kernel.scan(name, after)
        for group in _groups(page):
            after, copied = group[-1][0], copied + len(group)
            writes: list[Write] = [Put(_freed(document)) for _, document in group if _is_moved(document)]
            state.update(collection=name, after=after, copied=copied)
            if name == TRUTH and target.truth is not target.documents:
                target.truth.write(writes)
                writes = []
            target.documents.write([*writes, _mark(state)])
            on_progress(name, copied)
        if len(page) < PAGE:
            break
    state.update(done=[*state["done"], name], collection="", after="", copied=0)
    _keep(target, state)
    on_progress(name, copied)


def _groups(page: Sequence[tuple[str, Document]]) -> Iterator[list[tuple[str, Document]]]:
    """The page in pieces one commit can take."""
    group: list[tuple[str, Document]] = []
    size = 0
    for mark, document in page:
        bytes_ = len(to_json(document.data)) + len(document.blob or b"")
        if group and (size + bytes_ > GROUP_BYTES or len(group) >= GROUP_DOCUMENTS):
            yield group
            group, size = [], 0
        group.append((mark, document))
        size += bytes_
    if group:
        yield group


def _freed(document: Document) -> Document:
    """A shard arrives without its holder: the lease was with the old store."""
    if document.collection == "fleet_state" and document.data.get("holder"):
        return replace(document, data={**document.data, "holder": ""})
    return document


def _is_moved(document: Document) -> bool:
    return (document.collection, document.id) != _MARK


def _versions(kernels: Kernels) -> list[tuple[str, Any]]:
    """What tells that somebody commits."""
    return sorted(
        (d.id, d.data.get("version")) for _, d in _everything(kernels.documents, "fleet_state", "data")
    )


def _counts(kernels: Kernels) -> dict[str, int]:
    return {
        name: sum(_is_moved(document) for _, document in _everything(kernels.of(name), name, "none"))
        for name in COLLECTIONS
    }


def _everything(documents: Documents, collection: str, content: Any) -> Iterator[tuple[str, Document]]:
    after = ""
    while True:
        page = documents.scan(collection, after, content=content)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1][0]


def _mark(state: Mapping[str, Any]) -> Write:
    return Put(Document(*_MARK, data=dict(state)))


def _keep(target: Kernels, state: Mapping[str, Any]) -> None:
    target.documents.write([_mark(state)])
