"""What a Firestore project should have, and what it has: database mode, indexes, exemptions, TTL policies, rules.

`wanted` reads the files that are deployed; `differences` asks the public administration interfaces through a `Read`.
Promises: only reads. Leaves out making anything (`commands.provision` prints that).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from twin.errors import StoreUnavailableError

FIRESTORE = "https://firestore.googleapis.com/v1"
RULES = "https://firebaserules.googleapis.com/v1"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
DEFAULT = "(default)"

Read = Callable[[str], Mapping[str, Any] | None]
"""A URL -> its JSON object, None when it does not exist."""
Index = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Wanted:
    """indexes: (collection, ((field, order), …)); fields: (collection, field) without or with few own indexes."""

    indexes: frozenset[Index]
    fields: frozenset[tuple[str, str]]
    ttl: frozenset[str]
    rules: str


def wanted(folder: Path) -> Wanted:
    """From firestore.indexes.json and firestore.rules in `folder`."""
    declared = json.loads((folder / "firestore.indexes.json").read_text(encoding="utf-8"))
    overrides = declared["fieldOverrides"]
    return Wanted(
        indexes=frozenset(
            (index["collectionGroup"], tuple((f["fieldPath"], f["order"]) for f in index["fields"]))
            for index in declared["indexes"]
        ),
        fields=frozenset((o["collectionGroup"], o["fieldPath"]) for o in overrides),
        ttl=frozenset(o["collectionGroup"] for o in overrides if o.get("ttl")),
        rules=(folder / "firestore.rules").read_text(encoding="utf-8"),
    )


def differences(target: Wanted, project: str, database: str, read: Read) -> list[str]:
    """What is missing or wrong, one sentence each; empty when all is as it should be."""
    base = f"{FIRESTORE}/projects/{project}/databases/{quote(database)}"
    found = read(base)
    if found is None:
        return [f"There is no database {database} in project {project}."]
    wrong: list[str] = []
    if found.get("type") != "FIRESTORE_NATIVE":
        wrong.append(f"The database is {found.get('type')}; it must be FIRESTORE_NATIVE.")
    if found.get("deleteProtectionState") != "DELETE_PROTECTION_ENABLED":
        wrong.append("The database is not protected against deletion.")
    wrong += _index_differences(target, _pages(read, f"{base}/collectionGroups/-/indexes", "indexes"))
    listing = f"{base}/collectionGroups/-/fields?filter={quote('indexConfig.usesAncestorConfig:false OR ttlConfig:*')}"
    wrong += _field_differences(target, _pages(read, listing, "fields"))
    return wrong + _rules_differences(target, project, database, read)


def _index_differences(target: Wanted, listed: Sequence[Mapping[str, Any]]) -> list[str]:
    ready: set[Index] = set()
    building: set[Index] = set()
    for index in listed:
        fields = tuple(
            (f["fieldPath"], f["order"])
            for f in index["fields"]
            if f["fieldPath"] != "__name__" and "order" in f
        )
        (ready if index.get("state") == "READY" else building).add((_collection(index["name"]), fields))
    return [
        f"Index of {collection} by {', '.join(f'{n} {o.lower()}' for n, o in fields)} is "
        + ("still being built." if (collection, fields) in building else "missing.")
        for collection, fields in sorted(target.indexes - ready)
    ]


def _field_differences(target: Wanted, listed: Sequence[Mapping[str, Any]]) -> list[str]:
    own: set[tuple[str, str]] = set()
    ttl: set[str] = set()
    for field in listed:
        collection, path = _collection(field["name"]), field["name"].rpartition("/fields/")[2]
        if not field.get("indexConfig", {}).get("usesAncestorConfig"):
            own.add((collection, path.strip("`")))
        if field.get("ttlConfig", {}).get("state") == "ACTIVE":
            ttl.add(collection)
    expiring = {(collection, "_expire_at") for collection in target.ttl}
    wrong = [
        f"Field {path} of {collection} has no index settings of its own."
        for collection, path in sorted(target.fields - own - expiring)
    ]
    return wrong + [
        f"{collection} has no active TTL policy on _expire_at." for collection in sorted(target.ttl - ttl)
    ]


def _rules_differences(target: Wanted, project: str, database: str, read: Read) -> list[str]:
    name = "cloud.firestore" if database == DEFAULT else f"cloud.firestore/{database}"
    release = read(f"{RULES}/projects/{project}/releases/{name}")
    if release is None:
        return ["No security rules are released."]
    ruleset = read(f"{RULES}/{release['rulesetName']}") or {}
    files = ruleset.get("source", {}).get("files", [])
    if [_plain(file.get("content", "")) for file in files] != [_plain(target.rules)]:
        return ["The released security rules are not firestore.rules."]
    return []


def _pages(read: Read, url: str, name: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    token = ""
    while True:
        joint = "&" if "?" in url else "?"
        page = read(f"{url}{joint}pageToken={quote(token)}" if token else url) or {}
        found += page.get(name, [])
        token = page.get("nextPageToken", "")
        if not token:
            return found


def _collection(name: str) -> str:
    return name.partition("/collectionGroups/")[2].partition("/")[0]


def _plain(rules: str) -> list[str]:
    return [line.strip() for line in rules.splitlines() if line.strip()]


def authorised_read(timeout_s: float = 15.0) -> Read:
    """Reads with this machine's own credentials; raises StoreUnavailableError when they are missing or refused."""
    import google.auth
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import AuthorizedSession

    try:
        credentials, _ = google.auth.default(scopes=[SCOPE])
    except GoogleAuthError as error:
        raise _refused("credentials", str(error)) from error
    session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call, unused-ignore]

    def read(url: str) -> Mapping[str, Any] | None:
        try:
            answer = session.get(url, timeout=timeout_s)
        except (GoogleAuthError, OSError) as error:
            raise _refused(url, str(error)) from error
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise _refused(url, f"answered {answer.status_code}")
        found: Mapping[str, Any] = answer.json()
        return found

    return read


def _refused(what: str, why: str) -> StoreUnavailableError:
    return StoreUnavailableError(
        what, rule=f"could not be read ({why[:200]})", next_step="Run `gcloud auth application-default login`"
    )
