"""The store contract: every behaviour the ports promise. A store's test class is a three-line subclass.

A subclass gives one fixture, `opened`.
"""

from __future__ import annotations

from tests.stores.commit_contract import CommitContract
from tests.stores.notice_contract import NoticeContract
from tests.stores.people_contract import PeopleContract
from tests.stores.rules_contract import RulesContract
from tests.stores.telemetry_contract import TelemetryContract
from tests.stores.work_contract import WorkContract


class StoreContract(
    TelemetryContract, CommitContract, PeopleContract, NoticeContract, WorkContract, RulesContract
):
    """All of it."""
