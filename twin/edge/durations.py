"""Spans of time as people write them: 90, 90s, 10m, 24h, 30d."""

from __future__ import annotations

import re

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_FORM = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")


def parse_duration(text: str) -> float:
    """Seconds; raises ValueError with the rule."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} must be a number with s, m, h or d behind it, such as 90s or 24h")
    return float(match[1]) * _SECONDS[match[2]]


def shown_duration(seconds: float) -> str:
    """Short and readable: 45 s, 12 min, 3.5 h, 2.1 d."""
    for unit, size in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.0f} s"
