"""Laws of the benchmarks on recorded data: the arithmetic of the scores, stray files, the generated section."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import recorded_page, skab
from twin.estimation.checks import Mask


def flags(rows: int, *stretches: tuple[int, int]) -> Mask:
    out = np.zeros(rows, bool)
    for start, stop in stretches:
        out[start:stop] = True
    return out


def recording(changes: list[int]) -> skab.Recording:
    return skab.Recording("made", np.zeros((900, 1)), np.zeros(900, bool), np.array(changes, np.intp))


def write(path: Path, rows: int = 900, fault: tuple[int, int] = (600, 800), seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 3))
    values[fault[0] : fault[1], 1] += 5.0
    truth = flags(rows, fault)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["datetime;a;b;c;anomaly;changepoint"]
    for i, row in enumerate(values):
        label = f"{float(truth[i])};{float(i in fault)}"
        lines.append(f"2020-03-09 10:{i // 60:02d}:{i % 60:02d};{row[0]};{row[1]};{row[2]};{label}")
    path.write_text("\n".join(lines), encoding="utf-8")


def test_rates_are_pooled_counts() -> None:
    truth, flag = flags(10, (4, 8)), flags(10, (5, 9))
    assert skab.rates(truth, flag) == pytest.approx((2 * 3 / (2 * 3 + 1 + 1), 1 / 6, 1 / 4))


def test_change_score_is_100_at_once_0_when_silent_and_falls_with_delay_and_false_turns() -> None:
    here = recording([500, 700])
    at_once = skab.change_score([(here, flags(500, (100, 300)))])
    later = skab.change_score([(here, flags(500, (130, 340)))])
    noisy = skab.change_score([(here, flags(500, (20, 30), (100, 300)))])
    assert at_once == pytest.approx(100.0)
    assert skab.change_score([(here, flags(500))]) == 0.0
    assert 0.0 < later < at_once
    assert noisy < at_once


def test_folder_is_searched_through_and_strangers_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "data" / "valve1" / "0.csv")
    write(tmp_path / "data" / "other" / "1.csv", seed=1)
    write(tmp_path / "short.csv", rows=300, fault=(100, 200))
    (tmp_path / "README.md").write_text("no table", encoding="utf-8")
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    (tmp_path / "picture.csv").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "unlabelled.csv").write_text("datetime;a\n2020-01-01;1\n2020-01-02;2\n", encoding="utf-8")
    before = skab.rivals.__file__, Path(skab.record.__globals__["FILE"]).read_text(encoding="utf-8")
    skab.main([str(tmp_path)])
    lines = capsys.readouterr().out.strip().splitlines()
    last = json.loads(lines[-1])
    assert set(last) == {"skab_f1", "skab_far", "skab_mar", "skab_changepoint_nab", "files"}
    assert set(last["files"]) == {"data/valve1/0.csv", "data/other/1.csv"}
    assert last["skab_f1"] > 0.9 and last["skab_far"] < 0.1 and last["skab_mar"] < 0.1
    assert sum(line.startswith("left out") for line in lines) == 4
    assert before[1] == Path(skab.record.__globals__["FILE"]).read_text(encoding="utf-8")


def test_folder_without_recordings_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        skab.main([str(tmp_path)])
    assert stopped.value.code == 2
    assert "No labelled CSV file" in capsys.readouterr().err


def test_section_is_replaced_in_its_place_and_the_rest_stays() -> None:
    row: dict[str, object] = {"value": 0.5, "unit": "F1", "compared_with": "rival 0.4", "note": "made"}
    first = recorded_page.placed("# Page\n\nBefore.\n", recorded_page.section({"skab_f1": row}))
    page = first + "\nAfter.\n"
    again = recorded_page.placed(page, recorded_page.section({"skab_f1": row | {"value": 0.75}}))
    assert again == page.replace("| 0.5 F1 |", "| 0.75 F1 |")
    assert "| 0.5 F1 |" in page and "Not measured yet." in page


def test_page_in_the_repository_is_the_one_its_figures_make() -> None:
    page = recorded_page.PAGE.read_text(encoding="utf-8")
    results = json.loads(recorded_page.FILE.read_text(encoding="utf-8"))
    assert recorded_page.placed(page, recorded_page.section(results)) == page
