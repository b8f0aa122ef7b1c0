"""Laws of `python -m twin`: the bare start, the environment's stamp, the tools, and the closing table."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from twin.commands import check, entry, environment, install_tools, parts, test, tools
from twin.commands.parts import Part, Result
from twin.errors import SetupError


def run_bare(*argv: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`python -S -m twin ARGV`: no site-packages at all, as on a machine with nothing installed."""
    command = [sys.executable, "-S", "-m", "twin", *argv]
    env = os.environ | {"PYTHONPATH": ""} | variables
    return subprocess.run(
        command, cwd=environment.ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )


def test_help_needs_nothing_but_python() -> None:
    done = run_bare("--help")
    assert done.returncode == 0, done.stderr
    assert "setup" in done.stdout


def test_set_up_modules_import_nothing_but_the_standard_library() -> None:
    names = [command.module for command in entry.COMMANDS if not command.groups and command.available()]
    code = "".join(
        f"import {name}; " for name in [*names, "twin.commands.install_tools", "twin.commands.emulator"]
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=environment.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_unknown_command_names_itself_and_lists_the_others() -> None:
    done = run_bare("fly")
    assert done.returncode == 2
    assert "'fly'" in done.stderr
    assert "setup" in done.stderr


def test_an_old_python_gets_a_sentence_with_its_own_version(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys, runpy; sys.version_info = (3, 9, 18, 'final', 0); sys.argv = ['twin', 'demo'];"
        "runpy.run_module('twin', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=environment.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "3.11 or newer" in done.stderr
    assert "3.9.18" in done.stderr


def test_commands_without_a_module_are_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = entry.Command("levitate", "not written", "twin.commands.no_such_module", ())
    monkeypatch.setattr(entry, "COMMANDS", (*entry.COMMANDS, absent))
    assert "levitate" not in entry.help_text()
    assert entry.main(["levitate"]) == 2


# --- the environment ---------------------------------------------------------------------------------------------


@pytest.fixture
def pip_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """An empty project folder for the environment, and a pip that only notes what it was asked for."""
    calls: list[Sequence[str]] = []
    monkeypatch.setenv("TWIN_VENV", str(tmp_path / "venv"))
    monkeypatch.setattr(environment, "_install", lambda python, wanted: calls.append(wanted))

    def create(home: Path) -> None:
        python = environment.python_in(home)
        python.parent.mkdir(parents=True)
        python.symlink_to(sys.executable)

    monkeypatch.setattr(environment, "_create", create)
    return calls


def test_a_second_set_up_installs_nothing(pip_calls: list[Sequence[str]]) -> None:
    environment.ensure(("runtime",))
    environment.ensure(("runtime",))
    assert len(pip_calls) == 1
    assert set(pip_calls[0]) == set(environment.requirements("runtime"))


def test_changed_requirements_are_installed_again(
    pip_calls: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.ensure(("runtime",))
    before = environment.requirements("runtime")
    monkeypatch.setattr(environment, "requirements", lambda group: (*before, "another>=1"))
    environment.ensure(("runtime",))
    assert [len(call) for call in pip_calls] == [len(before), len(before) + 1]


def test_an_interrupted_set_up_is_repeated(
    pip_calls: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(python: Path, wanted: Sequence[str]) -> None:
        raise KeyboardInterrupt

    noting = environment._install
    monkeypatch.setattr(environment, "_install", interrupted)
    with pytest.raises(KeyboardInterrupt):
        environment.ensure(("runtime",))
    monkeypatch.setattr(environment, "_install", noting)
    environment.ensure(("runtime",))
    assert len(pip_calls) == 1


def test_a_failing_pip_shows_its_last_lines(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no-such-folder"):
        environment._install(
            Path(sys.executable), [str(tmp_path / "no-such-folder" / "x-1-py3-none-any.whl")]
        )


def test_pip_does_it_when_uv_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def run(command: Sequence[str]) -> tuple[int, list[str]]:
        ran.append(Path(command[0]).name)
        return (1, ["no such mirror"]) if "uv" in ran[-1] else (0, [])

    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(environment, "_run_installer", run)
    environment._install(tmp_path / "python", ["numpy"])
    assert ran == ["uv", "python"]


def test_an_unknown_group_is_refused_by_name() -> None:
    with pytest.raises(SetupError, match="'nope'"):
        environment.requirements("nope")


def test_check_finds_the_package_that_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_VENV", "current")
    monkeypatch.setattr(
        environment, "requirements", lambda group: ("pytest>=999", "pytest>=1", "no-such-package-x")
    )
    wrong = check.packages_wrong("runtime")
    assert len(wrong) == 2
    assert wrong[0].startswith("pytest>=999 (found ")
    assert wrong[1] == "no-such-package-x (not installed)"


# --- tools -------------------------------------------------------------------------------------------------------


@pytest.fixture
def fresh_search() -> Iterator[None]:
    tools.forget()
    yield
    tools.forget()


@pytest.mark.usefixtures("fresh_search")
def test_a_tool_named_by_a_variable_is_taken_as_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWIN_CHROMIUM", str(tmp_path / "gone"))
    assert tools.find_chromium() is None
    tools.forget()
    (tmp_path / "browser").touch()
    monkeypatch.setenv("TWIN_CHROMIUM", str(tmp_path / "browser"))
    assert tools.find_chromium() == tmp_path / "browser"


@pytest.mark.usefixtures("fresh_search")
def test_the_emulator_is_found_beside_the_gcloud_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gcloud = tmp_path / "sdk/bin/gcloud"
    jar = tmp_path / "sdk" / tools.EMULATOR_JAR
    for file in (gcloud, jar):
        file.parent.mkdir(parents=True)
        file.touch(mode=0o755)
    monkeypatch.delenv("FIRESTORE_EMULATOR_JAR", raising=False)
    monkeypatch.delenv("CLOUDSDK_ROOT_DIR", raising=False)
    monkeypatch.setenv("PATH", str(gcloud.parent))
    assert tools.find_emulator_jar() == jar


@pytest.mark.parametrize(
    ("printed", "major"),
    [
        ('openjdk version "17.0.9" 2023-10-17', 17),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "21" 2023-09-19', 21),
        ("command not found", 0),
    ],
)
def test_java_major_is_read_from_what_java_prints(
    printed: str, major: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "_answer", lambda command: printed)
    assert tools.java_major(Path("java")) == major


@pytest.mark.parametrize("tool", tools.TOOLS, ids=lambda tool: tool.name)
def test_a_missing_tool_says_what_cannot_run_and_what_to_do(
    tool: tools.Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(tool.variable, raising=False)
    assert tool.needed_for in tool.missing_sentence()
    assert "nstall" in tool.missing_sentence()
    monkeypatch.setenv(tool.variable, "/nowhere/tool")
    assert f"{tool.variable} names /nowhere/tool" in tool.missing_sentence()


@pytest.mark.parametrize(
    ("value", "ci"), [("true", True), ("1", True), ("", False), ("false", False), ("0", False)]
)
def test_ci_is_what_the_variable_says(value: str, ci: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", value)
    assert tools.in_ci() is ci


def test_a_missing_tool_stops_ci_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(test, "ready_tools", lambda: ["Chromium is missing."])
    monkeypatch.setattr(test, "run_all", lambda chosen, keep_going: pytest.fail("something ran"))
    monkeypatch.setenv("CI", "true")
    assert test.main([]) == 1
    assert "Nothing was run" in capsys.readouterr().out


def test_a_missing_tool_on_a_users_machine_is_told_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = [Result("unit", True, 1.0, Counter(passed=3))]
    monkeypatch.setattr(test, "ready_tools", lambda: ["Chromium is missing."])
    monkeypatch.setattr(test, "run_all", lambda chosen, keep_going: results)
    monkeypatch.delenv("CI", raising=False)
    assert test.main([]) == 0
    assert "LEFT OUT: Chromium is missing." in capsys.readouterr().out


def test_chromium_comes_from_apt_after_fresh_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    install_tools.apt_update.cache_clear()
    monkeypatch.setattr(install_tools, "may_use_apt", lambda: True)
    monkeypatch.setattr(install_tools, "distribution", lambda: "debian")
    monkeypatch.setattr(install_tools, "_run", lambda command: ran.append(list(command)) or True)
    install_tools.fetch([tool for tool in tools.TOOLS if tool.name == "Chromium"])
    install_tools.apt_update.cache_clear()
    assert ran[0] == ["apt-get", "update"]
    assert ran[1][:2] == ["apt-get", "install"]
    assert "chromium" in ran[1]
    assert len(ran) == 2


def test_chromium_comes_from_playwright_where_apt_may_not_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(install_tools, "may_use_apt", lambda: False)
    monkeypatch.setattr(environment, "ensure", lambda groups: Path("python"))
    monkeypatch.setattr(install_tools, "_run", lambda command: ran.append(list(command)) or True)
    install_tools.fetch([tool for tool in tools.TOOLS if tool.name == "Chromium"])
    assert ran == [["python", "-m", "playwright", "install", "chromium"]]


def test_a_failing_installer_is_shown_and_not_raised(capfd: pytest.CaptureFixture[str]) -> None:
    assert not install_tools._run([sys.executable, "-c", "print('no space left'); raise SystemExit(3)"])
    assert not install_tools._run(["no-such-program-x"])
    assert "no space left" in capfd.readouterr().out


@pytest.mark.emulator
def test_the_emulator_answers(firestore_emulator: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{firestore_emulator}/", timeout=10) as answer:
        assert answer.read().strip() == b"Ok"


@pytest.mark.browser
def test_the_browser_draws_a_page(chromium_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(chromium_path), args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            page = browser.new_page()
            page.set_content("<p id=sum></p><script>sum.textContent = 2 + 3</script>")
            assert page.inner_text("#sum") == "5"
        finally:
            browser.close()


@pytest.mark.parametrize(("ci", "outcome"), [("true", "1 error"), ("", "1 skipped")])
def test_a_test_without_its_tool_fails_in_ci_and_is_left_out_elsewhere(ci: str, outcome: str) -> None:
    here = f"{Path(__file__)}::test_the_emulator_answers"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", here],
        cwd=environment.ROOT,
        env=os.environ | {"CI": ci, "FIRESTORE_EMULATOR_JAR": "/nowhere/emulator.jar"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert outcome in done.stdout.splitlines()[-1]
    assert "FIRESTORE_EMULATOR_JAR names /nowhere/emulator.jar" in done.stdout


# --- parts and their table ---------------------------------------------------------------------------------------


def python_part(name: str, code: str, report: Path | None = None) -> Part:
    return Part(name, [[sys.executable, "-c", code]], report)


def test_tests_do_not_start_when_a_static_part_fails(tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    unit = python_part("unit", f"open({str(trace)!r}, 'w')", report=tmp_path / "unit.xml")
    static = [python_part("style", "raise SystemExit(1)"), python_part("types", "pass")]
    results = test.run_all([*static, unit], keep_going=False)
    assert [(result.name, result.ok) for result in results] == [("style", False), ("types", True)]
    assert not trace.exists()
    test.run_all([*static, unit], keep_going=True)
    assert trace.exists()


def test_outcomes_are_counted_from_pytests_own_report(tmp_path: Path) -> None:
    sample = tmp_path / "test_sample.py"
    sample.write_text(
        "import pytest\n"
        "def test_a(): pass\n"
        "def test_b(): pass\n"
        "def test_c(): assert False\n"
        "@pytest.mark.skip(reason='x')\ndef test_d(): pass\n"
    )
    report = tmp_path / "report.xml"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            f"--junitxml={report}",
            "-c",
            os.devnull,
            sample,
        ],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert parts.counted(report) == Counter(passed=2, failed=1, skipped=1)
    assert parts.words(parts.counted(report)) == "1 failed, 2 passed, 1 skipped"


def test_a_pytest_that_never_wrote_its_report_counts_nothing(tmp_path: Path) -> None:
    assert parts.counted(tmp_path / "none.xml") == Counter()


def test_a_part_that_collects_no_test_fails_and_says_so(tmp_path: Path) -> None:
    result = parts.run_part(python_part("browser", "raise SystemExit(5)", report=tmp_path / "none.xml"))
    assert not result.ok
    assert result.note == "no test was collected"


def test_the_last_line_adds_up_all_tests(capsys: pytest.CaptureFixture[str]) -> None:
    results = [
        Result("style", True, 0.5),
        Result("unit", True, 60.0, Counter(passed=40, skipped=1)),
        Result("browser", False, 30.0, Counter(passed=2, failed=1)),
    ]
    test.closing(results, [], 90.5)
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == "=== 1 failed, 42 passed, 1 skipped in 90.50s ==="
    assert any(line.split()[:2] == ["browser", "FAILED"] for line in printed)
