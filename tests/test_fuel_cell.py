"""The fuel cell's equations are the published ones, and hold where their logarithms would end."""

from __future__ import annotations

import numpy as np
import pytest

from twin.physics.catalogue import asset_class

STACK = asset_class("fuel_cell")
VOLTAGE, RESISTANCE = 1, 2


def _outputs(
    current_a: float, celsius: float = 70.0, supply_bar: float = 1.01325, **damage: float
) -> np.ndarray:
    names = STACK.state_names
    x = np.zeros((5, 1))
    x[0] = celsius
    for name, value in damage.items():
        x[names.index(name)] = value
    return STACK.model.output(x, np.array([[1.0], [current_a], [55.0], [supply_bar]]))[:, 0]


def _mann(current_a: float, kelvin: float, hydrogen_atm: float, oxygen_atm: float) -> tuple[float, float]:
    """(volts of a cell, Ω cm of its membrane) as printed in Mann et al. (2000) and Corrêa et al. (2004)."""
    density = current_a / 50.6
    nernst = 1.229 - 8.5e-4 * (kelvin - 298.15) + 4.308e-5 * kelvin * np.log(hydrogen_atm * oxygen_atm**0.5)
    oxygen = oxygen_atm / (5.08e6 * np.exp(-498.0 / kelvin))
    hydrogen = hydrogen_atm / (1.09e6 * np.exp(77.0 / kelvin))
    second = 0.00286 + 0.0002 * np.log(50.6) + 4.3e-5 * np.log(hydrogen)
    activation = -(
        -0.948 + second * kelvin + 7.6e-5 * kelvin * np.log(oxygen) - 1.93e-4 * kelvin * np.log(current_a)
    )
    over = 181.6 * (1.0 + 0.03 * density + 0.062 * (kelvin / 303.0) ** 2 * density**2.5)
    membrane = over / ((23.0 - 0.634 - 3.0 * density) * np.exp(4.18 * (kelvin - 303.0) / kelvin))
    ohmic = current_a * (membrane * 0.0178 / 50.6 + 0.0003)
    return float(nernst - activation - ohmic + 0.016 * np.log(1.0 - density / 1.5)), float(membrane)


@pytest.mark.parametrize("current_a", [1.0, 10.0, 30.0, 60.0])
def test_voltage_and_resistance_are_the_published_equations(current_a: float) -> None:
    z = _outputs(current_a, supply_bar=2.0)
    crossing_a = 50.6 * 0.002
    volts, membrane = _mann(current_a, 343.15, 2.0 / 1.01325, 0.28)
    burnt = (
        -1.93e-4 * 343.15 * np.log((current_a + crossing_a) / current_a)
    )  # what crosses over is burnt as well
    assert z[VOLTAGE] == pytest.approx(35.0 * (volts + burnt), rel=1e-12)
    assert z[RESISTANCE] == pytest.approx(35e3 * (membrane * 0.0178 / 50.6 + 0.0003), rel=1e-12)


def test_the_polarisation_curve_falls_and_steepens_at_both_ends() -> None:
    volts = np.array([_outputs(i)[VOLTAGE] / 35.0 for i in (0.0, 2.0, 30.0, 60.0, 72.0)])
    slopes = np.diff(volts) / np.diff([0.0, 2.0, 30.0, 60.0, 72.0])
    assert 0.95 < volts[0] < 1.1 and 0.5 < volts[2] < 0.65
    assert (slopes < 0.0).all() and slopes[0] < slopes[1] < slopes[2] and slopes[3] < slopes[2]


def test_numbers_stay_finite_beyond_the_limiting_current_and_below_new() -> None:
    for damage in (
        {"flooding": 1.2},
        {"membrane_leak": 1.2},
        {"membrane_leak": -0.3},
        {"catalyst_ageing": -0.3},
    ):
        for current_a in (0.0, 75.0):
            assert np.isfinite(_outputs(current_a, **damage)).all(), (damage, current_a)


def test_an_ageing_catalyst_costs_the_tafel_slope_times_the_logarithm_of_the_area_lost() -> None:
    lost = _outputs(30.0)[VOLTAGE] - _outputs(30.0, catalyst_ageing=1.0)[VOLTAGE]
    assert lost == pytest.approx(35.0 * 1.93e-4 * 343.15 * 2.3, rel=1e-12)
