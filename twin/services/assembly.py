"""Puts services together from ports: a worker for one shard, and the application behind the pages.

Names no store and no setting: bootstrap hands both in.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from twin.alerts.messages import Message
from twin.alerts.rules import RuleSet
from twin.engine.block import Block, BlockConfig
from twin.physics.asset_class import AssetClass
from twin.physics.catalogue import fault_kinds
from twin.ports import Clock, Stores
from twin.schema.batch import is_backfill
from twin.schema.registry import Device
from twin.schema.signal import Signal
from twin.services.actions import Actions
from twin.services.alert_desk import AlertDesk
from twin.services.app import RunningApp
from twin.services.authority import Authority, Roles
from twin.services.business_desk import BusinessDesk
from twin.services.cadence import EMBEDDED, Cadence
from twin.services.gateway_watch import GatewayWatch
from twin.services.history_keeper import HistoryKeeper
from twin.services.intake import Intake
from twin.services.live_feed import BACKFILL_SUFFIX, LiveFeed
from twin.services.notice_desk import NoticeDesk
from twin.services.notifying import Notifying, notifier_of
from twin.services.own_commits import OwnCommits
from twin.services.quiet_watch import QuietWatch
from twin.services.reporting import Reporting
from twin.services.rule_desk import RuleDesk
from twin.services.rule_watch import RuleWatch
from twin.services.run_twin import TAKE_OVER_S, TwinService
from twin.services.service_watch import ServiceWatch
from twin.services.tracks import Tracks
from twin.services.work_desk import WorkDesk


def shard_of(gateway: str, n: int) -> str:
    """The shard a gateway belongs to: a stable hash, so that a batch belongs to exactly one."""
    digest = hashlib.sha256(gateway.encode()).digest()
    return f"S{int.from_bytes(digest[:8], 'big') % n}"


def signals_of(classes: Mapping[str, AssetClass]) -> dict[str, Mapping[str, Signal]]:
    return {name: asset_class.signals for name, asset_class in classes.items()}


def build_twin_service(
    stores: Stores,
    classes: Mapping[str, AssetClass],
    *,
    holder: str,
    clock: Clock,
    shard: str = "S0",
    shards: int = 1,
    window_s: float = 60.0,
    gap_wait_s: float = 30.0,
    cadence: Cadence = EMBEDDED,
    backfill: bool = False,
    take_over_s: float = TAKE_OVER_S,
    notifying: Notifying | None = None,
) -> TwinService:
    """The service that steps one shard, or, with `backfill`, the filled-in past of the same shard."""
    config = BlockConfig(window_s=window_s)

    def serves_gateway(gateway: str) -> bool:
        return shard_of(gateway, shards) == shard

    def serves(gateway: str, epoch: str) -> bool:
        return is_backfill(epoch) == backfill and shard_of(gateway, shards) == shard

    rules = RuleSet.default(classes)
    if backfill:
        rules = rules.unlatched()

    def new_block(devices: Sequence[Device]) -> Block:
        return Block.create(devices, classes, rules, config)

    def load_block(snapshot: bytes) -> Block:
        return Block.from_bytes(snapshot, classes, rules)

    signals = signals_of(classes)
    name = shard + BACKFILL_SUFFIX if backfill else shard
    return TwinService(
        shard=name,
        holder=holder,
        telemetry=stores.telemetry,
        registry=stores.registry,
        shards=stores.shards,
        intake=Intake(
            stores.telemetry,
            signals,
            serves=serves,
            takes_strays=not backfill and shard == "S0",
            gap_wait_s=gap_wait_s,
            cadence=cadence,
        ),
        keeper=HistoryKeeper(
            name,
            stores.history,
            signals,
            settle_s=window_s,
            keep_recent=not backfill,
            cadence=cadence,
            keep_s=stores.retention.hours_s,
        ),
        gateways=GatewayWatch(stores.alerts),
        rules=RuleWatch(stores.rules, rules, every_s=cadence.registry_s, can_be_acknowledged=not backfill),
        quiet=QuietWatch(stores.quietings, stores.alerts, cadence),
        new_block=new_block,
        load_block=load_block,
        clock=clock,
        tidy=stores.tidy,
        keep_raw=timedelta(hours=stores.retention.raw_h),
        meter=stores.meter,
        cadence=cadence,
        is_backfill=backfill,
        take_over_s=take_over_s,
        alerts=stores.alerts,
        serves=serves_gateway,
        work=None if backfill else ServiceWatch(stores.services, cadence),
        notifier=(
            notifier_of(notifying, stores, name, serves_gateway)
            if notifying is not None and not backfill
            else None
        ),
    )


def with_own_commits(stores: Stores, clock: Clock, cadence: Cadence) -> Stores:
    """The stores of a process that steps and shows: hand them to both, and viewers are fed from memory."""
    return replace(stores, shards=OwnCommits(stores.shards, clock, 1.5 * cadence.heartbeat_s))


def build_reporting(stores: Stores) -> Reporting:
    """The business figures of a store."""
    return Reporting(
        history=stores.history,
        shards=stores.shards,
        registry=stores.registry,
        settings=stores.settings,
        alerts=stores.alerts,
        notes=stores.notes,
        work=stores.work,
    )


def build_app(
    stores: Stores,
    classes: Mapping[str, AssetClass],
    *,
    clock: Clock,
    demo: bool,
    operators: frozenset[str] = frozenset(),
    local_operator: str = "",
    shards: int = 1,
    cadence: Cadence = EMBEDDED,
    fonts: Path | None = None,
    note: str = "",
    notifying: Notifying | None = None,
    process: str = "",
) -> RunningApp:
    """The application behind the pages, not yet started.

    local_operator  who acts where the pages are served to this machine alone; "" = a visitor like any other
    fonts  where reports keep theirs
    note   stands on every page while no progress is told
    notifying  who is told of cases; None where nobody is, as in the demo
    process  this one's name, as it holds a shard
    """
    feed = LiveFeed(
        shards=stores.shards,
        registry=stores.registry,
        history=stores.history,
        alerts=stores.alerts,
        settings=stores.settings,
        quietings=stores.quietings,
        signals=signals_of(classes),
        clock=clock,
        meter=stores.meter,
        cadence=cadence,
        note=note,
    )
    named = operators | {local_operator} if local_operator else operators
    authority = Authority(roles=Roles(demo, named), audit=stores.audit, clock=clock)
    actions = Actions(
        authority=authority,
        registry=stores.registry,
        responses=stores.responses,
        commands=stores.commands,
        clock=clock,
        signals=signals_of(classes),
        kinds=fault_kinds(classes),
    )
    return RunningApp(
        classes=classes,
        demo=demo,
        local_operator=local_operator,
        process=process,
        feed=feed,
        actions=actions,
        history=stores.history,
        commands=stores.commands,
        ground_truth=stores.ground_truth,
        quarantine=stores.quarantine,
        reporting=build_reporting(stores),
        alert_desk=AlertDesk(
            authority=authority,
            alerts=stores.alerts,
            responses=stores.responses,
            quietings=stores.quietings,
            audit=stores.audit,
            telemetry=stores.telemetry,
            clock=clock,
            operators=len(operators),
            on_change=feed.refresh_soon,
        ),
        business_desk=BusinessDesk(
            authority=authority,
            settings=stores.settings,
            notes=stores.notes,
            registry=stores.registry,
            clock=clock,
        ),
        work_desk=WorkDesk(
            authority=authority,
            work=stores.work,
            settings=stores.settings,
            classes=classes,
            feed=feed.snapshot,
            clock=clock,
        ),
        rule_desk=RuleDesk(
            authority=authority,
            rules=stores.rules,
            registry=stores.registry,
            classes=classes,
            clock=clock,
            tracks=Tracks(stores.history, feed.open_columns, clock),
        ),
        notice_desk=NoticeDesk(
            book=None if notifying is None or demo else notifying.book,
            carry=_nobody if notifying is None else notifying.carry,
            notices=stores.notices,
            authority=authority,
            clock=clock,
        ),
        fonts=fonts or Path(tempfile.gettempdir()) / "twin-fonts",
        clock=clock,
        meter=stores.meter,
        shards=tuple(f"S{number}" for number in range(shards)),
    )


def _nobody(_message: Message, _now_s: float) -> None:
    """Carries nothing: the desk refuses before it comes to this."""
