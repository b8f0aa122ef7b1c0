"""The rules' file: overrides as JSON with a schema version, out and in without loss; errors name the line.

    {"schema": "twin-rules/1",
     "classes": {"centrifugal_pump": {"threshold:temperature": {"unit": "°C", "warn_high": 75.0}}},
     "devices": {"PUMP-001": {"anomaly": {"enabled": false}}}}

`unit` stands once per rule whose limits have one, so that degrees Fahrenheit are noticed. What is not in the file is as
the defaults; an empty file is the defaults.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from twin.alerts.checking import problems
from twin.alerts.overrides import FLEET, SCOPES, Key, Overrides, Value
from twin.alerts.rules import RuleSet
from twin.alerts.terms import class_rules
from twin.errors import SettingsError, shortened
from twin.physics.asset_class import AssetClass

SCHEMA = "twin-rules/1"
UNIT = "unit"
MOST_CHARACTERS = 2_000_000
MOST_LISTED = 20
Path_ = tuple[str, ...]
_TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([{}\[\],:])|([^\s{}\[\],:"]+))', re.DOTALL)


def to_text(
    overrides: Overrides, base: RuleSet, classes: Mapping[str, AssetClass], devices: Mapping[str, str]
) -> str:
    """The file. devices: device_id -> asset class, for the units."""
    document: dict[str, Any] = {"schema": SCHEMA, **overrides.to_document()}
    for scope, target, rules in _rules_in(document):
        name = target if scope == "classes" else devices.get(target, "")
        for rule, terms in rules.items():
            unit = _unit(base, classes.get(name), rule)
            if unit:
                rules[rule] = {UNIT: unit, **terms}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def from_text(
    text: str, base: RuleSet, classes: Mapping[str, AssetClass], devices: Mapping[str, str]
) -> Overrides:
    """The overrides in a file; raises SettingsError that lists what is wrong, line by line. Half a file is no file."""
    document, lines = _parsed(text)
    wrong: list[tuple[int, str]] = []
    values: dict[Key, Value] = {}
    schema = document.get("schema")
    if schema != SCHEMA:
        wrong.append((lines.get(("schema",), 1), f"schema = {shortened(schema)}: must be {SCHEMA!r}"))
    for part in document:
        if part not in ("schema", *SCOPES):
            wrong.append((lines[(part,)], f"{part}: must be one of schema, {', '.join(SCOPES)}"))
    for path, value in _leaves(document, lines, wrong):
        key = Key(path[0], "", *path[1:]) if path[0] == FLEET else Key(*path)
        if key.term == UNIT:
            wrong += (
                [(lines[path], said)] if (said := _unit_wrong(base, key, value, classes, devices)) else []
            )
        elif isinstance(value, list | dict):
            wrong.append((lines[path], f"{key.where}: must be a number, text, true, false or null"))
        else:
            plain = isinstance(value, int | float) and not isinstance(value, bool)
            values[key] = float(value) if plain else value
    found = Overrides(values)
    for problem in problems(base, found, classes, devices):
        key = problem.key
        path = (key.scope, key.rule, key.term) if key.scope == FLEET else tuple(key)
        wrong.append((lines.get(path, 1), problem.text))
    if wrong:
        raise _refused(sorted(wrong))
    return found


def _refused(wrong: list[tuple[int, str]]) -> SettingsError:
    said = "\n".join(f"line {line}: {text}" for line, text in wrong[:MOST_LISTED])
    rest = f"\n… and {len(wrong) - MOST_LISTED} more" if len(wrong) > MOST_LISTED else ""
    return SettingsError(
        "rules file",
        rule=f"was refused, nothing was changed\n{said}{rest}",
        next_step="Correct these lines",
    )


def _parsed(text: str) -> tuple[dict[str, Any], dict[Path_, int]]:
    """(document, line of every path)."""
    if len(text) > MOST_CHARACTERS:
        raise _refused([(1, f"has {len(text):,} characters, at most {MOST_CHARACTERS:,} are read")])
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _refused([(error.lineno, f"is no JSON: {error.msg} at column {error.colno}")]) from error
    except (ValueError, RecursionError) as error:
        raise _refused([(1, f"is no JSON: {error}")]) from error
    if not isinstance(document, dict):
        raise _refused([(1, "must be an object in braces")])
    return document, _lines(text)


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _lines(text: str) -> dict[Path_, int]:
    """Path of every member of valid JSON -> its line; raises SettingsError on a name that stands twice."""
    lines: dict[Path_, int] = {}
    path: list[str] = []
    open_: list[str] = []
    name: str | None = None
    place, line, seen = 0, 1, 0
    while (token := _TOKEN.match(text, place)) is not None and token.end() > place:
        place = token.end()
        start = token.start(token.lastindex or 0)
        line += text.count("\n", seen, start)
        seen = start
        word, mark = token.group(1), token.group(2)
        if mark in ("{", "["):
            open_.append(mark)
            path.append(name or "")
            name = None
        elif mark in ("}", "]"):
            open_.pop()
            name = path.pop() or None
            name = None
        elif mark == ",":
            name = None
        elif word is not None and name is None and open_ and open_[-1] == "{":
            name = str(json.loads(word))
            here = (*path[1:], name)
            if here in lines and "[" not in open_:
                raise _refused([(line, f"{' '.join(here)} stands twice, first on line {lines[here]}")])
            lines[here] = line
    return lines


def _leaves(
    document: Mapping[str, Any], lines: Mapping[Path_, int], wrong: list[tuple[int, str]]
) -> list[tuple[Path_, Any]]:
    """Every (path, value) at the depth of a term; what is no object above that is noted in `wrong`."""
    found: list[tuple[Path_, Any]] = []

    def walk(value: Any, path: Path_, deep: int) -> None:
        if not deep:
            found.append((path, value))
        elif isinstance(value, dict):
            for name, inner in value.items():
                walk(inner, (*path, name), deep - 1)
        else:
            wrong.append((lines.get(path, 1), f"{' '.join(path)}: must be an object in braces"))

    for scope in SCOPES:
        if scope in document:
            walk(document[scope], (scope,), 2 if scope == FLEET else 3)
    return found


def _rules_in(document: Mapping[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    found = [(FLEET, "", document[FLEET])] if FLEET in document else []
    return found + [
        (scope, target, rules) for scope in SCOPES[1:] for target, rules in document.get(scope, {}).items()
    ]


def _unit(base: RuleSet, asset_class: AssetClass | None, rule: str) -> str:
    """The unit of a rule's limits, "" where its terms have different ones or none."""
    found = class_rules(base, asset_class).get(rule) if asset_class is not None else None
    term = None if found is None else found.terms.get("warn_high")
    return "" if term is None or term.unit == "1" else term.unit


def _unit_wrong(
    base: RuleSet, key: Key, value: Any, classes: Mapping[str, AssetClass], devices: Mapping[str, str]
) -> str:
    name = key.target if key.scope == "classes" else devices.get(key.target, "")
    unit = _unit(base, classes.get(name), key.rule)
    if name in classes and value != unit:
        return f"{key.where} = {shortened(value)}: limits here are in {unit or 'no unit'}. Convert them"
    return ""
