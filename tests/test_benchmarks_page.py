"""Laws of `bench` and its page: every benchmark can be called, what is missing is named, tables are the figures'."""

from __future__ import annotations

import inspect
import json
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import figures_page, results
from benchmarks.bars import BARS, Bar


def row(value: float, note: str = "made", beside: str = "") -> dict[str, object]:
    return {"value": value, "unit": "times", "compared_with": beside, "machine": "here", "note": note}


@pytest.mark.parametrize("name", sorted(bench.found()))
def test_every_benchmark_imports_without_its_rivals_and_takes_arguments(name: str) -> None:
    main = import_module(f"benchmarks.{name}").main
    assert len(inspect.signature(main).parameters) == 1


def test_benchmarks_are_found_by_their_main_and_the_known_ones_come_first() -> None:
    names = list(bench.found())
    assert names[:5] == ["ekf", "detection", "life", "fleet_size", "limit"]
    assert {"skab", "tep", "ims", "history", "firestore", "faults"} <= set(names)
    assert not {"soak", "results", "pump_model", "recorded_page", "figures_page"} & set(names)


def test_a_missing_package_is_named_and_the_others_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(bench, "find_spec", lambda name: None if name == "river" else find_spec("json"))
    monkeypatch.setattr(
        bench, "import_module", lambda name: type("Module", (), {"main": lambda _: ran.append(name)})
    )
    monkeypatch.setenv("TWIN_DATA_DIR", str(tmp_path))
    assert bench.main(["--quick"]) == 0
    out = capsys.readouterr().out
    assert "detection left out: needs river: pip install river" in out
    assert "skab left out: needs recorded data" in out
    assert "benchmarks.ekf" in ran and "benchmarks.detection" not in ran and "benchmarks.history" not in ran
    with pytest.raises(SystemExit) as stopped:
        bench.main(["detection"])
    assert stopped.value.code == 2 and "needs river" in capsys.readouterr().err


def test_an_unknown_name_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["nonsense"])
    assert "'nonsense' is none of ekf, detection" in capsys.readouterr().err


def test_one_that_fails_is_told_and_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def load(name: str) -> object:
        if name.endswith("life"):
            raise ValueError("broken")
        return type("Module", (), {"main": lambda _: print("ran " + name)})

    monkeypatch.setattr(bench, "find_spec", lambda name: find_spec("json"))
    monkeypatch.setattr(bench, "import_module", load)
    assert bench.main(["life", "ekf", "--quick"]) == 1
    out = capsys.readouterr().out
    assert "life FAILED" in out and "ran benchmarks.ekf" in out


def test_a_quick_run_records_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = results.FILE.read_bytes()
    with results.kept_in(tmp_path / "r.json"):
        results.record("made_up", 1.0, "times")
    assert results.FILE.read_bytes() == before and "made_up" in (tmp_path / "r.json").read_text(
        encoding="utf-8"
    )


def test_the_page_in_the_repository_is_the_one_its_figures_make() -> None:
    page = figures_page.PAGE.read_text(encoding="utf-8")
    known = json.loads(results.FILE.read_text(encoding="utf-8"))
    assert figures_page.written(page, known) == page, "run `python -m benchmarks.figures_page`"


def test_every_recorded_figure_stands_on_the_page() -> None:
    page = figures_page.PAGE.read_text(encoding="utf-8")
    for name in json.loads(results.FILE.read_text(encoding="utf-8")):
        kind = re.fullmatch(rf"faults_(.+)_({'|'.join(figures_page.MEASURES)})", name)
        assert f"| `{name}` |" in page or (kind and f"| `{kind[1]}` |" in page), name


def test_a_changed_figure_changes_its_row_its_bar_and_nothing_else() -> None:
    name = "ekf_numpy_vs_filterpy_10k"
    good = figures_page.written("# Page\n", {name: row(250.0, beside="filterpy")})
    bad = figures_page.written(good, {name: row(150.0, beside="filterpy")})
    changed = [line for line, other in zip(bad.splitlines(), good.splitlines(), strict=True) if line != other]
    assert [line for line in changed if line.startswith("|")] == [
        "| `ekf_numpy_vs_filterpy_10k` | filter in numpy against a filterpy loop, 10,000 devices | 150 times "
        "| ≥ 200 | **missed** |",
        "| `ekf_numpy_vs_filterpy_10k` | 150 times | filterpy | made |",
    ]
    assert len(changed) == 3 and changed[0].startswith("0 met, 1 missed, ")


def test_figures_of_an_unknown_prefix_get_their_own_heading() -> None:
    page = figures_page.section({"novel_thing": row(3.0), "novel_other": row(4.0)})
    assert "## novel\n" in page and page.count("| `novel_thing` | 3 times | – | made |") == 1


def test_kinds_of_fault_make_one_table_with_a_row_each() -> None:
    known = {
        f"faults_{kind}_{measure}": row(float(place), "200 runs", "limits 0.1")
        for kind in ("leak", "clog")
        for place, measure in enumerate(figures_page.MEASURES)
    }
    page = figures_page.section(known)
    assert "| `leak` | 0 | 1 | 2 | 3 | 4 | 5 | limits 0.1 | 200 runs |" in page
    assert "`faults_leak_detected`" not in page


@pytest.mark.parametrize(
    ("sign", "value", "verdict"),
    [("≥", 1.0, "met"), ("≥", 0.99, "**missed**"), ("≤", 1.01, "**missed**"), ("=", 1.0, "met")],
)
def test_a_bar_is_met_or_missed_by_the_recorded_value(sign: str, value: float, verdict: str) -> None:
    bar = Bar("x", sign, 1.0, "made")
    assert bar.verdict({"x": row(value)}) == verdict and bar.verdict({}) == "not measured"


def test_every_bar_is_said_once() -> None:
    assert len({(bar.name, bar.sign) for bar in BARS}) == len(BARS)


def test_sizes_are_ordered_as_numbers() -> None:
    names = ["a_1k", "a_100", "a_1m", "a_1", "a_10k"]
    assert sorted(names, key=figures_page._in_order) == ["a_1", "a_100", "a_1k", "a_10k", "a_1m"]
