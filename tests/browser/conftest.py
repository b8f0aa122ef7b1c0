"""The running demo and a real browser that may talk to nobody but it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.whole.processes import Role, running, wait_for

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


@contextmanager
def running_demo(home: Path, *options: str) -> Iterator[str]:
    """`python -m twin demo` on a home of its own; yields the address it printed."""
    demo = Role("demo", [sys.executable, "-u", "-m", "twin", "demo", "--port", "8700", *options], home)
    with running(demo):
        try:
            wait_for(lambda: ADDRESS.search(demo.text()), 90.0, "the demo's address")
            found = ADDRESS.search(demo.text())
            assert found is not None
            yield found.group()
        finally:
            demo.end()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("demo")
    with running_demo(home, "--no-past") as url:
        yield url


@pytest.fixture(scope="module")
def browser(chromium_path: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(chromium_path), args=ARGUMENTS)
        yield launched
        launched.close()


class Visitor:
    """A page in a context of its own, with everything it asked of other hosts; those requests are blocked."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.outside: list[str] = []
        self.errors: list[str] = []
        page.route("**/*", self._only_local)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _only_local(self, route: Route) -> None:
        host = urlparse(route.request.url).hostname
        if host in ("127.0.0.1", None):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()


@contextmanager
def visiting(
    browser: Browser, *, width: int = 1440, height: int = 900, scheme: str = "light"
) -> Iterator[Visitor]:
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    visitor = Visitor(context.new_page())
    try:
        yield visitor
    finally:
        context.close()
