"""Drift on a real OpenSSH: every class once, hints from real programs, and how often the server was asked."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from tests.real.openssh import OpenSsh
from tests.real.test_looking import project, vtsconf  # noqa: F401 a fixture

CONF = "/usr/local/tape/conf/vts.conf"
LOG = "/usr/local/tape/log/event.log"
VTS = {
    "config_file": CONF,
    "services": {"ems": {"restart": ["true"]}},
    "ems": {"keep_alive": 300},
    "files": {"/usr/local/tape/conf/motd": {"content": "managed by vtsconf\n"}},
}


class Site:
    """One server, its project, and the command."""

    def __init__(self, server: OpenSsh, folder: Path, command) -> None:
        self.server, self.folder, self.command = server, folder, command
        for remote in (CONF, LOG):
            server.path(remote).parent.mkdir(parents=True)
        self.conf = server.path(CONF)
        self.conf.write_text("ems_old='1'\nems_keep_alive='0'\n")
        self.write(VTS)

    def write(self, vts) -> None:
        self.at = project(self.server, self.folder, vts)

    def apply(self) -> None:
        code, out, err = self.command("apply", "-i", self.at, "-y")
        assert code == 0, out + err

    def drift(self, *words):
        code, out, _ = self.command("drift", "-i", self.at, "--json", *words)
        (host,) = json.loads(out)["hosts"]
        found = {f["address"].removeprefix("vts1/"): f["class"] for f in host["findings"] if f["counts"]}
        return code, found, host

    def asked(self, *words) -> tuple[int, int]:
        """Connections and commands of one more drift."""
        before = self.server.connections(), self.server.execs()
        self.drift(*words)
        return self.server.connections() - before[0], self.server.execs() - before[1]

    def edit(self, old: str, new: str) -> None:
        text = self.conf.read_text()
        assert old in text
        self.conf.write_text(text.replace(old, new))


@pytest.fixture
def site(openssh, tmp_path, vtsconf) -> Site:  # noqa: F811
    return Site(openssh(own=("/usr/local/tape",), python=False), tmp_path, vtsconf)


def test_every_class_and_how_often_the_server_is_asked(site: Site) -> None:
    site.apply()
    clean = site.drift()

    assert (0, {}, "same") == (clean[0], clean[1], clean[2]["verdict"])
    assert (1, 1) == site.asked()

    site.write(VTS | {"ems": {"keep_alive": 600}})

    assert (2, {"ems/ems_keep_alive": "not-applied"}) == site.drift()[:2]
    assert (1, 1) == site.asked()

    site.write(VTS)
    site.edit("ems_keep_alive='300'", 'ems_keep_alive="300"')

    assert (0, {}) == site.drift()[:2]
    assert (2, {"ems/ems_keep_alive": "cosmetic", "ems/ems_old": "unmanaged"}) == site.drift("--strict")[:2]

    site.edit('ems_keep_alive="300"', "ems_keep_alive='60'\nems_new='1'")
    debt = site.server.run("echo run r0 >/var/lib/vtsconf/restart-debt/ems")

    assert 0 == debt.returncode
    assert (
        2,
        {"ems/ems_keep_alive": "edited", "ems/ems_new": "unmanaged", "services/ems": "not-loaded"},
    ) == site.drift()[:2]
    assert (1, 2) == site.asked()
    assert (1, 1) == site.asked("--no-hints")
    assert (1, 1) == site.asked("--ignore", "edited")


def hints(host) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for hint in host["hints"]:
        found.setdefault(hint["kind"], []).append(hint["text"])
    return found


def logged_in(server: OpenSsh, user: str, at: int) -> None:
    """A session that still goes on, in the server's wtmp."""
    when = time.strftime("%Y-%m-%dT%H:%M:%S,000000+00:00", time.gmtime(at))
    line = f"[7] [00001] [ts/0] [{user:<8}] [pts/0       ] [10.1.1.7            ] [10.1.1.7       ] [{when}]"
    done = server.run(f"echo '{line}' | utmpdump -r >/var/log/wtmp")
    assert done.returncode == 0, done.stderr


