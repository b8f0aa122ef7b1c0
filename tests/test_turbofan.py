"""The turbofan stands where C-MAPSS stands, obeys similarity, and its gas temperature balances the spools' power."""

from __future__ import annotations

import numpy as np
import pytest

from twin.physics.catalogue import asset_class

ENGINE = asset_class("turbofan")
NAMES = [signal.name for signal in ENGINE.outputs]
FD001 = {
    "exhaust_temperature_a": 1408.9 / 1.8 - 273.15,  # T50, °R
    "compressor_temperature": 1590.5 / 1.8 - 273.15,  # T30, °R
    "booster_temperature": 642.68 / 1.8 - 273.15,  # T24, °R
    "compressor_pressure": 553.4 * 6.894757,  # P30, psia
    "fan_speed": 100.0,
    "core_speed": 100.0,
}
"""Medians of the public series at sea level, in this class's units."""


def _settled(
    throttle: float = 1.0, celsius: float = 15.0, kpa: float = 101.325, **damage: float
) -> dict[str, float]:
    x = np.zeros((5, 1))
    for name, value in damage.items():
        x[ENGINE.state_names.index(name)] = value
    u = np.array([[1.0], [throttle], [celsius], [kpa]])
    x = ENGINE.model.step(x, u, np.array([1e6]))
    return dict(zip(NAMES, ENGINE.model.output(x, u)[:, 0].tolist(), strict=True))


def test_at_its_rated_point_it_is_the_engine_of_the_public_series() -> None:
    z = _settled()
    for name, value in FD001.items():
        assert z[name] == pytest.approx(value, rel=1e-3), name


@pytest.mark.parametrize(("celsius", "kpa"), [(40.0, 101.325), (-30.0, 45.0), (15.0, 30.0)])
def test_corrected_parameters_do_not_depend_on_the_air_at_the_inlet(celsius: float, kpa: float) -> None:
    here, there = _settled(0.9, hp_turbine_erosion=0.3), _settled(0.9, celsius, kpa, hp_turbine_erosion=0.3)
    theta, delta = (celsius + 273.15) / 288.15, kpa / 101.325
    assert there["fan_speed"] == pytest.approx(here["fan_speed"] * theta**0.5)
    assert there["core_speed"] == pytest.approx(here["core_speed"] * theta**0.5)
    assert there["compressor_pressure"] == pytest.approx(here["compressor_pressure"] * delta)
    assert there["fuel_flow"] == pytest.approx(here["fuel_flow"] * delta * theta**0.5)
    for name in ("exhaust_temperature_a", "compressor_temperature", "booster_temperature"):
        assert there[name] + 273.15 == pytest.approx((here[name] + 273.15) * theta), name


def test_heat_put_in_is_what_leaves_in_the_gas_and_drives_the_fan() -> None:
    """Fuel from the outputs' own temperatures: T4 out of the exhaust and the two turbines, core flow from P30."""
    for throttle in (0.5, 0.75, 1.05):
        z = _settled(throttle)
        gas = (z["exhaust_temperature_a"] + 273.15) / (1.0 - 0.2916) / (1.0 - 0.2999)
        delivery = z["compressor_temperature"] + 273.15
        flow = 1.4337 * z["compressor_pressure"] / gas**0.5
        assert z["fuel_flow"] == pytest.approx(flow * 1.15 * (gas - delivery) / 42_900.0, rel=1e-9)
        fan = 1300.0 * throttle**3 * 1.005 * 0.1410 * 288.15
        assert flow * 1.15 * 0.2999 * (1.0 - 0.2916) * gas == pytest.approx(fan, rel=1e-9)
        assert 1.15 * 0.2916 * gas == pytest.approx(
            1.005 * (delivery - z["booster_temperature"] - 273.15), rel=1e-9
        )


def test_a_worn_compressor_moves_what_it_moves_in_the_public_series() -> None:
    """FD001 ends in compressor degradation: hotter behind compressor and turbine, less pressure, a faster core."""
    new, worn = _settled(), _settled(compressor_fouling=0.4)
    moved = {name: np.sign(worn[name] - new[name]) for name in NAMES}
    assert moved == {
        "exhaust_temperature_a": 1.0,
        "exhaust_temperature_b": 1.0,
        "fan_speed": 0.0,
        "core_speed": 1.0,
        "fuel_flow": 1.0,
        "compressor_pressure": -1.0,
        "compressor_temperature": 1.0,
        "booster_temperature": 0.0,
    }
