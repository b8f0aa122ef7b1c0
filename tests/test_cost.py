"""The bill before it comes: it agrees with the meter, names every part, and knows what the plain design would cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.metered_hour import Hour, metered_hour
from twin.commands import cost
from twin.services.cadence import metered
from twin.services.cloud_bill import Plan, Tariff, bill, document_per_reading, hourly_documents
from twin.settings import FLUSH_S

ROOT = Path(__file__).parents[1]


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


RECORDED = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("profile", "devices"), [("standard", 20), ("standard", 200), ("live", 200)])
def test_the_bill_agrees_with_what_was_measured_for_larger_fleets(profile: str, devices: int) -> None:
    computed = hourly_documents(Plan(devices=devices, flush_s=FLUSH_S[profile]), metered(FLUSH_S[profile]))
    expected = {
        "writes_per_device_day": 24 * (computed["edge"].writes + computed["worker"].writes) / devices,
        "worker_reads_per_hour": computed["worker"].reads,
        "feed_reads_per_hour": computed["viewing"].reads,
    }
    for name, value in expected.items():
        recorded = RECORDED.get(f"firestore_{name}_{profile}_{devices}")
        assert recorded is not None or devices == 20, name
        if recorded is not None:
            assert within(recorded["value"], value, 0.1), (name, recorded["value"], value)


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


def test_documentation_shows_what_is_computed_beside_the_plain_design() -> None:
    text = (ROOT / "docs" / "firestore.md").read_text(encoding="utf-8")

    def row(name: str, money: Callable[[int], float]) -> str:
        cells = [money(devices) for devices in (5, 1000, 100_000)]
        return f"| {name} | " + " | ".join(f"${c:,.2f}" if c < 10 else f"${c:,.0f}" for c in cells) + " |"

    assert (
        row("one document per reading, one for the newest", lambda n: document_per_reading(n, 3.0, Tariff()))
        in text
    )
    for profile, flush_s in FLUSH_S.items():

        def ours(devices: int, flush_s: float = flush_s) -> float:
            return bill(Plan(devices=devices, flush_s=flush_s), metered(flush_s)).lines[0].usd

        assert row(f"ours, {profile}", ours) in text


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
