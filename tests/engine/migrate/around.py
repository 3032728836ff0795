"""Executors over servers in memory, with a backup application that does what a test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vtsconf.bma.contract import Command, Judgement, Located, Output, Verdict
from vtsconf.core.connection import Target
from vtsconf.core.errors import Unreachable
from vtsconf.core.migrate.job import Job
from vtsconf.core.migrate.tape import Tape
from vtsconf.engine.journal import Journal
from vtsconf.engine.migrate.book import Book
from vtsconf.engine.migrate.hands import Hands
from vtsconf.engine.migrate.lookout import Lookout
from vtsconf.engine.migrate.yard import Place, Yard
from vtsconf.transport.fake import MemoryServer
from vtsconf.transport.runs import RunSpec, RunsSeen, RunState

NOW = 1_800_000_000
Ends = tuple[int | None, str]  # exit (None: lost) and output


class Tool:
    """A BMA whose answers are one word: `yes`, `part`, `later`, `never`, or nothing that is known."""

    def check_options(self, options: Mapping[str, Any]) -> Sequence[str]:
        return ()

    def has_mark(self, options: Mapping[str, Any]) -> bool:
        return True

    def outlives(self) -> bool:
        return False

    def archive(self, settings: Any, paths: Sequence[str], token: str, options: Mapping[str, Any]) -> Command:
        return Command(argv=("tool", "archive", token, *paths))

    def restore(
        self, settings: Any, paths: Sequence[str], token: str, options: Mapping[str, Any], when: str = ""
    ) -> Command:
        return Command(argv=("tool", "restore", token, *paths))

    def locate(self, settings: Any, paths: Sequence[str], token: str, options: Mapping[str, Any]) -> Command:
        return Command(argv=("tool", "locate", token, *paths))

    def cancel(self, settings: Any, token: str, output: Output) -> Command | None:
        return Command(argv=("tool", "cancel", token))

    def judge(self, settings: Any, action: str, output: Output, paths: Sequence[str]) -> Judgement:
        if action == "locate":
            verdict = Verdict.SUCCESS if output.exit == 0 else Verdict.TRANSIENT
            return Judgement(verdict=verdict, reason=f"it ended with {output.exit}")
        found = {
            "yes": Verdict.SUCCESS, "part": Verdict.PARTIAL, "later": Verdict.TRANSIENT, "never": Verdict.PERMANENT,
        }  # fmt: skip
        return Judgement(verdict=found.get(output.text, Verdict.UNKNOWN), reason=f"it said {output.text!r}")

    def located(self, settings: Any, output: Output, paths: Sequence[str], token: str) -> Sequence[Located]:
        sizes = [int(word) for word in output.text.split()]
        return [Located(path=paths[0], size=size, token=token) for size in sizes]


@dataclass(kw_only=True)
class Server(MemoryServer):
    """A run of `tool WORD` ends as `answers[WORD]` says, as soon as it begins; without one it runs until it is told.

    `locate` without an answer tells what is on the `shelf`: the marks of what was archived with a "yes".

    `away`: so many calls from now find nobody. `calls` is every exec.
    """

    answers: dict[str, Ends] = field(default_factory=dict)
    act: Callable[[RunSpec], None] = lambda _spec: None
    shelf: list[str] = field(default_factory=list)
    away: int = 0
    calls: list[str] = field(default_factory=list)

    def start(
        self, spec: RunSpec, state_dir: str, *, patience: float = 0.0, paths: Sequence[str] = ()
    ) -> RunState:
        """Nobody has patience for what does not end by itself."""
        self._call("start")
        known = len(self.jobs.begun)
        super().start(spec, state_dir)
        if len(self.jobs.begun) > known:
            self.act(spec)
            if ends := self._ends(spec):
                self.jobs.finish(spec.id, ends[0], ends[1].encode())
        return super().start(spec, state_dir, paths=paths)

    def _ends(self, spec: RunSpec) -> Ends | None:
        ends = self.answers.get(spec.argv[1])
        if ends == (0, "yes") and spec.argv[1] == "archive":
            self.shelf.append(spec.argv[2])
        if ends is None and spec.argv[1] == "locate":
            return 0, " ".join("10" for mark in self.shelf if mark == spec.argv[2])
        return (0, "") if ends is None and spec.argv[1] == "cancel" else ends

    def look(
        self, ids: Sequence[str], state_dir: str, paths: Sequence[str] = (), *, patience: float = 0.0
    ) -> RunsSeen:
        self._call(f"look {' '.join(ids)}".rstrip())
        return super().look(ids, state_dir, paths, patience=patience)

    def forget(self, ids: Sequence[str], state_dir: str) -> tuple[str, ...]:
        self._call("forget")
        return super().forget(ids, state_dir)

    def _call(self, what: str) -> None:
        self.calls.append(what)
        if self.away:
            self.away -= 1
            raise Unreachable("vts1: nobody answers")

    @property
    def archived(self) -> int:
        """How often a tape was really sent to the library."""
        return sum(spec.argv[1] == "archive" for spec in self.jobs.begun)


def job(n: int = 1, **more: Any) -> Job:
    return Job(**{
        "host": "vts1", "cartridge": f"/VAULT01/P/T{n:05}", "action": "migrate", "bytes": 10, "mtime": 1, "inode": n,
        "bma": "tool", "policy": "nightly", "backoff": 0, **more,
    })  # fmt: skip


def tape(of: Job, **more: Any) -> Tape:
    return Tape(**{"path": of.cartridge, "size": of.bytes, "mtime": of.mtime, "inode": of.inode, **more})


def hands(folder: Path, servers: Mapping[str, Server], **more: Any) -> Hands:
    """Of an executor with a store of its own."""
    url = f"sqlite:///{folder}/vtsconf.db"
    places = {
        name: Place(host=name, target=Target(name=name), state_dir="/s", bmas={"tool": (Tool(), None)})
        for name in servers
    }
    yard = Yard(places=places, reach=lambda target: servers[target.name])
    return Hands(**{
        "book": Book(url), "journal": Journal(url), "yard": yard, "lookout": Lookout(yard, slowest=0.05),
        "now": lambda: NOW, "stopping": lambda: False, **more,
    })  # fmt: skip
