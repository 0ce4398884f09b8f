"""A child process that obeys lines on stdin and answers on stdout."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence


class LineProcess:
    """Start it, pin it to a core, talk to it.

    Args:
        command: What to run.
        core: The core it may use; None for any.
    """

    def __init__(self, command: Sequence[str], core: int | None) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if core is not None:
            os.sched_setaffinity(self._process.pid, {core})

    @property
    def pid(self) -> int:
        """Of the child."""
        return self._process.pid

    def say(self, line: str) -> None:
        """Send a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        """Read one line."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended")
        return line.strip()

    def ask(self, line: str) -> str:
        """Send a command that is answered, and read the answer."""
        self.say(line)
        return self.answer()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.terminate()
        self._process.wait(10)
        self._process.stdin.close()
        self._process.stdout.close()
