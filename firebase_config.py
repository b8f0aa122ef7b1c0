"""From the environment to a Firestore client: emulator, key file, or the machine's own credentials.

Promises: nothing happens at import; nothing secret is printed or kept; what is missing is said with the variable
to set. Imports nothing of the twin: entry points hand `firestore_client` to it as a factory.

    FIRESTORE_EMULATOR_HOST          host:port of the official emulator; then no credentials are needed
    FIREBASE_KEY_FILE or             path of a service account's key file
      GOOGLE_APPLICATION_CREDENTIALS
    FIREBASE_PROJECT or              project id, where neither the store URL nor the credentials name one
      GOOGLE_CLOUD_PROJECT
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DEFAULT_DATABASE = "(default)"
LONGEST_RECONNECT_S = 2.0
"""Between two attempts to connect. gRPC would wait up to two minutes, long after the store is back."""


class FirebaseConfigError(Exception):
    """No usable credentials or project; the text says what to set."""


def firestore_client(environ: Mapping[str, str], *, project: str = "", database: str = "") -> Any:
    """A `google.cloud.firestore.Client` for `project` and `database`; made anew per project, shared within one.

    Raises FirebaseConfigError when something is not set or cannot be read. Talks to nobody yet: whether the
    credentials are accepted shows with the first read.
    """
    import firebase_admin
    from firebase_admin import firestore

    project = project or environ.get("FIREBASE_PROJECT") or environ.get("GOOGLE_CLOUD_PROJECT") or ""
    emulator = environ.get("FIRESTORE_EMULATOR_HOST", "")
    if emulator:
        credential = _emulator_credential()
        project = project or "demo-twin"
        # The client library looks for this one itself, in the process's environment only.
        os.environ["FIRESTORE_EMULATOR_HOST"] = emulator
    else:
        credential, project = _real_credential(environ, project)
    name = f"twin:{emulator or 'cloud'}:{project}"
    try:
        app = firebase_admin.get_app(name)
    except ValueError:
        app = firebase_admin.initialize_app(credential, {"projectId": project}, name=name)
    client = firestore.client(app, database or DEFAULT_DATABASE)
    _reconnect_soon(client, emulator)
    return client


def _reconnect_soon(client: Any, emulator: str) -> None:
    """Give the client the channel it would make itself on first use, but for how long it waits to connect again."""
    import grpc
    from google.cloud.firestore_v1.services.firestore import FirestoreClient
    from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

    if client._firestore_api_internal is not None:
        return
    longest_ms = int(1000 * LONGEST_RECONNECT_S)
    options = [
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", -1),
        ("grpc.initial_reconnect_backoff_ms", longest_ms // 4),
        ("grpc.max_reconnect_backoff_ms", longest_ms),
    ]
    if emulator:
        channel = grpc.insecure_channel(emulator, options=options)
    else:
        options.append(("grpc.keepalive_time_ms", 30_000))
        channel = FirestoreGrpcTransport.create_channel(
            client._target, credentials=client._credentials, options=options
        )
    transport = FirestoreGrpcTransport(host=client._target, channel=channel)
    # The library has no way to hand a channel in; this is where it keeps its own, made the same way.
    client._firestore_api_internal = FirestoreClient(transport=transport)


def _emulator_credential() -> Any:
    """The emulator checks nothing, but firebase-admin wants a credential all the same."""
    from firebase_admin import credentials
    from google.auth.credentials import AnonymousCredentials

    class EmulatorCredential(credentials.Base):  # type: ignore[misc, unused-ignore]
        def get_credential(self) -> AnonymousCredentials:
            return AnonymousCredentials()  # type: ignore[no-untyped-call, unused-ignore]

    return EmulatorCredential()


def _real_credential(environ: Mapping[str, str], project: str) -> tuple[Any, str]:
    """(credential, project id), the project from the credentials where nothing else names it."""
    import google.auth
    from firebase_admin import credentials
    from google.auth.exceptions import DefaultCredentialsError

    variable = "FIREBASE_KEY_FILE" if environ.get("FIREBASE_KEY_FILE") else "GOOGLE_APPLICATION_CREDENTIALS"
    key_file = environ.get(variable, "")
    if key_file:
        if not Path(key_file).is_file():
            raise FirebaseConfigError(
                f"{variable} names no file: {key_file}. Set it to the path of a key file."
            )
        try:
            credential = credentials.Certificate(key_file)
            return credential, _named(project or credential.project_id)
        except (ValueError, OSError):
            if variable == "FIREBASE_KEY_FILE":
                # The parser's message may quote the file: leave it out.
                raise FirebaseConfigError(
                    f"{variable} ({key_file}) is not a service account's key file. Download one from the project's "
                    "settings, under service accounts, or use the machine's own credentials."
                ) from None
    try:
        _, found = google.auth.default()
    except DefaultCredentialsError:
        raise FirebaseConfigError(
            "No Firestore credentials. Set FIRESTORE_EMULATOR_HOST (host:port) for the emulator, FIREBASE_KEY_FILE "
            "(a service account's key file), or run `gcloud auth application-default login`."
        ) from None
    return credentials.ApplicationDefault(), _named(project or found)


def _named(project: str | None) -> str:
    if not project:
        raise FirebaseConfigError(
            "No Firestore project. Name it in the store URL (firestore://PROJECT) or set FIREBASE_PROJECT."
        )
    return project
