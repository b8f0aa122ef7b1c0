"""Commands that read a store or write a file refuse, in words, what is not there; nothing is made by a slip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from twin.bootstrap.moving import move_store
from twin.commands import cost, forget_operator, report, rules
from twin.errors import SettingsError
from twin.stores.opening import open_sqlite_stores


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TWIN_HOME", str(tmp_path))
    open_sqlite_stores(tmp_path / "t.sqlite").close()
    return f"sqlite:///{tmp_path / 't.sqlite'}"


@pytest.mark.parametrize(
    ("main", "asked"),
    [
        (report.main, ["--out", "week.pdf"]),
        (rules.main, ["show"]),
        (rules.main, ["export"]),
        (rules.main, ["import", "--file", "rules.json"]),
        (forget_operator.main, ["OP-42"]),
    ],
)
def test_a_store_that_is_not_there_is_refused_and_not_made(
    main: Callable[[Sequence[str]], int], asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWIN_HOME", str(tmp_path))
    with pytest.raises(SettingsError, match="there is no store"):
        main([*asked, "--store", f"sqlite:///{tmp_path / 'nope' / 'x.db'}"])
    assert not (tmp_path / "nope").exists()


def test_nothing_is_moved_from_a_store_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no store"):
        move_store(f"sqlite:///{tmp_path / 'old.sqlite'}", f"sqlite:///{tmp_path / 'new.sqlite'}")
    assert list(tmp_path.iterdir()) == []


def test_a_report_into_a_folder_that_is_not_there_is_refused(store: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="its folder does not exist"):
        report.main(["--store", store, "--out", str(tmp_path / "no" / "x.pdf")])


def test_an_ending_that_is_no_format_is_refused_unless_the_format_is_said(store: str, tmp_path: Path) -> None:
    out = tmp_path / "week.docx"
    with pytest.raises(SettingsError, match=r"must end in \.pdf, \.xlsx, \.csv"):
        report.main(["--store", store, "--out", str(out)])
    assert not out.exists()
    assert report.main(["--store", store, "--out", str(out), "--format", "csv"]) == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    assert [report.format_of(Path(name)) for name in ("week", "a.XLSX", "b.pdf")] == ["pdf", "xlsx", "pdf"]


def test_rules_are_not_exported_into_a_folder_that_is_not_there(store: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="its folder does not exist"):
        rules.main(["export", "--store", store, "--file", str(tmp_path / "no" / "rules.json")])
    with pytest.raises(SettingsError, match="is a folder"):
        rules.main(["export", "--store", store, "--file", str(tmp_path)])


def test_one_of_a_thing_is_said_in_the_singular(capsys: pytest.CaptureFixture[str]) -> None:
    assert cost.main(["--devices", "1"]) == 0
    assert "1 device, a reading every 3 s, 1 gateway, 1 shard, 1 viewer, " in capsys.readouterr().out
