"""Serve the app on the made-up fleet: `python tests/fake_server.py PORT [empty|stale|broken]`. For looking at pages."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def main() -> None:
    from streamlit import config
    from streamlit.web import bootstrap

    from tests.fake_app import FakeApp
    from twin.ui import session

    port, *words = sys.argv[1:]
    session.provide(lambda: FakeApp(moving="still" not in words, **{w: True for w in words if w != "still"}))
    options = {"server.port": int(port), "server.address": "127.0.0.1", "server.fileWatcherType": "none"}
    bootstrap.load_config_options(options)
    assert config.get_option("runner.postScriptGC") is False
    bootstrap.run(str(ROOT / "main.py"), False, [], {})


if __name__ == "__main__":
    main()
