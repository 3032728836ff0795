"""Checksums of tapes: what size, mtime and inode do not tell is never done, and what was not asked for is not read."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.migrate.around import NOW, Ends, Server, Tool, hands, job, tape
from vtsconf.bma.contract import Output
from vtsconf.core.emsrules import Decision
from vtsconf.core.migrate.candidate import Candidate
from vtsconf.core.migrate.job import Job, Status
from vtsconf.core.migrate.plan import job_of
from vtsconf.core.migrate.record import Proof
from vtsconf.core.migrate.turns import Limits
from vtsconf.core.vtspolicy.wish import Wish
from vtsconf.engine.migrate.book import Entry
from vtsconf.engine.migrate.bring import bring
from vtsconf.engine.migrate.checksum import SUM
from vtsconf.engine.migrate.hands import Hands
from vtsconf.engine.migrate.policies import policy_of
from vtsconf.engine.migrate.reporting import job_document
from vtsconf.engine.migrate.requests import jobs_of
from vtsconf.engine.migrate.yard import Place, Yard
from vtsconf.resources.desired import Vts
from vtsconf.resources.policies import Policy
from vtsconf.resources.written import VtsPolicyCommand
from vtsconf.transport.runs import RunSpec

OLD, NEW = "as it was", "rewritten"
GOOD = {"archive": (0, "yes"), "restore": (0, "yes")}


def sha256(content: str) -> str:
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"


@dataclass(kw_only=True)
class Summing(Server):
    """A server whose tape has a `content`, which nothing but its checksum tells.

    `sums`: how its first sums end, where they do not tell the content; None: it runs until it is told.
    """

    content: str = OLD
    sums: list[Ends | None] = field(default_factory=list)

    def _ends(self, spec: RunSpec) -> Ends | None:
        if spec.argv[:4] == SUM:
            return self.sums.pop(0) if self.sums else (0, f"{sha256(self.content)[7:]}  -\n")
        return super()._ends(spec)

    @property
    def steps(self) -> list[str]:
        """What was run here, one word each."""
        return [
            "sum" if spec.argv[:4] == SUM else "stub" if spec.argv[1] == "-c" else spec.argv[1]
            for spec in self.jobs.begun
        ]


def wish(**more: Any) -> Job:
    return job(checksum=True, attempts=1, **more)


def server(one: Job, **more: Any) -> Summing:
    made = Summing(**{"answers": GOOD, **more})
    made.jobs.tapes[one.cartridge] = tape(one)
    return made


def rewriting(at: Summing, step: str) -> Callable[[RunSpec], None]:
    """The content changes while this step runs; size, mtime and inode stay."""

    def act(spec: RunSpec) -> None:
        if spec.argv[1] == step:
            at.content = NEW

    return act


def ended(one: Job, work: Hands) -> Entry:
    """One attempt, by whoever takes it."""
    work.book.add("r1", [one], NOW)
    (entry,) = work.book.take("me", Limits(), 1, NOW + 4000)
    bring(entry.id, entry.attempt, work)
    return work.book.get(one.id)[0]


def proofs(work: Hands) -> list[str]:
    return [proof.checksum for proof, _ in work.book.proofs("vts1")]


# ---- migrate


def test_a_tape_is_summed_before_it_is_archived_and_when_the_copy_is_shown(tmp_path: Path) -> None:
    at = server(wish())
    work = hands(tmp_path, {"vts1": at})

    end = ended(wish(), work)

    assert (Status.DONE, [sha256(OLD)]) == (end.status, proofs(work))
    assert ["sum", "archive", "locate", "sum"] == at.steps
    assert (sha256(OLD), "unchanged, and its checksum is the same") == (
        job_document(end)["checksum"],
        job_document(end)["witnesses"]["file"],
    )


def test_a_tape_that_was_rewritten_unseen_is_unproven(tmp_path: Path) -> None:
    at = server(wish())
    at.act = rewriting(at, "archive")
    work = hands(tmp_path, {"vts1": at})

    end = ended(wish(), work)

    assert (Status.UNPROVEN, []) == (end.status, proofs(work))
    assert f"the tape changed meanwhile: its checksum {sha256(OLD)} → {sha256(NEW)}" == end.reason
    assert "catalogue" in end.detail["witnesses"]
    assert None is job_document(end)["checksum"]


def test_who_does_not_ask_pays_nothing(tmp_path: Path) -> None:
    at = server(job())
    at.act = rewriting(at, "archive")
    work = hands(tmp_path, {"vts1": at})

    end = ended(job(), work)

    assert (Status.DONE, [""], ["archive", "locate"]) == (end.status, proofs(work), at.steps)
    assert (None, "unchanged") == (job_document(end)["checksum"], job_document(end)["witnesses"]["file"])


@pytest.mark.parametrize("there", [{"size": 11}, {"mtime": 2}, {"inode": 77}])
def test_what_is_not_as_planned_is_not_even_summed(tmp_path: Path, there: dict[str, int]) -> None:
    at = server(wish())
    at.jobs.tapes[wish().cartridge] = tape(wish(), **there)

    end = ended(wish(), hands(tmp_path, {"vts1": at}))

    assert (Status.FAILED, []) == (end.status, at.steps)
    assert end.reason.startswith("not started: ")


SHA = sha256(OLD)[7:]
NO_SUMS = {
    "not installed": ((127, "sh: 1: sha256sum: not found\n"), "install it (coreutils)"),
    "unreadable": ((1, "sha256sum: -: Input/output error\n"), "ended with 1 and said"),
    "a day": ((124, ""), "in a day"),
    "killed": ((137, ""), "ended with 137"),
    "nothing": ((0, ""), "said ''"),
    "too short": ((0, f"{SHA[1:]}  -\n"), "said"),
    "too long": ((0, f"{SHA}0  -\n"), "said"),
    "upper case": ((0, f"{SHA.upper()}  -\n"), "said"),
    "escaped": ((0, f"\\{SHA}  -\n"), "said"),
    "two": ((0, f"{SHA}  -\n{SHA}  -\n"), "said"),
    "a warning": ((0, f"sha256sum: careful\n{SHA}  -\n"), "said"),
    "failed all the same": ((1, f"{SHA}  -\n"), "ended with 1"),
}


@pytest.mark.parametrize(("said", "reason"), NO_SUMS.values(), ids=NO_SUMS)
def test_without_a_sum_nothing_is_archived(tmp_path: Path, said: Ends, reason: str) -> None:
    at = server(wish(), sums=[said])
    work = hands(tmp_path, {"vts1": at})

    end = ended(wish(), work)

    assert (Status.FAILED, ["sum"], []) == (end.status, at.steps, work.book.troubles())
    assert end.reason.startswith("not started: its checksum could not be taken: ")
    assert reason in end.reason


@pytest.mark.parametrize("said", [said for said, _ in NO_SUMS.values()], ids=NO_SUMS)
def test_without_the_second_sum_it_is_unproven_and_not_done_again(tmp_path: Path, said: Ends) -> None:
    at = server(replace(wish(), attempts=5), sums=[(0, f"{SHA}  -\n"), said])
    work = hands(tmp_path, {"vts1": at})

    end = ended(replace(wish(), attempts=5), work)

    assert (Status.UNPROVEN, [], 1) == (end.status, proofs(work), at.archived)
    assert end.reason.startswith("archived, and found in the catalogue; its checksum could not be taken")


def test_a_sum_that_was_lost_with_its_server_is_begun_anew(tmp_path: Path) -> None:
    lost: Ends = (None, "")
    at = server(wish(), sums=[lost, lost, (0, f"{SHA}  -\n"), lost, (0, f"{SHA}  -\n")])

    assert Status.DONE == ended(wish(), hands(tmp_path, {"vts1": at})).status
    assert ["sum", "sum", "sum", "archive", "locate", "sum", "sum"] == at.steps


def test_a_sum_that_is_lost_again_and_again_is_tried_later(tmp_path: Path) -> None:
    one = replace(wish(), attempts=2)
    at = server(one, sums=[(None, "")] * 3)
    work = hands(tmp_path, {"vts1": at})

    assert (Status.PLANNED, 0) == (ended(one, work).status, at.archived)
    assert (Status.DONE, 1) == (ended(one, work).status, at.archived)


def test_a_second_sum_that_is_lost_again_and_again_does_not_archive_twice(tmp_path: Path) -> None:
    one = replace(wish(), attempts=5)
    at = server(one, sums=[(0, f"{SHA}  -\n"), *[(None, "")] * 3])
    work = hands(tmp_path, {"vts1": at})

    assert (Status.UNPROVEN, 1) == (ended(one, work).status, at.archived)


def test_the_same_attempt_begun_again_sums_once(tmp_path: Path) -> None:
    """The executor was killed while the BMA ran: what the tape was before is asked of the run, not of the tape."""
    at = server(wish())
    work = hands(tmp_path, {"vts1": at})
    work.book.add("r1", [wish()], NOW)
    (entry,) = work.book.take("me", Limits(), 1, NOW)
    at.start(RunSpec(id=f"{wish().mark}-sum-before-1", attempt=1, argv=(*SUM, wish().cartridge)), "/s")
    at.start(RunSpec(id=wish().mark, attempt=1, argv=("tool", "archive", wish().mark)), "/s")
    at.content = NEW

    assert "unproven" == bring(entry.id, 1, work)
    assert 1 == at.archived


@pytest.mark.parametrize(("before", "steps"), [(0, ["sum"]), (1, ["sum", "archive", "locate", "sum"])])
def test_a_cancelled_sum_is_ended_and_no_bma_is_asked_to(
    tmp_path: Path, before: int, steps: list[str]
) -> None:
    at = server(wish(), sums=[(0, f"{SHA}  -\n")] * before + [None])
    work = hands(tmp_path, {"vts1": at})

    def act(spec: RunSpec) -> None:
        if spec.argv[:4] == SUM and at.sums == [None]:
            work.book.ask_cancel([wish().id], NOW)

    at.act = act
    end = ended(wish(), work)

    assert (Status.CANCELLED, steps) == (end.status, at.steps)
    assert "cancelled while its checksum was taken" in end.reason


def test_the_checksum_is_no_part_of_what_a_job_is() -> None:
    assert job().id == job(checksum=True).id
    assert Job.from_json(job(checksum=True).to_json()).checksum


def test_a_job_and_a_proof_of_before_are_read() -> None:
    old = {key: value for key, value in job().to_json().items() if key != "checksum"}
    proof = {key: value for key, value in copied("").to_json().items() if key != "checksum"}

    assert (job(), copied("")) == (Job.from_json(old), Proof.from_json(proof))


# ---- restore


def copied(checksum: str) -> Proof:
    return Proof(
        host="vts1", cartridge=job().cartridge, size=10, mtime=1, inode=1, bma="tool", token="vtsconf-copy",
        at=NOW - 1, witnesses=("bma", "catalogue", "file"), checksum=checksum,
    )  # fmt: skip


def restored(
    tmp_path: Path, checksum: str, content: str, **more: Any
) -> tuple[Summing, Entry, list[tuple[str, int]]]:
    """A whole file comes back with this content; its copy has that checksum on record."""
    one = job(action="restore", bytes=0, mtime=5, attempts=1)
    at = server(one, content=content, answers={**GOOD, "-c": (0, "")}, **more)

    def act(spec: RunSpec) -> None:
        if spec.argv[:4] != SUM:
            size = 10 if spec.argv[1] == "restore" else 0  # the other run empties the file
            at.jobs.tapes[one.cartridge] = tape(one, size=size, mtime=6)

    at.act = act
    work = hands(tmp_path, {"vts1": at})
    work.book.prove(copied(checksum))
    end = ended(one, work)
    return at, end, [(proof.checksum, proof.mtime) for proof, _ in work.book.proofs("vts1")]


def test_what_came_back_is_compared_with_the_checksum_of_its_copy(tmp_path: Path) -> None:
    at, end, found = restored(tmp_path, sha256(OLD), OLD)

    assert (Status.DONE, ["restore", "sum"], [(sha256(OLD), 6)]) == (end.status, at.steps, found)
    assert (sha256(OLD), "10 bytes, and its checksum is the same") == (
        job_document(end)["checksum"],
        job_document(end)["witnesses"]["file"],
    )


def test_the_right_size_is_not_enough(tmp_path: Path) -> None:
    at, end, found = restored(tmp_path, sha256(OLD), NEW)

    assert (Status.PARKED, ["restore", "sum", "stub"]) == (end.status, at.steps)
    assert (
        f"its checksum is {sha256(NEW)}, and that of the copy {sha256(OLD)}; the empty stub is back"
        in end.reason
    )
    assert (0, [(sha256(OLD), 1)]) == (at.jobs.tapes[job().cartridge].size, found)


def test_without_a_checksum_on_record_there_is_nothing_to_compare(tmp_path: Path) -> None:
    at, end, _ = restored(tmp_path, "", NEW)

    assert (Status.DONE, ["restore"], None) == (end.status, at.steps, job_document(end)["checksum"])


@pytest.mark.parametrize("said", [said for said, _ in NO_SUMS.values()], ids=NO_SUMS)
def test_a_restore_that_cannot_be_summed_is_no_success(tmp_path: Path, said: Ends) -> None:
    at, end, _ = restored(tmp_path, sha256(OLD), OLD, sums=[said])

    assert (Status.FAILED, 0) == (end.status, at.jobs.tapes[job().cartridge].size)
    assert "its checksum could not be taken" in end.reason
    assert end.reason.endswith("; the empty stub is back")


def test_a_restore_that_is_cancelled_while_it_is_summed_leaves_the_stub(tmp_path: Path) -> None:
    one = job(action="restore", bytes=0, mtime=5)
    at = server(one, sums=[None], answers={**GOOD, "-c": (0, "")})
    work = hands(tmp_path, {"vts1": at})
    work.book.prove(copied(sha256(OLD)))

    def act(spec: RunSpec) -> None:
        at.jobs.tapes[one.cartridge] = tape(one, size=0 if at.steps[-1] == "stub" else 10)
        if at.steps[-1] == "sum":
            work.book.ask_cancel([one.id], NOW)

    at.act = act
    end = ended(one, work)

    assert (Status.CANCELLED, ["restore", "sum", "stub"]) == (end.status, at.steps)
    assert (True, 0) == (end.reason.endswith("the empty stub is back"), at.jobs.tapes[one.cartridge].size)


# ---- erase, and what VTS does itself


def with_vts(work: Hands, **more: Any) -> Hands:
    command = VtsPolicyCommand(command=("tool", "submit"), waits=True, within="1s")
    policy = Policy(action="migrate", bma="tsm", options={"type": "archive"}, submit="vtspolicy")
    vts = Vts(
        release="8.2",
        policies={"nightly": policy},
        vtspolicy=command,
        tape_is_free=("is-free",),
        allow_erase=("nightly",),
    )
    place = replace(work.yard.place("vts1"), bmas={"tsm": (Tool(), None)}, vts=vts, **more)
    work.yard = Yard(places={"vts1": place}, reach=work.yard.reach)
    return work


def erased(tmp_path: Path, checksum: str, **more: Any) -> tuple[Summing, Entry]:
    one = job(action="erase", bma="")
    at = server(one, answers={"submit": (0, "")}, **more)

    def act(spec: RunSpec) -> None:
        if spec.argv[1] == "submit":
            at.jobs.tapes[one.cartridge] = tape(one, size=0)

    at.act = act
    work = with_vts(hands(tmp_path, {"vts1": at}))
    work.book.prove(copied(checksum))
    return at, ended(one, work)


def test_what_is_erased_is_what_was_copied(tmp_path: Path) -> None:
    at, end = erased(tmp_path, sha256(OLD))

    assert (Status.DONE, ["sum", "submit"], sha256(OLD)) == (
        end.status,
        at.steps,
        job_document(end)["checksum"],
    )
    spec = at.jobs.begun[0]
    assert ((("is-free", job().cartridge),), 1) == (spec.checks, len(spec.guards))


def test_a_tape_that_was_rewritten_unseen_is_not_erased(tmp_path: Path) -> None:
    at, end = erased(tmp_path, sha256(OLD), content=NEW)

    assert (Status.FAILED, ["sum"], 10) == (end.status, at.steps, at.jobs.tapes[job().cartridge].size)
    assert f"not erased: its checksum is {sha256(NEW)}, and that of the copy {sha256(OLD)}" == end.reason


@pytest.mark.parametrize("said", [said for said, _ in NO_SUMS.values()], ids=NO_SUMS)
def test_what_cannot_be_summed_is_not_erased(tmp_path: Path, said: Ends) -> None:
    at, end = erased(tmp_path, sha256(OLD), sums=[said])

    assert (Status.FAILED, ["sum"]) == (end.status, at.steps)
    assert end.reason.startswith("not erased: its checksum could not be taken")


def test_an_erase_that_is_cancelled_while_it_is_summed_does_not_happen(tmp_path: Path) -> None:
    one = job(action="erase", bma="")
    at = server(one, sums=[None])
    work = with_vts(hands(tmp_path, {"vts1": at}))
    work.book.prove(copied(sha256(OLD)))
    at.act = lambda _: work.book.ask_cancel([one.id], NOW)

    assert (Status.CANCELLED, ["sum"]) == (ended(one, work).status, at.steps)


def test_without_a_checksum_on_record_an_erase_reads_nothing(tmp_path: Path) -> None:
    at, end = erased(tmp_path, "", content=NEW)

    assert (Status.DONE, ["submit"]) == (end.status, at.steps)


def handed_over(tmp_path: Path, rewritten: str) -> tuple[Summing, Entry, list[str]]:
    """VTS archives it; the content changes in the step `rewritten`."""
    one = wish(bma="tsm", submit="vtspolicy")
    at = server(one, answers={"submit": (0, ""), "locate": (0, "")})
    changes = rewriting(at, rewritten)

    def act(spec: RunSpec) -> None:
        changes(spec)
        if spec.argv[1] == "submit":
            at.answers["locate"] = (0, "10")

    at.act = act
    clock = iter(range(NOW, NOW + 10**8, 3600))
    work = with_vts(hands(tmp_path, {"vts1": at}, now=lambda: next(clock)))
    end = ended(one, work)
    return at, end, proofs(work)


def test_what_vts_archives_is_summed_as_well(tmp_path: Path) -> None:
    at, end, found = handed_over(tmp_path, "")

    assert (Status.DONE, [sha256(OLD)], sha256(OLD)) == (end.status, found, job_document(end)["checksum"])
    assert ["sum", "locate", "submit", "locate", "sum"] == at.steps


def test_what_was_rewritten_while_vts_archived_it_is_unproven(tmp_path: Path) -> None:
    _, end, found = handed_over(tmp_path, "submit")

    assert (Status.UNPROVEN, []) == (end.status, found)
    assert "the tape changed meanwhile: its checksum" in end.reason


def test_without_a_sum_nothing_is_handed_over(tmp_path: Path) -> None:
    one = wish(bma="tsm", submit="vtspolicy")
    at = server(one, answers={"submit": (0, ""), "locate": (0, "")}, sums=[(127, "")])

    assert Status.FAILED == ended(one, with_vts(hands(tmp_path, {"vts1": at}))).status
    assert ["sum"] == at.steps


# ---- who asks for it


@pytest.mark.parametrize(("action", "asks"), [("migrate", True), ("restore", False), ("erase", False)])
def test_a_planned_migration_takes_it_from_its_policy(action: Any, asks: bool) -> None:
    policy = policy_of("nightly", Policy(action=action, bma="tool", checksum=True))
    line = Candidate(
        opens=0, place=0, mtime=1, host=0, policy=0, path=job().cartridge, size=10, inode=1, moves=10, word=""
    )

    assert asks is job_of(line, policy, "vts1").checksum


@pytest.mark.parametrize(
    ("action", "policy", "asks"),
    [("migrate", {"checksum": True}, True), ("migrate", {}, False), ("erase", {"checksum": True}, False)],
)
def test_a_rule_takes_it_from_its_policy(
    tmp_path: Path, action: str, policy: Mapping[str, Any], asks: bool
) -> None:
    at = server(job())
    work = hands(tmp_path, {"vts1": at})
    work.book.prove(copied(""))
    vts = Vts(policies={"nightly": Policy(action="migrate", bma="tool", **policy)}, allow_erase=("rules/r",))
    place: Place = replace(work.yard.place("vts1"), vts=vts)
    asked = Decision(
        rule="r", action=action, policy="nightly", reason="", wish=Wish(action=action, names=("T00001",))
    )  # fmt: skip

    (found,) = jobs_of(asked, place, at, work.book, nonce="1")

    assert asks is found.checksum


# ---- the command itself


@pytest.mark.parametrize(
    "name", ["T00001", "a tape (1) 'x'", "-rf", "ä", "back\\slash", "$(date)", "x\udcff"]
)
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_no_name_is_ever_in_what_is_printed(tmp_path: Path, shell: str, name: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    (tmp_path / name).write_bytes(OLD.encode())
    first = [shell, "sh"] if shell == "busybox" else [shell]

    done = subprocess.run(
        [*first, *SUM[1:], str(tmp_path / name)], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    output = Output(exit=done.returncode, text=done.stdout + done.stderr)
    assert Output(exit=0, text=f"{SHA}  -\n") == output


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_server_without_it_is_told_by_its_shell(tmp_path: Path, shell: str) -> None:
    found = shutil.which(shell)
    if not found:
        pytest.skip(f"no {shell} here")
    (tmp_path / "T00001").touch()

    done = subprocess.run(
        [found, *SUM[1:], str(tmp_path / "T00001")], env={"PATH": str(tmp_path)}, check=False
    )

    assert 127 == done.returncode
