"""What every store promises of leases, commits, history and checkpoints."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from tests.stores.given import (
    T0,
    T0_S,
    Opened,
    alert,
    case,
    columns,
    hour,
    refusal,
    same_columns,
    state,
    step,
    totals,
)
from twin.errors import LeaseLostError
from twin.ports import Checkpoint, Lease, StepCommit
from twin.schema.day_table import sums
from twin.schema.history import joined

CURSOR = {("gw-1", "e1"): 3, ("gw-2", "x"): 2**40}


def everything(value: float = 45.2) -> StepCommit:
    """A step that writes into every collection."""
    return step(
        value,
        cursor=CURSOR,
        tail={"INST-001": columns()},
        alerts=[alert()],
        cases=[case()],
        recent={T0_S: {"INST-001": columns()}},
        hours=[hour()],
        days={"2026-03-01": {"INST-001": totals()}},
        quarantine=[refusal(1)],
        checkpoint=Checkpoint(T0, CURSOR, b"\x00block\xff"),
    )


def leased(opened: Opened, holder: str = "one", shard: str = "s0") -> Lease:
    lease = opened.stores.shards.acquire(shard, holder, take_over=False)
    assert lease is not None
    return lease


class CommitContract:
    def test_commit_is_read_back_equal(self, opened: Opened) -> None:
        lease = opened.stores.shards.commit(leased(opened), everything())
        stores = opened.again()
        found = stores.shards.fleet_state("s0")
        assert found is not None
        assert (found.shard, found.holder, found.token) == ("s0", "one", lease.token)
        assert found.version == lease.version == 1
        assert (found.stepped_at, found.cursor, found.worker) == (T0, CURSOR, {"step_ms": 4.5})
        assert found.states == {"INST-001": state()}
        assert same_columns(found.tail["INST-001"], columns())
        assert stores.alerts.alerts() == [alert()]
        assert [c.case for c in stores.alerts.cases()] == [case()]
        assert same_columns(stores.history.recent("s0", T0_S, T0_S + 60)["INST-001"], columns())
        (sealed,) = stores.history.hours("INST-001", T0_S, T0_S + 1)
        assert same_columns(sealed.columns, hour().columns)
        assert sealed.totals == totals()
        assert stores.history.days("s0", "2026-03-01", "2026-03-01") == {"2026-03-01": {"INST-001": totals()}}
        assert stores.quarantine.entries() == [refusal(1)]
        assert stores.shards.checkpoint("s0") == Checkpoint(T0, CURSOR, b"\x00block\xff")

    def test_nothing_committed_reads_as_nothing(self, opened: Opened) -> None:
        stores = opened.stores
        assert stores.shards.shards() == []
        assert stores.shards.fleet_state("s0") is None
        leased(opened)
        assert stores.shards.fleet_state("s0") is None
        assert stores.shards.checkpoint("s0") is None
        assert stores.history.recent("s0", 0, 1e12) == {}
        assert stores.history.hours("INST-001", 0, 1e12) == []
        assert stores.history.days("s0", "2026-01-01", "2026-12-31") == {}
        assert stores.alerts.alerts() == []
        assert stores.alerts.cases() == []

    def test_lost_lease_writes_nothing_at_all(self, opened: Opened) -> None:
        paused = leased(opened)
        taken = opened.again().shards.acquire("s0", "two", take_over=True)
        assert taken is not None and taken.token > paused.token
        with pytest.raises(LeaseLostError, match="two"):
            opened.stores.shards.commit(paused, everything())
        stores = opened.stores
        assert stores.shards.fleet_state("s0") is None
        assert stores.shards.shards() == [("s0", 1)], "the take-over alone"
        assert stores.shards.checkpoint("s0") is None
        assert stores.alerts.alerts() == []
        assert stores.alerts.cases() == []
        assert stores.history.recent("s0", 0, 1e12) == {}
        assert stores.history.hours("INST-001", 0, 1e12) == []
        assert stores.history.days("s0", "2026-03-01", "2026-03-01") == {}
        assert stores.quarantine.entries() == []
        assert opened.stores.shards.commit(taken, step()).version == 2

    def test_takers_at_once_get_tokens_apart_and_only_the_newest_commits(self, opened: Opened) -> None:
        leases: list[Lease] = []
        gate = threading.Barrier(3)

        def take(holder: str) -> None:
            gate.wait()
            lease = opened.stores.shards.acquire("s0", holder, take_over=True)
            assert lease is not None
            leases.append(lease)

        threads = [threading.Thread(target=take, args=(f"h{number}",)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        leases.sort(key=lambda lease: lease.token)
        assert [lease.token for lease in leases] == [1, 2, 3]
        for old in leases[:2]:
            with pytest.raises(LeaseLostError, match=leases[2].holder):
                opened.stores.shards.commit(old, step())
        assert opened.stores.shards.commit(leases[2], step()).version == 3, "two take-overs and a commit"

    def test_commit_without_a_lease_is_refused(self, opened: Opened) -> None:
        with pytest.raises(LeaseLostError):
            opened.stores.shards.commit(Lease("s0", "one", 1, 0), step())
        assert opened.stores.shards.shards() == []

    def test_held_shard_is_given_to_nobody_else(self, opened: Opened) -> None:
        first = leased(opened)
        assert opened.stores.shards.acquire("s0", "two", take_over=False) is None
        assert opened.stores.shards.acquire("s0", "one", take_over=False) == first
        assert opened.stores.shards.acquire("s1", "two", take_over=False) is not None

    def test_who_takes_over_shows_in_the_version_and_is_not_robbed_by_a_judgement_of_before(
        self, opened: Opened
    ) -> None:
        still = opened.stores.shards.commit(leased(opened), step())
        second = opened.stores.shards.acquire("s0", "two", take_over=True, still_at=still.version)
        assert second is not None
        assert opened.again().shards.shards() == [("s0", still.version + 1)]
        assert opened.stores.shards.acquire("s0", "three", take_over=True, still_at=still.version) is None
        assert opened.stores.shards.commit(second, step()).version == still.version + 2

    def test_released_shard_goes_to_the_next_with_a_larger_token(self, opened: Opened) -> None:
        first = opened.stores.shards.commit(leased(opened), step())
        opened.stores.shards.release(first)
        second = opened.stores.shards.acquire("s0", "two", take_over=False)
        assert second is not None
        assert (second.token, second.version) == (first.token + 1, first.version)
        opened.stores.shards.release(first)  # no longer the holder: nothing happens
        assert opened.stores.shards.acquire("s0", "three", take_over=False) is None
        found = opened.stores.shards.fleet_state("s0")
        assert found is not None and found.states == {"INST-001": state()}

    def test_holder_that_comes_back_after_release_gets_a_larger_token(self, opened: Opened) -> None:
        first = leased(opened)
        opened.stores.shards.release(first)
        assert leased(opened).token == first.token + 1

    def test_version_grows_with_every_commit_and_shards_lists_it(self, opened: Opened) -> None:
        lease = leased(opened)
        for _ in range(3):
            lease = opened.stores.shards.commit(lease, step())
        opened.stores.shards.commit(leased(opened, "two", "s1"), step())
        assert opened.again().shards.shards() == [("s0", 3), ("s1", 1)]

    def test_committing_again_after_a_lost_reply_is_harmless(self, opened: Opened) -> None:
        lease = leased(opened)
        opened.stores.shards.commit(lease, everything())
        lease = opened.stores.shards.commit(lease, everything())
        assert lease.version == 2
        assert len(opened.stores.alerts.cases()) == 1
        assert len(opened.stores.history.recent("s0", T0_S, T0_S + 60)["INST-001"]) == 20

    def test_checkpoint_stays_until_a_commit_brings_a_newer_one(self, opened: Opened) -> None:
        lease = opened.stores.shards.commit(leased(opened), everything())
        lease = opened.stores.shards.commit(lease, step())
        found = opened.stores.shards.checkpoint("s0")
        assert found is not None and found.block == b"\x00block\xff"
        block = bytes(range(256)) * 10_000  # 2.5 MB: more than one Firestore document
        opened.stores.shards.commit(lease, step(checkpoint=Checkpoint(T0, {}, block)))
        assert opened.stores.shards.checkpoint("s0") == Checkpoint(T0, {}, block)

    def test_late_data_reopens_a_minute_for_its_device_only(self, opened: Opened) -> None:
        both = {"A": columns(), "B": columns(value=1.0)}
        lease = opened.stores.shards.commit(leased(opened), step(recent={T0_S: both}))
        again = {T0_S: {"A": columns(value=2.0)}, T0_S + 60: {"A": columns(T0_S + 60)}}
        opened.stores.shards.commit(lease, step(recent=again))
        found = opened.stores.history.recent("s0", T0_S, T0_S + 120)
        assert same_columns(found["A"], joined([columns(value=2.0), columns(T0_S + 60)]))
        assert same_columns(found["B"], columns(value=1.0))

    def test_recent_minutes_end_before_the_range_end(self, opened: Opened) -> None:
        minutes = {T0_S + 60 * n: {"A": columns(T0_S + 60 * n)} for n in range(4)}
        opened.stores.shards.commit(leased(opened), step(recent=minutes))
        found = opened.stores.history.recent("s0", T0_S + 60, T0_S + 180)["A"]
        assert (found.t_s[0], found.t_s[-1]) == (T0_S + 60, T0_S + 177)
        assert opened.stores.history.recent("s1", T0_S, T0_S + 180) == {}

    def test_old_minutes_are_tidied_away_and_new_ones_stay(self, opened: Opened) -> None:
        minutes = {T0_S: {"A": columns()}, T0_S + 7200: {"A": columns(T0_S + 7200)}}
        opened.stores.shards.commit(leased(opened), step(recent=minutes))
        opened.clock.advance(4 * 3600)
        opened.stores.tidy()
        found = opened.stores.history.recent("s0", T0_S, T0_S + 7300)["A"]
        assert found.t_s[0] == T0_S + 7200

    def test_hours_come_ascending_within_the_range_and_are_resealed(self, opened: Opened) -> None:
        hours = [hour(T0_S + 3600 * n) for n in (3, 1, 0, 2)] + [hour(device="INST-0012")]
        lease = opened.stores.shards.commit(leased(opened), step(hours=hours))
        opened.stores.shards.commit(lease, step(hours=[hour(T0_S + 3600, value=7.0)]))
        found = opened.stores.history.hours("INST-001", T0_S + 3600, T0_S + 3 * 3600)
        assert [h.start_s for h in found] == [T0_S + 3600, T0_S + 7200]
        assert found[0].columns.measured["temperature"][0] == 7.0

    def test_the_day_table_holds_the_same_days(self, opened: Opened) -> None:
        lease = leased(opened)
        given = {
            "2026-03-01": {"A": totals(), "B": totals(readings=7)},
            "2026-03-02": {"B": totals(span_s=1800.0)},
        }
        opened.stores.shards.commit(lease, step(days=given))
        table = opened.stores.history.day_table("s0", "2026-03-01", "2026-03-02")
        assert (table.days, table.devices) == (("2026-03-01", "2026-03-02"), ("A", "B"))
        for name in ("readings", "span_s", "state_s/RUNNING", "entries/RUNNING"):
            expected = [
                [sums(given[day][d])[name] if d in given[day] else None for d in "AB"] for day in table.days
            ]
            found = [
                [None if value != value else value for value in row] for row in table.column(name).tolist()
            ]
            assert found == expected
        assert table.operators_s["2026-03-01", "A"] == {"OP-42": 3500.0}

    def test_days_merge_per_device_and_include_both_ends(self, opened: Opened) -> None:
        lease = leased(opened)
        given = {f"2026-03-0{n}": {"A": totals(), "_part": totals(readings=1)} for n in (1, 2, 3, 4)}
        lease = opened.stores.shards.commit(lease, step(days=given))
        opened.stores.shards.commit(lease, step(days={"2026-03-02": {"A": totals(readings=5)}}))
        found = opened.stores.history.days("s0", "2026-03-02", "2026-03-03")
        assert list(found) == ["2026-03-02", "2026-03-03"]
        assert found["2026-03-02"] == {"A": totals(readings=5), "_part": totals(readings=1)}

    def test_more_hours_than_a_page_are_all_read(self, opened: Opened) -> None:
        lease = leased(opened)
        empty = [hour(T0_S + 3600 * n) for n in range(230)]
        for start in range(0, 230, 115):
            lease = opened.stores.shards.commit(lease, step(hours=empty[start : start + 115]))
        assert len(opened.stores.history.hours("INST-001", 0, 1e12)) == 230

    def test_commit_with_more_refusals_than_room_drops_the_oldest(self, opened: Opened) -> None:
        opened.stores.quarantine.quarantine([refusal(number) for number in range(1000)])
        at = T0 + timedelta(hours=1)
        opened.stores.shards.commit(leased(opened), step(quarantine=[refusal(2000, at)]))
        assert opened.stores.quarantine.dropped() == 1
        assert opened.stores.quarantine.entries(1) == [refusal(2000, at)]
