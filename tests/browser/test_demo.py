"""The running demo as a visitor meets it: cold deep link, break a device, see it found."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Browser, Page, TimeoutError, expect

from tests.browser.conftest import visiting

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
PAGES = ("fleet", "alerts", "maintenance", "business", "simulator", "device?id=INST-003")
DEVICE = "INST-003"
HIDDEN = """() => [
  ...[...document.querySelectorAll('table.by, table.why')].filter(t => t.scrollWidth > t.parentElement.clientWidth + 1),
  ...[...document.querySelectorAll('.stButtonGroup button p')].filter(p => p.scrollWidth > p.clientWidth + 1)
].map(e => e.textContent.slice(0, 30))"""
"""What of a page is there but not to be seen without moving it sideways."""


def test_a_cold_deep_link_opens_its_page_with_header_and_data(demo: str, browser: Browser) -> None:
    """The first visit of this server; must stay the first test of this file."""
    with visiting(browser) as visitor:
        visitor.page.goto(f"{demo}/alerts")
        expect(
            visitor.page.get_by_text(re.compile("Is the alerting|Nothing needs|open alert", re.I)).first
        ).to_be_visible(timeout=20_000)
        expect(visitor.page.get_by_role("link", name="Simulator")).to_be_visible()
        assert "/alerts" in visitor.page.url
        assert visitor.outside == []


def test_the_fleet_is_on_screen_with_its_history(demo: str, browser: Browser) -> None:
    with visiting(browser) as visitor:
        page = visitor.page
        page.goto(f"{demo}/fleet")
        for number in range(1, 13):
            expect(page.get_by_text(f"INST-{number:03}").first).to_be_visible(timeout=60_000)
        expect(page.get_by_text("State, last 24 hours").first).to_be_visible()
        expect(page.get_by_text("Simulated data").first).to_be_visible()
        assert visitor.outside == []
        assert visitor.errors == []


def test_a_fault_injected_on_the_page_is_found_on_the_right_device_with_its_cause(
    demo: str, browser: Browser
) -> None:
    with visiting(browser) as visitor:
        page = visitor.page
        page.goto(f"{demo}/simulator")
        choose(page, "Device", f"^{DEVICE}")
        cause = choose(page, "Fault", "bearing")
        page.get_by_text("Over 2 min", exact=True).first.click()
        time.sleep(1.0)
        page.get_by_role("button", name="Inject fault").click()
        expect(page.get_by_text(re.compile("Asked gateway")).first).to_be_visible(timeout=10_000)
        began = time.monotonic()
        page.goto(f"{demo}/alerts")
        row = page.get_by_text(re.compile(rf"^{cause}", re.I)).first
        expect(row).to_be_visible(timeout=120_000)
        print(f"found after {time.monotonic() - began:.0f} s")
        expect(page.get_by_text(DEVICE).first).to_be_visible()
        page.goto(f"{demo}/device?id={DEVICE}")
        expect(page.get_by_role("heading", name=re.compile(DEVICE))).to_be_visible(timeout=20_000)
        expect(page.get_by_text(re.compile("bearing", re.I)).first).to_be_visible()
        assert visitor.outside == []


def choose(page: Page, label: str, option: str) -> str:
    """Pick the first option that matches in the select box `label`; its text.

    Opened again where the page was still drawing what was chosen before it.
    """
    box = page.get_by_role("combobox", name=re.compile(rf"\b{label}\b"))
    expect(box).to_be_visible(timeout=20_000)
    found = page.get_by_role("option", name=re.compile(option, re.I)).first
    for is_last in (False, False, True):
        try:
            box.click()
            text = found.inner_text(timeout=4_000)
            found.click(timeout=4_000)
            break
        except TimeoutError:
            if is_last:
                raise
    expect(page.get_by_role("option")).to_have_count(0)
    return text


def test_a_click_on_a_device_opens_its_own_address(demo: str, browser: Browser) -> None:
    with visiting(browser) as visitor:
        page = visitor.page
        page.goto(f"{demo}/fleet")
        page.get_by_role("button", name=re.compile("INST-005")).or_(
            page.get_by_role("link", name=re.compile("INST-005"))
        ).first.click()
        page.wait_for_url(re.compile(r"/device\?.*id=INST-005"), timeout=15_000)
        expect(page.get_by_role("heading", name=re.compile("INST-005"))).to_be_visible(timeout=15_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page_name", PAGES)
def test_every_page_fits_a_phone_and_asks_nobody_else(
    demo: str, browser: Browser, page_name: str, scheme: str
) -> None:
    with visiting(browser, width=390, height=844, scheme=scheme) as visitor:
        page = visitor.page
        page.goto(f"{demo}/{page_name}")
        expect(page.locator("h1").first).to_be_visible(timeout=60_000)
        time.sleep(1.5)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, f"{page_name} is {wide} px wide on a phone"
        assert page.evaluate(HIDDEN) == [], "a table that scrolls sideways, or a choice that is cut off"
        bar = page.locator(".st-key-bar").bounding_box()
        assert bar is not None and bar["height"] <= 80, "one line of marks and age, one of pages"
        assert visitor.outside == []
        assert page.get_by_text("Traceback").count() == 0
        expect(page.locator('[data-testid="stException"]')).to_have_count(0)


def test_charts_move_by_themselves(demo: str, browser: Browser) -> None:
    with visiting(browser) as visitor:
        page = visitor.page
        page.goto(f"{demo}/fleet")
        expect(page.locator("h1").first).to_be_visible(timeout=60_000)
        clock = page.get_by_text(re.compile(r"\d\d:\d\d:\d\d UTC")).first
        before = clock.inner_text()
        time.sleep(7.0)
        assert clock.inner_text() != before
