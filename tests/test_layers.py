"""Laws of the import graph that import-linter cannot state: scripts, pages, and which module knows which client.

Reads source text only, so it holds whatever can be imported here. A file that does not exist breaks no law.
"""

from __future__ import annotations

import ast
import fnmatch
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TWIN = sorted((ROOT / "twin").rglob("*.py"))
PAGES = sorted(path for path in (ROOT / "pages").glob("*.py") if path.name != "__init__.py")
PURE = (
    "errors",
    "schema",
    "ports",
    "physics",
    "estimation",
    "engine",
    "prognosis",
    "alerts",
    "business",
    "forecasting",
)

# module pattern -> library only it may name
ADAPTERS = {
    "sqlite3": ("twin.stores.sqlite*", "twin.edge.outbox*", "twin.edge.ground_truth*"),
    "firebase_admin": ("firebase_config",),
    "google": ("twin.stores.firestore*", "firebase_config"),
    "grpc": ("twin.stores.firestore*", "firebase_config"),
    "streamlit": ("twin.ui", "twin.ui.*", "pages.*", "main", "hosted"),
    "plotly": ("twin.ui", "twin.ui.*"),
    "faker": ("twin.edge.*",),
}

# script -> what of the project it may import; all of it lies above services, stores, edge and settings, or is a word
SCRIPTS: dict[str, set[str]] = {
    "main.py": {
        "twin.ui",
        "twin.views",
        "twin.bootstrap",
        "twin.commands.client",
        "twin.schema",
        "twin.errors",
        "firebase_config",
    },
    "hosted.py": {"twin.ui", "twin.views", "twin.bootstrap", "twin.commands.client"},
    "simulator.py": {"twin.bootstrap", "twin.commands", "twin.schema", "twin.errors", "firebase_config"},
    "firebase_config.py": set(),
}


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[str]:
    """Every module a file names in an import, at any depth; `from a import b` counts as a and as a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def sources() -> list[Path]:
    scripts = [ROOT / name for name in SCRIPTS if (ROOT / name).is_file()]
    return [*TWIN, *PAGES, *scripts]


def breaches_of_composition_root(path: Path) -> list[str]:
    """Imports of a store, an edge device or the settings from outside bootstrap and their own package."""
    here = dotted(path)
    if within(here, "twin.bootstrap"):
        return []
    protected = ("twin.stores", "twin.edge", "twin.settings")
    return [
        module
        for module in imported(path)
        for package in protected
        if within(module, package) and not within(here, package)
    ]


@pytest.mark.parametrize("path", sources(), ids=dotted)
def test_only_bootstrap_names_a_store_an_edge_device_or_the_settings(path: Path) -> None:
    assert breaches_of_composition_root(path) == []


@pytest.mark.parametrize("library", sorted(ADAPTERS))
def test_only_its_adapter_knows_a_client_library(library: str) -> None:
    breaches = [
        dotted(path)
        for path in sources()
        if any(within(module, library) for module in imported(path))
        and not any(fnmatch.fnmatch(dotted(path), pattern) for pattern in ADAPTERS[library])
    ]
    assert breaches == [], f"only {', '.join(ADAPTERS[library])} may import {library}"


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_scripts_import_only_what_hands_them_on(script: str) -> None:
    path = ROOT / script
    if not path.is_file():
        return
    own = {module for module in imported(path) if within(module, "twin") or within(module, "firebase_config")}
    breaches = [
        module
        for module in own
        if module != "twin" and not any(within(module, allowed) for allowed in SCRIPTS[script])
    ]
    assert breaches == [], f"{script} may import {sorted(SCRIPTS[script]) or 'nothing of the project'}"


def test_nothing_in_twin_imports_a_script_or_a_page() -> None:
    above = ("main", "simulator", "firebase_config", "pages")
    allowed = {"firebase_config": ("twin.__main__", "twin.commands.*")}
    breaches = [
        f"{dotted(path)} -> {module}"
        for path in TWIN
        for module in imported(path)
        for script in above
        if within(module, script)
        and not any(fnmatch.fnmatch(dotted(path), pattern) for pattern in allowed.get(script, ()))
    ]
    assert breaches == []


@pytest.mark.parametrize("path", PAGES, ids=dotted)
def test_every_page_begins_with_the_guard(path: Path) -> None:
    assert begins_with_guard(path.read_text(encoding="utf-8")), (
        f"{path.name}: the first statement after the imports must call a function of twin.ui with 'guard' in its name"
    )


@pytest.mark.parametrize("path", PAGES, ids=dotted)
def test_pages_stay_thin(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 80


def begins_with_guard(source: str) -> bool:
    """Whether the first statement that is neither docstring nor import calls a guard imported from twin.ui."""
    body = ast.parse(source).body
    names: set[str] = set()
    for node in body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.ImportFrom):
            if node.module and within(node.module, "twin.ui"):
                names |= {alias.asname or alias.name for alias in node.names}
            elif node.module == "twin":
                names |= {alias.asname or alias.name for alias in node.names if alias.name == "ui"}
            continue
        if isinstance(node, ast.Import):
            continue
        # `if guard(): st.stop()` and `page = guard(...)` begin with the call too.
        first = node.test if isinstance(node, ast.If) else getattr(node, "value", None)
        if not isinstance(first, ast.Call):
            return False
        called = ast.unparse(first.func)
        return "guard" in called and called.split(".")[0] in names
    return False


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ('"""Doc."""\nfrom twin.ui.guard import guard\n\nguard("fleet")\n', True),
        ("import streamlit as st\nfrom twin.ui import page_guard\npage_guard()\nst.write(1)\n", True),
        ("from twin import ui\nui.guard()\n", True),
        ("import streamlit as st\nfrom twin.ui import guard\nst.title('x')\nguard()\n", False),
        ("from elsewhere import guard\nguard()\n", False),
        ("from twin.ui import guard\n", False),
    ],
)
def test_the_guard_rule_itself(source: str, holds: bool) -> None:
    assert begins_with_guard(source) is holds


def test_every_folder_with_code_is_a_package() -> None:
    """import-linter and mypy do not see a folder without `__init__.py`, so its imports would go unchecked."""
    folders = {path.parent for path in TWIN}
    assert [
        str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").is_file()
    ] == []


def test_pure_packages_are_all_in_the_contract() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    pure = next(contract for contract in contracts if contract["id"] == "pure")["source_modules"]
    here = [f"twin.{name}" for name in PURE if any(within(dotted(path), f"twin.{name}") for path in TWIN)]
    assert [name for name in here if name not in pure] == []


@pytest.mark.parametrize(
    "path", [path for path in TWIN if path.relative_to(ROOT).with_suffix("").parts[1] in PURE], ids=dotted
)
def test_pure_modules_make_no_generator_without_a_seed(path: Path) -> None:
    """`default_rng()` without a seed is hidden randomness that no import rule sees."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("default_rng"):
            assert node.args or node.keywords, f"{dotted(path)}:{node.lineno} takes its seed from the machine"
