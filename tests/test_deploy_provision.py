"""Setting up a project: what would be run, in which order, and what a check finds, against a made-up cloud."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.image import ROOT
from twin.bootstrap import project_differences
from twin.commands import provision
from twin.errors import SettingsError

DECLARED = json.loads((ROOT / "firestore.indexes.json").read_text(encoding="utf-8"))
BASE = "projects/demo-twin/databases/(default)/collectionGroups"


def cloud() -> dict[str, Any]:
    """A project as it should be, in the words of the public interfaces."""
    return {
        "database": {"type": "FIRESTORE_NATIVE", "deleteProtectionState": "DELETE_PROTECTION_ENABLED"},
        "indexes": [
            {
                "name": f"{BASE}/{index['collectionGroup']}/indexes/i{number}",
                "state": "READY",
                "fields": [*index["fields"], {"fieldPath": "__name__", "order": "ASCENDING"}],
            }
            for number, index in enumerate(DECLARED["indexes"])
        ],
        "fields": [
            {
                "name": f"{BASE}/{o['collectionGroup']}/fields/{o['fieldPath']}",
                "indexConfig": {},
                **({"ttlConfig": {"state": "ACTIVE"}} if o.get("ttl") else {}),
            }
            for o in DECLARED["fieldOverrides"]
        ],
        "rules": (ROOT / "firestore.rules").read_text(encoding="utf-8"),
    }


def reader(found: Mapping[str, Any], page: int = 7) -> Callable[[str], Mapping[str, Any] | None]:
    """Answers as the interfaces do, a few entries a page."""

    def listed(name: str, url: str) -> dict[str, Any]:
        start = int(url.partition("pageToken=")[2] or 0)
        end = start + page
        more = {"nextPageToken": str(end)} if end < len(found[name]) else {}
        return {name: found[name][start:end], **more}

    def read(url: str) -> Mapping[str, Any] | None:
        if "/releases/" in url:
            return {"rulesetName": "projects/demo-twin/rulesets/r1"} if found["rules"] else None
        if "/rulesets/" in url:
            return {"source": {"files": [{"name": "firestore.rules", "content": found["rules"]}]}}
        for name in ("indexes", "fields"):
            if f"collectionGroups/-/{name}" in url:
                return listed(name, url)
        database: Mapping[str, Any] | None = found["database"]
        return database

    return read


def wrong_in(found: Mapping[str, Any]) -> list[str]:
    return project_differences(ROOT, "demo-twin", "(default)", reader(found))


def test_project_as_declared_has_nothing_wrong() -> None:
    assert wrong_in(cloud()) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.update(database=None), "There is no database"),
        (lambda c: c["database"].update(type="DATASTORE_MODE"), "must be FIRESTORE_NATIVE"),
        (lambda c: c["database"].update(deleteProtectionState="OFF"), "not protected"),
        (lambda c: c["indexes"].pop(), "is missing"),
        (lambda c: c["indexes"][0].update(state="CREATING"), "still being built"),
        (lambda c: c["fields"].pop(0), "no index settings of its own"),
        (lambda c: [f.pop("ttlConfig", None) for f in c["fields"]], "no active TTL policy"),
        (lambda c: c.update(rules=""), "No security rules"),
        (lambda c: c.update(rules=c["rules"].replace("if false", "if true")), "are not firestore.rules"),
    ],
)
def test_every_departure_is_named(change: Callable[[dict[str, Any]], object], said: str) -> None:
    found = copy.deepcopy(cloud())
    change(found)
    assert any(said in sentence for sentence in wrong_in(found))


def test_printing_runs_nothing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("something was run")

    monkeypatch.setattr("subprocess.run", never)
    assert provision.main(["--project", "demo-twin"]) == 0
    text = capsys.readouterr().out
    assert "gcloud firestore databases create '--database=(default)'" in text
    assert "Nothing was run" in text


def test_indexes_come_after_the_database_and_nobody_gets_more_than_a_user_of_it() -> None:
    made = [" ".join(command) for command in provision.commands("demo-twin", "fleet", "eur3", "x.json")]
    database = next(n for n, line in enumerate(made) if "databases create" in line)
    indexes = next(n for n, line in enumerate(made) if "deploy --only firestore" in line)
    assert database < indexes
    roles = [line for line in made if "--role=" in line]
    assert len(roles) == 2
    for line in roles:
        assert "--role=roles/datastore.user" in line
        assert 'resource.name=="projects/demo-twin/databases/fleet"' in line


def test_named_database_gets_rules_and_indexes_of_its_own() -> None:
    config: Any = provision.firebase_config("fleet")
    assert config["firestore"][0]["database"] == "fleet"
    assert config["firestore"][0]["rules"].endswith("firestore.rules")


def test_apply_stops_at_the_first_failure_but_not_at_what_is_there_already(
    capsys: pytest.CaptureFixture[str],
) -> None:
    there = ["sh", "-c", "echo ERROR: account Already Exists >&2; exit 1"]
    broken = ["sh", "-c", "echo no permission >&2; exit 1"]
    never = ["sh", "-c", "echo reached >&2; exit 1"]
    assert provision.apply([there, broken, never]) == 1
    text = capsys.readouterr().out
    assert "no permission" in text
    assert "reached" not in text.replace("echo reached", "")


def test_missing_tool_is_named() -> None:
    with pytest.raises(SettingsError, match="is not installed"):
        provision.apply([["no-such-tool-anywhere", "x"]])


@pytest.mark.parametrize("text", ["A", "x", "UPPER-CASE", "a;rm -rf", "-abcdef"])
def test_what_is_no_project_id_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        provision.main([f"--project={text}"])
    assert "not a project id" in capsys.readouterr().err
