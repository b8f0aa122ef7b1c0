"""A report as the bytes of a file. What draws is imported when it is first asked for: a page that shows needs none."""

from __future__ import annotations

from pathlib import Path

from twin.business.report import Report

FORMATS = ("pdf", "xlsx", "csv")


def report_file(report: Report, kind: str, fonts: Path) -> bytes:
    """kind is one of FORMATS; `fonts` is a folder for cut fonts."""
    if kind == "pdf":
        from twin.services.report_pdf import report_pdf

        return report_pdf(report, fonts)
    from twin.services.report_rows import report_csv, report_xlsx

    return report_xlsx(report) if kind == "xlsx" else report_csv(report)
