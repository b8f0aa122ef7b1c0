"""A query whose stream breaks is asked again from its beginning, for a bounded time, by us and not by the library."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core import exceptions as remote
from google.cloud import firestore

from twin.stores.firestore_calls import DEADLINE_S, whole


class Answers:
    """The part of the client library's transport a query needs: each call plays one script, an error or documents."""

    def __init__(self, *scripts: list[Any]) -> None:
        self.scripts = list(scripts)
        self.asked: list[Any] = []

    def run_query(self, request: dict[str, Any], metadata: Any, **bound: Any) -> Any:
        self.asked.append(request["structured_query"])
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]

        def stream() -> Any:
            for step in script:
                if isinstance(step, Exception):
                    raise step
                yield step

        return stream()


def query(answers: Answers) -> Any:
    from google.auth.credentials import AnonymousCredentials

    client = firestore.Client(project="demo", credentials=AnonymousCredentials())
    client._firestore_api_internal = answers
    return client.collection("c").order_by("sort").start_after({"sort": 7}).limit(5)


def test_a_broken_stream_is_asked_again_from_the_same_place() -> None:
    answers = Answers([remote.ServiceUnavailable("reset")], [])
    assert list(whole(query(answers))) == []
    first, again = answers.asked
    assert first.start_at.values[0].integer_value == 7
    assert again == first, "its cursor and limit are those of the first call"


def test_a_store_that_stays_away_is_given_up_after_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("google.api_core.retry.retry_unary.time.sleep", slept.append)
    answers = Answers([remote.ServiceUnavailable("away")])
    moments = iter(range(1000))
    monkeypatch.setattr("google.api_core.retry.retry_unary.time.monotonic", lambda: float(next(moments)))
    with pytest.raises(remote.RetryError):
        whole(query(answers))
    assert 1 < len(answers.asked) <= DEADLINE_S + 1
    assert len(slept) == len(answers.asked) - 1


def test_what_will_not_get_better_is_not_asked_again() -> None:
    answers = Answers([remote.PermissionDenied("no")])
    with pytest.raises(remote.PermissionDenied):
        whole(query(answers))
    assert len(answers.asked) == 1
