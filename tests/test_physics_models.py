"""Every asset class of the catalogue obeys the laws an estimator and an operator rely on."""

from __future__ import annotations

import numpy as np
import pytest

from twin.errors import UnknownAssetClassError
from twin.estimation.model import Array, Matrix
from twin.physics.asset_class import AssetClass
from twin.physics.catalogue import asset_class, asset_classes, class_of_model
from twin.physics.light_model import LightModel

CLASSES = list(asset_classes().values())
N = 4
RATED = {"circulation_rig": {"speed": 3.95}}
"""Where a class is judged by its limits, when that is not its nominal point: SKAB's fastest healthy runs."""
every_class = pytest.mark.parametrize("declared", CLASSES, ids=[c.name for c in CLASSES])


def _point(declared: AssetClass, seed: int = 7) -> tuple[Array, Array, Array]:
    """Some plausible state, input and step of n devices, away from symmetric values."""
    rng = np.random.default_rng(seed)
    x, _ = declared.model.initial(N)
    for i, state in enumerate(declared.states):
        x[i] = rng.uniform(0.05, 0.7, N) if state.degrading else x[i] * rng.uniform(0.9, 1.1, N)
    u = _inputs(declared, running=True) * rng.uniform(0.9, 1.1, (declared.model.du, N))
    u[0] = 1.0
    return x, u, rng.uniform(1.0, 200.0, N)


def _inputs(declared: AssetClass, *, running: bool) -> Array:
    values = [(0.0, 1.0), *(declared.input_defaults[s.name] for s in declared.inputs[1:])]
    return np.array([[pair[running]] * N for pair in values])


def _dense(matrix: Matrix) -> Array:
    return np.array([[np.broadcast_to(entry, (N,)) for entry in row] for row in matrix], dtype=float)


def _differences(function, x: Array, scale: Array) -> Array:  # type: ignore[no-untyped-def]
    columns = []
    for j in range(x.shape[0]):
        step = np.zeros_like(x)
        step[j] = 1e-5 * scale[j]
        columns.append((function(x + step) - function(x - step)) / (2e-5 * scale[j]))
    return np.stack(columns, axis=1)


def _settled(declared: AssetClass, damage: dict[str, float], *, running: bool = True) -> Array:
    """Outputs [dz] after a long time with this damage."""
    x, _ = declared.model.initial(N)
    for name, value in {**RATED.get(declared.name, {}), **damage}.items():
        x[declared.state_names.index(name)] = value
    u = _inputs(declared, running=running)
    for _ in range(40):
        x = declared.model.step(x, u, np.full(N, 300.0))
    return declared.model.output(x, u)[:, 0]


@every_class
def test_shapes_and_names_agree(declared: AssetClass) -> None:
    model = declared.model
    assert (model.dx, model.du, model.dz) == (
        len(declared.states),
        len(declared.inputs),
        len(declared.outputs),
    )
    assert declared.inputs[0].name == "run"
    assert set(declared.input_defaults) == {s.name for s in declared.inputs[1:]}
    names = [s.name for s in (*declared.inputs, *declared.outputs, *declared.counters)]
    assert len(names) == len(set(names))
    for mode in declared.modes:
        assert declared.states[declared.state_names.index(mode.state)].degrading
        assert set(mode.precursors) <= {s.name for s in declared.outputs}


@every_class
def test_jacobians_equal_finite_differences(declared: AssetClass) -> None:
    x, u, dt_s = _point(declared)
    model = declared.model
    scale = np.array([max(abs(s.nominal), 1.0) for s in declared.states])
    for analytic, function in (
        (model.step_jacobian(x, u, dt_s), lambda y: model.step(y, u, dt_s)),
        (model.output_jacobian(x, u), lambda y: model.output(y, u)),
    ):
        numeric = _differences(function, x, scale)
        np.testing.assert_allclose(_dense(analytic), numeric, rtol=2e-5, atol=1e-6)


@every_class
def test_two_steps_equal_one_long_step(declared: AssetClass) -> None:
    x, u, dt_s = _point(declared)
    once = declared.model.step(x, u, dt_s + 17.0)
    twice = declared.model.step(declared.model.step(x, u, dt_s), u, np.full(N, 17.0))
    np.testing.assert_allclose(once, twice, rtol=1e-12, atol=1e-12)


@every_class
def test_process_noise_composes_over_time_and_is_positive(declared: AssetClass) -> None:
    x, u, dt_s = _point(declared)
    model = declared.model
    later = np.full(N, 23.0)
    first = _dense(model.process_noise(x, u, dt_s))
    second = _dense(model.process_noise(x, u, later))
    whole = _dense(model.process_noise(x, u, dt_s + later))
    pull = _dense(model.step_jacobian(x, u, later))
    for i in range(N):
        np.testing.assert_allclose(
            whole[..., i],
            pull[..., i] @ first[..., i] @ pull[..., i].T + second[..., i],
            rtol=1e-6,
            atol=1e-15,
        )
        assert np.linalg.eigvalsh(whole[..., i]).min() > -1e-12


