"""The demo path on Firestore by changing the URL: devices on the page, break one, see it found, take the case over."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import visiting
from tests.browser.test_demo import choose
from tests.whole.processes import Role, running, simulator, wait_for, worker
from twin.commands.demo import is_healthy
from twin.commands.emulator import free_port

pytestmark = [pytest.mark.browser, pytest.mark.emulator, pytest.mark.slow, pytest.mark.timeout(150)]
URL = "firestore://demo-browser"
DEVICE = "INST-002"


@pytest.fixture(scope="module")
def on_firestore(tmp_path_factory: pytest.TempPathFactory, firestore_emulator: str) -> Iterator[str]:
    home = tmp_path_factory.mktemp("on-firestore")
    port = free_port()
    environ = {
        "TWIN_STORE": URL,
        "TWIN_PROFILE": "live",
        "TWIN_DEMO": "1",
        "TWIN_WORKER": "separate",
        "FIRESTORE_EMULATOR_HOST": firestore_emulator,
    }
    pages = [sys.executable, "-m", "streamlit", "run", "main.py", f"--server.port={port}"]
    app = Role("app", [*pages, "--server.address=127.0.0.1"], home, environ)
    edge = simulator(home, "--devices", "4", "--store", URL, "--profile", "live", environ=environ)
    twin = worker(home, environ=environ)
    with running(edge, twin, app):
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: is_healthy(url), 60.0, "the pages to answer")
        yield url


def test_a_fault_is_found_and_taken_over_on_firestore(on_firestore: str, browser: Browser) -> None:
    began = time.monotonic()
    with visiting(browser) as visitor:
        page = visitor.page
        page.goto(f"{on_firestore}/fleet")
        for number in (1, 2, 3, 4):
            expect(page.get_by_text(f"INST-{number:03}").first).to_be_visible(timeout=60_000)
        print(f"fleet after {time.monotonic() - began:.0f} s")
        page.goto(f"{on_firestore}/simulator")
        choose(page, "Device", f"^{DEVICE}")
        choose(page, "Fault", "leak")
        page.get_by_text("At once", exact=True).first.click()
        time.sleep(1.0)
        page.get_by_role("button", name="Inject fault").click()
        expect(page.get_by_text(re.compile("Asked gateway")).first).to_be_visible(timeout=10_000)
        page.goto(f"{on_firestore}/alerts")
        expect(page.get_by_role("link", name=DEVICE).first).to_be_visible(timeout=60_000)
        print(f"found after {time.monotonic() - began:.0f} s")
        page.get_by_role("link", name=re.compile("^Open ")).first.click()
        button = page.get_by_role("button", name="Acknowledge", exact=True).first
        expect(button).to_be_enabled(timeout=20_000)
        button.click()
        expect(page.get_by_text(re.compile("Acknowledged by")).first).to_be_visible(timeout=20_000)
        print(f"taken over after {time.monotonic() - began:.0f} s")
        expect(page.locator('[data-testid="stException"]')).to_have_count(0)
        assert visitor.outside == []
        assert visitor.errors == []
