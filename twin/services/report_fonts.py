"""Font files for the PDF: the screen's own Source Sans, DejaVu for what it lacks, IPAex Gothic for Japanese names.

They come out of installed packages, nothing is downloaded. Source Sans is one variable WOFF2 file; its two weights are
cut once and kept in a cache folder. Where it cannot be had, DejaVu stands in. Leaves out scripts none of the three has
(Chinese-only signs, Korean, Arabic): those are drawn as boxes.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_log = logging.getLogger(__name__)

WEIGHTS = {"regular": 400, "bold": 600}
_KEPT = [
    *range(0x20, 0x180),
    *range(0x2010, 0x2040),
    *range(0x2190, 0x2194),
    0x20AC,
    0x2212,
    0x221E,
    0x2264,
    0x2265,
]


@dataclass(frozen=True, slots=True)
class Fonts:
    """Files of the text face and of the faces that stand in where it has no sign, in order."""

    regular: Path
    bold: Path
    fallbacks: tuple[Path, ...]


def report_fonts(cache: Path) -> Fonts:
    """The fonts, cut into `cache` on first use."""
    dejavu = _package("matplotlib") / "mpl-data" / "fonts" / "ttf"
    fallbacks = (dejavu / "DejaVuSans.ttf", _package("matplotlib_fontja") / "fonts" / "ipaexg.ttf")
    try:
        regular, bold = _source_sans(cache)
    except Exception as error:  # a font is a matter of looks; no report may fail for it
        _log.warning("Source Sans cannot be used (%s); the report is set in DejaVu Sans", error)
        regular, bold = dejavu / "DejaVuSans.ttf", dejavu / "DejaVuSans-Bold.ttf"
    return Fonts(regular, bold, tuple(path for path in fallbacks if path.is_file()))


def _source_sans(cache: Path) -> tuple[Path, Path]:
    from fontTools import subset
    from fontTools.ttLib import TTFont
    from fontTools.varLib import instancer

    media = _package("streamlit") / "static" / "static" / "media"
    source = next(iter(sorted(media.glob("SourceSans*Upright*.woff2"))))
    files = {name: cache / f"{source.name.split('.')[0]}-{name}.ttf" for name in WEIGHTS}
    if not all(path.is_file() for path in files.values()):
        cache.mkdir(parents=True, exist_ok=True)
        for name, path in files.items():
            font = TTFont(source)
            chosen = subset.Subsetter(subset.Options(layout_features=["kern"], name_IDs=["*"]))
            chosen.populate(unicodes=_KEPT)
            chosen.subset(font)
            font = instancer.instantiateVariableFont(font, {"wght": WEIGHTS[name]})
            font.flavor = None
            part = path.with_suffix(".part")
            font.save(part)
            part.replace(path)
    return files["regular"], files["bold"]


def _package(name: str) -> Path:
    found = find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(name)
    return Path(next(iter(found.submodule_search_locations)))
