"""No emulator enforces indexes, exemptions or TTL: what the adapter issues is held against the deployed files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from twin.stores.firestore_shapes import EXPIRING, SHAPES, check_shape
from twin.stores.sqlite_schema import COLLECTIONS

ROOT = Path(__file__).parents[2]
DECLARED: dict[str, Any] = json.loads((ROOT / "firestore.indexes.json").read_text())


def test_every_query_shape_has_its_composite_index_and_no_index_is_idle() -> None:
    field = {"part": "_part", "also": "_also"}
    issued = {
        (collection, field[by], "DESCENDING" if descending else "ASCENDING")
        for collection, shapes in SHAPES.items()
        for by, descending in shapes
    }
    declared = set()
    for index in DECLARED["indexes"]:
        first, second = index["fields"]
        assert index["queryScope"] == "COLLECTION"
        assert (first["order"], second["fieldPath"]) == ("ASCENDING", "_sort")
        declared.add((index["collectionGroup"], first["fieldPath"], second["order"]))
    assert declared == issued


def test_no_field_is_indexed_by_itself_but_those_that_find_strays() -> None:
    overrides = {(o["collectionGroup"], o["fieldPath"]): o for o in DECLARED["fieldOverrides"]}
    for collection in {*SHAPES, "checkpoints", "counters"}:
        assert overrides[collection, "*"]["indexes"] == []
    alone = {key for key, override in overrides.items() if override["indexes"]}
    assert alone == {("telemetry_stream", "_part"), ("telemetry_stream", "device_id")}


def test_expiring_collections_have_a_ttl_policy() -> None:
    found = {
        o["collectionGroup"]
        for o in DECLARED["fieldOverrides"]
        if o.get("ttl") and o["fieldPath"] == "_expire_at"
    }
    assert found == set(EXPIRING)


def test_undeclared_query_shape_is_refused() -> None:
    check_shape("cases", "also", True)
    with pytest.raises(LookupError, match=r"firestore\.indexes\.json"):
        check_shape("cases", "also", False)


def test_declared_collections_are_those_of_the_tables() -> None:
    assert set(SHAPES) <= set(COLLECTIONS)


def test_rules_deny_everything() -> None:
    rules = (ROOT / "firestore.rules").read_text()
    allows = [
        line.strip() for line in rules.splitlines() if "allow" in line and not line.strip().startswith("//")
    ]
    assert allows == ["allow read, write: if false;"]
    assert "match /{document=**}" in rules
