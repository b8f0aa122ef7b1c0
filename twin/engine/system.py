"""One machine's twin in code: physics, an optional corrector, an estimator and a judge, stepped by the caller.

Promise: pure (the caller says the time), the same steps give the same numbers, `restore` of a `snapshot` continues to
the bit, and the default judge says what the fleet's Block would say. Wrong shapes, names, ranges and covariances raise
errors that name the offender and leave the system as it was. Leaves out fleets and late readings (engine.block).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from twin.engine import snapshot
from twin.engine.corrector import CorrectedModel, Corrector
from twin.engine.estimators import Ekf, Estimator
from twin.engine.judge import BlockJudge, Judge, Judgement
from twin.engine.ode_model import OdeModel
from twin.engine.system_history import SystemHistory
from twin.engine.system_past import SystemPast
from twin.engine.system_step import SystemStep, columns_of
from twin.engine.terminals import Terminals, Values
from twin.errors import SettingsError, ShapeError, SnapshotError
from twin.estimation import ekf
from twin.estimation.checks import need_array
from twin.estimation.covariance import need_covariance, pack, unpack
from twin.estimation.model import Array
from twin.estimation.outcome import Update
from twin.physics.asset_class import AssetClass, FailureMode
from twin.schema.reading import Status

ORIGIN_S = 1_000_000_000.0
"""Where a system's own time begins inside: alerts and states carry seconds since 1970."""
LEAST_DT_S = 1e-3
FORMAT = 1

__all__ = ["SystemStep", "TwinSystem"]


