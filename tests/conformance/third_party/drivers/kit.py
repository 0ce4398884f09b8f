"""What the drivers share: steps that are noted one by one, captured warnings, one JSON object at the end."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import logging
import os
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

KEY = "your_binance_api_key"
SECRET = "your_binance_secret_key"
SYMBOL = "BTCUSDT"

WAIT_S = 15.0
"""Longest wait for an answer or an event. Unit: seconds. Reason: a busy machine answers within one or two."""

T = TypeVar("T")


class Report(logging.Handler):
    """What happened: the value or the failure of every step, and every warning that any library logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._steps: dict[str, object] = {}
        self._failures: dict[str, str] = {}
        self._warnings: list[str] = []
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning."""
        self._warnings.append(record.getMessage())

    @property
    def warnings(self) -> list[str]:
        """What was logged so far."""
        return self._warnings

    def note(self, name: str, value: T) -> T:
        """Keep a value."""
        self._steps[name] = value
        return value

    def value(self, name: str) -> Any:
        """What a step gave."""
        return self._steps[name]

    def fail(self, name: str, problem: BaseException) -> None:
        """Keep a failure."""
        self._failures[name] = f"{type(problem).__name__}: {problem}"

    def step(self, name: str, call: Callable[[], Any]) -> Any:
        """Run a step; a failure is noted, and the next step gets its turn. Answers None after a failure."""
        try:
            return self.note(name, call())
        except Exception as problem:  # noqa: BLE001 - any failure of a foreign client is a result
            return self.fail(name, problem)

    async def astep(self, name: str, call: Awaitable[Any]) -> Any:
        """``step`` for something to await."""
        try:
            async with asyncio.timeout(WAIT_S):
                return self.note(name, await call)
        except Exception as problem:  # noqa: BLE001 - any failure of a foreign client is a result
            return self.fail(name, problem)

    def print(self) -> None:
        """The whole report as one line of JSON on standard output."""
        report = {"steps": self._steps, "failures": self._failures, "warnings": self._warnings}
        sys.stdout.write(json.dumps(report, default=str) + "\n")


def run(main: Callable[[], None]) -> None:
    """Run a driver's ``main`` and end the process, whatever threads and sockets a client leaves behind."""
    code = 1
    try:
        main()
        code = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def recorded(kind: type) -> set[str]:
    """The names of public methods of a class, static ones aside, that are called from now on; more come as they are."""
    called: set[str] = set()

    def note(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def noted(*args: Any, **kwargs: Any) -> Any:
            called.add(name)
            return call(*args, **kwargs)

        return noted

    for name, call in inspect.getmembers(kind, inspect.isfunction):
        if not name.startswith("_") and not isinstance(inspect.getattr_static(kind, name), staticmethod):
            setattr(kind, name, note(name, call))
    return called


class Inbox:
    """Messages that arrive on a client's own thread or task, and a bounded wait for some of them."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self._changed = threading.Condition()

    def put(self, message: Any) -> None:
        """Keep a message."""
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    def wait(self, check: Callable[[Any], bool]) -> Any:
        """The first message that satisfies ``check``.

        Raises:
            TimeoutError: None came in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: any(map(check, self.messages)), WAIT_S):
                raise TimeoutError(f"none of {len(self.messages)} messages: {self.messages[-3:]}")
            return next(filter(check, self.messages))

    async def await_(self, check: Callable[[Any], bool]) -> Any:
        """``wait`` that leaves the loop free."""
        return await asyncio.to_thread(self.wait, check)
