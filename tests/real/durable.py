"""A process with an engine, to be killed at the wrong moment; and what it wrote before that.

    crew = Crew(tmp_path, store_url)
    first = crew.start("--submit", "lead", "--kill", "middle:9")     # a worker, which kills itself in its ninth step
    first.wait()
    said(crew.start("--submit", "lead"))                      # another one; returns when all is done
    crew.log.started, crew.log.ended, crew.log.clashes        # what the steps wrote

Every step holds a lock of its job's own while it works: a second one at the same time writes a clash.
Run as a program (`python -m tests.real.durable`) this is the worker.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vtsconf.core.errors import Locked, VtsconfError
from vtsconf.engine.durable import Call, Engine, Queue, gather, owner, step, wait

LEAD = "lead-1"
EACH = 4  # jobs at once in one worker


# ---- the worker


@dataclass
class Worker:
    """`kill`: "enqueue:N" after the Nth job was written down, "middle:N" in the Nth step, "end:N" after its last line.

    With a `signal` other than KILL it stops there, and goes on when it is told to.
    """

    directory: Path
    kill: str = ""
    signal: int = signal.SIGKILL
    seconds: float = 0.02  # that a step takes
    _counts: Counter[str] = field(default_factory=Counter)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def flows(self, version: int) -> dict[str, Any]:
        return {"lead": self.lead, "job": self.job, "patient": getattr(self, f"patient_{version}")}

    def patient_1(self, seconds: float) -> list[Any]:
        """Remembers who began it; waits for a word."""
        return [step("look", os.getpid), wait(seconds)]

    def patient_2(self, seconds: float) -> list[Any]:
        """An upgrade of it: other code, the same steps in the same order, and one more in the end."""
        seen = {"first": step("look", lambda: "asked anew"), "word": wait(seconds + 1)}
        return [*seen.values(), step("more", lambda: "more")]

    def patient_3(self, seconds: float) -> list[Any]:
        """An upgrade that forgot the order."""
        return [step("more", lambda: "more"), step("look", os.getpid), wait(seconds)]

    def lead(self, count: int) -> int:
        ended = gather(self._calls(count))
        return sum(work.value() for work in ended)

    def _calls(self, count: int):
        for number in range(count):
            yield Call(flow="job", id=f"job-{number}", argument=number, queue="jobs")
            self._reached("enqueue")

    def job(self, number: int) -> int:
        step("work", self.work, number)
        step("mark", self.mark, number)
        return 1

    def work(self, number: int) -> None:
        with (self.directory / f"job-{number}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._write("clash", number)
                return
            self._write("start", number)
            self._reached("middle")
            time.sleep(self.seconds)
            self._write("end", number)
            self._reached("end")

    def mark(self, number: int) -> None:
        self._write("mark", number)

    def _reached(self, point: str) -> None:
        with self._guard:
            self._counts[point] += 1
            if self.kill == f"{point}:{self._counts[point]}":
                os.kill(os.getpid(), self.signal)

    def _write(self, word: str, number: int) -> None:
        with (self.directory / "log").open("a") as log:
            log.write(f"{word} {number} {os.getpid()}\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("store")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--submit", default="", help="the flow that leads")
    parser.add_argument("--argument", type=json.loads, default=24)
    parser.add_argument("--version", type=int, default=1)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--kill", default="")
    parser.add_argument("--stop", action="store_true")
    parser.add_argument("--grace", type=float, default=15.0)
    parser.add_argument("--elsewhere", action="store_true", help="as if on a machine of its own")
    parser.add_argument("--seconds", type=float, default=0.02)
    given = parser.parse_args()
    if given.elsewhere:
        owner._machine = lambda: f"m{os.getpid()}"
    number = signal.SIGSTOP if given.stop else signal.SIGKILL
    worker = Worker(given.directory, given.kill, number, given.seconds)
    flows = worker.flows(given.version)
    queues = {"jobs": Queue(each=EACH)}
    try:
        with Engine(given.store, flows=flows, queues=queues, poll=0.05, grace=given.grace) as engine:
            _say("ready")
            lead(engine, given)
            engine.leave(0)
    except Locked as error:
        sys.exit(str(error))


def lead(engine: Engine, given: argparse.Namespace) -> None:
    """See one flow to its end, or be there for the others' until whoever started us lets go."""
    if not given.submit:
        sys.stdin.read()
        return
    engine.submit(given.submit, LEAD, given.argument)
    if given.again:
        engine.again(LEAD)
    try:
        _say(json.dumps(engine.result(LEAD)))
    except VtsconfError as error:
        _say(f"{type(error).__name__}: {error}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


# ---- whoever starts workers


@dataclass(frozen=True, kw_only=True)
class Log:
    """What the steps wrote, job by job."""

    started: Counter[int]
    ended: Counter[int]
    marked: Counter[int]
    clashes: Counter[int]


@dataclass
class Crew:
    """Workers on one store, and their log."""

    directory: Path
    store: str
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """It is at work when this returns; its words are those of `main`."""
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.real.durable", self.store, str(self.directory), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self.workers.append(worker)
        assert worker.stdout
        if worker.stdout.readline() != "ready\n":
            raise RuntimeError(worker.communicate()[1])
        return worker

    @property
    def log(self) -> Log:
        counts: dict[str, Counter[int]] = {w: Counter() for w in ("start", "end", "mark", "clash")}
        path = self.directory / "log"
        for line in path.read_text().splitlines() if path.exists() else ():
            word, number, _ = line.split()
            counts[word][int(number)] += 1
        return Log(
            started=counts["start"], ended=counts["end"], marked=counts["mark"], clashes=counts["clash"]
        )

    def until(self, holds) -> None:
        """Wait until the log is so."""
        deadline = time.monotonic() + 60
        while not holds(self.log):
            assert time.monotonic() < deadline, self.log
            time.sleep(0.01)

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()
            for pipe in (worker.stdin, worker.stdout, worker.stderr):
                pipe.close()


def said(worker: subprocess.Popen[str]) -> tuple[str, str]:
    """What it printed, to stdout and stderr, once it has ended."""
    return worker.communicate(timeout=300)


if __name__ == "__main__":
    main()