class TwinSystem:
    """See the module. `initialize`, then `step` after `step`.

    asset_class  what the machine is, from twin.physics or declared in code; see also `from_model`
    corrector    added to the model's outputs, e.g. engine.corrector.RidgeCorrector
    estimator    None = Ekf();  judge  None = a Block with this one device
    learning_s   how long to learn what is normal; None = the asset class's own
    """

    def __init__(
        self,
        asset_class: AssetClass,
        *,
        corrector: Corrector | None = None,
        estimator: Estimator | None = None,
        judge: Judge | None = None,
        learning_s: float | None = None,
        keep: int = 100_000,
    ) -> None:
        if corrector is not None:
            asset_class = replace(asset_class, model=CorrectedModel(asset_class.model, corrector))
        if learning_s is not None:
            asset_class = replace(asset_class, learning_s=learning_s)
        self.asset_class = asset_class
        self.estimator: Estimator = estimator or Ekf()
        self.judge: Judge = judge or BlockJudge(asset_class)
        self.history = SystemHistory(keep)
        self._past = SystemPast(asset_class, keep)
        self._terminals = Terminals(asset_class)
        self._now_s: float | None = None

    @classmethod
    def from_model(
        cls,
        name: str,
        model: OdeModel,
        *,
        modes: Sequence[FailureMode] = (),
        input_defaults: Mapping[str, tuple[float, float]] | None = None,
        corrector: Corrector | None = None,
        estimator: Estimator | None = None,
        judge: Judge | None = None,
        learning_s: float = 3600.0,
        keep: int = 100_000,
    ) -> TwinSystem:
        """A system for a model of one's own; `modes` name the degrading states and where they end."""
        asset_class = AssetClass(
            name=name, label=name, version=1, models=(), inputs=model.inputs, states=model.states,
            outputs=model.outputs, counters=(), modes=tuple(modes), model=model,
            input_defaults=dict(input_defaults or {}), learning_s=learning_s,
        )  # fmt: skip
        return cls(asset_class, corrector=corrector, estimator=estimator, judge=judge, keep=keep)

    # ------------------------------------------------------------------------------------------------- stepping

    def initialize(
        self,
        t_s: float = 0.0,
        *,
        state: Mapping[str, float] | None = None,
        covariance: Array | None = None,
        age_h: float = 0.0,
    ) -> None:
        """Begin, or begin anew, at time t_s (seconds, any origin) with a machine that is age_h old.

        state       what is known to differ from the model's initial state; covariance [dx, dx] instead of its own
        Raises ShapeError on an unknown state or a covariance that is not symmetric and positive definite.
        """
        model, names = self.asset_class.model, self.asset_class.state_names
        x, P = ekf.initial_state(model, 1)
        for name, value in (state or {}).items():
            if name not in names or not np.isfinite(value):
                raise ShapeError(f"state {name}", value=value, rule=f"must be a number for one of {', '.join(names)}",
                                 next_step="Name the asset class's states")  # fmt: skip
            x[names.index(name)] = value
        if covariance is not None:
            need_array("covariance", covariance, (model.dx, model.dx))
            if not np.allclose(covariance, covariance.T, rtol=1e-9, atol=0.0):
                raise ShapeError("covariance", rule="must be symmetric", next_step="Pass (C + C.T) / 2")
            P = pack(covariance[:, :, None])
            need_covariance("covariance", P)
        self.judge.start(ORIGIN_S, age_h)
        self._forget()
        self._x, self._P, self._rejected = x, P, np.zeros(1, np.int64)
        self._start_s = self._now_s = float(t_s)
        self._steps = 0

    def step(
        self,
        u: Values,
        measurement: Values,
        *,
        dt_s: float | None = None,
        t_s: float | None = None,
        status: str = Status.RUNNING,
    ) -> SystemStep:
        """Move to t_s, or by dt_s, under inputs u and take in what was measured there.

        u            inputs (without `run`, which follows from status) by name, or in the class's order; what is not
                     given is assumed as the class says
        measurement  outputs by name or in order; None, NaN or left out = not measured
        Time may not stand still except in the first step. Raises ShapeError or RecordError and changes nothing.
        """
        now_s, dt = self._moved(dt_s, t_s)
        at_s = ORIGIN_S + now_s - self._start_s
        inputs, outputs = self._terminals.inputs(u), self._terminals.outputs(measurement)
        word = self._terminals.status(status)
        self._terminals.check(inputs | outputs, at_s)
        drive, z = self._terminals.drive(inputs, word), self._terminals.measured(outputs)
        update = self.estimator.step(
            self.asset_class.model, self._x, self._P, drive, dt, z, np.isfinite(z), self._rejected
        )
        said = self.judge.look(at_s, dt, word, inputs | outputs)
        self._x, self._P, self._rejected = update.x, update.P, update.rejected
        self._now_s, self._steps = now_s, self._steps + 1
        result = self._said(update, z, said)
        self.history.add(columns_of(result, drive, z, self.asset_class))
        self._past.add(now_s, dt, update, drive, z)
        return result

    def smoothed(self, *, every_s: float | None = None) -> SystemHistory:
        """The steps kept in `history`, each judged by what came before and after it.

        every_s  also between steps that lie further apart, at most so many seconds from one moment to the next
        Columns: t_s, state.* and state_sd.*, output.* and output_sd.* (of the quantity, without the sensor's own
        noise), measured.*. The newest step is as the estimator left it. Raises ShapeError on a bad every_s.
        """
        return self._past.smoothed(every_s)

    def _forget(self) -> None:
        self.history.clear()
        self._past.clear()

    def _moved(self, dt_s: float | None, t_s: float | None) -> tuple[float, float]:
        """(time, seconds since the last step) of a step asked for."""
        began_s = self._begun()
        if (dt_s is None) == (t_s is None):
            raise ShapeError("dt_s, t_s", value=(dt_s, t_s), rule="exactly one must be given",
                             next_step="Pass dt_s= since the last step, or t_s=")  # fmt: skip
        now_s = float(t_s) if t_s is not None else began_s + float(dt_s or 0.0)
        dt = now_s - began_s
        if not np.isfinite(dt) or dt < (LEAST_DT_S if self._steps else 0.0):
            raise ShapeError("dt_s", value=dt, rule=f"must be at least {LEAST_DT_S:g} s after the first step",
                             next_step="Hand measurements over in the order of time")  # fmt: skip
        return now_s, dt

    def _begun(self) -> float:
        if self._now_s is None:
            raise SettingsError("TwinSystem", rule="was not initialised", next_step="Call initialize() first")
        return self._now_s

    def _said(self, update: Update, z: Array, said: Judgement) -> SystemStep:
        outputs = [signal.name for signal in self.asset_class.outputs]
        there = np.isfinite(z[:, 0])
        return SystemStep(
            t_s=self._begun(),
            state=dict(zip(self.asset_class.state_names, update.x[:, 0].tolist(), strict=True)),
            covariance=unpack(update.P)[:, :, 0],
            expected=dict(zip(outputs, update.expected[:, 0].tolist(), strict=True)),
            innovation={n: float(update.nu[j, 0]) if there[j] else None for j, n in enumerate(outputs)},
            nis=float(update.nis[0]),
            anomaly=said.anomaly,
            health=said.health,
            remaining_life=said.life,
            modes=said.modes,
            alerts=said.alerts,
            learning=said.learning,
        )

    # ------------------------------------------------------------------------------------------------- snapshot

    def snapshot(self) -> bytes:
        """Everything learned and estimated so far; never pickle. The history is not in it: export that."""
        header = {
            "system": FORMAT,
            "class": [self.asset_class.name, self.asset_class.version],
            "times": [self._begun(), self._start_s],
            "steps": self._steps,
            "judge": base64.b64encode(self.judge.to_bytes()).decode("ascii"),
        }
        arrays = {"x": self._x, "P": self._P, "rejected": self._rejected.astype(np.float64)}
        return snapshot.pack(header, {**arrays, "print": self._fingerprint()})

    def restore(self, data: bytes) -> None:
        """Continue from a snapshot of a system built from the same parts; the history begins anew.

        Raises SnapshotError when the bytes are damaged or another model made them; the system stays as it was.
        """
        header, arrays = snapshot.unpack(data)
        try:
            if header["system"] != FORMAT:
                raise _unreadable(f"is not of format {FORMAT}")
            if header["class"] != [self.asset_class.name, self.asset_class.version]:
                raise _unreadable(f"was made by {' version '.join(map(str, header['class']))}")
            own = self._fingerprint()
            if arrays["print"].shape != own.shape or not np.allclose(arrays["print"], own, rtol=1e-9):
                raise _unreadable("was made with another model or corrector")
            now_s, start_s = (float(value) for value in header["times"])
            x, P, rejected, steps = arrays["x"], arrays["P"], arrays["rejected"], int(header["steps"])
            judge = base64.b64decode(header["judge"], validate=True)
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise _unreadable("is not a system's") from error
        self.judge.load(judge)
        self._forget()
        self._x, self._P, self._rejected = x, P, rejected.astype(np.int64)
        self._now_s, self._start_s, self._steps = now_s, start_s, steps

    def _fingerprint(self) -> Array:
        """What the model says of a new machine at its usual inputs, and a minute later."""
        model = self.asset_class.model
        x, _ = model.initial(1)
        u = self._terminals.drive({}, Status.RUNNING)
        later = model.step(x, u, np.array([60.0]))
        return np.concatenate([later, model.output(x, u), model.output(later, u)])


def _unreadable(rule: str) -> SnapshotError:
    return SnapshotError(
        "system snapshot", rule=rule, next_step="Initialise and step through the record again"
    )
