"""Where values enter a TwinSystem: by name or in order, checked against what the asset class declares.

Promise: what gets in has a declared name, is a number or missing, and lies in its physical range; what does not raises
an error that names it. Nothing is converted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from twin.errors import ShapeError
from twin.estimation.model import Array
from twin.physics.asset_class import AssetClass
from twin.schema.instant import from_seconds
from twin.schema.reading import Reading, Status, check_reading
from twin.schema.signal import Signal

Values = Mapping[str, float | None] | Sequence[float | None] | Array


class Terminals:
    """The inputs (without `run`) and outputs of one asset class."""

    def __init__(self, asset_class: AssetClass) -> None:
        self._class = asset_class

    def inputs(self, given: Values) -> dict[str, float]:
        """Name -> value of the inputs that were given."""
        return _named("u", given, self._class.inputs[1:])

    def outputs(self, given: Values) -> dict[str, float]:
        """Name -> value of the outputs that were measured."""
        return _named("measurement", given, self._class.outputs)

    def status(self, word: str) -> Status:
        """Raises ShapeError unless it is one of the four."""
        if word not in Status.__members__:
            raise ShapeError(
                "status",
                value=word,
                rule=f"must be one of {', '.join(Status)}",
                next_step="Pass RUNNING or IDLE",
            )
        return Status(word)

    def check(self, values: Mapping[str, float], at_s: float) -> None:
        """Raises RecordError when a value lies outside its signal's physical range; hints at another unit."""
        at = from_seconds(at_s)
        reading = Reading(self._class.name, at, Status.RUNNING, values)
        check_reading(reading, self._class.signals, received_at=at, commissioned_at=at)

    def drive(self, inputs: Mapping[str, float], status: Status) -> Array:
        """u [du, 1]: run first, then the inputs, with the class's defaults where none was given."""
        runs = status is Status.RUNNING
        u = [float(runs)]
        for signal in self._class.inputs[1:]:
            idle, running = self._class.input_defaults.get(signal.name, (0.0, 1.0))
            u.append(inputs.get(signal.name, running if runs else idle))
        return np.array([u]).T

    def measured(self, outputs: Mapping[str, float]) -> Array:
        """z [dz, 1], NaN where not measured."""
        return np.array([[outputs.get(signal.name, np.nan)] for signal in self._class.outputs])


def _named(what: str, given: Values, signals: Sequence[Signal]) -> dict[str, float]:
    names = [signal.name for signal in signals]
    if isinstance(given, Mapping):
        pairs = list(given.items())
    else:
        values = list(given)
        if len(values) != len(names):
            raise ShapeError(
                what,
                value=len(values),
                rule=f"must have {len(names)} values: {', '.join(names)}",
                next_step="Pass them by name, or one for each in this order (None = not there)",
            )
        pairs = list(zip(names, values, strict=True))
    found: dict[str, float] = {}
    for name, value in pairs:
        if name not in names:
            raise ShapeError(
                f"{what} {name}",
                value=value,
                rule=f"must be one of {', '.join(names)}",
                next_step="Use the names the asset class declares",
            )
        if value is None:
            continue
        try:
            number = float(value)
        except (TypeError, ValueError) as error:
            raise ShapeError(
                f"{what} {name}",
                value=value,
                rule="must be one number or None",
                next_step="Pass a plain float",
            ) from error
        if np.isinf(number):
            raise ShapeError(
                f"{what} {name}",
                value=number,
                rule="must be finite",
                next_step="Pass None where not measured",
            )
        if number == number:
            found[name] = number
    return found
