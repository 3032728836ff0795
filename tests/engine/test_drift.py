"""Drift over a fleet in memory: classes from a real journal of real runs, one round trip a server, nothing hidden."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.rollout.test_plain import desk
from tests.engine.test_apply import order
from vtsconf.core.connection import Target
from vtsconf.core.drift.finding import Class, HostDrift, Rule, Verdict
from vtsconf.core.errors import Unreachable, VtsconfError
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import Plan
from vtsconf.core.probe import DebtSeen, FileKind, FileSeen, Probe, QuerySeen, Reading
from vtsconf.core.resource import Keys
from vtsconf.core.runs import RunSeen
from vtsconf.core.secret import FingerprintKey, Secret
from vtsconf.engine.collect import Wish, plan_host
from vtsconf.engine.drift import Search, drift_fleet
from vtsconf.engine.drift.file import write_whole
from vtsconf.engine.drift.memory import Memory
from vtsconf.engine.journal import Journal
from vtsconf.engine.prepare import Preparation, prepare
from vtsconf.engine.project import Project
from vtsconf.engine.rollout.plain import carry_out
from vtsconf.transport.fake import MemoryServer

CONF = "/usr/local/tape/vts.conf"
KEY = FingerprintKey(Secret(b"00ff"))


@dataclass(kw_only=True)
class Counting(MemoryServer):
    """Counts what it was asked; `deaf` does not answer after so many questions."""

    reads: int = 0
    deaf: int = 1000

    def read(self, probes: Sequence[Probe], state_dir: str) -> Reading:
        self.reads += 1
        if self.reads > self.deaf:
            raise Unreachable("it fell silent", stage="session")
        return super().read(probes, state_dir)


def seen(text: str, mtime: int = 0) -> FileSeen:
    return FileSeen(
        kind=FileKind.FILE, data=text.encode(), owner="root", group="root", mode="0644", mtime=mtime
    )


@dataclass(kw_only=True)
class World:
    """A project, its servers in memory, its journal."""

    folder: Path
    servers: dict[str, Counting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.journal = Journal(f"sqlite:///{self.folder}/vtsconf.db")

    def host(self, name: str, text: str) -> Counting:
        server = self.servers[name] = Counting(files={CONF: seen(text)}, key=KEY)
        return server

    def write(self, **vts: Any) -> None:
        document = {"all": {"hosts": {n: {"ansible_host": "127.0.0.1"} for n in self.servers}}}
        usual = {"config_file": CONF, "services": {"ems": {"restart": ["restart-ems"]}}}
        document["all"]["vars"] = {"vts": usual | vts}
        (self.folder / "inventory.yaml").write_text(json.dumps(document))

    def reach(self, target: Target) -> Counting:
        if target.name not in self.servers:
            raise Unreachable("no route to host", stage="network")
        return self.servers[target.name]

    @property
    def preparation(self) -> Preparation:
        project = Project.load(self.folder)
        return prepare(project, project.hosts())

    def apply(self, run: str) -> None:
        keys = Keys(fingerprints=KEY)
        ready = self.preparation.ready
        made = Plan(made=1, by="ops", hosts=tuple(plan_host(r, self.reach, keys, Wish()) for r in ready))
        targets = {r.name: r.target for r in ready}
        what = order(self.reach, run=run)
        results = carry_out(made, desk(targets, what, self.journal), "apply")
        assert {"changed"} == {result.outcome for result in results}

    def drift(self, memory: Memory | None = None, *, hints: bool = True) -> dict[str, HostDrift]:
        for server in self.servers.values():
            server.reads = 0
        search = Search(
            reach=self.reach,
            keys=Keys(fingerprints=KEY),
            memory=memory or Memory(lambda: self.journal),
            wish=Wish(),
            hints=hints,
        )
        return drift_fleet(self.preparation, search, parallel=4)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One server that our run left with keep_alive 300."""
    made = World(folder=tmp_path)
    made.host("vts1", "ems_keep_alive='0'\n")
    made.write(ems={"keep_alive": 300})
    made.apply("r1")
    return made


def classes(host: HostDrift) -> dict[str, str]:
    return {finding.address: finding.cls.value for finding in host.findings}


def test_after_an_apply_there_is_no_drift_and_one_round_trip_told_so(world: World) -> None:
    found = world.drift()["vts1"]

    assert ({}, (), Verdict.SAME) == (classes(found), found.hints, found.verdict(Rule(strict=True)))
    assert 1 == world.servers["vts1"].reads


def test_a_document_that_moved_on_is_no_hand_edit_and_nobody_is_asked_who_did_it(world: World) -> None:
    world.write(ems={"keep_alive": 600})
    found = world.drift()["vts1"]

    assert {"ems/ems_keep_alive": "not-applied"} == classes(found)
    assert (1, ()) == (world.servers["vts1"].reads, found.hints)
    assert Verdict.DIFFERS is found.verdict(Rule())


