"""Runs a program and tells what it cost: seconds by the clock, seconds of CPU, memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run: seconds by the clock, CPU seconds of the program and its children, peak memory of one of them in MB."""

    wall: float
    cpu: float
    memory: float
    exit: int
    output: str  # stdout and stderr


def run(
    words: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 900
) -> Sample:
    """Run it to its end. What it costs counts from the start of the program."""
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        child = subprocess.Popen(
            [str(word) for word in words],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        status, usage = _wait(child, began + timeout)
        wall = time.perf_counter() - began
        said.seek(0)
        output = said.read().decode(errors="replace")
    return Sample(
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        memory=usage.ru_maxrss / 1024,
        exit=os.waitstatus_to_exitcode(status),
        output=output,
    )


def _wait(child: subprocess.Popen[bytes], deadline: float) -> tuple[int, object]:
    """wait4, which alone tells what the child used; a child that is late is ended."""
    import threading

    timer = threading.Timer(max(0.0, deadline - time.perf_counter()), child.kill)
    timer.start()
    try:
        _, status, usage = os.wait4(child.pid, 0)
    finally:
        timer.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    return status, usage


def median(values: Iterable[float]) -> float:
    return statistics.median(values)
