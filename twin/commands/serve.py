"""`python -m twin serve --role web|worker|simulator|all`: one role of a deployment, as a container starts it.

Listens on PORT (8080) of every interface. /_stcore/health answers 200 while the process lives; /ready answers 200
while it does its work and 503 when not, with the reason in the body: pages and worker when the store has been silent
for a minute, a simulator when its readings do not arrive. `all` is the hosted demo: pages, worker and a simulated fleet
in one process, on an embedded store unless TWIN_STORE says otherwise. Ends cleanly on SIGTERM.
"""

from __future__ import annotations

import argparse
import os
import runpy
import sys
import threading
from collections.abc import Callable, MutableMapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from twin.commands.environment import ROOT, say
from twin.errors import SettingsError

Tell = Callable[[Callable[[], str]], None]
ROLES = ("web", "worker", "simulator", "all")


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m twin serve", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--role", choices=ROLES, default=os.environ.get("TWIN_ROLE") or "all")
    parser.add_argument("--port", default=os.environ.get("PORT") or "8080")
    options, rest = parser.parse_known_args(argv)
    port = checked_port(options.port)
    if options.role in ("web", "all"):
        prepare(options.role, os.environ)
        os.chdir(ROOT)
        sys.stdout.flush()
        os.execv(sys.executable, web_command(port, rest))
    from twin.commands import worker

    if options.role == "worker":
        return with_health(port, lambda tell: worker.main(rest, tell))
    return with_health(port, lambda tell: run_simulator(rest, tell))


def run_simulator(arguments: Sequence[str], tell: Tell) -> int:
    """The simulator's script in this process; its exit code."""
    script = str(ROOT / "simulator.py")
    try:
        code: int = runpy.run_path(script, run_name="simulator")["main"](list(arguments), tell)
        return code
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)


def prepare(role: str, environ: MutableMapping[str, str]) -> None:
    """What a role takes for granted; what is set already stays."""
    if role == "all":
        environ.setdefault("TWIN_ALL_IN_ONE", "1")
        environ.setdefault("TWIN_PROFILE", "free")
    else:
        environ.setdefault("TWIN_WORKER", "separate")


def web_command(port: int, rest: Sequence[str] = ()) -> list[str]:
    """How the pages are served."""
    server = [f"--server.port={port}", "--server.address=0.0.0.0", "--server.headless=true"]
    return [sys.executable, "-m", "streamlit", "run", "hosted.py", *server, *rest]


def checked_port(text: str) -> int:
    if text.isdecimal() and 0 < int(text) < 65_536:
        return int(text)
    raise SettingsError(
        "PORT", value=text, rule="must be a port number", next_step="Correct it or leave it out"
    )


def with_health(port: int, run: Callable[[Tell], int]) -> int:
    """Run to the end, answering probes meanwhile; `run` tells how to ask whether it is ready."""
    asked: list[Callable[[], str]] = []
    server = health_server(port, lambda: asked[-1]() if asked else "it is starting")
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    say(f"health on port {server.server_address[1]}")
    try:
        return run(asked.append)
    finally:
        asked.append(lambda: "it is ending")
        server.shutdown()
        server.server_close()


def health_server(port: int, why_not: Callable[[], str]) -> ThreadingHTTPServer:
    """Answers probes on `port` (0 = any free one); not yet serving. `why_not` is "" when the role does its work."""

    class Probe(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            reason = why_not() if path == "/ready" else ""
            status = 404 if path not in ("/ready", "/_stcore/health") else 503 if reason else 200
            body = {200: "ok", 503: f"not ready: {reason}", 404: "not found"}[status].encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes come every few seconds; they are not logged."""

    return ThreadingHTTPServer(("", port), Probe)
