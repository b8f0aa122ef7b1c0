"""Laws of choices kept in the address: the chosen one is shown by every run, not only by the first."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.pages_manager import PagesManager

from tests.fake_app import FakeApp
from tests.test_pages import BEARING, opened, text
from twin.ui import session, shell

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def forget_the_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    begin = PagesManager.__init__

    def begin_warm(self: PagesManager, *args: Any, **options: Any) -> None:
        begin(self, *args, **options)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", begin_warm)
    yield
    session.forget()


@pytest.mark.parametrize("chosen", ["Open", "Held", "Closed"])
def test_the_open_tab_is_sent_as_chosen_in_every_run(chosen: str) -> None:
    query = {} if chosen == "Open" else {"show": chosen}
    test = opened(FakeApp(), "alerts", alert=BEARING, **query)
    for _ in range(2):
        tabs = next(b for b in test.get("button_group") if str(b.proto.id).endswith("address.show"))
        assert [tabs.proto.options[i].content for i in tabs.proto.default] == [chosen]
        test.run()


def test_an_area_of_the_address_is_sent_as_chosen() -> None:
    test = opened(FakeApp(), "fleet", area="Utilities")
    assert test.selectbox(key="address.area").value == "Utilities"
    test.run()
    assert test.selectbox(key="address.area").proto.default == 4


def test_no_list_of_files_flashes_up_before_the_first_page() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["client"]["showSidebarNavigation"] is False


def test_the_first_visitor_reads_what_is_going_on_and_later_ones_do_not() -> None:
    said = "Reading the fleet"
    assert said in shell.READING
    assert said not in text(opened(FakeApp(), "fleet")), "gone once the store is open"
