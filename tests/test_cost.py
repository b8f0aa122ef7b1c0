"""The bill before it comes: it agrees with the meter, names every part, and knows what the plain design would cost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.metered_hour import Hour, metered_hour
from twin.commands import cost
from twin.services.cadence import metered
from twin.services.cloud_bill import Plan, Tariff, bill, document_per_reading, hourly_documents
from twin.settings import FLUSH_S


def within(found: float, expected: float, share: float) -> bool:
    return abs(found - expected) <= share * expected


def agrees(hour: Hour, plan: Plan) -> None:
    """Each process of a measured hour within 10 % of what the bill computes for it."""
    computed = hourly_documents(plan, metered(plan.flush_s))
    for name in ("edge", "worker", "viewing"):
        measured, expected = getattr(hour, name), computed[name]
        assert within(measured.reads, expected.reads, 0.1), (name, measured, expected)
        assert within(measured.writes, expected.writes, 0.1), (name, measured, expected)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_five_devices_of_the_free_profile_cost_what_the_meter_says_and_fit_the_free_quota() -> None:
    hour = metered_hour(5, 1, "free")
    plan = Plan(devices=5, flush_s=FLUSH_S["free"], viewers=0)
    agrees(hour, plan)
    measured = hour.edge + hour.worker + hour.viewing
    assert 24 * measured.writes <= Tariff().free_writes_day
    assert 24 * measured.reads <= Tariff().free_reads_day
    assert bill(plan, metered(plan.flush_s)).fits_free_quota


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_nine_devices_behind_three_gateways_cost_what_the_meter_says() -> None:
    hour = metered_hour(9, 3, "standard", hours=1.0)
    agrees(hour, Plan(devices=9, flush_s=FLUSH_S["standard"], devices_per_gateway=3))


def test_bill_names_every_part_apart_and_adds_up() -> None:
    plan = Plan(devices=1000, flush_s=6.0, viewers=25, is_simulated=True)
    found = bill(plan, metered(6.0))
    assert [line.name for line in found.lines] == [
        "Firestore documents",
        "Firestore storage",
        "Compute, web",
        "Compute, worker",
        "Compute, simulator",
        "Egress",
    ]
    assert all(line.usd > 0.0 for line in found.lines)
    assert found.total_usd == pytest.approx(sum(line.usd for line in found.lines))


def test_more_viewers_of_the_live_pages_read_no_more_documents() -> None:
    one = hourly_documents(Plan(devices=200, flush_s=3.0, viewers=1), metered(3.0))
    many = hourly_documents(Plan(devices=200, flush_s=3.0, viewers=25), metered(3.0))
    assert many["viewing"] == one["viewing"]
    assert many["pages"].reads > one["pages"].reads


def test_a_gateway_cannot_flush_between_its_readings() -> None:
    slow = hourly_documents(Plan(devices=5, flush_s=6.0, reading_s=5.0), metered(6.0))
    assert slow["edge"].writes == 360 + 6  # every second reading: 10 s


def test_plain_design_is_dearer_by_what_it_writes() -> None:
    # 5 devices, 3 s: 4.38 million readings a month; two writes, a read and a delete each.
    assert document_per_reading(5, 3.0, Tariff()) == pytest.approx(4.38 * (1.8 + 0.3 + 0.1))
    found = bill(Plan(devices=1000, flush_s=6.0), metered(6.0))
    assert found.lines[0].usd < 0.05 * document_per_reading(1000, 3.0, Tariff())


def test_free_quota_is_taken_off_documents_but_never_off_expired_ones() -> None:
    plan = Plan(devices=5, flush_s=15.0)
    documents = bill(plan, metered(15.0)).lines[0].usd
    deletes_a_day = 24 * hourly_documents(plan, metered(15.0))["worker"].deletes
    assert documents == pytest.approx(deletes_a_day * 730 / 24 * Tariff().usd_per_delete)
    unfree = replace(Tariff(), free_reads_day=0.0, free_writes_day=0.0)
    assert bill(plan, metered(15.0), unfree).lines[0].usd > documents


def test_command_prints_the_bill_with_the_date_and_sources_of_its_prices(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cost.main(["--devices", "1000", "--profile", "live", "--viewers", "25"]) == 0
    text = capsys.readouterr().out
    for wanted in ("1,000 devices", "Total a month", Tariff().as_of, *Tariff().sources, "25 viewers"):
        assert wanted in text


def test_command_refuses_a_fleet_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cost.main(["--devices", "0"])
    assert "at least 1" in capsys.readouterr().err
