"""Devices as columns: take some out of an estimator's state, put them back, add new ones.

Works on every state of this package (a frozen dataclass whose fields all are arrays with devices on the last axis)
and on plain arrays. Nothing is changed in place.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

Columns = NDArray[np.intp] | NDArray[np.bool_] | slice

S = TypeVar("S")


def take(state: S, columns: Columns) -> S:
    """The state of some devices."""
    return _each(lambda array: array[..., columns].copy(), state)


def put(state: S, columns: Columns, part: S) -> S:
    """The state with some devices replaced by `part`."""

    def replaced(array: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
        result = array.copy()
        result[..., columns] = new
        return result

    return _each(replaced, state, part)


def join(state: S, more: S) -> S:
    """The devices of `state`, then those of `more`."""
    return _each(lambda a, b: np.concatenate((a, b), axis=-1), state, more)


def _each(function: Any, state: S, *others: S) -> S:
    if isinstance(state, np.ndarray):
        return cast(S, function(state, *others))
    if not is_dataclass(state) or isinstance(state, type):
        raise TypeError(f"{type(state).__name__} is neither an array nor a state of arrays")
    names = [f.name for f in fields(state)]
    new = {name: function(getattr(state, name), *(getattr(o, name) for o in others)) for name in names}
    return cast(S, replace(state, **new))
