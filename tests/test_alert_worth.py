"""Laws of precision and lead time: what was found with the machine open counts before what was clicked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.stores.work_contract import CLOSED, ORDER
from twin.business.alert_worth import ends, lead_time, precision, verdicts

ORDERS = [replace(CLOSED, case_id=f"A|{i}", order_id=f"WO-{i}", alert_right=i != 1) for i in range(4)]


def test_a_closed_order_is_believed_before_a_click_and_an_open_one_says_nothing() -> None:
    clicked = {"A|0": "false", "A|1": "true", "B|1": "useful", "B|2": "", "B|3": "what"}
    found = verdicts(
        [*ORDERS, replace(ORDER, case_id="C|1"), replace(CLOSED, case_id="C|2", alert_right=None)], clicked
    )
    assert found == {"A|0": "true", "A|1": "false", "A|2": "true", "A|3": "true", "B|1": "useful"}


def test_of_two_orders_on_one_case_the_later_is_believed() -> None:
    first, second = replace(ORDERS[0], alert_right=False), replace(ORDERS[0], order_id="WO-9", closed_s=9e9)
    assert verdicts([second, first], {}) == {"A|0": "true"}


def test_precision_has_its_numerator_and_denominator_and_names_what_nobody_judged() -> None:
    found = precision({"a": "true", "b": "true", "c": "useful", "d": "false", "e": "true"}, 9, least=5)
    assert found.value == pytest.approx(0.8)
    assert (found.numerator.value, found.denominator.value) == (4, 5)  # type: ignore[union-attr]
    assert found.exclusions[0].value == 4
    assert found.interval is not None
    assert found.interval.low == pytest.approx(0.3755, abs=1e-4)
    assert found.interval.high == pytest.approx(0.9638, abs=1e-4)


def test_too_few_checked_alerts_give_no_rate() -> None:
    assert precision({"a": "true"}, 3).value is None
    assert precision({"a": "true"}, 3).reason == "1 of 20 checked alerts needed"
    assert lead_time({"a": "true"}, {"a": 0.0}, {"a": 3600.0}).value is None


def test_lead_time_is_from_the_alert_to_the_work_or_the_stop_whichever_was_first() -> None:
    orders = [replace(CLOSED, case_id=f"A|{i}", started_s=3600.0 * (i + 1)) for i in range(5)]
    ended = ends(orders, {"A|4": 3600.0})
    assert ended == {"A|0": 3600.0, "A|1": 7200.0, "A|2": 10800.0, "A|3": 14400.0, "A|4": 3600.0}
    found = lead_time({f"A|{i}": "true" for i in range(5)} | {"B": "false"}, dict.fromkeys(ended, 0.0), ended)
    assert found.value == pytest.approx(2.0)
    assert found.interval is not None and (found.interval.low, found.interval.high) == (1.0, 3.0)
