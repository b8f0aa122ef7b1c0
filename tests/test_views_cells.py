"""Laws of a large fleet's page: a cell a device at a fixed place, worst problems in words, who ran by hour."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.fake_app import FakeApp
from tests.fake_fleet import DAY_S, NOW, NOW_S, fake_feed
from tests.test_pages import markup, opened, text
from twin.schema.alert import Suppression
from twin.schema.history import UNKNOWN, Totals
from twin.services.live_feed import Feed
from twin.ui import fleet_cells
from twin.views.cells import MOST_PROBLEMS, CellRow
from twin.views.fleet import Filters, fleet
from twin.views.share_running import HOURS, shares_running


def large(devices: int = 61) -> Feed:
    """The twelve and more like INST-001, all in the area "Annex"."""
    feed = fake_feed()
    one, state = feed.devices["INST-001"], feed.states["INST-001"]
    names = [f"X-{k:03d}" for k in range(devices - len(feed.devices))]
    return replace(
        feed,
        devices={**feed.devices, **{n: replace(one, device_id=n, area="Annex", upstream=()) for n in names}},
        states={**feed.states, **{n: replace(state, device_id=n, inherited_from="") for n in names}},
    )


def rows(feed: Feed, area: str = "") -> dict[str, CellRow]:
    return {row.area: row for row in fleet(feed, NOW, Filters(area)).rows}


@pytest.mark.parametrize(("devices", "dense"), [(60, False), (61, True)])
def test_more_than_sixty_devices_are_cells_and_never_both(devices: int, dense: bool) -> None:
    view = fleet(large(devices), NOW)
    assert (view.is_dense, bool(view.rows), bool(view.areas)) == (dense, dense, not dense)


def test_a_small_area_of_a_large_fleet_has_tiles_whoever_is_ill_in_it() -> None:
    feed = large(80)
    assert not fleet(feed, NOW, Filters(area="Utilities")).is_dense
    assert fleet(feed, NOW, Filters(area="Annex")).is_dense
    assert fleet(feed, NOW, Filters(problem="any")).is_dense, (
        "what is shown may shrink, the kind of page may not"
    )


def test_places_of_cells_do_not_depend_on_health() -> None:
    def places(feed: Feed) -> list[tuple[str, str]]:
        return [(area, cell.device_id) for area, row in rows(feed).items() for cell in row.cells]

    feed = large()
    assert places(feed) == places(replace(feed, cases=(), states={}))
    assert len(places(feed)) == 61


def test_a_cell_shows_its_own_worst_problem_before_what_it_inherits() -> None:
    cells = {cell.device_id: cell for row in rows(large()).values() for cell in row.cells}
    assert (cells["PUMP-001"].rank, cells["INST-002"].rank) == (1, 0)
    assert cells["INST-002"].told.endswith("\nfrom PUMP-001")
    assert cells["PUMP-001"].told.splitlines()[-1] == "Bearing wear"
    html = fleet_cells.cells(fleet(large(), NOW).rows, is_old=False)
    pump, inherits = (re.search(rf'id={name}"[^>]*>(.*?)</a>', html) for name in ("PUMP-001", "INST-002"))
    assert pump is not None and pump[1] == '<i class="sv s1">1</i>'
    assert inherits is not None and inherits[1] == '<i class="inh"></i>'


def test_the_worst_problems_of_an_area_are_named_and_the_rest_counted() -> None:
    feed = large()
    pump = next(c for c in feed.cases if c.case.device_id == "PUMP-001")
    many = tuple(replace(pump, case=replace(pump.case, device_id=f"X-{k:03d}")) for k in range(5))
    row = rows(replace(feed, cases=many))["Annex"]
    assert ([p.device_id for p in row.problems], row.more) == (["X-000", "X-001", "X-002"], 2)
    assert MOST_PROBLEMS == 3
    assert "and 2 more" in fleet_cells.cells([row], is_old=False)


def test_old_counts_are_struck_through() -> None:
    row = rows(large())["Annex"]
    assert f"<s>{row.running} of 49 running</s>" in fleet_cells.cells([row], is_old=True)
    assert "<s>" not in fleet_cells.cells([row], is_old=False)


def test_share_running_is_of_known_time_and_an_unknown_hour_is_not_zero() -> None:
    feed = fake_feed()
    hour_s = NOW_S // 3600 * 3600
    day = {
        "PUMP-001": [
            Totals(hour_s - 3600, 3600.0, 0, 1200, {"RUNNING": 900.0, "IDLE": 900.0, UNKNOWN: 1800.0})
        ],
        "PUMP-002": [Totals(hour_s - 3600, 3600.0, 0, 1200, {"RUNNING": 3600.0})],
        "INST-001": [Totals(hour_s - 2 * DAY_S, 3600.0, 0, 1200, {"RUNNING": 3600.0})],
    }
    by_area = {row.area: row for row in shares_running(feed.devices, day, sorted(day), NOW_S)}
    pumps = by_area["Utilities"]
    assert pumps.hours[-2] == pumps.day == pytest.approx(4500 / 5400)
    assert pumps.hours[-1] is None
    assert by_area[feed.devices["INST-001"].area].hours == (None,) * HOURS


def test_the_page_of_a_large_fleet_draws_cells_that_open_their_device() -> None:
    app = FakeApp()
    app._feed = large()
    page = opened(app)
    assert "press a cell for its page" in text(page)
    assert 'class="cell" href="device?id=X-048" data-open="device?id=X-048"' in markup(page)
    assert "Share running, last 24 hours" in text(page)
    assert 'class="tile' not in markup(page)
    table = re.search(r'id="share-table">.*?</table>', markup(page), re.DOTALL)
    assert table is not None and table[0].count("<tr>") == 1 + HOURS
    assert "<th>From, UTC</th>" in table[0] and '<th class="num">Annex</th>' in table[0]
    assert "<td>14:00</td>" in table[0], "the hour that runs, at 14:32"
    assert "PUMP-001 bearing wear" in text(page)


def test_a_cell_names_what_is_held_back_on_its_device_in_grey() -> None:
    feed = large()
    pump = next(c for c in feed.cases if c.case.device_id == "PUMP-001")
    kept = Suppression("shelved", "ana", "spare is ordered", until_s=NOW_S + 3 * 3600.0)
    row = rows(replace(feed, cases=(replace(pump, suppression=kept),)))["Utilities"]
    cell = next(cell for cell in row.cells if cell.device_id == "PUMP-001")
    assert cell.told.splitlines()[-1] == "1 case held until 17:32: bearing wear"
    assert row.problems == (), "what is held back is not counted"
    html = fleet_cells.cells([row], is_old=False)
    pump_cell = re.search(r'id=PUMP-001"[^>]*>(.*?)</a>', html)
    assert pump_cell is not None and pump_cell[1] == '<i class="sv s1 held">1</i>'
