"""Earlier cases like the opened one: asked of the store once per case and hour, because a person opened it."""

from __future__ import annotations

from twin.errors import TwinError
from twin.schema.instant import to_seconds
from twin.ui import session
from twin.ui.markup import esc, link
from twin.views.opened_alert import find_case
from twin.views.similar_cases import BACK_S, MOST_CASES, SimilarCases, similar_cases


def similar(case_id: str) -> str:
    """Markup of the section; a store that fails is said in its place."""
    app = session.app()
    try:
        view = session.shared(
            "alerts.similar", (case_id, app.now().hour), lambda: _read(case_id), subject=case_id
        )
    except TwinError as error:
        return f'<p class="small">Earlier cases cannot be read now: {esc(error)}</p>'
    rows = "".join(
        f"<tr><td>{esc(r.when)}<small>lasted {esc(r.lasted)}</small></td>"
        f"<td>{link('device', r.device_id, id=r.device_id)} {esc(r.title)}<small>{esc(r.likeness)}</small></td>"
        f"<td>{esc(r.done)}<small>{esc(r.right)}</small></td></tr>"
        for r in view.rows
    )
    table = f'<div class="scroll"><table class="wrap">{rows}</table></div>' if rows else ""
    return f'<div class="sim-cases"><h3>Similar earlier cases</h3><p>{esc(view.words)}</p>{table}</div>'


def _read(case_id: str) -> SimilarCases:
    app = session.app()
    feed, now = app.feed(), app.now()
    record = find_case(feed, case_id) or app.alert_desk.case(case_id)
    if record is None:
        return SimilarCases("", ())
    past = app.alert_desk.past_cases(to_seconds(now) - BACK_S, MOST_CASES)
    return similar_cases(record, past, feed.devices, now, app.work_desk.refresh().orders)
