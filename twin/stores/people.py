"""What people write: responses to cases, settings, the audit log. Every change is made against a version.

Two people at once: one wins, the other is told who and may look again. Saying the same again (a lost reply) is
no conflict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, TypeVar

from twin.errors import ConcurrentChangeError
from twin.ports import AuditEntry, AuditStore, ResponseStore, Setting, SettingsStore
from twin.schema.alert import Judgement, Response
from twin.schema.instant import format_instant, parse_instant, to_seconds
from twin.schema.quieting import Quieting
from twin.stores.alerts import CASES
from twin.stores.documents import Create, Document, Documents, read_all
from twin.stores.quieting import new_mark, write_quieting

_SETTINGS, _AUDIT = "settings", "audit_log"
_Part = TypeVar("_Part", Response, Judgement)


class DocumentResponseStore(ResponseStore):
    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def respond(self, case_id: str, response: Response, *, expected_version: int) -> Response:
        return self._change(case_id, "response", response, Response(), expected_version)

    def judge(self, case_id: str, judgement: Judgement, *, expected_version: int) -> Judgement:
        return self._change(case_id, "judgement", judgement, Judgement(), expected_version)

    def quiet(self, quieting: Quieting, *, expected_version: int) -> Quieting:
        return write_quieting(self._documents, quieting, expected_version)

    def _change(self, case_id: str, field: str, wanted: _Part, blank: _Part, expected_version: int) -> _Part:
        new = replace(wanted, version=expected_version + 1)

        def change(found: Document | None) -> Document | None:
            if found is None:
                raise _changed(f"case {case_id}", None, "is not in the store", "Reload the list of cases")
            stored = found.data.get(field) or asdict(blank)
            if stored == asdict(new):
                return None
            if stored["version"] != expected_version:
                said = stored["state"] if "state" in stored else stored["verdict"]
                rule = f"was changed first by {stored['actor'] or 'somebody'} (to {said})"
                raise _changed(f"{field} of case {case_id}", stored["version"], rule, _LOOK)
            return replace(found, data={**found.data, field: asdict(new)})

        self._documents.update(CASES, case_id, change, [new_mark()])
        return new


class DocumentSettingsStore(SettingsStore):
    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def settings(self) -> Mapping[str, Setting]:
        found = read_all(self._documents, _SETTINGS, "")
        return {document.data["name"]: _setting(document.data) for document in found}

    def setting(self, name: str) -> Setting | None:
        found = self._documents.get(_SETTINGS, name)
        return _setting(found.data) if found is not None and found.part == "" else None

    def change(self, setting: Setting, *, expected_version: int) -> Setting:
        new = replace(setting, version=expected_version + 1)
        data = asdict(new)
        data["changed_at"] = None if new.changed_at is None else format_instant(new.changed_at)

        def write(found: Document | None) -> Document | None:
            version = 0 if found is None else found.data["version"]
            if found is not None and found.data == data:
                return None
            if version != expected_version:
                who = found.data["changed_by"] if found is not None else ""
                rule = f"was changed first by {who or 'somebody'}" if found else "does not exist yet"
                raise _changed(f"setting {setting.name}", version, rule, _LOOK)
            return Document(_SETTINGS, setting.name, data=data)

        self._documents.update(_SETTINGS, setting.name, write)
        return new


class DocumentAuditStore(AuditStore):
    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def record(self, entry: AuditEntry) -> bool:
        data = {
            "key": entry.key,
            "at": format_instant(entry.at),
            "actor": entry.actor,
            "action": entry.action,
            "target": entry.target,
            "detail": dict(entry.detail),
        }
        return self._documents.write(
            [Create(Document(_AUDIT, entry.key, sort=to_seconds(entry.at), data=data))]
        )

    def entries(self, limit: int = 100, after: AuditEntry | None = None) -> Sequence[AuditEntry]:
        behind = None if after is None else Document(_AUDIT, after.key, sort=to_seconds(after.at))
        found = read_all(self._documents, _AUDIT, "", descending=True, limit=limit, after=behind)
        return [
            AuditEntry(**{**document.data, "at": parse_instant(document.data["at"])}) for document in found
        ]


_LOOK = "Look at what is there now and decide again"


def _changed(what: str, value: object, rule: str, next_step: str) -> ConcurrentChangeError:
    return ConcurrentChangeError(what, value=value, rule=rule, next_step=next_step)


def _setting(data: Mapping[str, Any]) -> Setting:
    changed_at = data["changed_at"]
    return Setting(**{**data, "changed_at": None if changed_at is None else parse_instant(changed_at)})
