"""``kill -9`` under load, again and again: ``python -m tests.simulation.kill [--kills N] [--seed N]``.

Each life of the exchange is a process of its own that several connections of the WebSocket API keep busy until it is
killed at a random instant: some while they start, most under load. The next life must have every acknowledged command,
none twice, and the very state that an independent reading of the whole journal leads to.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from tests.support.kill_fold import Fold
from tests.support.kill_load import Acks, traders
from tests.support.kill_runner import ACCOUNTS, ARCHIVE

KILLS = 500
LIVES_PER_FOLDER = 25
"""After so many lives an empty folder follows: what a life has to read and to compare must not grow without end."""
CONNECTIONS = 4
START_KILLS = 0.15
"""Share of lives that are killed while they start."""
MAX_START_KILL_S = 0.12
MAX_LOAD_S = 0.4
LINE_S = 60.0
LOOK_UPS = 3
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Tally:
    """Figures of a run."""

    kills: int = 0
    start_kills: int = 0
    sent: int = 0
    answered: int = 0
    entries: int = 0
    recovered: int = 0
    cut_tails: int = 0
    slowest_s: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.kills} kills ({self.start_kills} while starting): {self.sent} commands sent, {self.answered} "
            f"answered, {self.entries} journal entries, {self.recovered} of them recovered from the journal alone, "
            f"{self.cut_tails} damaged tails cut, slowest recovery {self.slowest_s * 1e3:.1f} ms; every acknowledged "
            "command was there, none twice, and each state was that of the journal"
        )


class Runner:
    """The process that starts the exchange."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._life: int | None = None

    async def __aenter__(self) -> Runner:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.support.kill_runner",
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        if self._life is not None:
            os.kill(self._life, signal.SIGKILL)
        await self._process.communicate()

    async def start(self, folder: Path, life: int, fold_s: float) -> int:
        """Begin a life; gives its process id."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{folder} {life} {fold_s}\n".encode())
        self._life = int((await self.line())["pid"])
        return self._life

    async def line(self) -> dict[str, Any]:
        """The next thing that it says."""
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(LINE_S):
            text = await self._process.stdout.readline()
        assert text, "the runner ended"
        return msgspec.json.decode(text, type=dict[str, Any])

    async def gone(self) -> None:
        """Wait until the life has ended, which must be by a signal."""
        while "gone" not in (said := await self.line()):
            continue
        self._life = None
        assert said["killed"], "the exchange ended by itself"


class Folder:
    """The lives in one data folder."""

    def __init__(self, path: Path, *, name: str, dice: random.Random, tally: Tally) -> None:
        self._path = path
        self._name = name
        self._dice = dice
        self._tally = tally
        self._acks = Acks()
        self._fold = Fold()

    async def live(self, runner: Runner, life: int, *, is_killed_early: bool) -> None:
        """One life from start to kill."""
        pid = await runner.start(self._path, life, self._dice.choice((0.01, 0.05, 0.2, 2.0)))
        if is_killed_early:
            await asyncio.sleep(self._dice.random() * MAX_START_KILL_S)
        else:
            self._check(await runner.line())
            port = int((await runner.line())["port"])
            await self._load(pid, port, life)
        if is_killed_early:
            os.kill(pid, signal.SIGKILL)
        await runner.gone()

    async def _load(self, pid: int, port: int, life: int) -> None:
        known = sorted(self._acks.placed)
        chosen = self._dice.sample(known, min(LOOK_UPS, len(known)))
        group = traders(f"{self._name}l{life}", CONNECTIONS, self._acks)
        tasks = []
        async with asyncio.TaskGroup() as running:
            for number, trader in enumerate(group):
                mine = [each for each in chosen if self._owner(each) == number % len(ACCOUNTS)]
                tasks.append(running.create_task(trader.run(port, mine if number < len(ACCOUNTS) else ())))
            try:
                await asyncio.sleep(self._dice.random() * MAX_LOAD_S)
            finally:
                os.kill(pid, signal.SIGKILL)

    @staticmethod
    def _owner(client_id: str) -> int:
        """Which account a client order id belongs to: the connection's number is in it."""
        return int(client_id.partition("c")[2].partition("-")[0]) % len(ACCOUNTS)

    def _check(self, came_back: dict[str, Any]) -> None:
        """Compare what came back with what was acknowledged and with the journal."""
        before = self._fold.last
        self._fold.read_all(self._path / ARCHIVE, int(came_back["last"]))
        problems = self._acks.problems(self._fold)
        assert not problems, problems[:10]
        assert came_back["hash"] == self._fold.engine().state_hash(), "the state is not that of the journal"
        self._tally.entries += self._fold.last - before
        self._tally.recovered += int(came_back["entries"])
        self._tally.cut_tails += bool(came_back["cut"])
        self._tally.slowest_s = max(self._tally.slowest_s, float(came_back["seconds"]))

    async def end(self, runner: Runner, life: int) -> None:
        """A last life that only looks."""
        pid = await runner.start(self._path, life, 1.0)
        self._check(await runner.line())
        await runner.line()
        os.kill(pid, signal.SIGKILL)
        await runner.gone()
        self._tally.sent += self._acks.sent
        self._tally.answered += self._acks.answered


async def run_kills(folder: Path, *, kills: int, seed: int) -> Tally:
    """All lives; a failed check is an ``AssertionError``."""
    dice = random.Random(seed)
    tally = Tally()
    async with Runner() as runner:
        while tally.kills < kills:
            name = f"f{tally.kills}"
            (folder / name).mkdir()
            lives = Folder(folder / name, name=name, dice=dice, tally=tally)
            for life in range(min(LIVES_PER_FOLDER, kills - tally.kills)):
                early = life > 0 and dice.random() < START_KILLS
                await lives.live(runner, life, is_killed_early=early)
                tally.kills += 1
                tally.start_kills += early
            await lives.end(runner, LIVES_PER_FOLDER)
    return tally


def main() -> None:
    """Run it and print the figures; a failed check is a traceback that names the seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    started = time.monotonic()
    print(f"seed {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        tally = asyncio.run(run_kills(Path(folder), kills=chosen.kills, seed=chosen.seed))
    print(f"{tally}; {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
