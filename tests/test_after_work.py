"""Laws of a case whose machine was worked on: it waits to be seen, is quiet meanwhile, and ends or comes back by what
the machine shows, never by standing still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from tests.block_stories import RULES, Story
from tests.fake_app import FakeApp
from tests.fake_fleet import NOW, NOW_S
from tests.simulated import CLASSES, STEADY, always_running
from tests.stores.given import alert
from tests.test_pages import BEARING
from twin.alerts.book import EMPTY, Book
from twin.alerts.quieting import NOT_QUIET, WORKED_ON, suppression_of
from twin.edge.machines import SimulatedFleet
from twin.edge.schedule import FOREVER_S
from twin.engine.block import Block
from twin.schema.alert import Alert, AlertKind, Case, ConditionState, Severity
from twin.schema.fault import FaultKind
from twin.schema.quieting import Quieting, QuietKind
from twin.schema.reading import Status
from twin.schema.work import Service
from twin.views.alert_list import alerts_view
from twin.views.opened_alert import find_case, opened_alert

PUMP = "INST-008"
ONE = (PUMP,)


def put(story: Story, status: Status) -> None:
    """The pump does this from now on."""
    group, column = story.sim._place[PUMP]
    plan = group.plans[column]
    plan.status, plan.job, plan.until_s = status, "", FOREVER_S
    group._take_over_plans()


def stands(story: Story, seconds: float) -> None:
    put(story, Status.IDLE)
    story.go(seconds, step_s=15.0)


def runs(story: Story, seconds: float) -> None:
    put(story, Status.RUNNING)
    story.go(seconds, step_s=15.0)


def mended(story: Story) -> None:
    """Repaired in truth, and switched off again."""
    story.sim.repair(PUMP, None, story.sim.now_s)
    while story.sim.damage(PUMP)["bearing_wear"] > 0.1:
        story.go(15.0, step_s=15.0)
    put(story, Status.IDLE)


@cache
def worn_snapshots() -> tuple[bytes, bytes, float]:
    story = Story(ONE)
    story.inject(FaultKind.BEARING_WEAR, PUMP, ramp_s=300.0, severity=0.35)
    story.go(390.0)
    story.block.close_windows(float("inf"))
    return story.sim.snapshot(), story.block.to_bytes(), story.sim.now_s


def worn() -> Story:
    """A pump whose bearing is worn, switched off for a minute with its case open and seen by somebody."""
    sim, block, _ = worn_snapshots()
    story = Story(ONE)
    story.sim = SimulatedFleet.restore(sim, always_running(ONE), CLASSES, habits=STEADY)
    story.block = Block.from_bytes(block, CLASSES, RULES)
    story.cases = {c.case_id: c for book in story.block._head.books if (c := book.case) is not None}
    story.acknowledge(PUMP)
    stands(story, 60.0)
    assert [case.is_open for case in story.cases_of(PUMP)] == [True]
    return story


def by_order(story: Story) -> None:
    story.block.serviced(Service("WO-1", PUMP, story.sim.now_s, modes=("bearing_wear",)))


def by_maintenance(story: Story) -> None:
    put(story, Status.MAINTENANCE)
    story.go(60.0, step_s=15.0)


def the_case(story: Story) -> Case:
    (case,) = story.cases_of(PUMP)
    return case


@pytest.mark.parametrize("work", [by_order, by_maintenance])
def test_a_machine_that_stands_still_after_work_keeps_its_case_which_waits_in_quiet(
    work: Callable[[Story], None],
) -> None:
    story = worn()
    began_s = story.sim.now_s
    work(story)
    stands(story, 900.0)
    case = the_case(story)
    assert case.is_open and case.worked_s is not None and case.back_s is None
    assert began_s <= case.worked_s <= began_s + 150.0
    assert suppression_of(case, (), story.sim.now_s) == WORKED_ON
    assert story.state(PUMP).severity == ""


@pytest.mark.parametrize("work", [by_order, by_maintenance])
def test_it_ends_when_the_machine_has_run_well(work: Callable[[Story], None]) -> None:
    story = worn()
    mended(story)
    work(story)
    stands(story, 120.0)
    runs(story, 30.0)
    assert the_case(story).is_open, "nobody has seen it run for long enough"
    runs(story, 900.0)
    case = the_case(story)
    assert (case.is_open, case.worked_s, case.back_s) == (False, None, None)


def test_it_comes_back_when_the_machine_runs_as_badly_as_before_with_todays_evidence() -> None:
    story = worn()
    by_order(story)
    stands(story, 600.0)
    before = the_case(story)
    started_s = story.sim.now_s
    runs(story, 45.0)
    assert the_case(story).worked_s is not None, "not by its first readings"
    runs(story, 60.0)
    case = the_case(story)
    assert (case.case_id, case.is_open, case.worked_s) == (before.case_id, True, None)
    assert case.back_s is not None and 60.0 <= case.back_s - started_s <= 90.0
    assert suppression_of(case, (), story.sim.now_s) == NOT_QUIET
    anomaly = story.block._head.books[0].alerts["anomaly"]
    assert anomaly.evidence.at_s >= case.back_s


def test_a_restart_while_it_waits_changes_nothing() -> None:
    story = worn()
    by_order(story)
    stands(story, 600.0)
    story.block.close_windows(float("inf"))
    first = the_case(story)
    story.block = Block.from_bytes(story.block.to_bytes(), CLASSES, RULES)
    story.block.remember([first.case_id])
    runs(story, 120.0)
    case = the_case(story)
    assert (case.case_id, case.worked_s) == (first.case_id, None)
    assert case.back_s is not None


def test_other_alerts_of_the_fleet_wait_for_nothing() -> None:
    story = worn()
    stands(story, 900.0)
    assert the_case(story).worked_s is None, "nobody has worked on it"


# --- the book ---------------------------------------------------------------------------------------------------------


def one(rule: str, state: ConditionState = ConditionState.ACTIVE, worked_s: float | None = None) -> Alert:
    made = alert("A", rule)
    cleared_s = 500.0 if state is ConditionState.NORMAL else None
    return replace(
        made,
        condition=replace(
            made.condition, state=state, onset_s=100.0, active_s=110.0, cleared_s=cleared_s, worked_s=worked_s
        ),
    )


def book_of(*alerts: Alert) -> Book:
    book = EMPTY
    for number, found in enumerate(alerts):
        book = book.with_alert(found, 200.0 + number)
    return book


def waiting(book: Book) -> tuple[float | None, float | None]:
    assert book.case is not None
    return book.case.worked_s, book.case.back_s


def test_a_case_waits_only_while_everything_open_in_it_does() -> None:
    both = book_of(one("anomaly"), one("health"), one("anomaly", worked_s=190.0))
    assert waiting(both) == (None, None)
    both = both.with_alert(one("health", worked_s=195.0), 210.0)
    assert waiting(both) == (195.0, None)
    assert waiting(both.with_alert(one("threshold:flow"), 220.0)) == (None, 220.0), (
        "something new wants somebody"
    )
    assert waiting(both.with_alert(one("threshold:flow", ConditionState.LATCHED), 220.0)) == (None, 220.0)
    cleared = both.with_alert(one("health", ConditionState.NORMAL), 230.0)
    assert waiting(cleared) == (190.0, None), "one of them is over, the other still waits"
    assert cleared.with_alert(one("anomaly", ConditionState.NORMAL), 240.0).closed[0].back_s is None


def test_a_case_keeps_what_came_and_went_too_often_and_when_the_machine_first_stopped() -> None:
    restless = one("anomaly")
    restless = replace(restless, condition=replace(restless.condition, repeats=4))
    book = book_of(one("anomaly"), replace(restless, condition=replace(restless.condition, active_s=60.0)))
    assert book.case is not None and book.case.chattered == (), "four in 141 s"
    book = book.with_alert(restless, 185.0)
    stopped = replace(one("error_code"), kind=AlertKind.ERROR_CODE)
    later = replace(stopped, condition=replace(stopped.condition, onset_s=300.0))
    book = book.with_alert(stopped, 210.0).with_alert(later, 310.0).with_alert(one("anomaly"), 320.0)
    assert book.case is not None
    assert (book.case.chattered, book.case.stopped_s) == (("anomaly",), 100.0)
    assert Case.from_document(book.case.to_document()) == book.case


def test_what_a_book_says_of_work_survives_a_checkpoint() -> None:
    book = book_of(one("anomaly"), one("anomaly", worked_s=190.0))
    assert Book.from_document(book.to_document()) == book


# --- quiet, and the pages ---------------------------------------------------------------------------------------------


def on_the_page(**changes: object) -> FakeApp:
    app = FakeApp()
    feed = app.feed()
    cases = []
    for record in feed.cases:
        case = record.case
        if case.case_id == BEARING:
            case = replace(case, **changes)  # type: ignore[arg-type]
            record = replace(record, case=case, suppression=suppression_of(case, (), NOW_S))
        cases.append(record)
    app._feed = replace(feed, cases=cases)
    return app


def test_the_page_lists_it_as_held_back_and_says_what_it_waits_for() -> None:
    app = on_the_page(worked_s=NOW_S - 600.0)
    view = alerts_view(app.feed(), NOW)
    assert BEARING not in [row.case_id for row in view.rows]
    row = next(row for row in view.held if row.case_id == BEARING)
    assert (row.state, row.below) == ("Worked on 14:22", "Waits to be seen running")
    assert (row.at_stake, row.interval) == ("worked on 14:22", ""), (
        "the old part's life is not at stake any more"
    )
    record = find_case(app.feed(), BEARING)
    assert record is not None
    opened = opened_alert(app, app.feed(), record, NOW)
    assert ("14:22", "The machine was worked on") in opened.steps
    assert opened.steps[-1] == ("now", "Held back: worked on, and not seen running since")


def test_the_page_says_when_it_was_back() -> None:
    app = on_the_page(back_s=NOW_S - 300.0)
    record = find_case(app.feed(), BEARING)
    assert record is not None
    opened = opened_alert(app, app.feed(), record, NOW)
    assert ("14:27", "Still there after work on the machine") in opened.steps


def test_a_persons_shelf_stands_before_the_wait_and_the_past_was_not_quiet() -> None:
    case = Case("A", 100.0, 110.0, Severity.MAJOR, "t", "c", "machine", "", "", ("anomaly",), worked_s=500.0)
    shelf = Quieting(
        "A", QuietKind.SHELVED, 400.0, 900.0, "ann", "known", case_id=case.case_id, up_to=Severity.MAJOR
    )
    assert suppression_of(case, (shelf,), 600.0).state == "shelved"
    assert suppression_of(case, (shelf,), 950.0) == WORKED_ON
    assert suppression_of(case, (), 110.0) == NOT_QUIET, "when it opened it was told"
