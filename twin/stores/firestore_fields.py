"""A document's content as Firestore fields and back.

Data stands as native fields, so that the console and other programs can read it; the kernel's own fields begin
with `_`. What Firestore cannot hold natively (an array in an array, an integer beyond 64 bits, text that is no
UTF-8) is kept as JSON text in its field. A large binary value is cut into parts beside the document.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from twin.errors import TooLargeError
from twin.schema.instant import format_instant
from twin.stores.documents import Document, to_json

PART, ALSO, SORT, EXPIRE, BLOB, PARTS, ID = "_part", "_also", "_sort", "_expire_at", "_blob", "_parts", "_id"
FILING = (PART, ALSO, SORT, EXPIRE, ID)
DOCUMENT_BYTES = 1_000_000  # the limit is 1 MiB (1,048,576), names and index entries included
PART_BYTES = 900_000
_JSON = "_json"
_DEEPEST = 18  # Firestore nests at most 20 deep


def filing_fields(document: Document) -> dict[str, Any]:
    expire_s = document.expire_s
    return {
        PART: document.part,
        ALSO: document.also,
        SORT: document.sort,
        EXPIRE: None if expire_s is None else datetime.fromtimestamp(expire_s, UTC),
        ID: document.id,
    }


def data_fields(data: Mapping[str, Any]) -> dict[str, Any]:
    plain = json.loads(to_json(data))
    return {
        _escaped(name): value if _is_native(value, 1) else {_JSON: to_json(value)}
        for name, value in plain.items()
    }


def blob_fields(document: Document, used: int) -> tuple[dict[str, Any], list[bytes]]:
    """The fields that hold or announce the blob, and the parts that do not fit; `used` bytes are taken."""
    blob = document.blob
    if blob is None:
        return {BLOB: None, PARTS: None}, []
    if used + len(blob) <= DOCUMENT_BYTES:
        return {BLOB: blob, PARTS: None}, []
    parts = [blob[start : start + PART_BYTES] for start in range(0, len(blob), PART_BYTES)]
    return {BLOB: None, PARTS: {"count": len(parts), "hash": blob_hash(blob)}}, parts


def blob_hash(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()


def checked_size(document: Document, fields: Mapping[str, Any]) -> int:
    """Bytes of the fields as Firestore counts them; raises TooLargeError, naming the document, beyond its limit."""
    size = sum(len(name.encode()) + 1 + _size(value) for name, value in fields.items())
    if size > DOCUMENT_BYTES:
        raise TooLargeError(
            f"{document.collection} {document.id}",
            value=size,
            rule=f"may have at most {DOCUMENT_BYTES:,} bytes",
            next_step="Use more shards, or send smaller batches",
        )
    return size


def from_fields(collection: str, name: str, fields: Mapping[str, Any], blob: bytes | None) -> Document:
    part, sort, expire = fields.get(PART), fields.get(SORT), fields.get(EXPIRE)
    id, also = fields.get(ID), fields.get(ALSO)
    return Document(
        collection,
        id if isinstance(id, str) else name,
        part=part if isinstance(part, str) else None,
        sort=sort if isinstance(sort, int | float) else 0.0,
        data={_unescaped(key): _value(value) for key, value in fields.items() if not _is_ours(key)},
        blob=blob,
        also=also if isinstance(also, str) else None,
        expire_s=expire.timestamp() if isinstance(expire, datetime) else None,
    )


def json_like(value: Any) -> Any:
    """What a stranger stored, as JSON would have it: native timestamps become ISO text, bytes and references text."""
    if isinstance(value, dict):
        return {key: json_like(item) for key, item in value.items()}
    if isinstance(value, list):
        return [json_like(item) for item in value]
    if isinstance(value, datetime):
        return format_instant(value)
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)


def document_name(id: str, *, spread: bool) -> str:
    """The id as a Firestore document name; with a hash in front where ids grow with time (no hot spot then)."""
    name = quote(id, safe=" |:@+,=~")
    if not name or name.startswith(".") or name.startswith("__") or len(name) > 1400:
        name = "~" + hashlib.sha256(id.encode()).hexdigest()
    return f"{hashlib.sha256(id.encode()).hexdigest()[:4]}-{name}" if spread else name


def _is_ours(key: str) -> bool:
    return key in FILING or key in (BLOB, PARTS)


def _escaped(name: str) -> str:
    return f"~{name}" if not name or name[0] in "_~" else name


def _unescaped(key: str) -> str:
    return key[1:] if key.startswith("~") else key


def _value(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {_JSON}:
        try:
            return json.loads(value[_JSON])
        except (TypeError, ValueError, RecursionError):
            return value
    return value


def _is_native(value: Any, depth: int) -> bool:
    if depth > _DEEPEST:
        return False
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return True
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, list):
        return all(not isinstance(item, list) and _is_native(item, depth + 1) for item in value)
    return value.keys() != {_JSON} and all(
        key and not key.startswith("__") and _is_native(key, 1) and _is_native(item, depth + 1)
        for key, item in value.items()
    )


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode()) + 1
    if isinstance(value, dict):
        return sum(len(key.encode()) + 1 + _size(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(map(_size, value))
    return 1 if value is None or isinstance(value, bool) else 8
