"""The documents' commands, links and pictures exist in this checkout."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from twin.commands.entry import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(?:sh|bash|console|shell)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)[^)]*\)|<img[^>]+src=\"([^\"]+)\"")


def commands_in(text: str) -> list[str]:
    """The lines people would type, without prompt and comment."""
    lines = [
        line.split("#")[0].strip().removeprefix("$ ")
        for block in FENCE.findall(text)
        for line in block.splitlines()
    ]
    return [line for line in lines if line]


def unknown_commands(text: str) -> list[str]:
    """Lines that call a make target, a twin command or a script that this checkout does not have."""
    targets = set(
        re.findall(r"^(?:COMMANDS :=|\.PHONY:) (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    )
    known_targets = {word for line in targets for word in line.split()}
    known_commands = {command.name for command in COMMANDS if command.available()}
    wrong = []
    for line in commands_in(text):
        make = re.match(r"make ([a-z-]+)", line)
        twin = re.search(r"-m twin ([a-z-]+)", line)
        script = re.search(r"python3? (\w+\.py)", line)
        if make and (
            make[1] not in known_targets
            or (make[1] not in {"help", "clean"} and make[1] not in known_commands)
        ):
            wrong.append(line)
        if twin and twin[1] not in known_commands:
            wrong.append(line)
        if script and not (ROOT / script[1]).is_file():
            wrong.append(line)
    return wrong


def broken_links(document: Path) -> list[str]:
    """Relative targets that are not there; the web is not asked."""
    targets = [first or second for first, second in LINK.findall(document.read_text(encoding="utf-8"))]
    local = [target.split("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target)]
    return [target for target in local if target and not (document.parent / target).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_in_a_document_exists(document: Path) -> None:
    assert unknown_commands(document.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_picture_in_a_document_exists(document: Path) -> None:
    assert broken_links(document) == []


def test_the_rule_itself_finds_a_command_that_is_not_there() -> None:
    text = "```sh\nmake test   # fine\nmake tea\npython -m twin fly\npython nothing_here.py --x\n```\n"
    assert unknown_commands(text) == ["make tea", "python -m twin fly", "python nothing_here.py --x"]
