"""A change that is armed: confirmed, taken back, taken back by itself; and what the journal says of it afterwards."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Ended, Vtsconf
from tests.e2e.test_mainline import config, edit
from vtsconf.engine.lab.lab import Lab

WAITING = ("apply", "-y", "-l", "vts1", "--no-confirm")


def ended(run: Ended, host: str = "vts1") -> tuple[int, str]:
    """Exit code, and how the host ended."""
    return run.code, next(entry["outcome"] for entry in run.json["hosts"] if entry["host"] == host)


def noted(vtsconf: Vtsconf, host: str = "vts1") -> list[dict[str, object]]:
    """What the journal says of this host, run by run."""
    runs = vtsconf("history", "--json").json["runs"]
    return [entry for run in runs for entry in run["hosts"] if entry["host"] == host]


@pytest.fixture
def gone(lab: Lab, vtsconf: Vtsconf) -> str:
    """A run that nobody confirmed, and that has taken itself back."""
    before = config(lab).read_bytes()
    run = vtsconf(*WAITING, "--json", "--confirm-within", "2s")
    assert (9, "waiting") == ended(run), run.out
    assert before != config(lab).read_bytes()
    wait_until_free(lab)
    assert before == config(lab).read_bytes()
    return str(run.json["run"])


def wait_until_free(lab: Lab) -> None:
    deadline = time.monotonic() + 30
    while any(lock.is_dir() for lock in Path(lab.folder).glob("vts1/**/lock")):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_change_that_took_itself_back_is_no_good_news(vtsconf: Vtsconf, gone: str) -> None:
    late = vtsconf("confirm", "vts1", "--json")
    again = vtsconf("confirm", "vts1", "--run", gone[:-2])

    assert (8, "reverted") == ended(late)
    assert (gone, gone) == (late.json["run"], late.json["hosts"][0]["run"])
    assert f"run {gone} was taken back: not confirmed within 2 s" == late.json["hosts"][0]["reason"]
    assert 8 == again.code
    assert [("reverted", 0)] == [(entry["outcome"], entry["changes"]) for entry in noted(vtsconf)]


def test_an_old_story_of_one_server_is_no_bad_news_for_another(vtsconf: Vtsconf, gone: str) -> None:
    told = vtsconf("confirm", "vts1")
    vtsconf("apply", "-y", "-l", "vts2", "--no-confirm")

    kept = vtsconf("confirm", "--json")
    asked = vtsconf("confirm", "--run", gone, "--json")

    assert (8, 0) == (told.code, kept.code)
    assert {"vts1": "unchanged", "vts2": "changed"} == {h["host"]: h["outcome"] for h in kept.json["hosts"]}
    assert (8, "reverted") == ended(asked)


def test_what_cannot_be_taken_back_is_said_whole(lab: Lab, vtsconf: Vtsconf) -> None:
    with (lab.folder / "group_vars" / "all.yaml").open("a") as file:
        file.write(
            "  commands:\n"
            "    n: {check: [test, -e, made], run: [touch, made]}\n"
            '    o: {check: ["false"], run: [echo, gladly]}\n'
        )

    run = vtsconf("apply", "-y", "-l", "vts1", "--json")
    (host,) = run.json["hosts"]

    assert (5, "failed") == ended(run)
    assert "the check of command o still fails; could not be taken back:" in host["reason"]
    assert "a command that has no revert" in host["reason"]
    assert "vtsconf rollback --armed -l vts1" in host["remedy"]
    assert "a command that has no revert" in vtsconf("rollback", "--armed", "-l", "vts1").out


def test_what_took_itself_back_needs_no_taking_back(vtsconf: Vtsconf, gone: str) -> None:
    back = vtsconf("rollback", "--armed", "-l", "vts1", "--json")

    assert (0, "unchanged") == ended(back)
    assert f"run {gone} was taken back already" in back.json["hosts"][0]["reason"]
    assert ["reverted"] == [entry["outcome"] for entry in noted(vtsconf)]


def test_a_rollback_passes_over_what_took_itself_back(lab: Lab, vtsconf: Vtsconf) -> None:
    vtsconf("apply", "-y", "-l", "vts1")
    kept = config(lab).read_bytes()
    edit(lab, "keep_alive: 300", "keep_alive: 301")
    vtsconf(*WAITING, "--confirm-within", "2s")
    wait_until_free(lab)
    assert kept == config(lab).read_bytes()

    back = vtsconf("rollback", "-y")

    assert 0 == back.code, back.out + back.err
    assert b"ems_keep_alive='300'" not in config(lab).read_bytes()
    assert ["changed", "reverted", "changed"] == [entry["outcome"] for entry in noted(vtsconf)]


def test_what_is_armed_is_not_rolled_back_as_if_it_were_kept(lab: Lab, vtsconf: Vtsconf) -> None:
    vtsconf(*WAITING)
    armed = config(lab).read_bytes()

    back = vtsconf("rollback", "-y")

    assert (7, armed) == (back.code, config(lab).read_bytes())
    assert "vtsconf rollback --armed -l vts1" in back.err


def test_a_confirmed_run_keeps_what_was_noted_of_it(vtsconf: Vtsconf) -> None:
    run = vtsconf(*WAITING, "--json").json
    before = run["hosts"][0]

    kept = vtsconf("confirm", "vts1", "--json")
    (after,) = noted(vtsconf)

    assert (0, "changed") == ended(kept)
    assert (run["run"], run["run"]) == (kept.json["run"], kept.json["hosts"][0]["run"])
    assert ("changed", before["changes"], before["seconds"]) == (
        after["outcome"],
        after["changes"],
        after["seconds"],
    )
    assert 0 < after["changes"] == kept.json["hosts"][0]["changes"]


def test_taken_back_at_once_is_noted_as_taken_back(vtsconf: Vtsconf) -> None:
    run = vtsconf(*WAITING, "--json").json["run"]

    back = vtsconf("rollback", "--armed", run[:-3], "-l", "vts1", "--json")

    assert (0, "changed") == ended(back)
    assert run == back.json["run"]
    assert ["reverted"] == [entry["outcome"] for entry in noted(vtsconf)]


def test_the_first_letters_of_a_run_will_do_and_another_run_is_not_touched(
    lab: Lab, vtsconf: Vtsconf
) -> None:
    first = vtsconf("apply", "-y", "-l", "vts1", "--json").json["run"]
    edit(lab, "keep_alive: 300", "keep_alive: 301")
    second = vtsconf(*WAITING, "--json").json["run"]

    other = vtsconf("confirm", "vts1", "--run", first, "--json")
    many = vtsconf("confirm", "vts1", "--run", first[:8])
    kept = vtsconf("confirm", "vts1", "--run", second[:-1], "--json")

    assert (7, "locked") == ended(other)
    assert f"another run is armed here: {second}" in other.json["hosts"][0]["reason"]
    assert 64 == many.code
    assert (0, "changed") == ended(kept)


def test_what_was_kept_is_not_taken_back_as_armed(vtsconf: Vtsconf) -> None:
    run = vtsconf(*WAITING, "--json").json["run"]
    vtsconf("confirm", "vts1")

    back = vtsconf("rollback", "--armed", run, "-l", "vts1", "--json")

    assert (3, "refused") == ended(back)
    assert f"`vtsconf rollback {run} -l vts1`" in back.json["hosts"][0]["remedy"]


def test_a_second_rollback_takes_back_what_is_left(lab: Lab, vtsconf: Vtsconf) -> None:
    before = config(lab).read_bytes()
    vtsconf("apply", "-y", "-l", "vts1")
    edit(lab, "keep_alive: 300", "keep_alive: 301")
    second = vtsconf("apply", "-y", "-l", "vts1", "--json").json["run"]

    once = vtsconf("rollback", "-y", "--json").json["run"]
    twice = vtsconf("rollback", "-y")
    thrice = vtsconf("rollback", "-y")

    assert (0, before) == (twice.code, config(lab).read_bytes())
    assert f"run {second} was already taken back by {once}" in twice.err
    assert 64 == thrice.code
    assert "was already taken back by" in thrice.err
    assert "name it to do so again" in thrice.err


def test_a_rollback_waits_as_long_as_it_is_told(lab: Lab, vtsconf: Vtsconf) -> None:
    vtsconf("apply", "-y", "-l", "vts1")

    back = vtsconf("rollback", "-y", "-p", "1", "--confirm-within", "33s")
    notes = [note.read_text() for note in Path(lab.folder).glob("vts1/**/backup/*/pending/note")]

    assert 0 == back.code, back.err
    waits = [int(n.split("until ")[1].split()[0]) - int(n.split("since ")[1].split()[0]) for n in notes]
    assert [33, 120] == sorted(waits)


def test_hosts_come_in_the_order_of_the_inventory(lab: Lab, vtsconf: Vtsconf) -> None:
    vtsconf("apply", "-y", "--no-confirm")
    (lab.folder / "group_vars" / "all.yaml").open("a").write(
        "  health:\n    slow: {run: [sh, -c, 'case $VTSCONF_HOST in vts1) sleep 1;; esac'], on: controller}\n"
    )

    kept = vtsconf("confirm", "-p", "2", "--json")

    assert (0, ["vts1", "vts2"]) == (kept.code, [host["host"] for host in kept.json["hosts"]])
    assert 1 <= kept.json["hosts"][0]["seconds"]
    assert {kept.json["run"]} == {host["run"] for host in kept.json["hosts"]}


def leave_in_doubt(lab: Lab, run: str) -> None:
    """The journal of a controller that died after it began."""
    (path,) = Path(lab.folder).glob("**/vtsconf.db")
    body = json.dumps({"command": "apply", "by": "ops", "hosts": ["vts1"]})
    insert = "insert into events (at, run, host, action, body) values (1, ?, ?, ?, ?)"
    with sqlite3.connect(path) as db:
        db.execute(insert, (run, "", "run-started", body))
        db.execute(insert, (run, "vts1", "host-started", "{}"))


def test_a_controller_that_died_meanwhile_learns_how_it_ended(lab: Lab, vtsconf: Vtsconf, gone: str) -> None:
    leave_in_doubt(lab, gone)
    assert ["in doubt"] == [entry["outcome"] for entry in noted(vtsconf)]

    assert 8 == vtsconf("confirm", "vts1").code
    assert ["reverted"] == [entry["outcome"] for entry in noted(vtsconf)]


def test_a_run_that_is_still_at_work_has_no_end_yet(lab: Lab, vtsconf: Vtsconf, gone: str) -> None:
    leave_in_doubt(lab, gone)
    lock = lab.folder / "vts1/var/lib/vtsconf/lock"
    lock.mkdir()
    (lock / "note").write_text(f"run {gone}\nholder ops@there\nsince 1\nuntil 2\n")
    start = Path("/proc/self/stat").read_text().rpartition(") ")[2].split()[19]
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    (lock / "identity").write_text(f"{boot} {os.getpid()} {start}\n")

    asked = vtsconf("confirm", "vts1", "--json")

    assert (7, "locked") == ended(asked)
    assert ["in doubt"] == [entry["outcome"] for entry in noted(vtsconf)]


def test_a_run_that_the_server_never_heard_of_is_told_once(lab: Lab, vtsconf: Vtsconf, gone: str) -> None:
    vtsconf("confirm", "vts1")
    leave_in_doubt(lab, "20990101-000000-abcd")

    asked = vtsconf("confirm", "vts1", "--json")

    assert (5, "failed") == ended(asked)
    assert "the server knows no end of run 20990101-000000-abcd" in asked.json["hosts"][0]["reason"]
    assert ["reverted", "failed"] == [entry["outcome"] for entry in noted(vtsconf)]
    assert gone in vtsconf("history").out
