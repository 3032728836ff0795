"""`bytes_per_run` of a service: planning again every second begins nothing more, and neither does a restart."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.e2e.test_migrate_kills import run
from vtsconf.engine.lab.lab import Lab

SITE = """\
vts:
  policies:
    one: {select: {pools: [ONE]}, action: migrate, bma: tsm, options: {type: archive}, limits: {bytes_per_run: 2500}}
"""


def follow(lab: Lab, plans: int) -> None:
    """Until so many plans are made."""
    said = lab.folder / "said"
    with said.open("wb") as out:
        service = subprocess.Popen(
            [sys.executable, "-m", "vtsconf", "migrate", "run", "--follow", "--every", "1s"], cwd=lab.folder,
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while said.read_text().count(" new job") < plans:
            assert time.monotonic() < deadline, said.read_text()
            time.sleep(0.2)
    finally:
        service.terminate()
        service.wait(60)


def test_a_service_spends_its_budget_once(tmp_path: Path) -> None:
    with Lab.up(tmp_path / "lab", servers=1) as lab:
        (lab.folder / "group_vars" / "vts.yaml").write_text(SITE)
        assert 0 == run(lab, "apply", "-y").returncode
        pool = lab.hosts[0].path("/VAULT01/ONE")
        pool.mkdir()
        for n in range(5):
            (pool / f"T{n:05}").write_bytes(b"x" * (1000 + n))

        follow(lab, 5)
        follow(lab, 2)

        jobs = json.loads(run(lab, "migrate", "status", "--json").stdout)["jobs"]
        assert ["done"] * 2 == [job["status"] for job in jobs]
        assert 2 == len(list((lab.folder / "library/tsm").glob("*/*/path")))
