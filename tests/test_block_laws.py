"""Laws of the Block as a machine: order, batches, snapshots, repetition, strangers."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.block_stories import IDS, RULES, Story, at_s, new_block, warm
from tests.simulated import CLASSES, START_S
from twin.alerts.rules import RuleSet
from twin.engine.block import Block, Step
from twin.errors import SnapshotError
from twin.schema.reading import Reading, Status

QUIET = RuleSet(limits=RULES.limits, delivery_s=1e9, disorder_per_min=1e9)
"""Nothing that depends on `now` or on how readings arrive."""


@pytest.fixture(scope="module")
def story() -> tuple[list[Reading], list[Reading]]:
    """(40 min of history, 6 min at 3 s in which a bearing wears and a sensor lies)."""
    _, _, readings = warm()
    history = [r for r in readings if START_S - 3_000.0 < at_s(r) <= START_S - 600.0]
    tail = [r for r in readings if START_S - 600.0 < at_s(r) <= START_S - 240.0]
    bent = [_bent(r) if at_s(r) > START_S - 400.0 else r for r in tail]
    return history, bent


def _bent(r: Reading) -> Reading:
    metrics = dict(r.metrics)
    if r.device_id == "INST-001":
        metrics["vibration"] = metrics["vibration"] * 8.0
    if r.device_id == "INST-008":
        metrics["flow"] = metrics["flow"] * 0.5
    return Reading(r.device_id, r.observed_at, r.status, metrics, r.model, r.operator, r.error_code, r.extra)


def fed(
    block: Block, history: list[Reading], tail: list[Reading], size: int
) -> tuple[bytes, dict[tuple[str, float], str], list[Step]]:
    """Bytes at the end, the newest row of every instant, and the steps."""
    steps = [block.apply(history, START_S)]
    steps += [block.apply(tail[i : i + size], START_S) for i in range(0, len(tail), size)]
    rows: dict[tuple[str, float], str] = {}
    for step in steps:
        for device_id, columns in step.columns.items():
            for k, t in enumerate(columns.t_s):
                numbers = [columns.score[k], columns.health[k], *(c[k] for c in columns.expected.values())]
                rows[device_id, float(t)] = repr([float(number) for number in numbers])
    block.close_windows(float("inf"))
    return block.to_bytes(), rows, steps


def test_any_order_inside_the_window_gives_the_same_bytes_and_rows(
    story: tuple[list[Reading], list[Reading]],
) -> None:
    history, tail = story
    expected, rows, steps = fed(new_block(rules=QUIET), history, tail, 4)
    assert any(alert.is_open for step in steps for alert in step.alerts), "the story must hold alerts"
    for seed in (1,):
        rng = random.Random(seed)
        shuffled = sorted(
            tail, key=lambda r: at_s(r) + (rng.uniform(0.0, 55.0) if rng.random() < 0.02 else 0.0)
        )
        assert shuffled != tail
        found, other_rows, _ = fed(new_block(rules=QUIET), history, shuffled, 5)
        assert found == expected, f"seed {seed}"
        assert other_rows == rows, f"seed {seed}"


def test_one_bulk_equals_reading_by_reading(story: tuple[list[Reading], list[Reading]]) -> None:
    history, tail = story
    live = fed(new_block(rules=QUIET), history, tail, 4)
    bulk = fed(new_block(rules=QUIET), history, tail, len(tail))
    assert bulk[0] == live[0]
    assert bulk[1] == live[1]


def test_a_device_in_a_batch_is_the_device_alone(story: tuple[list[Reading], list[Reading]]) -> None:
    history, tail = story
    _, together, _ = fed(new_block(rules=QUIET), history, tail, 4)
    for device_id in IDS:
        own = [[r for r in readings if r.device_id == device_id] for readings in story]
        _, alone, _ = fed(new_block((device_id,), QUIET), own[0], own[1], 1)
        assert alone == {key: row for key, row in together.items() if key[0] == device_id}


@pytest.mark.parametrize("cut", [13, 275, 281, 300])
def test_restore_and_continue_is_never_having_stopped(
    story: tuple[list[Reading], list[Reading]], cut: int
) -> None:
    history, tail = story
    whole, _, _ = fed(new_block(rules=QUIET), history, tail, 4)
    first = new_block(rules=QUIET)
    first.apply(history, START_S)
    first.apply(tail[:cut], START_S)
    second = Block.from_bytes(first.to_bytes(), CLASSES, QUIET)
    again = [r for r in [*history, *tail[:cut]] if at_s(r) > second.window_start_s(r.device_id)]
    assert len(again) < len(history)
    second.apply(again, START_S)
    for i in range(cut, len(tail), 4):
        second.apply(tail[i : i + 4], START_S)
    second.close_windows(float("inf"))
    assert second.to_bytes() == whole


def test_the_same_readings_again_change_nothing(story: tuple[list[Reading], list[Reading]]) -> None:
    history, tail = story
    block = new_block(rules=QUIET)
    block.apply(history, START_S)
    block.apply(tail, START_S)
    before = block.to_bytes()
    step = block.apply(tail, START_S)
    assert step.states == () and step.alerts == () and step.cases == () and dict(step.columns) == {}
    assert step.counts["duplicates"] == len(tail)
    assert block.to_bytes() == before


def test_a_reading_older_than_the_window_is_kept_but_not_filtered(
    story: tuple[list[Reading], list[Reading]],
) -> None:
    history, tail = story
    late = next(r for r in tail if r.device_id == "INST-001")
    rest = [r for r in tail if r is not late]
    block, without = new_block(rules=QUIET), new_block(rules=QUIET)
    for one in (block, without):
        one.apply(history, START_S)
        one.apply(rest, START_S)
    step = block.apply([late], START_S)
    columns = step.columns["INST-001"]
    assert step.counts["late"] == 1
    assert columns.t_s.tolist() == [at_s(late)]
    assert columns.measured["temperature"][0] == pytest.approx(late.metrics["temperature"])
    assert np.isnan(columns.expected["temperature"][0])
    assert block.to_bytes() == without.to_bytes()


def test_of_two_readings_of_one_instant_the_same_one_wins_whichever_came_first(
    story: tuple[list[Reading], list[Reading]],
) -> None:
    history, tail = story
    other = _bent(tail[0])
    found = []
    for pair in ([tail[0], other], [other, tail[0]]):
        block = new_block(rules=QUIET)
        block.apply(history, START_S)
        assert block.apply([pair[0]], START_S).counts.get("conflicts") is None
        assert block.apply([pair[1]], START_S).counts["conflicts"] == 1
        block.close_windows(float("inf"))
        found.append(block.to_bytes())
    assert found[0] == found[1]


def test_a_diverged_device_begins_anew_and_its_neighbours_do_not_notice() -> None:
    hurt, whole = Story(), Story()
    column = hurt.block._roster.column["INST-006"]
    for fold in (hurt.block._base, hurt.block._head):
        fold.state[hurt.block._roster.rows["ref"], column] = np.nan
    hurt.go(120.0)
    whole.go(120.0)
    state = hurt.state("INST-006")
    assert state.counts["diverged"] == 1
    assert all(s.expected is not None and np.isfinite(s.expected) for s in state.signals.values())
    assert [a.rule for _, a in hurt.alerts if a.device_id == "INST-006" and a.is_open][:1] == ["divergence"]
    for device_id in ("INST-001", "INST-008", "INST-011"):
        assert hurt.state(device_id) == whole.state(device_id)


def test_devices_can_join_and_their_seniors_keep_their_state() -> None:
    joined, whole = Story(), Story()
    joined.block.with_devices(new_block(("INST-007",))._roster.devices)
    joined.go(60.0)
    whole.go(60.0)
    assert [joined.state(i) for i in IDS] == [whole.state(i) for i in IDS]
    assert joined.block.newest_s("INST-007") == float("-inf")


def test_bytes_of_another_time_are_an_error_that_says_so() -> None:
    _, data, _ = warm()
    for bad in (b"", b"hello", data[:-7], data[:100] + b"\0" + data[101:], b"X" + data[1:]):
        with pytest.raises(SnapshotError, match="Rebuild the block"):
            Block.from_bytes(bad, CLASSES, RULES)


def test_time_may_pass_right_after_a_restore() -> None:
    history = [r for r in warm()[2] if at_s(r) > START_S - 300.0]
    block = new_block()
    block.apply(history, START_S)
    again = Block.from_bytes(block.to_bytes(), CLASSES, RULES)
    step = again.apply((), START_S + 600.0)
    assert {state.freshness.value for state in step.states} == {"no_data"}
    assert {state.observed_at_s for state in step.states} == {START_S - 60.0}


def test_a_checkpoint_costs_little() -> None:
    _, data, _ = warm()
    assert len(data) / len(IDS) < 6_000


def test_status_names_are_the_histories() -> None:
    from twin.schema.history import STATES

    assert {status.value for status in Status} < set(STATES)
