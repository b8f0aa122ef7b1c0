"""Markup of the Device page: facts, what to do, the health waterfall, remaining life, why, the lanes over the chart."""

from __future__ import annotations

from twin.ui.fleet_blocks import facts, lane_svg
from twin.ui.markup import SEVERITY_WORDS, esc, link, section, severity_mark, status_mark
from twin.ui.signal_chart import LEFT, RIGHT
from twin.views.device import DeviceView
from twin.views.health import HealthView, LifeView
from twin.views.signals import SignalsView
from twin.views.why import Contribution, WhyView


def head(view: DeviceView) -> str:
    """Where it stands, the sentence, and the facts with their marks."""
    tags = [f"{severity_mark(view.rank)} {SEVERITY_WORDS[view.rank]}"] if view.rank else []
    tags.append(
        f"{status_mark(view.status.mark, view.status.word)} {esc(view.status.late or view.status.word)}"
    )
    if view.inherited_from:
        tags.append(f'<i class="inh"></i> From {link("device", view.inherited_from, id=view.inherited_from)}')
    elif view.upstream:
        tags.append("Fed by " + ", ".join(link("device", d, id=d) for d in view.upstream))
    if view.downstream:
        tags.append(
            '<i class="inh down"></i> Feeds ' + ", ".join(link("device", d, id=d) for d in view.downstream)
        )
    marks = "".join(f'<span class="tag">{tag}</span>' for tag in tags)
    plain = "".join(f"<span>{esc(fact)}</span>" for fact in view.facts)
    return (
        f'<p class="crumb">{link("fleet", "Fleet")} · {esc(view.area)}</p>'
        f'<h1 class="head">{esc(view.first)} <span>{esc(view.rest)}</span></h1><p class="meta">{marks}{plain}</p>'
    )


def todo(view: DeviceView) -> str:
    """The lead, the reason, the numbers."""
    item = view.todo
    owner = f'<p class="small">{esc(item.owner[:1].upper() + item.owner[1:])}.</p>' if item.owner else ""
    others = "".join(f'<p class="small">Also: {esc(text)}</p>' for text in item.others)
    work = (
        link("maintenance", "Plan work", "btn", case=item.case_id) if item.case_id and not item.mended else ""
    )
    plan = f'<p class="plan">{work}</p>' if work else ""
    return (
        section("What to do", "", esc(item.open_for))
        + f'<p class="lead"><b>{esc(item.lead)}</b> {esc(item.text)}</p>{facts(item.facts)}{owner}{others}{plan}'
    )


def health(view: HealthView) -> str:
    """Points lost as a waterfall of rows."""
    rows = "".join(
        f'<div class="{row.kind}"><span>{esc(row.label)}<small>{esc(row.note)}</small></span>'
        f'<span class="wbar"><i style="left:{row.left * 100:.2f}%;width:{row.width * 100:.2f}%"></i></span>'
        f"<b>{esc(row.value)}</b></div>"
        for row in view.rows
    )
    squares = "".join(f'<i class="{"" if i < view.inputs_there else "o"}"></i>' for i in range(view.inputs))
    return (
        section("Health", f"points lost, of 100 · {view.band}")
        + f'<div class="wf">{rows}</div><div class="cv">{squares}<span>{esc(view.coverage)}</span></div>'
    )


def life(view: LifeView) -> str:
    """A number with its interval, or the reason why there is none."""
    score = (
        f"<span>Maintenance score <b>{esc(view.maintenance)}</b> of 100, higher = sooner</span>"
        if view.maintenance
        else ""
    )
    risk = f"<span>{esc(view.risk)}</span>" if view.risk else ""
    if not view.value:
        first, _, rest = view.words.partition(". ")
        body = f'<p class="body"><b>{esc(first)}.</b> {esc(rest)}</p>'
    else:
        body = (
            f'<div class="v"><span class="big">{esc(view.value)}</span> <span class="u">{esc(view.unit)}</span> '
            f'<span class="iv">{esc(view.interval)}</span></div>'
            f'<p class="small">until {esc(view.mode.lower())} ends it</p>'
        )
    return (
        section("Remaining life", "estimated" if view.value else "")
        + body
        + f'<div class="k">{risk}{score}</div>'
    )


def why(view: WhyView) -> str:
    """Contributions that add up, and the verdict."""
    rows = "".join(
        f'<tr><td>{esc(r.label)}</td><td class="wide">{_step(r)}</td><td class="num">{esc(r.points)}</td>'
        f'<td class="num">{esc(r.measured)}</td><td class="num">{esc(r.expected)}</td></tr>'
        for r in view.rows
    )
    return (
        section("Why the twin says so", view.note)
        + '<div class="scroll"><table class="why"><tr><th>Signal</th><th class="wide">Share of the score</th>'
        '<th class="num">Points</th>'
        f'<th class="num">Measured</th><th class="num">Expected</th></tr>{rows}'
        f'<tr class="sum"><td>Score</td><td class="wide"></td><td class="num">{esc(view.total)}</td><td>'
        "</td><td></td></tr></table></div>"
        f'<p class="body"><b>{esc(view.verdict)}</b> {esc(view.words)}</p>'
    )


def lanes(view: SignalsView) -> str:
    """State and alerts over the chart, on its time axis."""
    bars = "".join(
        f'<i class="al{bar.rank}" style="left:{bar.left * 100:.2f}%;width:max(3px,{bar.width * 100:.2f}%)"'
        f' title="{esc(bar.title)}"></i>'
        for bar in view.alerts
    )
    held = f"held: {view.held}" if view.held else ""
    names = ", ".join(dict.fromkeys([*(bar.title for bar in view.alerts), *filter(None, [held])])) or "none"
    return (
        f'<div class="lanes" style="--l:{LEFT}px;--r:{RIGHT}px"><span>State</span>'
        f"<div>{lane_svg(view.segments)}</div><em>{esc(view.running_share)}</em>"
        f'<span>Alerts</span><div class="bars">{bars}</div><em title="{esc(names)}">{esc(names)}</em></div>'
    )


KEY = (
    '<div class="key"><span><i class="ln m"></i>Measured</span><span><i class="ln e"></i>Expected by the twin</span>'
    '<span><i class="ln b"></i>Expected range, 99.7 %</span><span><i class="ln o"></i>Outside the range</span>'
    '<span><i class="ln w"></i>Work</span></div>'
)


def _step(row: Contribution) -> str:
    return f'<span class="wbar flat"><i style="left:0;width:{max(row.share * 100, 0.4):.2f}%"></i></span>'
