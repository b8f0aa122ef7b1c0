"""One new file in the physics package is a new kind of machine: simulated, judged, shown and documented."""

from __future__ import annotations

import inspect
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import tests.test_physics_models
import twin.physics
from tests.fake_app import FakeApp
from tests.simulated import STEADY
from twin.alerts.rules import RuleSet
from twin.edge.faults import applicable_kinds
from twin.edge.machines import SimulatedFleet
from twin.engine.block import Block
from twin.engine.system import TwinSystem
from twin.errors import SnapshotError, UnknownAssetClassError
from twin.estimation.model import Matrix
from twin.physics.asset_class import AssetClass
from twin.physics.catalogue import asset_class, asset_classes, class_of_model
from twin.physics.tables import reference
from twin.schema.fault import Fault, FaultKind
from twin.schema.instant import from_seconds
from twin.schema.reading import parse_reading
from twin.schema.registry import Device
from twin.schema.state import DeviceState
from twin.views.breaking import fault_choices
from twin.views.device import device_view

TEMPLATE = Path(__file__).resolve().parents[1] / "examples" / "asset_class_template.py"
NAME = "centrifuge"
START_S = 1_760_000_000.0
DEVICE = Device(
    device_id="CENT-1", asset_class=NAME, model="Rota-4", site="Basel", area="Analytics", time_zone="UTC",
    commissioned_at=datetime(2025, 1, 1, tzinfo=UTC), gateway="GW-9", simulated=True,
    staffed=dict.fromkeys(range(7), (0.0, 24.0)),
)  # fmt: skip


@pytest.fixture
def classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mapping[str, AssetClass]]:
    """All asset classes with the template as a file of the package; as if nothing had been, afterwards."""
    assert NAME not in asset_classes()
    shutil.copy(TEMPLATE, tmp_path / f"{NAME}.py")
    monkeypatch.setattr(twin.physics, "__path__", [*twin.physics.__path__, str(tmp_path)])
    asset_classes.cache_clear()
    yield asset_classes()
    asset_classes.cache_clear()
    sys.modules.pop(f"twin.physics.{NAME}", None)
    if hasattr(twin.physics, NAME):
        delattr(twin.physics, NAME)


def story(classes: Mapping[str, AssetClass], fault: Fault | None = None) -> dict[str, list[DeviceState]]:
    """A day of one reading in five minutes and half a day more, as the Block says it."""
    machines = SimulatedFleet([DEVICE], classes, 4, START_S, habits=STEADY)
    machines.advance(START_S + 1_200.0)
    if fault is not None:
        machines.inject(fault)
    block = Block.create([DEVICE], classes, RuleSet.default(classes))
    states: dict[str, list[DeviceState]] = {}
    while machines.now_s < START_S + 36.0 * 3600.0:
        records = machines.advance(machines.now_s + 300.0)
        readings = [parse_reading({**record, "interval_s": 300.0}) for record in records]
        for state in block.apply(readings, machines.now_s).states:
            states.setdefault(state.device_id, []).append(state)
    return states


def test_a_class_in_one_file_is_found_by_name_and_model(classes: Mapping[str, AssetClass]) -> None:
    assert asset_class(NAME).label == "Laboratory centrifuge"
    assert class_of_model("Rota-4") is classes[NAME]


def test_simulated_machine_of_the_new_class_sends_every_declared_signal(
    classes: Mapping[str, AssetClass],
) -> None:
    (record,) = SimulatedFleet([DEVICE], classes, 4, START_S, habits=STEADY).advance(START_S)
    assert set(record["metrics"]) == set(classes[NAME].signals)
    assert FaultKind.BEARING_WEAR in applicable_kinds(classes[NAME])


def test_block_judges_the_new_class_and_names_its_failure_mode(classes: Mapping[str, AssetClass]) -> None:
    fault = Fault("f", "CENT-1", FaultKind.BEARING_WEAR, START_S + 25.0 * 3600.0, ramp_s=40.0 * 3600.0)
    states = story(classes, fault)["CENT-1"]
    before = [s for s in states if s.observed_at_s < fault.onset_s]
    assert len(before) > 280 and not any(s.anomaly > s.anomaly_limit for s in before)
    assert states[-1].suspect == "bearing_wear"
    assert states[-1].modes["bearing_wear"].level < 0.9


