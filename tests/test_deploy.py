"""What is deployed, checked without an engine or an account: image, lock, compose file, workflows, hosted demo."""

from __future__ import annotations

import fnmatch
import json
import random
import re
import shutil
import subprocess
import sys
import threading
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from tests.flaky_documents import FlakyDocuments
from tests.image import ROOT, environment, instructions, last_stage
from tests.test_actions import StillClock
from twin.bootstrap.inside import note
from twin.commands import serve
from twin.commands.tools import in_ci
from twin.errors import SettingsError
from twin.physics.catalogue import asset_classes
from twin.services.app import READY_WITHIN_S
from twin.services.assembly import build_app, build_twin_service
from twin.settings import Settings
from twin.stores.memory import MemoryDocuments
from twin.stores.opening import stores_over

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
FOUND = instructions(DOCKERFILE)
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DEPLOY_TEXT = (ROOT / ".github/workflows/deploy.yml").read_text(encoding="utf-8")


def tool(name: str) -> str:
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        sentence = f"{name} is not installed: python -m pip install -e .[dev]"
        if in_ci():
            pytest.fail(sentence, pytrace=False)
        pytest.skip(sentence)
    return found


def accepted(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# --- image ---------------------------------------------------------------------------------------------------------


def test_linter_has_nothing_to_say_about_the_dockerfile() -> None:
    accepted(tool("hadolint"), "Dockerfile")


def test_image_has_two_stages_and_the_last_runs_without_rights() -> None:
    stages = [rest for name, rest in FOUND if name == "FROM"]
    assert len(stages) == 2
    assert all("slim" in stage and ":latest" not in stage for stage in stages)
    user = [rest for name, rest in last_stage(FOUND) if name == "USER"]
    assert user[-1].split(":")[0].isdecimal(), "a number, so that a cluster can see it is not root"
    assert int(user[-1].split(":")[0]) > 0
    last = [name for name, _ in last_stage(FOUND)]
    assert last.index("USER") > max(number for number, name in enumerate(last) if name in {"RUN", "COPY"})


def test_packages_are_installed_by_hash_and_never_built() -> None:
    install = next(rest for name, rest in FOUND if name == "RUN" and "pip install" in rest)
    assert "--require-hashes" in install
    assert "--only-binary=:all:" in install
    assert "requirements.lock" in install


def test_what_is_copied_is_in_the_build_context_and_nothing_secret_is() -> None:
    allowed = [
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    ]
    copied = [
        source
        for name, rest in FOUND
        if name == "COPY" and not rest.startswith("--from=")
        for source in rest.split()[:-1]
    ]
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(source == name or source.startswith(f"{name}/") for name in allowed), source
    assert not [
        name for name in allowed if fnmatch.fnmatch(name, "*.env*") or "secret" in name or "git" in name
    ]
    assert (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()[1] == "*"


def test_image_writes_only_below_its_home() -> None:
    set_here = environment(last_stage(FOUND))
    assert set_here["TWIN_HOME"] == set_here["HOME"] == "/data"
    assert set_here["TWIN_VENV"] == "current"
    assert ("VOLUME", "/data") in FOUND


def test_health_check_asks_the_port_the_role_listens_on() -> None:
    check = next(rest for name, rest in FOUND if name == "HEALTHCHECK")
    assert "/ready" in check
    assert "PORT" in check


# --- lock ----------------------------------------------------------------------------------------------------------


def locked() -> dict[str, list[str]]:
    """package -> the versions it is locked to (several where they depend on the Python)."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", LOCK, re.MULTILINE):
        found.setdefault(name.lower().replace("_", "-"), []).append(version)
    return found


def test_lock_names_every_package_with_a_hash_and_no_index() -> None:
    for block in re.split(r"\n(?=[A-Za-z0-9])", LOCK):
        if not block.startswith("#"):
            assert "--hash=sha256:" in block, block
    assert "://" not in LOCK
    assert not re.search(r"^\s*(-i|-f|--index|--extra-index|--find-links|--trusted-host)", LOCK, re.MULTILINE)


def test_lock_meets_every_requirement() -> None:
    found = locked()
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            wanted = Requirement(line)
            versions = found.get(wanted.name.lower().replace("_", "-"), [])
            assert versions, f"{wanted.name} is not locked: make requirements.lock again (docs/deploy.md)"
            assert all(wanted.specifier.contains(version) for version in versions), (line, versions)


# --- compose -------------------------------------------------------------------------------------------------------


def test_compose_file_keeps_its_schema() -> None:
    accepted(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")


def test_all_users_of_a_sqlite_file_share_one_container() -> None:
    embedded = {
        name
        for name, service in COMPOSE["services"].items()
        if not str(service.get("environment", {}).get("TWIN_STORE", "")).count("firestore://")
    }
    assert embedded == {"twin"}
    assert COMPOSE["services"]["twin"]["command"] == ["--role", "all"]


def test_services_start_known_roles_with_their_root_closed_and_listen_to_this_machine_only() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["command"][0] == "--role", name
        assert service["command"][1] in serve.ROLES, name
        assert service["read_only"] is True, name
        assert not service.get("privileged")
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), port


def test_named_volumes_are_declared() -> None:
    used = {
        volume.split(":")[0]
        for service in COMPOSE["services"].values()
        for volume in service.get("volumes", [])
    }
    assert used == set(COMPOSE["volumes"])


# --- workflows and hosted demo -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=lambda path: path.name
)
def test_workflow_keeps_its_schema(path: Path) -> None:
    accepted(tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(path))


def test_pull_requests_are_tested_on_both_ends_built_and_audited() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pythons = [c.rpartition(" ")[2] for c in project["classifiers"] if re.search(r":: \d+\.\d+$", c)]
    assert jobs["test"]["strategy"]["matrix"]["python"] == [pythons[0], pythons[-1]]
    said = {name: yaml.safe_dump(job, width=10_000) for name, job in jobs.items()}
    assert "cloud-firestore-emulator" in said["test"]
    assert "make test" in said["test"]
    for wanted in ("docker build", "--read-only", "/ready", ".State.Health.Status", "compose config"):
        assert wanted in said["image"], wanted
    assert "pip-audit --requirement requirements.lock" in said["audit"]
    assert "secrets." not in "".join(said.values())


def test_deployment_federates_its_identity_and_holds_no_key() -> None:
    deploy = yaml.safe_load(DEPLOY_TEXT)
    assert deploy["permissions"] == {"contents": "read", "id-token": "write"}
    assert "workload_identity_provider" in DEPLOY_TEXT
    assert "credentials_json" not in DEPLOY_TEXT
    assert "secrets." not in DEPLOY_TEXT
    assert deploy["concurrency"]["cancel-in-progress"] is False


def test_new_pages_are_asked_with_a_token_that_their_service_takes() -> None:
    """Federated credentials make none by gcloud (google-github-actions/auth issue 291)."""
    deploy = yaml.safe_load(DEPLOY_TEXT)
    steps = {step.get("name", ""): step for step in deploy["jobs"]["deploy"]["steps"]}
    token = steps["A token to ask the closed pages with"]
    assert (token["with"]["token_format"], token["with"]["create_credentials_file"]) == ("id_token", False)
    assert token["with"]["id_token_audience"] == "${{ env.AUDIENCE }}"
    assert '--add-custom-audiences="$AUDIENCE"' in steps["Pages, without traffic"]["run"]
    asking = steps["A tenth of the traffic, then all"]
    assert asking["env"]["TOKEN"] == f"${{{{ steps.{token['id']}.outputs.id_token }}}}"
    assert "Bearer $TOKEN" in asking["run"]
    assert "print-identity-token" not in DEPLOY_TEXT


def test_deployment_goes_indexes_worker_pages_then_traffic_and_can_go_back() -> None:
    names = [step.get("name", "") for step in yaml.safe_load(DEPLOY_TEXT)["jobs"]["deploy"]["steps"]]
    order = [
        "Build the image and see it answer",
        "Push the image",
        "Indexes, TTL policies and rules",
        "Worker",
        "Pages, without traffic",
        "A token to ask the closed pages with",
        "A tenth of the traffic, then all",
        "Back to what ran before",
    ]
    assert [name for name in names if name] == order
    assert "--to-tags=candidate=10" in DEPLOY_TEXT
    assert "--set-env-vars" not in DEPLOY_TEXT, "it would take away what people have set on the services"
    assert "rollback" in yaml.safe_load(DEPLOY_TEXT)["jobs"]


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=lambda path: path.name
)
def test_no_text_from_outside_is_pasted_into_a_shell(path: Path) -> None:
    for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), step.get("name")


def test_firebase_deploys_the_rules_and_indexes_that_are_tested() -> None:
    declared = json.loads((ROOT / "firebase.json").read_text(encoding="utf-8"))["firestore"]
    assert declared == {"rules": "firestore.rules", "indexes": "firestore.indexes.json"}


def test_one_click_service_is_the_demo_in_one_instance() -> None:
    app = json.loads((ROOT / "app.json").read_text(encoding="utf-8"))
    assert app["options"]["max-instances"] == 1, "an embedded store has one process"
    assert app["options"]["port"] == int(environment(last_stage(FOUND))["PORT"])
    assert app["env"]["TWIN_DEMO"]["value"] == "1"
    (command,) = app["hooks"]["postcreate"]["commands"]
    assert "--min-instances=0" in command
    assert "/_stcore/health" in command


# --- roles ---------------------------------------------------------------------------------------------------------


def test_roles_take_their_defaults_but_what_is_set_stays() -> None:
    whole: dict[str, str] = {}
    serve.prepare("all", whole)
    assert whole == {"TWIN_ALL_IN_ONE": "1", "TWIN_PROFILE": "free"}
    chosen = {"TWIN_PROFILE": "live", "TWIN_WORKER": "inside"}
    serve.prepare("web", chosen)
    assert chosen == {"TWIN_PROFILE": "live", "TWIN_WORKER": "inside"}


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("sqlite:////data/twin.sqlite", "begins anew where its disk is not kept"),
        ("firestore://p", "goes on from there"),
    ],
)
def test_the_hosted_demo_says_on_the_page_that_it_sleeps_and_what_follows(store: str, said: str) -> None:
    settings = Settings.from_environ({"TWIN_ALL_IN_ONE": "1", "TWIN_STORE": store})
    assert note(settings) == (
        f"Public demo: every device is simulated; it may sleep when nobody looks and then {said}"
    )


@pytest.mark.parametrize("text", ["", "0", "65536", "http", "-1", "80.0"])
def test_a_port_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match="PORT"):
        serve.checked_port(text)


def test_a_role_is_live_while_it_is_not_ready_and_says_why() -> None:
    reasons = ["the store has not answered for 95 s"]
    server = serve.health_server(0, lambda: reasons[0] if reasons else "")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def answer(path: str) -> tuple[int, str]:
        try:
            with opener.open(f"http://127.0.0.1:{server.server_address[1]}{path}", timeout=5) as found:
                return int(found.status), found.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    try:
        assert answer("/_stcore/health") == (200, "ok")
        assert answer("/ready") == (503, "not ready: the store has not answered for 95 s")
        reasons.clear()
        assert answer("/ready") == (200, "ok")
        assert answer("/")[0] == 404
    finally:
        server.shutdown()
        server.server_close()


def test_pages_are_ready_while_the_store_answers_and_say_since_when_it_does_not() -> None:
    clock, kernel = StillClock(), FlakyDocuments(MemoryDocuments(), random.Random(1))
    stores = stores_over(kernel, MemoryDocuments(), now=clock.now)  # type: ignore[arg-type]
    app = build_app(stores, asset_classes(), clock=clock, demo=False)
    assert app.readiness() == (False, "the store has not answered yet, for 0 s.")
    app.poll()
    assert app.readiness() == (True, "the store answers; nothing has been stepped yet")
    kernel.rate = 1.0
    clock.sleep(READY_WITHIN_S)
    app.poll()
    assert app.readiness()[0], "a short outage does not take the pages away"
    clock.sleep(1.0)
    is_ready, why = app.readiness()
    assert not is_ready
    assert why.startswith("the store has not answered for 61 s. ")


def test_a_worker_is_ready_while_the_store_answers_also_when_it_stands_by() -> None:
    clock, kernel = StillClock(), FlakyDocuments(MemoryDocuments(), random.Random(1))
    stores = stores_over(kernel, MemoryDocuments(), now=clock.now)  # type: ignore[arg-type]
    first, second = (
        build_twin_service(stores, asset_classes(), holder=name, clock=clock) for name in ("a", "b")
    )
    first.attempt(1.0)
    second.attempt(1.0)
    assert (first.why_not_ready(), second.why_not_ready()) == ("", "")
    kernel.rate = 1.0
    clock.sleep(61.0)
    first.attempt(1.0)
    assert first.why_not_ready().startswith("shard S0: the store has not answered for 61 s. store")
