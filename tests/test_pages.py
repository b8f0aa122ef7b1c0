"""Laws of the pages, run through `main.py` on a made-up fleet: what a person reads, not which function was called."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import streamlit
from streamlit import config
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from tests.fake_app import FakeApp
from twin.errors import StoreUnavailableError
from twin.ui import session
from twin.ui.guard import MARK

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("fleet", "alerts", "maintenance", "business", "simulator", "device", "system")
WITH_DEVICES = PAGES[:-1]
BEARING = "PUMP-001|1795123568000000"


@pytest.fixture(autouse=True)
def forget_the_app() -> Iterator[None]:
    yield
    session.forget()


@pytest.fixture(autouse=True)
def warm_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server on which `main.py` has run once; AppTest would start a cold one for every run."""
    begin = PagesManager.__init__

    def begin_warm(self: PagesManager, *args: Any, **options: Any) -> None:
        begin(self, *args, **options)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", begin_warm)


def opened(app: FakeApp, page: str = "fleet", **query: str) -> AppTest:
    session.provide(lambda: app, replace=True)
    test = AppTest.from_file(str(ROOT / "main.py"), default_timeout=30)
    test.run()
    for name, value in query.items():
        test.query_params[name] = value
    return test.switch_page(f"pages/{page}.py").run()


def markup(test: AppTest) -> str:
    """Everything drawn as HTML, by st.html or by a sheet."""
    parts = [element.proto.body for element in test.get("html")]
    parts += [json.loads(element.proto.json)["html"] for element in test.get("bidi_component")]
    return "\n".join(parts)


