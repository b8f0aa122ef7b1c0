"""Every asset class of this package, found by looking: a new file with `ASSET_CLASS` is a new class.

Promises unique names and unique device models. Leaves out loading classes from anywhere else.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

import twin.physics
from twin.errors import UnknownAssetClassError
from twin.physics.asset_class import AssetClass
from twin.schema.fault import FaultKind


@cache
def asset_classes() -> Mapping[str, AssetClass]:
    """All asset classes by name, in alphabetical order."""
    found: dict[str, AssetClass] = {}
    for module_info in sorted(pkgutil.iter_modules(twin.physics.__path__), key=lambda info: info.name):
        module = import_module(f"{twin.physics.__name__}.{module_info.name}")
        declared = getattr(module, "ASSET_CLASS", None)
        if isinstance(declared, AssetClass):
            found[declared.name] = declared
    return MappingProxyType(found)


def asset_class(name: str) -> AssetClass:
    """The class called `name`; raises UnknownAssetClassError."""
    try:
        return asset_classes()[name]
    except KeyError:
        raise _unknown("asset class", name, tuple(asset_classes())) from None


def class_of_model(model: str) -> AssetClass:
    """The class a device model ("Spectro-X200") belongs to; raises UnknownAssetClassError."""
    for declared in asset_classes().values():
        if model in declared.models:
            return declared
    raise _unknown("device model", model, tuple(m for c in asset_classes().values() for m in c.models))


def fault_kinds(classes: Mapping[str, AssetClass]) -> tuple[str, ...]:
    """Every fault that a machine of these classes can have: the known kinds, then failure modes by other names."""
    modes = (mode.name for declared in classes.values() for mode in declared.modes)
    return tuple(dict.fromkeys((*map(str, FaultKind), *modes)))


def _unknown(what: str, value: str, known: tuple[str, ...]) -> UnknownAssetClassError:
    return UnknownAssetClassError(
        what,
        value=value,
        rule=f"must be one of {', '.join(known)}",
        next_step="Correct the registry entry, or add a file for it in twin/physics",
    )
