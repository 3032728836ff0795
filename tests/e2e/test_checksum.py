"""Checksums on the lab's stand-ins: the same faults with and without `checksum: true`. What tells them apart is the bytes alone.

Three servers; each has a tape in SUMMED, whose policy asks for checksums, and one in PLAIN, whose policy does not.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_migrate_kills import run
from vtsconf.engine.lab.lab import Lab

POLICIES = """\
vts:
  allow_erase: [gone]
  tape_is_free: ["true"]
  policies:
    summed:
      select: {pools: [SUMMED, ONE]}
      action: migrate
      bma: tsm
      options: {type: archive, management_class: MC7Y}
      checksum: true
    plain: {select: {pools: [PLAIN]}, action: migrate, bma: tsm, options: {type: archive, management_class: MC7Y}}
    gone: {select: {pools: [ONE], migrated: "yes"}, action: erase}
"""
NAMES = ("good", "rewritten", "bare")
DATA = b"precious" * 1000
ALTERED = b"previous" * 1000
POOLS = ("SUMMED", "PLAIN")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab.up(tmp_path_factory.mktemp("sums") / "lab", servers=len(NAMES)) as lab:
        (lab.folder / "group_vars" / "vts.yaml").write_text(POLICIES)
        assert 0 == run(lab, "apply", "-y").returncode
        for host in lab.hosts:
            for pool, name in (*((pool, "T00001") for pool in POOLS), ("ONE", "E00001"), ("ONE", "E00002")):
                folder = host.path(f"/VAULT01/{pool}")
                folder.mkdir(exist_ok=True)
                (folder / name).write_bytes(DATA)
        _, rewritten, bare = lab.hosts
        rewritten.break_("bma", "rewrites", "archive")
        program(bare.path("/bin/sha256sum"), "#!/bin/sh\nexec there-is-no-such-program\n")
        yield lab


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture(scope="module")
def jobs(lab: Lab) -> dict[tuple[str, str], dict]:
    """By what the server is, and the pool; those of ONE under their names."""
    done = run(lab, "migrate", "run", "--policy", "summed", "--policy", "plain", "--json")

    assert 5 == done.returncode, done.stderr
    hosts = dict(zip((host.name for host in lab.hosts), NAMES, strict=True))
    words = [(job, job["cartridge"].split("/")[-2:]) for job in json.loads(done.stdout)["jobs"]]
    return {(hosts[job["host"]], name if pool == "ONE" else pool): job for job, (pool, name) in words}


def altered(path: Path, data: bytes) -> None:
    """Other bytes of the same length, in place, and the time put back."""
    before = path.stat()
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def outcome(job: dict) -> tuple[str, str | None]:
    return job["status"], job["checksum"]


DIGEST = f"sha256:{hashlib.sha256(DATA).hexdigest()}"


def test_a_tape_that_is_left_alone_is_done_with_its_checksum(jobs: dict) -> None:
    assert ("done", DIGEST) == outcome(jobs["good", "SUMMED"]), jobs["good", "SUMMED"]["reason"]
    assert "its checksum is the same" in jobs["good", "SUMMED"]["witnesses"]["file"]
    assert ("done", None) == outcome(jobs["good", "PLAIN"])


def test_a_tape_that_is_rewritten_unseen_is_found_by_its_checksum_and_by_nothing_else(jobs: dict) -> None:
    assert ("unproven", None) == outcome(jobs["rewritten", "SUMMED"])
    assert f"the tape changed meanwhile: its checksum {DIGEST} → " in jobs["rewritten", "SUMMED"]["reason"]
    assert ("done", None) == outcome(jobs["rewritten", "PLAIN"])


def test_a_server_without_sha256sum_archives_only_what_needs_none(lab: Lab, jobs: dict) -> None:
    assert ("failed", None) == outcome(jobs["bare", "SUMMED"])
    assert "the server has no sha256sum; to do: install it" in jobs["bare", "SUMMED"]["reason"]
    assert ("done", None) == outcome(jobs["bare", "PLAIN"])
    shelves = [path.read_text() for path in (lab.folder / "library/tsm").glob("*/*/path")]
    assert not any(lab.hosts[2].name in path and "/SUMMED/" in path for path in shelves)


def test_report_and_status_show_it(lab: Lab, jobs: dict) -> None:
    job = jobs["good", "SUMMED"]
    assert (
        0 == run(lab, "migrate", "report", job["run"], "--html", "r.html", "--json-file", "r.json").returncode
    )
    told = {one["id"]: one["checksum"] for one in json.loads((lab.folder / "r.json").read_text())["jobs"]}

    assert (DIGEST, None) == (told[job["id"]], told[jobs["good", "PLAIN"]["id"]])
    assert f"checksum: {DIGEST}" in (lab.folder / "r.html").read_text()
    assert f"checksum: {DIGEST}\n" in run(lab, "migrate", "status", job["id"]).stdout
    assert "checksum" not in run(lab, "migrate", "status", jobs["good", "PLAIN"]["id"]).stdout


@pytest.mark.parametrize(("pool", "status", "left"), [("SUMMED", "parked", b""), ("PLAIN", "done", ALTERED)])
def test_a_copy_of_the_right_size_with_other_bytes(
    lab: Lab, jobs: dict, pool: str, status: str, left: bytes
) -> None:
    """Without a checksum it is said to be restored, which is why there are checksums."""
    good = lab.hosts[0]
    tape = good.path(f"/VAULT01/{pool}/T00001")
    assert jobs["good", pool]["status"] == "done"
    for path in (lab.folder / "library/tsm").glob("*/*/path"):
        if path.read_text().strip() == str(tape):
            path.with_name("data").write_bytes(ALTERED)
    tape.write_bytes(b"")

    done = run(lab, "migrate", "restore", good.name, str(tape), "--attempts", "1", "--json")
    (job,) = json.loads(done.stdout)["jobs"]

    assert (status, left) == (job["status"], tape.read_bytes()), job["reason"]
    assert (status == "done") != (f"that of the copy {DIGEST}; the empty stub is back" in job["reason"])


def test_an_erase_asks_the_bytes_too(lab: Lab, jobs: dict) -> None:
    good = lab.hosts[0]
    kept, gone = (good.path(f"/VAULT01/ONE/{name}") for name in ("E00001", "E00002"))
    assert {"done"} == {jobs["good", name]["status"] for name in ("E00001", "E00002")}
    altered(kept, ALTERED)

    done = run(lab, "migrate", "run", "--policy", "gone", "--limit", good.name, "--json")
    found = {job["cartridge"]: job for job in json.loads(done.stdout)["jobs"] if job["action"] == "erase"}

    assert (("done", DIGEST), b"") == (outcome(found[str(gone)]), gone.read_bytes()), found[str(gone)][
        "reason"
    ]
    assert (("failed", None), ALTERED) == (outcome(found[str(kept)]), kept.read_bytes())
    assert found[str(kept)]["reason"].startswith("not erased: its checksum is sha256:")
