"""Settings -> who is told, and how; nobody in demo mode."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from twin.bootstrap.process import SystemClock
from twin.errors import SettingsError
from twin.ports import Stores
from twin.schema.instant import to_seconds
from twin.schema.target import Target
from twin.services.authority import Authority, Roles
from twin.services.cadence import EMBEDDED, metered
from twin.services.channels import Channels
from twin.services.notice_desk import NoticeDesk, trial_message
from twin.services.notice_settings import NoticeSettings
from twin.services.notifying import Notifying, build_notifying
from twin.settings import Settings


def open_notifying(
    settings: Settings, stores: Stores, environ: Mapping[str, str] | None = None
) -> Notifying | None:
    """None in demo mode. Raises SettingsError when TWIN_NOTIFY is malformed, without what is secret in it."""
    if settings.demo:
        return None
    given = _given(settings, os.environ if environ is None else environ)
    cadence = metered(settings.flush_s) if settings.metered else EMBEDDED
    return build_notifying(stores, given, clock=SystemClock(), rng=random.Random(), cadence=cadence)


def open_notice_desk(settings: Settings, stores: Stores, *, actor: str) -> NoticeDesk:
    """What people may do about notifications, for one actor at a command line; in demo mode it refuses."""
    notifying, clock = open_notifying(settings, stores), SystemClock()
    return NoticeDesk(
        book=None if notifying is None else notifying.book,
        carry=Channels(NoticeSettings()).carry if notifying is None else notifying.carry,
        notices=stores.notices,
        authority=Authority(roles=Roles(False, frozenset({actor})), audit=stores.audit, clock=clock),
        clock=clock,
    )


def told_targets(settings: Settings) -> Sequence[Target]:
    """Those of TWIN_NOTIFY; what an admin changed in the store is not looked at."""
    return _given(settings, os.environ).targets


def send_test(settings: Settings, name: str) -> Target:
    """Send one target of TWIN_NOTIFY a test; raises DeliveryError, SettingsError."""
    given = _given(settings, os.environ)
    target = next((target for target in given.targets if target.name == name), None)
    if target is None:
        known = ", ".join(target.name for target in given.targets) or "none"
        raise SettingsError(
            f"target {name}", rule=f"is not in TWIN_NOTIFY, which has {known}", next_step="Name one of them"
        )
    now_s = to_seconds(SystemClock().now())
    Channels(given).carry(trial_message(target, f"command line|{now_s}", now_s), now_s)
    return target


def _given(settings: Settings, environ: Mapping[str, str]) -> NoticeSettings:
    text = notify_text(settings.notify)
    return NoticeSettings.parsed(text, environ) if text else NoticeSettings()


def notify_text(value: str) -> str:
    """The JSON of TWIN_NOTIFY: itself, or the content of the file it names; "" when it is not set."""
    if not value or value.lstrip().startswith("{"):
        return value
    try:
        return Path(value).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            "TWIN_NOTIFY",
            rule="must be JSON, or the path of a JSON file that can be read",
            next_step="Correct the path; docs/notifications.md has an example",
        ) from error
