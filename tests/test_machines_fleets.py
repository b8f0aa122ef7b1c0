"""The simulated fleets hold everything a registry wants, and are the same tomorrow."""

from __future__ import annotations

from tests.simulated import BY_ID, CLASSES, DEVICES, START_S
from twin.edge.fleets import demo_fleet, fleet
from twin.schema.registry import Device


def test_the_demo_fleet_is_twelve_simulated_devices_in_three_sites_behind_two_gateways() -> None:
    assert [d.device_id for d in DEVICES] == [f"INST-{i:03d}" for i in range(1, 13)]
    assert {d.gateway for d in DEVICES} == {"GW-1", "GW-2"}
    assert len({d.site for d in DEVICES}) == len({d.time_zone for d in DEVICES}) == 3
    assert {i for i, d in BY_ID.items() if d.upstream == ("INST-002",)} == {"INST-003", "INST-004"}
    for device in DEVICES:
        assert device.simulated and device.model in CLASSES[device.asset_class].models
        assert device.cost_per_unplanned_h and device.staffed
        if device.value_per_sample is not None:
            assert device.ideal_rate_per_h and device.bookings
            assert all(
                a.end_s <= b.start_s for a, b in zip(device.bookings, device.bookings[1:], strict=False)
            )
        assert Device.from_document(device.to_document()) == device


def test_the_fleet_of_the_next_day_is_the_same_but_for_its_bookings() -> None:
    for today, tomorrow in zip(DEVICES, demo_fleet(START_S + 86_400.0), strict=True):
        assert {**today.to_document(), "bookings": 0} == {**tomorrow.to_document(), "bookings": 0}
        later = [b for b in today.bookings if b.start_s > START_S]
        assert set(later) <= set(tomorrow.bookings)


def test_larger_fleets_give_every_dozen_its_own_gateways_and_pump() -> None:
    devices = fleet(40, START_S)
    assert devices[:12] == DEVICES
    assert len({d.device_id for d in devices}) == 40
    assert len({d.gateway for d in devices}) == 7
    known = {d.device_id: d for d in devices}
    for device in devices:
        for up in device.upstream:
            assert known[up].asset_class == "vacuum_pump" and known[up].gateway == device.gateway
