"""Every version of the alert rules: who, when, why, and what differs from the defaults.

The newest stands in a document of its own, written together with its version, so that a worker learns of a change with
one read. Rolling back writes a new version equal to an old one; nothing is ever overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from twin.errors import ConcurrentChangeError
from twin.ports import RuleStore, RuleVersion
from twin.schema.instant import format_instant, parse_instant
from twin.stores.documents import Document, Documents, Put, read_all

SETTINGS, PART = "settings", "alert_rules"
_NEWEST = "alert_rules"


class DocumentRuleStore(RuleStore):
    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def current(self) -> RuleVersion | None:
        found = self._documents.get(SETTINGS, _NEWEST)
        return None if found is None else _version(found.data)

    def versions(self, limit: int = 50) -> Sequence[RuleVersion]:
        newest = self.current()
        if newest is None:
            return []
        oldest = max(1, newest.version - limit + 1)
        found = read_all(self._documents, SETTINGS, PART, sort_from=float(oldest))
        return [_version(document.data) for document in found][::-1]

    def version(self, number: int) -> RuleVersion | None:
        found = self._documents.get(SETTINGS, _id(number))
        return None if found is None else _version(found.data)

    def change(self, new: RuleVersion, *, expected_version: int) -> RuleVersion:
        new = replace(new, version=expected_version + 1)
        data = {**asdict(new), "changed_at": format_instant(new.changed_at)}

        def write(found: Document | None) -> Document | None:
            version = 0 if found is None else found.data["version"]
            if found is not None and found.data["key"] == new.key:
                return None
            if version != expected_version:
                who = found.data["changed_by"] if found is not None else ""
                raise ConcurrentChangeError(
                    "alert rules",
                    value=f"version {expected_version}",
                    rule=f"were changed first by {who or 'somebody'} (version {version})",
                    next_step="Look at what is there now and decide again",
                )
            return Document(SETTINGS, _NEWEST, part=PART, data=data)

        kept = Document(SETTINGS, _id(new.version), part=PART, sort=float(new.version), data=data)
        written = self._documents.update(SETTINGS, _NEWEST, write, [Put(kept)])
        return new if written is None else _version(written.data)


def _id(number: int) -> str:
    return f"alert_rules|{number:06d}"


def _version(data: Mapping[str, Any]) -> RuleVersion:
    return RuleVersion(**{**data, "changed_at": parse_instant(data["changed_at"])})
