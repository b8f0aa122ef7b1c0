"""The store contract: every behaviour the ports promise. A store's test class is a three-line subclass.

A subclass gives one fixture, `opened`.
"""

from __future__ import annotations

from tests.stores.commit_contract import CommitContract
from tests.stores.people_contract import PeopleContract
from tests.stores.telemetry_contract import TelemetryContract


class StoreContract(TelemetryContract, CommitContract, PeopleContract):
    """All of it."""
