"""What every test may ask for: the Firestore emulator and a browser.

A missing tool is a failure in CI and a skip with a sentence on a user's machine. The emulator takes about 400 MB, so
all tests that use it run in one xdist worker and share one; each takes a project id of its own
(`firestore_project`) and so begins with an empty database.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from twin.commands import tools
from twin.commands.emulator import running_emulator

# A slow machine is no counter-example. CI draws the same examples every time; elsewhere each run looks further.
settings.register_profile("twin", deadline=None, print_blob=True, derandomize=tools.in_ci())
settings.load_profile("twin")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep emulator tests together under xdist's loadgroup."""
    for item in items:
        if item.get_closest_marker("emulator"):
            item.add_marker(pytest.mark.xdist_group("emulator"))


def needed(name: str) -> Path:
    """The tool's path; otherwise the test fails (CI) or is left out, with the sentence that says how to get it."""
    tool = next(tool for tool in tools.TOOLS if tool.name == name)
    path = tool.find()
    if path is not None:
        return path
    if tools.in_ci():
        pytest.fail(tool.missing_sentence(), pytrace=False)
    pytest.skip(tool.missing_sentence())


@pytest.fixture(scope="session")
def firestore_emulator() -> Iterator[str]:
    """ "127.0.0.1:port" of a running official emulator. Mark tests that use it with `emulator`."""
    java, jar = needed("Java 11 or newer"), needed("the Firestore emulator")
    with running_emulator(java, jar) as address:
        yield address


@pytest.fixture
def firestore_project(
    request: pytest.FixtureRequest, firestore_emulator: str, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A project id only this test uses, with FIRESTORE_EMULATOR_HOST set to the running emulator."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    words = re.sub(r"[^a-z0-9]+", "-", request.node.nodeid.lower()).strip("-")
    return f"demo-{words[-50:].strip('-')}"


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """A Chromium or Chrome for Playwright's `executable_path`. Mark tests that use it with `browser`."""
    return needed("Chromium")
