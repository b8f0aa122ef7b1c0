"""A signal against its expected range as inline SVG that stretches to its column."""

from __future__ import annotations

from collections.abc import Sequence

from twin.ui.markup import path
from twin.views.signals import Panel

WIDTH, HEIGHT = 400.0, 110.0


def range_svg(panel: Panel, rank: int, low: float, high: float) -> str:
    """Range filled, expected dashed, measured in ink, what lies outside in the severity's colour; gaps stay gaps."""
    spread = (high - low) or 1.0
    step = WIDTH / max(1, len(panel.measured) - 1)

    def runs(values: Sequence[float | None]) -> list[list[tuple[float, float]]]:
        out: list[list[tuple[float, float]]] = [[]]
        for i, value in enumerate(values):
            if value is None:
                out.append([])
            else:
                out[-1].append((i * step, HEIGHT * (1 - (value - low) / spread)))
        return [run for run in out if len(run) > 1]

    bands = "".join(
        f'<path class="bdf" d="{path([*top, *reversed(bottom)])}Z"/>'
        for top, bottom in zip(runs(panel.high), runs(panel.low), strict=False)
    )
    lines = "".join(f'<path class="mod" d="{path(run)}"/>' for run in runs(panel.expected))
    lines += "".join(f'<path class="act" d="{path(run)}"/>' for run in runs(panel.measured))
    lines += "".join(f'<path class="a{rank} wide" d="{path(run)}"/>' for run in runs(panel.outside))
    box = f"0 0 {WIDTH:.0f} {HEIGHT:.0f}"
    return f'<svg viewBox="{box}" preserveAspectRatio="none" aria-hidden="true">{bands}{lines}</svg>'
