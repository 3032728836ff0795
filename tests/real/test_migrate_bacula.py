"""The executor and a real Bacula: policies become copies in its tape library, and come back byte for byte."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.real.bacula.daemons import Bacula
from vtsconf.engine.migrate.book import Book

pytestmark = pytest.mark.real


_POOLS = itertools.count(1)


class Site:
    """A project of one server, this machine; its vault is Bacula's playground, and its tape library is real."""

    def __init__(self, folder: Path, bacula: Bacula, *, checksum: bool = False) -> None:
        self.folder, self.bacula = folder, bacula
        self.pool = bacula.pool.with_name(f"P{next(_POOLS)}")
        self.pool.mkdir(parents=True)
        (folder / "host_vars").mkdir(parents=True)
        (folder / "inventory.yaml").write_text("all: {hosts: {vts1: {ansible_connection: local}}}\n")
        vts = {
            "state_dir": str(folder / "state"),
            "vaults": ["VAULT01"],
            "bma": {"bacula": dict(bacula.place().document)},
            "policies": {
                "all": {
                    "select": {"pools": [self.pool.name]},
                    "action": "migrate",
                    "bma": "bacula",
                    "checksum": checksum,
                    "retry": {"attempts": 2, "backoff": "1s"},
                }
            },
        }
        document = {"vts": vts, "vts_root": str(bacula.base)}
        (folder / "host_vars/vts1.yaml").write_text(json.dumps(document))
        (folder / "vtsconf.toml").write_text("jobs_per_bma = 2\n")

    def tape(self, name: str, size: int) -> Path:
        path = self.pool / name
        path.write_bytes(os.urandom(size))
        return path

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "vtsconf", *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words), cwd=self.folder, capture_output=True, text=True, check=False, timeout=280,
            env={**os.environ, "UNUSED": "x"},
        )  # fmt: skip

    @property
    def jobs(self) -> dict[str, dict]:
        found = json.loads(self.run("migrate", "status", "--json").stdout)["jobs"]
        return {f"{job['action']} {job['cartridge'].rsplit('/', 1)[1]}": job for job in found}


@pytest.fixture
def site(tmp_path: Path, bacula: Bacula) -> Site:
    return Site(tmp_path / "site", bacula)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_archived_lost_and_back_with_equal_checksums(site: Site) -> None:
    tapes = [site.tape(f"T0000{n}", 300_000 + n) for n in range(3)]
    before = [digest(tape) for tape in tapes]

    done = site.run("migrate", "run")
    assert ({"done"}, 0) == ({job["status"] for job in site.jobs.values()}, done.returncode), done.stdout
    assert all(all(job["witnesses"].values()) for job in site.jobs.values())
    assert [1, 1, 1] == [site.bacula.archived(tape) for tape in tapes]

    for tape in tapes:
        tape.write_bytes(b"")
    back = site.run("migrate", "restore", "vts1", *map(str, tapes))
    assert (before, 0) == ([digest(tape) for tape in tapes], back.returncode), back.stdout
    assert "nothing to do" in site.run("migrate", "plan").stdout


def test_with_checksums_each_tape_is_compared_with_its_copy(tmp_path: Path, bacula: Bacula) -> None:
    site = Site(tmp_path / "site", bacula, checksum=True)
    tapes = [site.tape(f"S0000{n}", 3_000_000 + n) for n in range(2)]
    sums = [f"sha256:{digest(tape)}" for tape in tapes]

    done = site.run("migrate", "run")
    found = site.jobs
    assert (0, sums) == (done.returncode, [found[f"migrate {t.name}"]["checksum"] for t in tapes]), (
        done.stdout
    )
    assert all("its checksum is the same" in job["witnesses"]["file"] for job in found.values())
    assert [1, 1] == [site.bacula.archived(tape) for tape in tapes]

    for tape in tapes:
        tape.write_bytes(b"")
    back = site.run("migrate", "restore", "vts1", *map(str, tapes))
    assert (0, sums) == (back.returncode, [f"sha256:{digest(tape)}" for tape in tapes]), back.stdout
    found = site.jobs
    assert sums == [found[f"restore {tape.name}"]["checksum"] for tape in tapes]
    assert "nothing to do" in site.run("migrate", "plan").stdout


def test_a_copy_of_other_bytes_is_not_left_in_place(tmp_path: Path, bacula: Bacula) -> None:
    """Bacula hands back what it has, and all is well, it says; the record says that this is not the tape."""
    site = Site(tmp_path / "site", bacula, checksum=True)
    tape = site.tape("W00001", 500_000)
    assert 0 == site.run("migrate", "run").returncode
    other = f"sha256:{hashlib.sha256(b'another tape').hexdigest()}"
    record(site, tape, other)
    was = digest(tape)
    tape.write_bytes(b"")

    site.run("migrate", "restore", "vts1", str(tape), "--attempts", "1")

    job = site.jobs["restore W00001"]
    assert (b"", "parked") == (tape.read_bytes(), job["status"])
    assert (
        f"its checksum is sha256:{was}, and that of the copy {other}; the empty stub is back" in job["reason"]
    )


def record(site: Site, tape: Path, checksum: str) -> None:
    """Put this checksum on record for the copy of the tape."""
    book = Book(f"sqlite:///{site.folder}/.vtsconf/vtsconf.db")
    ((proof, about),) = book.proofs("vts1", [str(tape)])
    book.prove(replace(proof, checksum=checksum), about)
    book.close()


def test_an_executor_that_was_killed_archives_once(site: Site) -> None:
    tapes = [site.tape(f"K0000{n}", 200_000 + n) for n in range(2)]
    for wait in (1.5, 3.0):
        executor = subprocess.Popen(
            site.command("migrate", "run"), cwd=site.folder, env={**os.environ, "UNUSED": "x"},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        time.sleep(wait)
        executor.send_signal(signal.SIGKILL)
        executor.wait()

    done = site.run("migrate", "run")

    assert {"done"} == {job["status"] for job in site.jobs.values()}, done.stdout
    assert [1, 1] == [site.bacula.archived(tape) for tape in tapes]


def test_a_restore_that_fails_leaves_the_stub(site: Site) -> None:
    tape = site.tape("F00001", 100_000)
    assert 0 == site.run("migrate", "run").returncode
    tape.write_bytes(b"")
    (site.folder / "host_vars/vts1.yaml").write_text(
        (site.folder / "host_vars/vts1.yaml").read_text().replace('"restore_job": "', '"restore_job": "no-')
    )

    site.run("migrate", "restore", "vts1", str(tape), "--attempts", "1")

    assert (b"", True) == (tape.read_bytes(), site.jobs["restore F00001"]["status"] != "done")
