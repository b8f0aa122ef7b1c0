"""Settings -> who is told, and how; nobody in demo mode."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from pathlib import Path

from twin.bootstrap.process import SystemClock
from twin.errors import SettingsError
from twin.ports import Stores
from twin.services.cadence import EMBEDDED, metered
from twin.services.notice_settings import NoticeSettings
from twin.services.notifying import Notifying, build_notifying
from twin.settings import Settings


def open_notifying(
    settings: Settings, stores: Stores, environ: Mapping[str, str] | None = None
) -> Notifying | None:
    """None in demo mode. Raises SettingsError when TWIN_NOTIFY is malformed, without what is secret in it."""
    if settings.demo:
        return None
    text = notify_text(settings.notify)
    given = (
        NoticeSettings.parsed(text, os.environ if environ is None else environ) if text else NoticeSettings()
    )
    cadence = metered(settings.flush_s) if settings.metered else EMBEDDED
    return build_notifying(stores, given, clock=SystemClock(), rng=random.Random(), cadence=cadence)


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
