"""The modules under ``websocketAPI`` that hold requests."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from types import ModuleType

from cryptotrader.services.binance import websocketAPI
from cryptotrader.services.binance.registry import AnySpec

BASE = websocketAPI.__name__
FOLDER = Path(websocketAPI.__path__[0])


@cache
def request_modules() -> dict[str, ModuleType]:
    """``trading_requests.place_new_order`` to the module, for every module of every category."""
    files = sorted(FOLDER.glob("*_requests/*.py"))
    names = [f"{file.parent.name}.{file.stem}" for file in files if file.stem != "__init__"]
    return {name: importlib.import_module(f"{BASE}.{name}") for name in names}


def module_of(spec: AnySpec) -> str:
    """``trading_requests.place_new_order``: where a request is stated."""
    return next(name for name, module in request_modules().items() if module.SPEC is spec)