def test_system_of_the_new_class_steps(classes: Mapping[str, AssetClass]) -> None:
    system = TwinSystem(classes[NAME])
    system.initialize()
    said = system.step({"speed": 0.9}, {"temperature": 36.0, "vibration": 1.07}, dt_s=3.0)
    assert set(said.state) == {"temperature", "bearing_wear"}
    assert said.innovation["motor_current"] is None


def test_pages_show_the_new_class_by_its_label_and_offer_its_faults(
    classes: Mapping[str, AssetClass],
) -> None:
    app = FakeApp()
    app.classes = dict(classes)
    state = story(classes)["CENT-1"][-1]
    now = from_seconds(state.observed_at_s)
    feed = replace(
        app.feed(),
        now=now,
        stepped_at=now,
        devices={"CENT-1": DEVICE},
        states={"CENT-1": state},
        cases=(),
        alerts=(),
    )
    shown = repr(device_view(app, feed, "CENT-1", now))
    assert "Laboratory centrifuge" in shown
    offered = {choice.kind: choice for choice in fault_choices(classes[NAME])}
    assert "Bearing wear" in repr(offered["bearing_wear"])
    assert "Motor current" in repr(offered["sensor_bias"])


def test_docs_have_a_chapter_with_the_new_classs_equations_and_signals(
    classes: Mapping[str, AssetClass],
) -> None:
    text = reference(classes.values())
    assert "## Laboratory centrifuge (`centrifuge`)" in text
    assert "T_end = T_room + heat s² + friction wear s" in text
    assert "| `motor_current` | A | output | 0 … 40 | > 6.5 | > 8 | 0.04 | mean |" in text


def test_templates_derivatives_equal_finite_differences(classes: Mapping[str, AssetClass]) -> None:
    model = classes[NAME].model
    x, u, dt = np.array([[45.0], [0.3]]), np.array([[1.0], [0.8], [20.0]]), np.array([60.0])

    def entries(matrix: Matrix) -> np.ndarray:
        return np.array([[float(np.squeeze(entry)) for entry in row] for row in matrix])

    for function, given in (
        (lambda at: model.step(at, u, dt), model.step_jacobian(x, u, dt)),
        (lambda at: model.output(at, u), model.output_jacobian(x, u)),
    ):
        for k in range(2):
            off = np.zeros((2, 1))
            off[k] = 1e-5
            slope = (function(x + off) - function(x - off))[:, 0] / 2e-5
            np.testing.assert_allclose(entries(given)[:, k], slope, rtol=1e-6, atol=1e-9)


def test_checkpoint_from_before_the_new_class_is_read_and_continued(
    classes: Mapping[str, AssetClass],
) -> None:
    older = {name: declared for name, declared in classes.items() if name != NAME}
    pump = replace(DEVICE, device_id="P-1", asset_class="centrifugal_pump", model="Flowmax-24")
    block = Block.create([pump], older, RuleSet.default(older))
    record = SimulatedFleet([pump], older, 4, START_S, habits=STEADY).advance(START_S)[0]
    block.apply([parse_reading(record)], START_S)
    block.close_windows(START_S + 1.0)
    again = Block.from_bytes(block.to_bytes(), classes, RuleSet.default(classes))
    assert again.newest_s("P-1") == START_S
    newer = {**classes, "centrifugal_pump": replace(classes["centrifugal_pump"], version=99)}
    with pytest.raises(SnapshotError, match="other versions"):
        Block.from_bytes(block.to_bytes(), newer, RuleSet.default(newer))


def test_nothing_of_the_new_class_stays_behind() -> None:
    with pytest.raises(UnknownAssetClassError, match=NAME):
        asset_class(NAME)


def test_the_template_keeps_every_law_of_the_classes_as_it_stands(classes: Mapping[str, AssetClass]) -> None:
    """Whoever copies it and runs the tests sees them pass before changing a number."""
    laws = [
        law
        for name, law in vars(tests.test_physics_models).items()
        if name.startswith("test_") and tuple(inspect.signature(law).parameters) == ("declared",)
    ]
    assert len(laws) > 5
    for law in laws:
        law(classes[NAME])
