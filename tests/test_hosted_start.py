"""A server that opens the application with itself has loaded what its pages need before anybody looks."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_pages_import_nothing_a_started_server_has_not_loaded() -> None:
    wanted = {
        node.module
        for page in (ROOT / "pages").glob("*.py")
        for node in ast.walk(ast.parse(page.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("twin.")
    }
    assert "twin.ui.sheet" in wanted
    script = "import sys; from twin.ui.hosted import load_pages; load_pages(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert wanted <= set(done.stdout.split())
