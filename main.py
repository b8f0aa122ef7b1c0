"""Entry of the app: `streamlit run main.py`. Says how the application is opened; everything else is `twin.ui`'s."""

from twin.ui import shell
from twin.views.app import App


def open_application() -> App:
    """The real application; imported late so that a page test with its own application needs no store."""
    from twin import bootstrap

    return bootstrap.open_app()


shell.run(open_application)
