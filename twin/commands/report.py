"""`python -m twin report`: the business figures of a week or month as PDF, Excel or CSV."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from twin.bootstrap import Settings, open_stores
from twin.business.periods import Period, month_of, week_of
from twin.commands.client import firestore_client
from twin.commands.environment import say
from twin.commands.written_file import check_folder, write_file
from twin.errors import SettingsError
from twin.services.assembly import build_reporting
from twin.services.report_file import FORMATS, report_file


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m twin report", description="Write the business figures of a week or month to a file."
    )
    parser.add_argument(
        "--store", help="store URL (default: TWIN_STORE, else the embedded store in TWIN_HOME)"
    )
    parser.add_argument("--period", choices=("week", "month"), default="week")
    parser.add_argument(
        "--day", help="a day in the period, YYYY-MM-DD (default: the last period that is over)"
    )
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    parser.add_argument("--format", choices=FORMATS, help="default: by the file's ending; pdf without one")
    options = parser.parse_args(argv)
    settings = Settings.from_environ(os.environ, store_url=options.store)
    now = datetime.now(UTC)
    kind = options.format or format_of(options.out)
    period = chosen_period(options.period, options.day, now.date())
    check_folder("--out", options.out)
    stores = open_stores(settings.store_url, firestore_client, create=False)
    try:
        report = build_reporting(stores).report(period, now)
    finally:
        stores.close()
    content = report_file(report, kind, settings.home / "fonts")
    write_file("--out", options.out, content)
    say(f"{options.out}: {report.period.text}, {len(report.devices)} devices, {len(content):,} bytes.")
    return 0


def format_of(out: Path) -> str:
    """The format a file's ending names; pdf without an ending. Raises SettingsError for any other."""
    ending = out.suffix.lstrip(".").lower()
    if ending and ending not in FORMATS:
        raise SettingsError(
            "--out",
            value=str(out),
            rule=f"must end in .{', .'.join(FORMATS)}",
            next_step="Correct the ending, or say what it is with --format",
        )
    return ending or "pdf"


def chosen_period(kind: str, day: str | None, today: date) -> Period:
    """The week or month with the day in it; without a day the last one that is over."""
    of = week_of if kind == "week" else month_of
    if day is None:
        return of(of(today).first - timedelta(days=1))
    try:
        return of(date.fromisoformat(day))
    except ValueError as error:
        raise SettingsError(
            "--day", value=day, rule="must be a day like 2026-03-02", next_step="Correct it or leave it out"
        ) from error
