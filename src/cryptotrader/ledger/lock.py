"""Keeps a second process out of what one process writes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cryptotrader.core.errors import LedgerError


class FileLock:
    """Holds a lock until ``release`` or the end of the process, however it ends.

    Args:
        path: The lock's file; it stays when the lock is gone.
        owner: Who is in the way where it is taken, for the message.

    Raises:
        LedgerError: Another process, or another part of this one, holds it; or the folder cannot be used.
    """

    def __init__(self, path: Path, *, owner: str) -> None:
        self._descriptor: int | None = None
        if sys.platform == "win32":
            return  # No flock there; SQLite's own locks still keep each single transaction whole.
        import fcntl

        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            text = f"{owner} uses the data folder {path.parent}; stop it or choose another with --data-dir"
            raise LedgerError(text) from None
        except OSError as error:
            self.release()
            raise LedgerError(f"cannot use the data folder {path.parent}: {error.strerror}") from None

    def release(self) -> None:
        """Let others in. Releasing twice is harmless."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)
