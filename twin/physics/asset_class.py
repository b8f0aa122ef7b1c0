"""What an asset class declares. One file in this folder per class; the twin, the pages and the docs read it.

A class is the twin's *light* model. What real machines have besides (spread, ambient cycle, coloured noise, lag,
hysteresis, coupling) belongs to the simulator, so that detection is earned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from twin.estimation.model import Model
from twin.schema.signal import Signal


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of the model with its unit and where it comes from.

    fixed  a constant of nature, of a published fit or of the design: the same in every machine that is simulated
    """

    value: float
    unit: str
    source: str
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """One component of x. `degrading` states wear; their nominal (new) value is `nominal`."""

    name: str
    label: str
    unit: str
    nominal: float
    degrading: bool = False


@dataclass(frozen=True, slots=True)
class FailureMode:
    """How a machine of this class fails, as an event state 1 (new) → 0 (failed).

    state       the degrading state it is read from
    new, failed values of that state; level = (failed - x) / (failed - new), clipped to 0-1
    precursors  outputs that move first
    action      the maintenance that repairs it, in words ("Swap the drive-end bearing")
    """

    name: str
    label: str
    state: str
    new: float
    failed: float
    precursors: tuple[str, ...]
    action: str


@dataclass(frozen=True, slots=True)
class AssetClass:
    """One kind of machine.

    inputs        what drives it, sent by the device as metrics; `run` (1 RUNNING, 0 otherwise) is always the first
                  input and comes from the status
    outputs       what the twin predicts and compares, in the order of the model's z
    counters      metrics that only count (samples_total …): kept and rolled up, not filtered
    model         the equations (estimation.model.Model)
    input_defaults
                  input -> (value while not RUNNING, value while RUNNING), assumed when a device does not send it
    learning_s    time a device must be seen before what is normal for it is frozen: the longest cycle of its
                  surroundings, a day for a machine in a room
    life_h, weibull_shape
                  life of a population of such machines, until a device's own wear says better
    """

    name: str
    label: str
    version: int
    models: tuple[str, ...]
    inputs: tuple[Signal, ...]
    states: tuple[State, ...]
    outputs: tuple[Signal, ...]
    counters: tuple[Signal, ...]
    modes: tuple[FailureMode, ...]
    model: Model
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    input_defaults: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    ideal_rate_per_h: float | None = None
    life_h: float = 20_000.0
    learning_s: float = 86_400.0
    weibull_shape: float = 2.0
    sources: tuple[str, ...] = ()

    @property
    def signals(self) -> dict[str, Signal]:
        """Everything a device of this class may send, by name, except `run`."""
        return {s.name: s for s in (*self.inputs[1:], *self.outputs, *self.counters)}

    @property
    def state_names(self) -> tuple[str, ...]:
        return tuple(state.name for state in self.states)
