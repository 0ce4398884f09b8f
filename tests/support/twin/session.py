"""Whole sessions: generate and run, and cut a failing one down to what it takes to fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.support.twin.bench import Bench
from tests.support.twin.commands import Command
from tests.support.twin.generate import Generator

LENGTH = 200
"""Commands of a session."""
MOST_TRIES = 3_000
"""Runs that cutting down may take. Reason: some ten seconds."""


@dataclass
class Failure:
    """A session that failed."""

    seed: int
    commands: list[Command]
    problem: str

    def __str__(self) -> str:
        lines = [f"seed {self.seed}: {self.problem}", f"{len(self.commands)} commands are enough:"]
        return "\n".join([*lines, *(f"  {number}. {command}" for number, command in enumerate(self.commands, 1))])


@dataclass
class Tally:
    """What sessions did."""

    commands: int = 0
    done: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)

    def count(self, bench: Bench, commands: int) -> None:
        """Count a session."""
        self.add(Tally(commands, bench.done, bench.checks.seen))

    def add(self, other: Tally) -> None:
        """Count sessions that were counted elsewhere."""
        self.commands += other.commands
        self.done += other.done
        self.seen += other.seen

    def __str__(self) -> str:
        refused = sum(count for what, count in self.done.items() if what.startswith("refused"))
        trades = sum(count for what, count in self.seen.items() if what.startswith("fill"))
        prevented = sum(count for what, count in self.seen.items() if what.startswith("prevented"))
        lists = self.done["submit_list"]
        return (
            f"{self.commands} commands and market events ({refused} refused, {lists} order lists), {trades} fills, "
            f"{prevented} prevented matches"
        )


def problem_of(error: Exception) -> str:
    """One line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:600]}"


def play(seed: int, length: int = LENGTH, *, tally: Tally | None = None) -> Failure | None:
    """One session from a seed."""
    return play_with(Random(seed), length, seed=seed, tally=tally)


def play_with(random: Random, length: int, *, seed: int = -1, tally: Tally | None = None) -> Failure | None:
    """One session from a source of choices."""
    bench = Bench()
    generator = Generator(random, bench.twin)
    commands: list[Command] = []
    problem = ""
    for _ in range(length):
        commands.append(generator.command())
        problem = tried(bench.run, commands[-1])
        if problem:
            break
    else:
        problem = tried(bench.check_restarts)
    if tally is not None:
        tally.count(bench, len(commands))
    return Failure(seed, commands, problem) if problem else None


def tried(act: Callable[..., None], *args: object) -> str:
    """What is wrong; empty where nothing is."""
    try:
        act(*args)
    except Exception as error:  # noqa: BLE001 - whatever it is, the session that it takes is cut down and shown
        return problem_of(error)
    return ""


def replay(commands: Sequence[Command]) -> str:
    """Run commands; what is wrong, empty where nothing is."""
    bench = Bench()
    for command in commands:
        problem = tried(bench.run, command)
        if problem:
            return problem
    return tried(bench.check_restarts)


def shrink(failure: Failure) -> Failure:
    """Fewer commands that still fail: leave out runs of them, ever shorter ones, as long as that helps."""
    commands, problem, tries = failure.commands, failure.problem, 0
    size = len(commands) // 2
    while size and tries < MOST_TRIES:
        at, helped = 0, False
        while at < len(commands) and tries < MOST_TRIES:
            fewer = commands[:at] + commands[at + size :]
            tries += 1
            found = replay(fewer)
            if found:
                commands, problem, helped = fewer, found, True
            else:
                at += size
        if not helped or size > 1:
            size = size // 2 if size > 1 or not helped else 1
            if size == 1 and not helped and len(commands) <= 1:
                break
    return Failure(failure.seed, commands, problem)
