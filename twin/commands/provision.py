"""`python -m twin provision --project P`: what sets up a Firestore project, and whether it is set up.

Without an option it prints the commands, in order, and runs nothing. `--apply` runs them, each harmless when repeated,
and stops at the first that fails. `--check` compares the project with the files of this folder and changes nothing.
The commands and the check are tested without a cloud; no real project has been set up with them by the tests.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from twin.bootstrap import project_differences
from twin.commands.environment import ROOT, say
from twin.errors import SettingsError

DEFAULT = "(default)"
FIREBASE = ("npx", "--yes", "firebase-tools@14")
ROLES = (("twin-writer", "worker and simulators"), ("twin-web", "pages; people acknowledge and act"))
EXISTS = "already exists"


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m twin provision", description=(__doc__ or "").split(":")[0]
    )
    parser.add_argument("--project", required=True, type=_project)
    parser.add_argument("--database", default=DEFAULT, help="default (default): the one with the free quota")
    parser.add_argument("--location", default="us-central1", help="of the database; cannot be changed later")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--check", action="store_true", help="compare the project with this folder; changes nothing"
    )
    what.add_argument("--apply", action="store_true", help="run the commands instead of printing them")
    options = parser.parse_args(argv)
    if options.check:
        return check(options.project, options.database)
    if options.apply:
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "firebase.json"
            config.write_text(json.dumps(firebase_config(options.database)), encoding="utf-8")
            return apply(commands(options.project, options.database, options.location, str(config)))
    config_name = "firebase.json"
    if options.database != DEFAULT:
        config_name = "firebase.named.json"
        say(f"# {config_name} (for a named database):\n# {json.dumps(firebase_config(options.database))}")
    for command in commands(options.project, options.database, options.location, config_name):
        say(shlex.join(command))
    say("\n# Nothing was run. `--apply` runs these, `--check` says what is missing.")
    return 0


def commands(project: str, database: str, location: str, config: str) -> list[list[str]]:
    """Every command, in order."""
    there = [f"--project={project}", "--quiet"]
    made = [
        ["gcloud", "services", "enable", "firestore.googleapis.com", "firebaserules.googleapis.com", *there],
        [
            *(
                "gcloud",
                "firestore",
                "databases",
                "create",
                f"--database={database}",
                f"--location={location}",
            ),
            *("--type=firestore-native", "--delete-protection", *there),
        ],
        # Indexes, exemptions, TTL policies and rules, from the files that the tests hold against the adapter.
        [
            *FIREBASE,
            "deploy",
            "--only",
            "firestore",
            "--config",
            config,
            "--project",
            project,
            "--non-interactive",
        ],
    ]
    scope = f'resource.name=="projects/{project}/databases/{database}"'
    for account, purpose in ROLES:
        made.append(
            [
                "gcloud",
                "iam",
                "service-accounts",
                "create",
                account,
                f"--display-name=Twin: {purpose}",
                *there,
            ]
        )
        made.append(
            [
                *("gcloud", "projects", "add-iam-policy-binding", project),
                f"--member=serviceAccount:{account}@{project}.iam.gserviceaccount.com",
                "--role=roles/datastore.user",
                f"--condition=title=twin-database,expression={scope}",
                "--quiet",
            ]
        )
    return made


def firebase_config(database: str) -> dict[str, object]:
    """firebase.json for one database, with the files of this folder."""
    files = {"rules": str(ROOT / "firestore.rules"), "indexes": str(ROOT / "firestore.indexes.json")}
    return {"firestore": files if database == DEFAULT else [{"database": database, **files}]}


def apply(made: Sequence[Sequence[str]]) -> int:
    for command in made:
        say(f"$ {shlex.join(command)}")
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise SettingsError(
                command[0], rule="is not installed", next_step="Install it, or run the commands elsewhere"
            ) from None
        if done.returncode and EXISTS not in done.stderr.lower():
            say(done.stderr.strip()[-2000:])
            return 1
    return 0


def check(project: str, database: str) -> int:
    wrong = project_differences(ROOT, project, database)
    for sentence in wrong:
        say(f"!! {sentence}")
    if not wrong:
        say(
            f"{project}/{database}: mode, protection, indexes, exemptions, TTL policies and rules are as declared."
        )
    return 1 if wrong else 0


def _project(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a project id (6 to 30 of a-z, 0-9 and -)")
    return text