@every_class
def test_models_leave_their_inputs_alone_and_treat_devices_apart(declared: AssetClass) -> None:
    x, u, dt_s = _point(declared)
    kept = x.copy(), u.copy(), dt_s.copy()
    stepped, seen = declared.model.step(x, u, dt_s), declared.model.output(x, u)
    declared.model.process_noise(x, u, dt_s)
    for before, after in zip(kept, (x, u, dt_s), strict=True):
        np.testing.assert_array_equal(before, after)
    for i in range(N):
        one = slice(i, i + 1)
        np.testing.assert_array_equal(declared.model.step(x[:, one], u[:, one], dt_s[one]), stepped[:, one])
        np.testing.assert_array_equal(declared.model.output(x[:, one], u[:, one]), seen[:, one])


@every_class
@pytest.mark.parametrize("running", [True, False])
def test_a_healthy_machine_is_well_inside_its_limits(declared: AssetClass, running: bool) -> None:
    z = _settled(declared, {}, running=running)
    for signal, value in zip(declared.outputs, z, strict=True):
        margin = 8.0 * signal.sigma
        assert signal.low <= value <= signal.high
        assert signal.warn_high is None or value + margin < signal.warn_high, signal.name
        assert signal.warn_low is None or value - margin > signal.warn_low, signal.name


@every_class
def test_limits_are_ordered_and_inside_the_physical_range(declared: AssetClass) -> None:
    for s in (*declared.outputs, *declared.inputs, *declared.counters):
        ladder = [s.low, s.trip_low, s.warn_low, s.warn_high, s.trip_high, s.high]
        given = [value for value in ladder if value is not None]
        assert given == sorted(given), s.name
    assert all(s.sigma > 0.0 for s in declared.outputs)


@every_class
def test_an_overheated_shaking_machine_is_above_its_trip_limits_and_not_refused(declared: AssetClass) -> None:
    for name, value in (("vibration", 5.0), ("temperature", 150.0)):
        signal = declared.signals.get(name)
        if signal is not None:
            assert signal.trip_high is not None and signal.trip_high < value < signal.high


@every_class
def test_each_failure_reaches_a_trip_limit_of_its_precursors_or_costs_output(declared: AssetClass) -> None:
    healthy = _settled(declared, {})
    for mode in declared.modes:
        failed = _settled(declared, {mode.state: 1.0})
        reached = []
        for signal, before, after in zip(declared.outputs, healthy, failed, strict=True):
            trips = (signal.trip_high is not None and after >= signal.trip_high) or (
                signal.trip_low is not None and after <= signal.trip_low
            )
            lost = signal.trip_high is None and before > 0.0 and after < 0.8 * before
            if (trips or lost) and signal.name in mode.precursors:
                reached.append(signal.name)
        assert reached, f"{declared.name} {mode.name}"


@every_class
def test_a_machine_failure_moves_two_signals_and_its_precursors_most(declared: AssetClass) -> None:
    sigma = np.array([s.sigma for s in declared.outputs])
    for mode in declared.modes:
        moved = np.abs(_settled(declared, {mode.state: 0.3}) - _settled(declared, {})) / sigma
        assert np.sum(moved > 3.0) >= 2 or (declared.name, mode.name) == ("circulation_rig", "clog")
        first = declared.outputs[int(np.argmax(moved))].name
        assert first in mode.precursors, f"{mode.name}: {first}"


@every_class
def test_failure_modes_have_distinguishable_signatures(declared: AssetClass) -> None:
    sigma = np.array([s.sigma for s in declared.outputs])
    signatures = {}
    for mode in declared.modes:
        moved = (_settled(declared, {mode.state: 0.2}) - _settled(declared, {})) / sigma
        signatures[mode.name] = moved / np.linalg.norm(moved)
    names = list(signatures)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            assert abs(float(signatures[a] @ signatures[b])) < 0.95, f"{declared.name}: {a} looks like {b}"


@every_class
def test_every_parameter_says_its_unit_and_source_and_is_used(declared: AssetClass) -> None:
    assert isinstance(declared.model, LightModel)
    used: set[str] = set()

    class Watched(dict):  # type: ignore[type-arg]
        def __getitem__(self, key: str) -> float:
            used.add(key)
            return super().__getitem__(key)

    model = type(declared.model)(Watched({k: v.value for k, v in declared.parameters.items()}))
    x, u, dt_s = _point(declared)
    model.step(x, u, dt_s)
    model.step_jacobian(x, u, dt_s)
    model.process_noise(x, u, dt_s)
    model.output(x, u)
    assert used == set(declared.parameters)
    assert all(p.unit and p.source for p in declared.parameters.values())


def test_instruments_count_samples_and_measure_the_three_common_signals() -> None:
    for name in ("spectrometer", "mass_spectrometer", "chromatograph"):
        declared = asset_class(name)
        assert {"temperature", "vibration", "throughput", "samples_total", "samples_rejected"} <= set(
            declared.signals
        )
        assert declared.ideal_rate_per_h is not None


def test_catalogue_finds_classes_by_name_and_model_and_names_what_it_knows() -> None:
    assert class_of_model("Spectro-X200").name == "spectrometer"
    models = [model for declared in CLASSES for model in declared.models]
    assert len(models) == len(set(models))
    with pytest.raises(UnknownAssetClassError, match=r"toaster.*compressor"):
        asset_class("toaster")
    with pytest.raises(UnknownAssetClassError, match=r"Spectro-X200"):
        class_of_model("T-1000")
