"""The report's false alerts are the cases people found wrong, with the machine open or by mark."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.business_store import NOW, filled, reporting
from tests.stores.given import case
from tests.stores.work_contract import CLOSED
from twin.business.periods import last_days
from twin.ports import StepCommit
from twin.schema.alert import Judgement


def test_a_mark_and_a_closed_order_count_as_judged_and_an_order_goes_before_a_mark() -> None:
    stores = filled(days=45)
    lease = stores.shards.acquire("S0", "test", take_over=True)
    assert lease is not None
    onset_s = NOW.timestamp() - 2 * 86_400.0
    cases = [case("INST-002", onset_s + 60.0 * i) for i in range(4)]
    stores.shards.commit(lease, StepCommit(NOW, {}, {}, cases=cases))
    for one in cases[:2]:
        stores.responses.judge(one.case_id, Judgement("true", "anna", onset_s, "", 1), expected_version=0)
    order = replace(
        CLOSED, order_id="WO-7", case_id=cases[1].case_id, alert_right=False, closed_s=onset_s, version=0
    )
    stores.work.put(order, expected_version=0)
    report = reporting(stores).report(last_days(NOW.date(), 14), NOW)
    line = next(line for line in report.saved.lines if line.name == "false_alerts")
    assert line.numerator is not None and line.denominator is not None
    assert (line.numerator.value, line.denominator.value) == (1, 2)
    assert line.value == pytest.approx(-120.0)  # two hours of work at $60
