"""Names of a package that are loaded when they are used, so that a plugin of pytest costs only those who use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module


def attributes_of(package: str, modules: Mapping[str, str]) -> Callable[[str], object]:
    """A ``__getattr__`` for a package (PEP 562).

    Args:
        package: Its ``__name__``.
        modules: Name to the module of the package that has it.
    """

    def load(name: str) -> object:
        module = modules.get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{module}"), name)

    return load
