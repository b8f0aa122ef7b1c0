"""A threshold changed by a person fires in the running twin, and a restart judges nothing by other rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.test_run_twin import Bench
from twin.alerts.overrides import Key, Overrides
from twin.ports import RuleVersion
from twin.schema.alert import Alert
from twin.services.cadence import EMBEDDED

RULE = "threshold:temperature"


def change(bench: Bench, number: int, **terms: Any) -> None:
    """Version `number` of the rules: every class's temperature threshold."""
    names = {device.asset_class for device in bench.devices}
    values = {Key("classes", name, RULE, term): value for name in names for term, value in terms.items()}
    version = RuleVersion(
        0, Overrides(values).to_document(), "anna", bench.clock.now(), "trial", key=f"k{number}"
    )
    bench.stores.rules.change(version, expected_version=number - 1)


def facts(bench: Bench) -> dict[str, Any]:
    state = bench.stores.shards.fleet_state("S0")
    assert state is not None
    return dict(state.worker)


def thresholds(bench: Bench) -> list[Alert]:
    return [a for a in bench.stores.alerts.alerts(open_only=True) if a.rule == RULE]


def test_a_changed_limit_fires_in_the_running_twin_and_its_version_is_told() -> None:
    bench = Bench()
    service = bench.service()
    bench.send(10)
    bench.run(service)
    assert (thresholds(bench), facts(bench)["rules_version"]) == ([], 0)
    change(bench, 1, warn_high=10.0)
    bench.send(int(EMBEDDED.registry_s / 3.0) + 6)
    bench.run(service)
    assert "INST-002" in {a.device_id for a in thresholds(bench)}
    assert facts(bench)["rules_version"] == 1
    change(bench, 2, enabled=False)
    bench.send(40)
    bench.run(service)
    bench.send(30)
    bench.run(service)
    assert thresholds(bench) == []


def test_a_change_is_checkpointed_with_its_own_commit() -> None:
    bench = Bench()
    service = bench.service()
    bench.send(10)
    bench.run(service)
    change(bench, 1, warn_high=10.0)
    bench.clock.sleep(EMBEDDED.registry_s)
    service.step()
    checkpoint = bench.stores.shards.checkpoint("S0")
    assert checkpoint is not None
    assert (facts(bench)["rules_version"], checkpoint.at) == (1, bench.clock.now())


def test_a_restart_after_a_change_ends_in_the_same_alerts() -> None:
    """One worker never stops; the other is killed right after it took up the change."""
    steady, killed = Bench(), Bench()
    one, two = steady.service(), killed.service()
    for round_ in range(12):
        for bench, service in ((steady, one), (killed, two)):
            bench.send(4)
            bench.run(service)
            if round_ == 2:
                change(bench, 1, warn_high=10.0, major_s=30.0)
        assert facts(steady)["rules_version"] == facts(killed)["rules_version"] == int(round_ >= 4)
        if round_ == 4:
            two = killed.service()
    assert alerts(steady) == alerts(killed) != []


def alerts(bench: Bench) -> list[Alert]:
    """Without evidence, which is renewed by the minute of whoever steps."""
    found = [a for a in bench.stores.alerts.alerts() if a.rule == RULE]
    return [replace(a, evidence=replace(a.evidence, text="")) for a in found]


def test_readings_read_again_are_judged_by_the_rules_they_were_judged_by() -> None:
    """A worker dies after a change was stored but before it took it up: the next one first reads up to where it was."""
    bench = Bench()
    first = bench.service()
    bench.send(3)
    bench.run(first)
    bench.send(20)
    bench.run(first)
    change(bench, 1, warn_high=10.0)
    second = bench.service()
    second.step()
    second.step()
    assert thresholds(bench) == []
    bench.send(8)
    bench.run(second)
    found = thresholds(bench)
    assert "INST-002" in {a.device_id for a in found}
    assert all(a.condition.onset_s > bench.clock.now().timestamp() - 8 * 3.0 for a in found)
