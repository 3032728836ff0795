"""Rollouts over a lab: the built-in strategy as people see it; and promise 7: whatever is asked, a secret appears nowhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Ended, Vtsconf
from tests.e2e.test_secrets import holders
from tests.real.postgres import Postgres
from vtsconf.core.outcome import Exit
from vtsconf.engine.lab.lab import Lab

SECRET = "Sehr&Geheim-9876"
CONFIG = "etc/bacula/bacula-fd.conf"
BACULA = f"""
vts:
  bma:
    bacula:
      name: "{{{{ inventory_hostname }}}}-fd"
      directors: {{bank-dir: {{password: secret://env/DIRECTOR}}}}
      working_directory: "{{{{ vts_root }}}}/tmp"
      pid_directory: "{{{{ vts_root }}}}/run"
      config: "{{{{ vts_root }}}}/{CONFIG}"
      program: "{{{{ vts_root }}}}/usr/sbin/bacula-fd"
      owner: "{{{{ vts_owner }}}}"
"""
# The first check says it aloud, in the second it stands itself.
STRATEGY = f"""
canary: 1
on_failure: revert
gates:
  bma: true
  event_log: true
  checks:
    loud: {{run: [sh, -c, "sed -n '/Pass/s/.* = //p' {CONFIG}; exit $(cat answer)"], unsure: [75]}}
    told: {{run: [/bin/true, --password=Hinter!Nie-4242]}}
"""
IN_STRATEGY = "Hinter!Nie-4242"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, lab: Lab) -> Iterator[str]:
    """The URL of the lab's store, as its vtsconf.toml says it; "" where that is a file of the lab."""
    if request.param == "sqlite":
        yield ""
        return
    postgres = Postgres.start_new()
    with (lab.folder / "vtsconf.toml").open("a") as file:
        file.write(f'\nstore = "{postgres.url}"\n')
    yield postgres.url
    postgres.stop()


def dump(store: str) -> str:
    """Every row of every table, as text; of bytes too what they say."""
    import psycopg

    rows = []
    with psycopg.connect(store) as db:
        tables = db.execute(
            "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, table in tables:
            for row in db.execute(f'select * from "{schema}"."{table}"'.encode()):
                rows += [v.decode(errors="replace") if isinstance(v, bytes) else str(v) for v in row]
    assert any("run-started" in row for row in rows)
    return "\n".join(rows)


def answer(lab: Lab, code: int) -> None:
    for name in ("vts1", "vts2"):
        (lab.folder / name / "answer").write_text(str(code))


@pytest.mark.real
def test_a_secret_appears_nowhere(lab: Lab, store: str, vtsconf: Vtsconf) -> None:
    (lab.folder / "group_vars/vts.yaml").write_text(BACULA)
    (lab.folder / "rollouts").mkdir(exist_ok=True)
    (lab.folder / "rollouts/loud.yaml").write_text(STRATEGY)
    env = {"DIRECTOR": SECRET, "VTSCONF_TRACEBACK": "1"}

    def run(*words: str) -> Ended:
        said.append(vtsconf(*words, env=env))
        return said[-1]

    said: list[Ended] = []
    answer(lab, 75)
    codes = [
        run("validate").code,
        run("plan", "-v", "--out", "plan.json").code,
        run("rollout", "start", "plan.json", "--strategy", "loud", "--show", "-v").code,
        run("rollout", "start", "plan.json", "--strategy", "loud", "-y", "--lines").code,
        run("rollout", "resume", "-v").code,
    ]
    held = (lab.folder / "vts1" / CONFIG).read_text()
    answer(lab, 1)
    codes += [
        run("rollout", "resume", "--json", "-v").code,
        run("rollout", "status", "20", "--json").code,
        run("rollout", "status", "20", "--follow", "-v").code,
        run("rollout", "report", "--html", "it.html", "--json-file", "it.json").code,
        run("history", "-v", "--json").code,
    ]
    text = "".join(ended.out + ended.err for ended in said)
    text += dump(store) if store else ""

    assert SECRET in held
    assert [0, 0, 0, 9, 9, 8, 8, 8, 0, 0] == codes, [e.err for e in said]
    assert "[not shown" in text
    assert "inconclusive" in text
    assert [] == [secret for secret in (SECRET, IN_STRATEGY) if secret in text]
    assert set() == {
        place for place in holders(lab.folder, SECRET) if "/var/lib/vtsconf/backup/" not in place
    }
    assert {"rollouts/loud.yaml"} == holders(lab.folder, IN_STRATEGY)


def test_an_error_in_the_event_log_stops_it_after_the_canary(lab: Lab, vtsconf: Vtsconf) -> None:
    (lab.folder / "rollouts").mkdir(exist_ok=True)
    (lab.folder / "rollouts/nights.yaml").write_text("canary: 1\ngates: {event_log: true}\n")
    assert 0 == vtsconf("plan", "--out", "plan.json").code
    lab.host("vts1").break_("logs-error", "ems")
    ended = vtsconf("rollout", "start", "plan.json", "--strategy", "nights", "-y")

    assert Exit.PARTIAL == ended.code
    assert "! Gate after wave 1: fail" in ended.out
    assert "vts1  event-log: fail" in ended.out
    assert "lost its NonStop host" in ended.out
    assert "! Stopped: gate event-log after wave 1 on vts1" in ended.out
    assert "what was changed stays" in ended.out
    lab.host("vts1").mend()
    assert 0 == vtsconf("apply", "-y").code
