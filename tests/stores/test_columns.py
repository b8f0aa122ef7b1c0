"""Columns survive their way through bytes exactly; what is damaged or of another format is refused."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stores.given import T0_S, columns, same_columns, state
from twin.errors import ShapeError, SnapshotError
from twin.schema.history import NO_ROWS, Columns
from twin.schema.state import DeviceState, Health, ModeState
from twin.stores.columns import pack, unpack


@given(
    counts=st.lists(st.integers(0, 50), max_size=4),
    signals=st.lists(st.text(max_size=5), unique=True, max_size=4),
    seed=st.integers(0, 2**32 - 1),
)
def test_columns_of_any_shape_come_back_bit_for_bit(counts: list[int], signals: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)

    def floats(count: int) -> np.ndarray:
        raw = rng.integers(0, 2**32, count, dtype=np.uint32).view(np.float32)
        return np.where(np.isnan(raw), np.float32("nan"), raw)

    given_columns = {
        f"D{number}": Columns(
            t_s=T0_S + np.cumsum(rng.uniform(1e-6, 3.0, count)),
            status=rng.integers(0, 5, count).astype(np.uint8),
            measured={name: floats(count) for name in signals},
            expected={name: floats(count) for name in signals[1:]},
            sigma={name: floats(count) for name in signals[2:]},
            score=floats(count),
            health=floats(count),
            deviation=floats(count),
            hold_s=floats(count),
            operator=rng.integers(-1, 3, count).astype(np.int16),
            operators=("OP-1", "Ünïcode", ""),
        )
        for number, count in enumerate(counts)
    }
    found, extra = unpack(pack(given_columns, {"note": [1, None]}))
    assert extra == {"note": [1, None]}
    assert list(found) == list(given_columns)
    for device_id, value in given_columns.items():
        assert same_columns(found[device_id], value)
        assert found[device_id].t_s.dtype == np.float64
        assert found[device_id].status.dtype == np.uint8
        assert found[device_id].operator.dtype == np.int16
        assert found[device_id].score.dtype == np.float32


def test_nothing_is_packed_and_unpacked_too() -> None:
    assert unpack(pack({})) == ({}, {})
    assert unpack(None) == ({}, {})
    assert same_columns(unpack(pack({"A": NO_ROWS}))[0]["A"], NO_ROWS)


def test_an_hour_takes_less_than_half_of_its_raw_size() -> None:
    rng = np.random.default_rng(1)
    hour = columns(count=1200)
    noisy = (45 + rng.standard_normal(1200)).round(2).astype(np.float32)
    hour = replace(hour, measured={"temperature": noisy})
    raw = 1200 * (8 + 1 + 2 + 4 * 7)
    assert len(pack({"A": hour})) < raw / 2


def test_arrays_of_unequal_length_are_refused() -> None:
    with pytest.raises(ShapeError, match="A columns"):
        pack({"A": replace(columns(count=5), score=np.zeros(4, np.float32))})


@pytest.mark.parametrize("damage", ["cut", "format", "magic", "middle", "empty"])
def test_damaged_columns_are_refused(damage: str) -> None:
    whole = pack({"A": columns()})
    broken = {
        "cut": whole[:-9],
        "format": whole[:4] + b"\x63" + whole[5:],
        "magic": b"nope" + whole[4:],
        "middle": whole[:20] + b"\x00\x00\x00\x00" + whole[24:],
        "empty": b"",
    }[damage]
    with pytest.raises(SnapshotError):
        unpack(broken)


def test_state_as_a_document_is_what_asdict_gives_and_comes_back() -> None:
    full = replace(state(), modes={"wear": ModeState(0.5, 0.1, -0.2)}, health=Health(80.0, {"life": 20.0}))
    assert full.to_document() == asdict(full)
    assert DeviceState.from_document(full.to_document()) == full
