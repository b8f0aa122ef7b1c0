"""From an environment to a client: which credentials win, and what is said when there are none."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from google.api_core import exceptions as remote

import firebase_config
from firebase_config import FirebaseConfigError, firestore_client

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "FIRESTORE_EMULATOR_HOST",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "FIREBASE_KEY_FILE",
        "GOOGLE_CLOUD_PROJECT",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "no-gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


def test_emulator_needs_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "")  # put back afterwards
    client = firestore_client({"FIRESTORE_EMULATOR_HOST": "127.0.0.1:9"}, project="demo-x", database="other")
    assert client.project == "demo-x"
    assert client._database == "other"
    assert os.environ["FIRESTORE_EMULATOR_HOST"] == "127.0.0.1:9"


def test_a_client_that_is_refused_tries_to_connect_again_soon_however_often_it_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "")
    monkeypatch.setattr(firebase_config, "LONGEST_RECONNECT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        client = firestore_client({"FIRESTORE_EMULATOR_HOST": address}, project="demo-refused")
        asked = client.collection("c").document("d")
        attempts, end = 0, time.monotonic() + 3.0
        while time.monotonic() < end and attempts < 6:
            with suppress(remote.GoogleAPICallError):
                asked.get(retry=None, timeout=0.1)
            with suppress(TimeoutError):
                server.accept()[0].close()
                attempts += 1
        client.close()
    # gRPC's own waits double: one, two, four seconds and on to two minutes.
    assert attempts == 6


def test_nothing_set_says_what_to_set() -> None:
    with pytest.raises(FirebaseConfigError, match=r"FIRESTORE_EMULATOR_HOST.*FIREBASE_KEY_FILE.*gcloud auth"):
        firestore_client({}, project="p")


@pytest.mark.parametrize("variable", ["FIREBASE_KEY_FILE", "GOOGLE_APPLICATION_CREDENTIALS"])
def test_missing_key_file_is_named(variable: str) -> None:
    with pytest.raises(FirebaseConfigError, match=f"{variable} names no file"):
        firestore_client({variable: "nowhere.json"}, project="p")


def test_broken_key_file_is_named_without_quoting_it(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps({"type": "service_account", "private_key": "SECRET-PART", "project_id": "p"}))
    with pytest.raises(FirebaseConfigError, match="is not a service account's key file") as caught:
        firestore_client({"FIREBASE_KEY_FILE": str(path)})
    assert "SECRET" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_key_file_names_the_project(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "key.json"
    fields = {
        "type": "service_account",
        "project_id": "from-key",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": "worker@from-key.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    path.write_text(json.dumps(fields))
    assert firestore_client({"FIREBASE_KEY_FILE": str(path)}).project == "from-key"
    assert firestore_client({"FIREBASE_KEY_FILE": str(path)}, project="named").project == "named"


def test_importing_loads_no_client_and_nothing_of_the_twin() -> None:
    roots = ("google", "firebase_admin", "twin")
    code = f"import sys, firebase_config; print([m for m in sys.modules if m.split('.')[0] in {roots}])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_module_says_which_variables_it_reads() -> None:
    for variable in (
        "FIRESTORE_EMULATOR_HOST",
        "FIREBASE_KEY_FILE",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "FIREBASE_PROJECT",
    ):
        assert variable in (firebase_config.__doc__ or "")
