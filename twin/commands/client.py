"""How entry points hand Firestore's client to the composition root: a factory, called only when it is needed."""

from __future__ import annotations

import os
from typing import Any


def firestore_client(project: str = "", database: str = "") -> Any:
    """A Firestore client made from the environment; raises what `firebase_config` raises when a setting is missing."""
    import firebase_config

    return firebase_config.firestore_client(os.environ, project=project, database=database)
