"""Who runs the demo on their own machine may act on it; a visitor of a public one may not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit import config

from tests.fake_app import FakeApp
from tests.test_actions import StillClock
from twin.physics.catalogue import asset_classes
from twin.services.assembly import build_app
from twin.settings import Settings
from twin.stores.opening import open_memory_stores
from twin.ui import session


@pytest.fixture
def app() -> Iterator[FakeApp]:
    app = FakeApp()
    app.local_operator = "local operator"
    session.provide(lambda: app, replace=True)
    yield app
    session.forget()


@pytest.fixture
def address() -> Iterator[None]:
    before = config.get_option("server.address")
    yield
    config.set_option("server.address", before)


@pytest.mark.parametrize("bound", ["127.0.0.1", "localhost", "::1"])
def test_pages_that_only_this_machine_can_reach_are_used_by_its_operator(
    app: FakeApp, address: None, bound: str
) -> None:
    config.set_option("server.address", bound)
    assert session.actor() == "local operator"


@pytest.mark.parametrize("bound", ["0.0.0.0", "192.168.1.7", None])
def test_pages_that_others_can_reach_know_visitors_only(
    app: FakeApp, address: None, bound: str | None
) -> None:
    config.set_option("server.address", bound)
    assert session.actor().startswith("demo:")


def test_the_local_operator_may_plan_work_and_a_visitor_may_not() -> None:
    settings = Settings.from_environ({"TWIN_LOCAL_OPERATOR": " local operator "})
    running = build_app(
        open_memory_stores(),
        asset_classes(),
        clock=StillClock(),
        demo=True,
        local_operator=settings.local_operator,
    )
    assert running.authorised("local operator", "plan_work")
    assert not running.authorised("demo:a", "plan_work")
    assert running.authorised("demo:a", "inject")


def test_nobody_is_operator_unless_told() -> None:
    assert Settings.from_environ({}).local_operator == ""