def test_a_hand_edit_is_asked_after_in_one_more_round_trip(world: World) -> None:
    server = world.servers["vts1"]
    server.files[CONF] = seen("ems_keep_alive='60'\n", mtime=7)
    server.command = lambda argv: QuerySeen(exit=0, stdout=b"5 r1 confirmed ops\n" if "-n" in argv else b"")
    found = world.drift()["vts1"]

    assert {"ems/ems_keep_alive": "edited"} == classes(found)
    assert 2 == server.reads
    assert ["mtime", "run"] == [hint.kind for hint in found.hints]


def test_without_hints_nobody_is_asked_and_the_files_time_is_known_all_the_same(world: World) -> None:
    server = world.servers["vts1"]
    server.files[CONF] = seen("ems_keep_alive='60'\n", mtime=7)
    found = world.drift(hints=False)["vts1"]

    assert (1, ["mtime"]) == (server.reads, [hint.kind for hint in found.hints])


def test_a_server_that_falls_silent_at_the_hints_was_compared_all_the_same(world: World) -> None:
    server = world.servers["vts1"]
    server.files[CONF] = seen("ems_keep_alive='60'\n", mtime=7)
    server.deaf = 1
    found = world.drift()["vts1"]

    assert ({"ems/ems_keep_alive": "edited"}, Verdict.DIFFERS) == (classes(found), found.verdict(Rule()))
    assert ["mtime"] == [hint.kind for hint in found.hints]


def test_a_server_that_cannot_be_reached_is_never_the_same(world: World) -> None:
    world.servers["vts2"] = Counting()
    world.write(ems={"keep_alive": 300})
    del world.servers["vts2"]
    found = world.drift()

    assert {"vts1": Verdict.SAME, "vts2": Verdict.NOT_COMPARED} == {
        n: h.verdict(Rule()) for n, h in found.items()
    }
    assert (4, 0) == (found["vts2"].exit(Rule()), found["vts1"].exit(Rule()))


def test_written_and_not_loaded_is_a_difference_even_where_no_restart_is_described(world: World) -> None:
    world.write(ems={"keep_alive": 300}, services={})
    world.servers["vts1"].debts = {"ems": DebtSeen(service="ems", run="r1", since=1)}
    found = world.drift()["vts1"]

    assert ({"services/ems": "not-loaded"}, 2) == (classes(found), found.exit(Rule()))
    assert PlanOutcome.IN_SYNC is found.plan.outcome


def test_a_key_that_came_since_counts_and_one_that_stood_there_does_not(tmp_path: Path) -> None:
    world = World(folder=tmp_path)
    server = world.host("vts1", "ems_old='1'\nems_keep_alive='0'\n")
    world.write(ems={"keep_alive": 300})
    world.apply("r1")
    before = world.drift()["vts1"]
    server.files[CONF] = seen("ems_old='1'\nems_keep_alive='300'\nems_new='1'\n")
    after = world.drift()["vts1"]

    assert ({"ems/ems_old": "unmanaged"}, Verdict.SAME) == (classes(before), before.verdict(Rule()))
    assert {"ems/ems_old": "unmanaged", "ems/ems_new": "unmanaged"} == classes(after)
    assert ["ems/ems_new"] == [f.address for f in after.findings if Rule().counts(f)]


class Broken:
    """A store that cannot be read."""

    def runs(self) -> list[RunSeen]:
        raise VtsconfError("the journal is away")

    def plans(self, run: str, hosts: Sequence[str] | None = None) -> dict[str, str]:
        raise AssertionError(run, hosts)


def test_without_a_journal_the_difference_is_told_and_that_nobody_knows_whose_it_is(world: World) -> None:
    world.servers["vts1"].files[CONF] = seen("ems_keep_alive='60'\n")
    memory = Memory(Broken)
    (finding,) = world.drift(memory)["vts1"].findings

    assert Class.EDITED is finding.cls
    assert "this controller's journal could not be read" in finding.reason
    assert "the journal is away" == memory.trouble


def test_a_plan_that_is_not_kept_or_cannot_be_read_is_passed_over(world: World) -> None:
    class Forgetful:
        def runs(self) -> list[RunSeen]:
            return [replace(world.journal.runs()[0], run=run) for run in ("r0", "r1", "r2")]

        def plans(self, run: str, hosts: Sequence[str] | None = None) -> dict[str, str]:
            return {"r0": {}, "r1": world.journal.plans("r1", hosts), "r2": {"vts1": "{}"}}[run]

    world.write(ems={"keep_alive": 600})

    assert {"ems/ems_keep_alive": "not-applied"} == classes(world.drift(Memory(Forgetful))["vts1"])


