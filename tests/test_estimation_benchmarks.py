"""Laws of how measurements are kept."""

from __future__ import annotations

import json

from benchmarks import results


def test_recording_one_figure_leaves_the_others_alone(tmp_path, capsys):
    file = tmp_path / "results.json"
    results.record("b", 2.0, "s", "the other", "how", file)
    results.record("a", 1.23456, "times", file=file)
    results.record("b", 3.0, "s", "the other", "how", file)
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert list(kept) == ["a", "b"]
    assert kept["a"]["value"] == 1.235
    assert kept["b"] | {"machine": ""} == {
        "value": 3.0,
        "unit": "s",
        "compared_with": "the other",
        "machine": "",
        "note": "how",
    }
    assert "cores" in kept["a"]["machine"] and "1.235 times" in capsys.readouterr().out


def test_rivals_take_turns_and_each_is_warmed_up():
    calls = []
    best = results.best_seconds(
        {"x": lambda: calls.append("x"), "y": lambda: calls.append("y")}, 2, turn_s=1e-4
    )
    assert calls[:2] == ["x", "y"]
    turns = [name for i, name in enumerate(calls[2:]) if i == 0 or calls[i + 1] != name]
    assert turns[:2] == ["x", "y"] and set(best) == {"x", "y"} and max(best.values()) < 1e-2
