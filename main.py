"""Entry of the app: `streamlit run main.py`. Says how the application is opened; everything else is `twin.ui`'s."""

import os

from twin.ui import shell
from twin.views.app import App


def open_application() -> App:
    """The real application; imported late so that a page test with its own application needs no store."""
    from twin import bootstrap
    from twin.commands.client import firestore_client

    return bootstrap.open_app(os.environ, firestore_client)


shell.run(open_application)
