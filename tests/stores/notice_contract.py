"""What every store promises of the outbox of notifications."""

from __future__ import annotations

from dataclasses import replace

from tests.stores.commit_contract import leased
from tests.stores.given import T0_S, Opened, case, step
from twin.errors import LeaseLostError
from twin.schema.alert import Severity
from twin.schema.notice import Delivery, DeliveryState, Notice, NoticeEvent

DONE = Delivery(DeliveryState.DELIVERED, "m1", 1, done_s=T0_S + 31)


def notice(event: NoticeEvent = NoticeEvent.OPENED, target: str = "ops", at_s: float = T0_S) -> Notice:
    return Notice(
        case_id=case().case_id,
        event=event,
        severity=Severity.MAJOR,
        target=target,
        shard="s0",
        at_s=at_s,
        device_id="INST-001",
        onset_s=T0_S - 20,
        title="Größe-測定",
        text="temperature 5 °C above the twin",
        action="Check the fan",
        was=Severity.MINOR if event is NoticeEvent.RAISED else None,
    )


class NoticeContract:
    def test_notices_are_committed_with_their_cases_and_wait(self, opened: Opened) -> None:
        opened.stores.shards.commit(leased(opened), step(cases=[case()], notices=[notice()]))
        (found,) = opened.again().notices.waiting()
        assert (found.notice, found.delivery) == (notice(), Delivery())

    def test_a_holder_that_lost_its_lease_leaves_no_notice(self, opened: Opened) -> None:
        old = leased(opened)
        opened.stores.shards.acquire("s0", "two", take_over=True)
        try:
            opened.stores.shards.commit(old, step(cases=[case()], notices=[notice()]))
            raise AssertionError("the old holder committed")
        except LeaseLostError:
            assert opened.stores.notices.waiting() == []

    def test_a_commit_that_is_repeated_neither_doubles_nor_sends_again(self, opened: Opened) -> None:
        lease = opened.stores.shards.commit(leased(opened), step(notices=[notice()]))
        opened.stores.notices.settle(notice(), DONE)
        opened.stores.shards.commit(lease, step(notices=[replace(notice(), at_s=T0_S + 60)]))
        stores = opened.again()
        assert stores.notices.claim(notice(), "m2") == DONE
        assert stores.notices.waiting() == []
        (found,) = stores.notices.newest_done(10)
        assert found.delivery == DONE

    def test_an_attempt_is_claimed_by_one_message_and_counted(self, opened: Opened) -> None:
        opened.stores.shards.commit(leased(opened), step(notices=[notice()]))
        assert opened.stores.notices.claim(notice(), "m1") == Delivery(message_id="m1", attempts=1)
        assert opened.again().notices.claim(notice(), "m2") == Delivery(message_id="m1", attempts=1)
        assert opened.again().notices.claim(notice(), "m1") == Delivery(message_id="m1", attempts=2)
        assert opened.stores.notices.claim(notice(target="nobody"), "m1") is None

    def test_a_failed_attempt_waits_and_a_done_one_is_filed_away_newest_first(self, opened: Opened) -> None:
        later = notice(NoticeEvent.RAISED, at_s=T0_S + 60)
        opened.stores.shards.commit(leased(opened), step(notices=[later, notice()]))
        again = Delivery(DeliveryState.WAITING, "m1", 3, T0_S + 90, reason="HTTP 503")
        opened.stores.notices.settle(notice(), again)
        assert [r.notice.event for r in opened.stores.notices.waiting()] == ["opened", "raised"]
        assert opened.again().notices.waiting()[0].delivery == again
        opened.stores.notices.settle(notice(), DONE)
        failed = Delivery(DeliveryState.FAILED, "m2", 30, done_s=T0_S + 9000, reason="refused")
        opened.stores.notices.settle(later, failed)
        assert opened.stores.notices.waiting() == []
        assert [r.delivery for r in opened.stores.notices.newest_done(10)] == [failed, DONE]
        assert len(opened.stores.notices.newest_done(1)) == 1

    def test_only_what_was_given_up_waits_again_and_as_on_its_first_day(self, opened: Opened) -> None:
        later = notice(NoticeEvent.RAISED, at_s=T0_S + 60)
        opened.stores.shards.commit(leased(opened), step(notices=[later, notice()]))
        opened.stores.notices.settle(notice(), DONE)
        failed = Delivery(DeliveryState.FAILED, "m2", 30, done_s=T0_S + 9000, reason="refused")
        opened.stores.notices.settle(later, failed)
        again = opened.stores.notices.wait_again(later.notice_id)
        assert again is not None
        assert (again.notice, again.delivery) == (later, Delivery())
        assert opened.again().notices.wait_again(later.notice_id) is None
        assert opened.stores.notices.wait_again(notice().notice_id) is None
        assert opened.stores.notices.wait_again("nothing") is None
        assert [(r.notice, r.delivery) for r in opened.again().notices.waiting()] == [(later, Delivery())]
        assert [r.delivery for r in opened.stores.notices.newest_done(10)] == [DONE]

    def test_a_case_knows_what_was_told_of_it(self, opened: Opened) -> None:
        other = replace(notice(), case_id="B|1")
        opened.stores.shards.commit(
            leased(opened), step(notices=[notice(), notice(NoticeEvent.RAISED), other])
        )
        opened.stores.notices.settle(notice(), DONE)
        found = {r.notice.event.value for r in opened.stores.notices.of_case(case().case_id)}
        assert found == {"opened", "raised"}

    def test_old_notices_are_tidied_away(self, opened: Opened) -> None:
        opened.stores.shards.commit(leased(opened), step(notices=[notice(), notice(NoticeEvent.RAISED)]))
        opened.stores.notices.settle(notice(), DONE)
        opened.clock.advance(31 * 86_400)
        opened.stores.tidy()
        assert opened.stores.notices.waiting() == []
        assert opened.stores.notices.newest_done(10) == []
