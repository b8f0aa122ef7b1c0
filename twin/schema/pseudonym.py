"""Replacing a person's pseudonym in JSON: only as a word of its own, so that OP-4 leaves OP-42 alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any


def word_of(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")


def replaced(value: Any, word: re.Pattern[str], replacement: str) -> Any:
    """The same value without the word, in keys too; numbers of two keys that become one are added."""
    if isinstance(value, str):
        return word.sub(replacement, value)
    if isinstance(value, Mapping):
        new: dict[str, Any] = {}
        for key, item in value.items():
            key, item = word.sub(replacement, str(key)), replaced(item, word, replacement)
            both = key in new and isinstance(item, int | float) and isinstance(new[key], int | float)
            new[key] = new[key] + item if both else item
        return new
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [replaced(item, word, replacement) for item in value]
    return value
