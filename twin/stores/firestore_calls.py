"""How long the Firestore adapter waits and how often it asks again; the same for every call."""

from __future__ import annotations

from typing import Any

from google.api_core import exceptions as remote
from google.api_core import retry as retrying

CALL_S = 5.0
DEADLINE_S = 10.0
RETRY = retrying.Retry(
    predicate=retrying.if_exception_type(
        remote.ServiceUnavailable, remote.InternalServerError, remote.Aborted, remote.DeadlineExceeded
    ),
    initial=0.2,
    maximum=2.0,
    multiplier=2.0,
    timeout=DEADLINE_S,
)
BOUND: dict[str, Any] = {"retry": RETRY, "timeout": CALL_S}
_NEVER = retrying.Retry(predicate=lambda _error: False, timeout=CALL_S)


def whole(query: Any) -> Any:
    """A query's whole answer, asked for again from its beginning when the network fails on the way.

    The client library retries a broken stream itself, without end or pause, and badly: it fails with a TypeError of its
    own when nothing had come yet, and asks for the whole limit once more when something had. So it gets no retry here.
    """
    return RETRY(lambda: query.get(retry=_NEVER, timeout=CALL_S))()