def test_the_journal_is_gone_through_no_further_than_needed(world: World) -> None:
    asked: list[str] = []

    class Watched:
        def runs(self) -> list[RunSeen]:
            return [replace(world.journal.runs()[0], run=f"r{n}") for n in range(50)]

        def plans(self, run: str, hosts: Sequence[str] | None = None) -> dict[str, str]:
            asked.append(run)
            return world.journal.plans("r1", hosts)

    world.write(ems={"keep_alive": 600})
    world.drift(Memory(Watched))

    assert ["r49"] == asked


def test_the_files_names_are_what_a_report_lists(world: World) -> None:
    assert ("ems/ems_keep_alive", "services/ems") == world.drift()["vts1"].addresses


def test_a_bug_on_one_host_hides_no_other(world: World) -> None:
    world.host("vts2", "ems_keep_alive='300'\n").files[CONF] = None  # type: ignore[assignment]
    world.write(ems={"keep_alive": 300})
    found = world.drift()

    assert (PlanOutcome.ERROR, PlanOutcome.IN_SYNC) == (
        found["vts2"].plan.outcome,
        found["vts1"].plan.outcome,
    )
    assert "bug in vtsconf" in found["vts2"].plan.reason


def test_work_and_memory_of_a_drift_grow_with_the_fleet_and_not_faster(tmp_path: Path) -> None:
    """Counted, not timed: questions to servers and to the journal."""
    counts = []
    for size in (20, 40):
        world = World(folder=tmp_path / str(size))
        world.folder.mkdir()
        for n in range(size):
            world.host(f"vts{n}", "ems_keep_alive='0'\nems_old='1'\n")
        world.write(ems={"keep_alive": 300})
        world.apply("r1")
        world.write(ems={"keep_alive": 600})
        asked: list[str] = []

        class Counted:
            def __init__(self, journal: Journal, said: list[str]) -> None:
                self.journal, self.said = journal, said

            def runs(self) -> list[RunSeen]:
                self.said.append("runs")
                return self.journal.runs()

            def plans(self, run: str, hosts: Sequence[str] | None = None) -> dict[str, str]:
                self.said.append(run)
                return self.journal.plans(run, hosts)

        store = Counted(world.journal, asked)
        found = world.drift(Memory(lambda store=store: store))  # type: ignore[misc]
        assert size == sum(1 for h in found.values() if h.verdict(Rule()) is Verdict.DIFFERS)
        counts.append((asked.count("runs"), asked.count("r1"), sum(s.reads for s in world.servers.values())))

    assert [(1, 20, 20), (1, 40, 40)] == counts


def test_a_report_is_there_whole_with_a_mode_that_others_can_read(tmp_path: Path) -> None:
    path = tmp_path / "x.prom"
    path.write_text("old")
    path.chmod(0o600)
    (tmp_path / ".x.prom.1.new").write_text("a leftover of a run that was killed")
    write_whole(path, "new\n")

    assert ("new\n", 0o644) == (path.read_text(), path.stat().st_mode & 0o777)
    assert {"x.prom", ".x.prom.1.new"} == {entry.name for entry in tmp_path.iterdir()}


def test_a_second_try_is_no_run_of_another_controller(world: World) -> None:
    seen_run = world.journal.runs()[0]
    seen_run.hosts["vts1"]["as"] = "r1-2"

    class Store:
        def runs(self) -> list[RunSeen]:
            return [seen_run]

        def plans(self, run: str, hosts: Sequence[str] | None = None) -> dict[str, str]:
            return world.journal.plans(run, hosts)

    assert {"r1", "r1-2"} == Memory(Store).names("vts1")


def test_a_disk_that_is_full_leaves_the_old_report_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.prom"
    path.write_text("old")
    code = (
        "import resource, sys; from pathlib import Path; from vtsconf.engine.drift.file import write_whole;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)); write_whole(Path(sys.argv[1]), 'new' * 99)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)

    assert (1, "old") == (done.returncode, path.read_text())
    assert f"the report cannot be written to {path}: File too large" in done.stderr
    assert ["x.prom"] == [e.name for e in tmp_path.iterdir()]


@pytest.mark.parametrize("kind", ["folder", "no folder", "pipe", "folder that may not be written"])
def test_a_report_that_cannot_be_written_is_a_sentence_and_the_old_one_stays(
    tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "x.prom"
    if kind == "folder":
        path.mkdir()
    elif kind == "no folder":
        path = tmp_path / "none" / "x.prom"
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path = Path("/proc/x.prom")

    with pytest.raises(VtsconfError, match=f"the report cannot be written to {path}"):
        write_whole(path, "new\n")

    assert [] == [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")]