def test_who_and_when_from_what_the_server_remembers(site: Site) -> None:
    site.apply()
    site.edit("ems_keep_alive='300'", "ems_keep_alive='60'")
    edited = int(site.conf.stat().st_mtime)
    logged_in(site.server, "bill", edited - 30)
    zone = site.server.run(f"date -d @{edited} '+%Y-%m-%d %H:%M:%S'").stdout.decode().strip()
    fields = f"{zone}|INFO|240001|5900-E|10.1.1.7|vts1|admin"
    site.server.path(LOG).write_text(f"{fields}|VTS configuration file was edited\n")
    found = hints(site.drift()[2])

    assert [f"{CONF} was last written then"] == found["mtime"]
    assert ["event 240001 by admin from 10.1.1.7: VTS configuration file was edited"] == found["event"]
    assert ["bill was logged in from 10.1.1.7 on pts/0, since then"] == found["login"]
    assert found["run"][0].startswith("vtsconf itself was last at work here in run ")
    assert "another controller" not in found["run"][0]


def test_a_server_that_remembers_nothing_is_compared_all_the_same(site: Site) -> None:
    site.apply()
    site.edit("ems_keep_alive='300'", "ems_keep_alive='60'")
    site.server.run("rm -f /usr/bin/last /bin/last /var/log/wtmp /var/lib/vtsconf/journal")
    code, found, host = site.drift()

    assert (2, {"ems/ems_keep_alive": "edited"}) == (code, found)
    assert ["mtime"] == list(hints(host))


def test_a_run_of_another_controller_is_known_as_one(site: Site) -> None:
    site.apply()
    for store in (site.at / ".vtsconf").iterdir():
        store.unlink()
    site.edit("ems_keep_alive='300'", "ems_keep_alive='60'")
    _, found, host = site.drift()

    assert {"ems/ems_keep_alive": "edited", "ems/ems_old": "unmanaged"} == found
    assert hints(host)["run"][0].endswith("does not know: another controller's")


def test_a_server_that_is_away_is_not_one_without_drift(site: Site, tmp_path: Path) -> None:
    site.apply()
    site.server.kill()
    written = tmp_path / "x.prom", tmp_path / "x.xml"
    code, found, host = site.drift("--prometheus", written[0], "--junit", written[1])

    assert (4, {}, "not-compared") == (code, found, host["verdict"])
    assert 'vtsconf_drift_compared{host="vts1"} 0' in written[0].read_text()
    assert 'errors="1"' in written[1].read_text()


def test_the_crontab_line_of_the_example_runs(site: Site, tmp_path: Path) -> None:
    """As cron would: sh, nothing in the environment, quiet while nothing differs."""
    import sys

    line = next(
        line
        for line in (Path(__file__).parents[2] / "examples/cron/crontab").read_text().splitlines()
        if line and line[0].isdigit()
    )
    command = line.split(None, 6)[6]
    collector = tmp_path / "textfile"
    collector.mkdir()
    for mark, true in {
        "/usr/local/bin/vtsconf": f"{sys.executable} -m vtsconf",
        "/srv/vts": str(site.at),
        "/var/lib/prometheus/node-exporter": str(collector),
    }.items():
        assert mark in command
        command = command.replace(mark, true)
    site.apply()
    root = Path(__file__).parents[2]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(root)}

    def as_cron() -> tuple[int, str, str]:
        done = subprocess.run(
            ["/bin/sh", "-c", command], capture_output=True, text=True, check=False, env=environment, cwd="/"
        )
        return done.returncode, done.stdout, done.stderr

    quiet = as_cron()
    site.edit("ems_keep_alive='300'", "ems_keep_alive='60'")
    loud = as_cron()

    assert (0, "", "") == quiet
    assert (2, "") == (loud[0], loud[2])
    assert "edited: run " in loud[1]
    assert ["vtsconf_drift.prom"] == [entry.name for entry in collector.iterdir()]
