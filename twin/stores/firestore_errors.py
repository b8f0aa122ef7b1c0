"""What Firestore's client raises, in the project's words, chained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core import exceptions as remote
from google.auth import exceptions as auth

from twin.errors import StoreFullError, StoreUnavailableError, TooLargeError, TwinError

_NEXT_STEPS: tuple[tuple[type[Exception], str, str], ...] = (
    (
        remote.PermissionDenied,
        "refused access",
        "Give this identity the role datastore.user on the database",
    ),
    (remote.Unauthenticated, "does not know this identity", "Check the credentials this process runs with"),
    (
        remote.NotFound,
        "has no such database or document",
        "Create the database, or check project and database id",
    ),
    (
        remote.FailedPrecondition,
        "refused the request in its present state (a missing index, or somebody was faster)",
        "Deploy firestore.indexes.json; otherwise it is tried again",
    ),
)


_TOO_LARGE = ("larger than max", "exceeds maximum size")


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise the client's errors as errors of `twin.errors`."""
    try:
        yield
    except (remote.GoogleAPIError, auth.GoogleAuthError) as error:
        raise _told(error, f"Firestore {what}") from error


def _told(error: Exception, what: str) -> TwinError:
    # A retry that ran out wraps the failure it kept meeting.
    cause = getattr(error, "cause", None)
    if isinstance(error, remote.RetryError) and isinstance(cause, Exception):
        error = cause
    said = str(getattr(error, "message", error))[:200]
    # gRPC has one word for a quota and for a message that is too large.
    is_too_large = isinstance(error, remote.InvalidArgument) or any(words in said for words in _TOO_LARGE)
    if isinstance(error, remote.ResourceExhausted | remote.TooManyRequests) and not is_too_large:
        return StoreFullError(
            what,
            rule="answered that its quota is used up",
            next_step="Wait for the quota's next day or raise it; nothing was written",
        )
    if is_too_large:
        return TooLargeError(
            what,
            rule=f"was refused as invalid ({said})",
            next_step="Use more shards or smaller batches when it is a size; else report it",
        )
    for kind, rule, next_step in _NEXT_STEPS:
        if isinstance(error, kind):
            return StoreUnavailableError(what, rule=f"{rule} ({said})", next_step=next_step)
    return StoreUnavailableError(
        what,
        rule=f"did not answer in time ({said})",
        next_step="It is tried again; check the network when it stays",
    )
