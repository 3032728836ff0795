"""What a transaction may ask of a server, whoever wrote its plan: checked before a byte is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vtsconf.core.duration import LONGEST
from vtsconf.core.errors import Refused
from vtsconf.core.probe import Probe, Query, ReadFile
from vtsconf.core.step import PutFile, RunCommand
from vtsconf.transport.server import Transaction

_CONTROL = r"\x00-\x1f\x7f\ud800-\udfff"
_PATH = re.compile(rf"/[^{_CONTROL}]*[^/{_CONTROL}]")
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_SERVICE = re.compile(rf"[^./{_CONTROL}][^/{_CONTROL}]{{0,199}}")  # also names a file
_MODE = re.compile(r"[0-7]{3,5}")
_OVERHEAD = 16 * 1024 * 1024  # bytes of an answer beside what was asked for


def check(transaction: Transaction) -> None:
    """Raises Refused for the first thing that no plan of ours holds."""
    for wrong in _wrong(transaction):
        raise Refused(f"this plan asks for what no plan may: {wrong}", remedy="make the plan again")


def check_place(state_dir: str, run: str) -> None:
    """Where the server keeps its state, and the run's name in it. Raises Refused."""
    if not _PATH.fullmatch(state_dir):
        raise Refused(f"the state directory {state_dir!r} is not an absolute path")
    if run != "-" and not _RUN.fullmatch(run):
        raise Refused(f"{run!r} is not the name of a run")


def most(probes: Sequence[Probe]) -> int:
    """Bytes that an honest answer to these can have."""
    files = sum(probe.limit for probe in probes if isinstance(probe, ReadFile))
    return _OVERHEAD + files + 65536 * sum(isinstance(probe, Query) for probe in probes)


def _wrong(t: Transaction) -> Iterator[str]:
    paths = [base.path for base in t.base] + [step.path for step in t.steps if isinstance(step, PutFile)]
    yield from (f"the path {path!r}" for path in paths if not _PATH.fullmatch(path))
    known = {service.name for service in t.services}
    yield from (
        f"a restart of {name!r}, which it does not describe" for name in t.restarts if name not in known
    )
    named = [*t.restarts, *(name for step in t.steps for name in step.restart)]
    yield from (f"a service called {name!r}" for name in named if not _SERVICE.fullmatch(name))
    times = [t.confirm_within, *(step.timeout for step in t.steps if isinstance(step, RunCommand))]
    yield from (f"a time of {seconds} s" for seconds in times if not 0 < seconds <= LONGEST)
    modes = [s.after.mode for s in t.steps if isinstance(s, PutFile) and s.after]
    modes += [base.mode for base in t.base if base.mode]
    yield from (f"the mode {mode!r}" for mode in modes if not _MODE.fullmatch(mode))
