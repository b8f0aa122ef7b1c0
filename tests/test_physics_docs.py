"""The models page is made from the classes; `python -m tests.test_physics_docs` writes it anew."""

from __future__ import annotations

from pathlib import Path

from twin.physics.catalogue import asset_classes
from twin.physics.tables import chapter, reference

PAGE = Path(__file__).parents[1] / "docs" / "models.md"
MARK = "<!-- Made from the asset classes by `python -m tests.test_physics_docs`; do not edit below. -->\n"


def _made() -> str:
    preface = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    return preface + MARK + "\n" + reference(asset_classes().values())


def test_the_models_page_is_what_the_classes_say_now() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert MARK in text
    assert text == _made(), "docs/models.md is stale: run `python -m tests.test_physics_docs`"


def test_a_chapter_names_every_signal_mode_and_parameter_with_unit_and_source() -> None:
    for declared in asset_classes().values():
        text = chapter(declared)
        for signal in declared.signals.values():
            assert f"| `{signal.name}` | {signal.unit} |" in text
        for mode in declared.modes:
            assert f"| `{mode.name}` |" in text and mode.action in text
        for name, parameter in declared.parameters.items():
            assert f"| `{name}` | {parameter.value:g} | {parameter.unit} | {parameter.source} |" in text


if __name__ == "__main__":
    PAGE.write_text(_made(), encoding="utf-8")
