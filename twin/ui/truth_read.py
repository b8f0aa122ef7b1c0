"""What the Simulator page asks of the log of true faults: at most once in TRUTH_S for all viewers."""

from __future__ import annotations

from twin.ui import session
from twin.views.breaking import Answer, answers
from twin.views.scoreboard import TruthView, truth_view

TRUTH_S = 3


def truth() -> TruthView:
    """Faults against cases. Raises TwinError where the log cannot be read."""
    app, now = session.app(), session.app().now()
    key = int(now.timestamp() // TRUTH_S)
    return session.shared("simulator.truth", key, lambda: truth_view(app.feed(), app.faults(), now))


def told() -> tuple[Answer, ...]:
    """What the gateways answered. Raises TwinError where it cannot be read."""
    app, now = session.app(), session.app().now()
    key = int(now.timestamp() // TRUTH_S)
    return session.shared("simulator.told", key, lambda: answers(app.commands(), now))