def text(test: AppTest) -> str:
    """What a person reads, in one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", markup(test))))


# --- a normal fleet ----------------------------------------------------------------------------------------------


def test_fleet_says_who_needs_a_person_and_why() -> None:
    page = text(opened(FakeApp()))
    assert "Three devices need a person. Five of 12 run as the twin expects." in page
    assert "PUMP-001 bearing wear" in page
    assert "so it is the machine, not the sensor. INST-001 and INST-002 depend on it." in page
    assert "Remaining 24 d 12–47 d, 80 %" in page


def test_fleet_has_five_figures_with_the_age_of_their_data() -> None:
    test = opened(FakeApp())
    assert markup(test).count('<div class="fig">') == 5
    assert "8 running · 2 s old" in text(test)


def test_every_device_has_a_tile_that_leads_to_its_own_address() -> None:
    test = opened(FakeApp())
    targets = set(re.findall(r'class="tile[^"]*" href="device\?id=([A-Z]+-\d+)"', markup(test)))
    assert targets == set(FakeApp().feed().devices)


def test_header_counts_open_alerts_and_marks_simulated_data() -> None:
    test = opened(FakeApp())
    assert [link.label for link in test.get("page_link")] == [
        "**Fleet**",
        "Alerts `4`",
        "Maintenance",
        "Business",
        "Simulator",
        "System",
    ]
    assert "Simulated data" in text(test)
    assert "14:32:08 UTC" in text(test)
    assert "Filling in 30 days of history: 12 of 30 d" in text(test)


def test_state_seconds_of_every_device_add_up_to_24_h_in_the_table() -> None:
    rows = re.findall(r"<tr><td>[A-Z]+-\d+</td>.*?</tr>", markup(opened(FakeApp())))
    assert len(rows) == 12
    assert all(row.endswith('<td class="num">24.00</td></tr>') for row in rows)


def test_filters_come_from_the_address() -> None:
    page = text(opened(FakeApp(), problem="critical"))
    assert "1 of 1 open alert" in page
    assert "Chroma-9000" not in page


def test_device_page_shows_points_lost_and_the_reason() -> None:
    page = text(opened(FakeApp(), "device", id="PUMP-001"))
    assert "PUMP-001: bearing wear." in page
    assert "Swap the drive-end bearing." in page
    for row in ("Deviation from the twin", "−24.0", "−17.1", "−15.0", "−9.9", "Health now 34"):
        assert row in page
    assert "24 d 12–47, 80 %" in page
    assert "Machine, not sensor." in page


def test_device_without_an_open_alert_says_why_it_has_no_remaining_life() -> None:
    page = text(opened(FakeApp(), "device", id="INST-001"))
    assert "Not needed. Remaining life is worked out when an alert opens." in page
    assert "Nothing to do." in page


def test_unknown_device_is_named_and_others_are_offered() -> None:
    page = text(opened(FakeApp(), "device", id="INST-999"))
    assert "There is no device INST-999." in page
    assert "INST-001" in page


def test_device_text_is_escaped() -> None:
    page = markup(opened(FakeApp(), "device", id="<img src=x onerror=alert(1)>"))
    assert "<img" not in page
    assert "&lt;img src=x" in page


def test_alert_opens_by_its_address_with_evidence_that_adds_up() -> None:
    page = text(opened(FakeApp(), "alerts", alert=BEARING))
    assert "Four open alerts, three without an owner. One held back." in page
    assert "Vibration velocity 4.11 mm/s, expected 2.98." in page
    assert "Cause: Bearing wear" in page
    assert "Score 8.4" in page
    assert "Nobody has acknowledged it" in page


def test_acknowledging_names_the_actor() -> None:
    test = opened(FakeApp(), "alerts", alert=BEARING)
    test.button(key="alerts.acknowledge.button").click().run()
    page = text(test)
    assert "two without an owner" in page
    assert re.search(r"Acknowledged by demo:\w+", page)


def test_losing_a_race_says_who_won() -> None:
    app = FakeApp()
    test = opened(app, "alerts", alert=BEARING)
    app.acknowledge(BEARING, actor="OP-07", comment="", expected_version=0, key="first")
    app.hide_newest = True
    test.button(key="alerts.acknowledge.button").click().run()
    assert "Not done: it was changed first by OP-07. Look again." in text(test)
    assert test.button(key="alerts.acknowledge.button").disabled, "offering it again would only fail again"


def test_who_may_not_act_reads_why() -> None:
    app = FakeApp()
    app.denied = True
    test = opened(app, "alerts", alert=BEARING)
    assert test.button(key="alerts.acknowledge.button").disabled
    assert "Needs the operator role." in text(test)


def test_injecting_a_fault_asks_the_gateway_once() -> None:
    app = FakeApp()
    test = opened(app, "simulator")
    test.selectbox(key="simulator.device").select("PUMP-002").run()
    test.button(key="simulator.inject").click().run()
    assert [(c.device_id, c.arguments["kind"]) for c in app.asked] == [("PUMP-002", "bearing_wear")]
    assert "Asked gateway gw-1" in text(test)


def test_repair_names_the_fault() -> None:
    app = FakeApp()
    test = opened(app, "simulator")
    test.button(key="simulator.repair.f-4").click().run()
    assert [c.arguments for c in app.asked] == [{"fault_id": "f-4"}]


def test_scoreboard_gives_no_rate_for_fewer_than_five() -> None:
    page = text(opened(FakeApp(), "simulator"))
    assert "The twin found 3 of 4 injected faults. One is running unseen now." in page
    assert "Found, of injected too few 3 of 4 faults, 5 needed" in page


def test_system_page_says_what_was_refused_and_why_with_the_input_escaped() -> None:
    test = opened(FakeApp(), "system")
    assert "The store answers. The newest step is 2 s old." in text(test)
    assert "must lie between -20 and 150 °C" in text(test)
    assert "Refused inputs 8" in text(test)
    assert "<b>&quot;" not in markup(test)
    assert "&lt;b&gt;" in markup(test)


# --- empty, stale, broken ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", WITH_DEVICES)
def test_empty_fleet_says_what_to_do_next(page: str) -> None:
    assert "No devices yet. Connect a gateway, or start the simulator." in text(
        opened(FakeApp(empty=True), page)
    )


@pytest.mark.parametrize("page", PAGES)
def test_stale_feed_tells_its_age_on_every_page(page: str) -> None:
    shown = text(opened(FakeApp(stale=True), page, id="INST-001"))
    assert "No new readings for 4 min 12 s. Values are from 14:27:56. Alerts stay as they were." in shown


def test_stale_figures_are_struck_through() -> None:
    assert '<div class="v old">' in markup(opened(FakeApp(stale=True)))
    assert '<div class="v old">' not in markup(opened(FakeApp()))


@pytest.mark.parametrize("page", PAGES)
def test_store_that_fails_is_told_on_every_page_and_nothing_breaks(page: str) -> None:
    test = opened(FakeApp(broken=True), page, id="INST-001")
    assert not test.exception
    assert "The store has not answered since 14:27:56." in text(test)


@pytest.mark.parametrize("page", ["fleet", "alerts", "device"])
def test_last_known_data_stays_on_screen_while_the_store_is_down(page: str) -> None:
    assert "PUMP-001" in text(opened(FakeApp(broken=True), page, id="PUMP-001"))


def test_history_that_cannot_be_read_says_so_in_its_place() -> None:
    shown = text(opened(FakeApp(broken=True), "business"))
    assert "History cannot be read now." in shown


def test_figures_read_before_the_store_went_stay_on_screen_struck_through() -> None:
    app = FakeApp()
    test = opened(app, "business")
    app.fail(after_s=600)
    test.run()
    assert "net saving in the period" in text(test)
    assert "The store has not answered" in text(test)
    assert '<div class="v old">' in markup(test)


def test_application_that_cannot_open_its_store_says_so() -> None:
    def refuse() -> FakeApp:
        raise StoreUnavailableError("store", rule="answered not within 3 s", next_step="Start the database")

    session.provide(refuse, replace=True)
    test = AppTest.from_file(str(ROOT / "main.py"), default_timeout=30).run()
    assert not test.exception
    assert "The application cannot open its store." in text(test)
    assert "Start the database" in text(test)


# --- the frame -------------------------------------------------------------------------------------------------------


def cold(page: str, **query: str) -> AppTest:
    """A first visitor on a deep link: Streamlit runs the page's file without main."""
    session.provide(FakeApp, replace=True)
    test = AppTest.from_file(str(ROOT / "main.py"), default_timeout=30)
    for name, value in query.items():
        test.query_params[name] = value
    return test.switch_page(f"pages/{page}.py").run()


@pytest.mark.parametrize("page", PAGES)
def test_deep_link_on_a_cold_server_goes_through_main_and_back(
    page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    test = cold(page, id="PUMP-001")
    assert not test.exception
    assert "Simulated data" in text(test), "the header, which only main draws"
    if page == "device":
        assert "PUMP-001: bearing wear." in text(test)
    assert MARK not in test.session_state, "a mark is spent by the page it was set for"


def test_no_full_garbage_collection_after_every_tick() -> None:
    settings = (ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    assert "postScriptGC = false" in settings
    assert "runner.postScriptGC" in config.get_config_options()
    assert "gatherUsageStats = false" in settings


def test_style_sheet_has_no_markup_that_would_drop_it() -> None:
    css = (ROOT / "twin" / "ui" / "theme.css").read_text(encoding="utf-8")
    assert not re.search(r"<[a-zA-Z/]", css)
    assert not re.search(r"url\(['\"]?(https?:)?//", css)


def test_chart_element_exists_in_the_oldest_streamlit_we_allow() -> None:
    assert hasattr(streamlit, "echarts_chart")
