"""The pages as a deployment serves them: `streamlit run hosted.py`. The same `main.py`, opened with the server."""

import os

import streamlit as st

from twin.ui.hosted import ROUTES, opens
from twin.views.app import App


def open_application() -> App:
    """The real application, as `main.py` opens it."""
    from twin import bootstrap
    from twin.commands.client import firestore_client

    return bootstrap.open_app(os.environ, firestore_client)


app = st.App("main.py", lifespan=opens(open_application), routes=ROUTES)
