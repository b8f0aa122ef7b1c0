"""The Health tab of the Alerts page: read when a person opens it or asks again, never in a tick."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from twin.errors import TwinError
from twin.schema.instant import to_seconds
from twin.ui import session
from twin.ui.blocks import headline
from twin.ui.empty import no_history
from twin.ui.markup import esc, section
from twin.ui.sheet import sheet
from twin.views.alarm_health import MONTH_S, MOST_CASES, AlarmHealth, Material, alarm_health
from twin.views.alarm_rates import FLOOD, LIMIT
from twin.views.figure import Figure, Headline

_ASKED = "alerts.health.asked"


def health_tab(top: DeltaGenerator | None) -> None:
    """Draw it, the headline into `top`; what was read is kept until the person leaves the tab (None) or looks again."""
    if top is None:
        st.session_state.pop(_ASKED, None)
        return
    app = session.app()
    asked = st.session_state.setdefault(_ASKED, int(app.now().timestamp()))
    try:
        view = session.shared("alerts.health", asked, _read)
    except TwinError as error:
        no_history(error)
        return
    top.html(headline(Headline(view.headline, view.rest, " ".join(view.notes))))
    sheet(_figures(view), "alerts.health.figures")
    sheet(_bars(view), "alerts.health.bars")
    st.button("Look again", key="alerts.health.again", on_click=lambda: st.session_state.pop(_ASKED, None))


def _read() -> AlarmHealth:
    app = session.app()
    desk, now = app.alert_desk, app.now()
    since_s = to_seconds(now) - MONTH_S
    found = Material(
        cases=desk.past_cases(since_s, MOST_CASES),
        alerts=desk.all_alerts(),
        quietings=desk.quietings(since_s),
        watched_s=desk.watched_since_s(),
        operators=desk.operators,
        orders=app.work_desk.refresh().orders,
    )
    return alarm_health(found, now)


def _figures(view: AlarmHealth) -> str:
    return (
        section("Is the alerting itself healthy?")
        + f'<div class="hlg five">{"".join(map(_figure, view.figures))}</div>'
    )


def _figure(figure: Figure) -> str:
    unit = f" <em>{esc(figure.unit)}</em>" if figure.unit else ""
    interval = f" <em>{esc(figure.interval)}</em>" if figure.interval else ""
    return (
        f"<div><span>{esc(figure.label)}</span><b>{esc(figure.value)}{unit}{interval}</b>"
        f"<small>{esc(figure.note)}</small></div>"
    )


def _bars(view: AlarmHealth) -> str:
    """Windows by how many alarms they had; a bar that is there is never invisible."""
    most = max((n for _, n in view.bars), default=0) or 1
    columns = "".join(
        f'<div class="{_side(label)}"><em>{n:,}</em><i style="height:{_height(n, most):.1f}px"></i>'
        f"<span>{esc(label)}</span></div>"
        for label, n in view.bars
    )
    rows = "".join(f'<tr><td>{esc(label)}</td><td class="num">{n:,}</td></tr>' for label, n in view.bars)
    return (
        section(
            "Ten-minute windows by alarms per operator", f"{LIMIT} is the limit, more than {FLOOD} a flood"
        )
        + f'<div class="hist" role="img" aria-label="{esc(view.finding)}">{columns}</div>'
        f'<p class="foot">{esc(view.finding)}</p>'
        '<details id="hist-table"><summary>Table</summary><table><tr><th>Alarms</th><th class="num">Windows</th></tr>'
        f"{rows}</table></details>"
    )


def _height(n: int, most: int) -> float:
    return 0.0 if not n else max(120.0 * n / most, 3.0)


def _side(label: str) -> str:
    """A dotted line stands before the first bar over the limit, and before floods."""
    return {str(LIMIT + 1): "over", f"{FLOOD + 1}+": "flood"}.get(label, "")
