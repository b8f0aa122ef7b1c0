"""What is known of work orders, brought up to date when a person opens a page."""

from __future__ import annotations

from twin.errors import TwinError
from twin.services.work_desk import WorkBook
from twin.ui import session


def work_known() -> WorkBook:
    """Asks the store, with one small read while nothing is new; what is known while it does not answer."""
    desk = session.app().work_desk
    try:
        return desk.refresh()
    except TwinError:
        return desk.known()  # the notice above the page says how old it is
