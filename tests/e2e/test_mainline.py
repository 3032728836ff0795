"""The main line as its users go it: the real command against servers on loopback."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from tests.e2e.conftest import Vtsconf
from vtsconf.engine.lab.lab import Lab

CONFIG = "usr/local/tape/lab/vts.conf"


def config(lab: Lab, host: str = "vts1") -> Path:
    return lab.folder / host / CONFIG


def edit(lab: Lab, old: str, new: str) -> None:
    """Change the documents of all servers."""
    path = lab.folder / "group_vars" / "all.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_apply_then_plan_is_empty_and_drift_is_silent(vtsconf: Vtsconf) -> None:
    assert 2 == vtsconf("plan", "--detailed-exitcode").code
    assert 2 == vtsconf("drift").code
    applied = vtsconf("apply", "-y")
    again = vtsconf("plan", "--detailed-exitcode", "--json")
    drift = vtsconf("drift")

    assert 0 == applied.code, applied.err
    assert (0, {"changes": 0, "in_sync": 2}) == (
        again.code,
        {k: again.json["summary"][k] for k in ("changes", "in_sync")},
    )
    assert (0, "", "") == (drift.code, drift.out, drift.err)


def test_every_other_line_stays_byte_for_byte(lab: Lab, vtsconf: Vtsconf) -> None:
    before = config(lab).read_bytes().splitlines(keepends=True)
    assert 0 == vtsconf("apply", "-y").code

    after = config(lab).read_bytes().splitlines(keepends=True)
    owned = (b"ems_", b"hsm_", b"cleanup_", b"meta_control_panel")
    assert [x for x in before if not x.startswith(owned)] == [x for x in after if not x.startswith(owned)]
    assert b"ems_keep_alive='300'\n" in after


def test_a_saved_plan_is_carried_out_to_the_letter(lab: Lab, vtsconf: Vtsconf) -> None:
    saved = lab.folder / "friday.json"
    assert 0 == vtsconf("plan", "--out", "friday.json").code
    assert 0o600 == stat.S_IMODE(saved.stat().st_mode)
    edit(lab, "keep_alive: 300", "keep_alive: 301")  # after the plan: not part of it

    run = vtsconf("apply", "friday.json", "--json")

    assert (0, {"changed"}) == (run.code, {host["outcome"] for host in run.json["hosts"]})
    assert "ems_keep_alive='300'" in config(lab).read_text()


def test_a_plan_is_refused_when_the_server_has_moved(lab: Lab, vtsconf: Vtsconf) -> None:
    vtsconf("plan", "--out", "friday.json")
    with config(lab).open("a") as file:
        file.write("# a hand was here\n")
    before = config(lab).read_bytes()

    run = vtsconf("apply", "friday.json", "--json")

    assert (6, {"vts1": "stale", "vts2": "changed"}) == (
        run.code,
        {host["host"]: host["outcome"] for host in run.json["hosts"]},
    )
    assert before == config(lab).read_bytes()


def test_without_a_terminal_nobody_is_asked_and_nothing_is_done(lab: Lab, vtsconf: Vtsconf) -> None:
    before = config(lab).read_bytes()

    refused = vtsconf("apply", stdin="y\n")

    assert (3, before) == (refused.code, config(lab).read_bytes())
    assert "--yes" in refused.err


def test_a_limit_and_a_target_narrow_the_change(lab: Lab, vtsconf: Vtsconf) -> None:
    untouched = config(lab, "vts2").read_bytes()

    run = vtsconf("apply", "-y", "-l", "vts1", "--target", "ems/ems_keep_alive", "--json")

    assert (0, 1, untouched) == (run.code, run.json["summary"]["changes"], config(lab, "vts2").read_bytes())
    assert "ems_hostnames='DEV2'\n" in config(lab).read_text()


def test_rollback_takes_the_last_run_back(lab: Lab, vtsconf: Vtsconf) -> None:
    before = {host: config(lab, host).read_bytes() for host in ("vts1", "vts2")}
    vtsconf("apply", "-y")

    back = vtsconf("rollback", "-y")

    assert 0 == back.code, back.out
    assert before == {host: config(lab, host).read_bytes() for host in ("vts1", "vts2")}
    assert not list((lab.folder / "vts1/opt/tivoli").rglob("dsm.sys"))


def test_rollback_refuses_a_server_that_was_changed_since(lab: Lab, vtsconf: Vtsconf) -> None:
    vtsconf("apply", "-y", "-l", "vts1")
    with config(lab).open("a") as file:
        file.write("# a hand was here\n")

    assert 6 == vtsconf("rollback", "-y").code
    assert config(lab).read_text().endswith("# a hand was here\n")


def test_a_rollback_in_json_needs_a_yes(lab: Lab, vtsconf: Vtsconf) -> None:
    vtsconf("apply", "-y", "-l", "vts1")
    before = config(lab).read_bytes()

    refused = vtsconf("rollback", "--json")

    assert (3, "vtsconf/error/1", before) == (refused.code, refused.json["format"], config(lab).read_bytes())


def test_unconfirmed_it_waits_and_confirm_keeps_it(lab: Lab, vtsconf: Vtsconf) -> None:
    waiting = vtsconf("apply", "-y", "-l", "vts1", "--no-confirm")
    seen = vtsconf("plan", "-l", "vts1")
    other = vtsconf("unlock", "vts1")
    kept = vtsconf("confirm", "-l", "vts1")

    assert (9, 7, 7, 0) == (waiting.code, seen.code, other.code, kept.code)
    assert "an unconfirmed change" in seen.out
    assert 0 == vtsconf("plan", "-l", "vts1", "--detailed-exitcode").code
    assert "nothing is armed" in vtsconf("confirm", "-l", "vts1").out


def test_unconfirmed_it_can_be_taken_back_at_once(lab: Lab, vtsconf: Vtsconf) -> None:
    before = config(lab).read_bytes()
    vtsconf("apply", "-y", "-l", "vts1", "--no-confirm")

    back = vtsconf("rollback", "--armed", "-l", "vts1")

    assert (0, before) == (back.code, config(lab).read_bytes())


def test_one_server_that_is_away_does_not_stop_the_other(lab: Lab, vtsconf: Vtsconf) -> None:
    lab.host("vts1").break_("refuse")

    run = vtsconf("apply", "-y", "--json")

    assert (4, {"vts1": "unreachable", "vts2": "changed"}) == (
        run.code,
        {host["host"]: host["outcome"] for host in run.json["hosts"]},
    )


def test_written_but_not_loaded_is_on_record_until_it_is_paid(lab: Lab, vtsconf: Vtsconf) -> None:
    """Promise 6: a service that cannot be restarted leaves a debt; the next apply that can, pays it."""
    edit(lab, "      restart: [vts-service, ems, restart]\n", "")
    first = vtsconf("apply", "-y", "-l", "vts1")
    owed = vtsconf("plan", "-l", "vts1", "--json")
    edit(lab, "    ems:\n", "    ems:\n      restart: [vts-service, ems, restart]\n")
    paying = vtsconf("plan", "-l", "vts1", "--json")
    paid = vtsconf("apply", "-y", "-l", "vts1")
    after = vtsconf("plan", "-l", "vts1", "--json")

    def debts(ended: object) -> list[str]:
        return [debt["service"] for debt in ended.json["hosts"][0]["pending_restarts"]]

    assert 0 == first.code, first.err
    assert "↻ ems: written but not loaded" in first.out
    assert (["ems"], ["ems"], []) == (debts(owed), debts(paying), debts(after))
    assert ["ems"] == paying.json["hosts"][0]["restarts"]
    assert 0 == paid.code, paid.err
    assert "current" == lab.host("vts1").service("ems")


def test_what_could_erase_data_is_refused_unless_it_is_allowed_by_name(lab: Lab, vtsconf: Vtsconf) -> None:
    vtsconf("apply", "-y")
    edit(lab, "autoerase: false", "autoerase: true")

    refused, allowed = vtsconf("apply", "-y"), vtsconf("plan", "--allow-erase", "cleanup_autoerase", "-v")

    assert (3, 0) == (refused.code, allowed.code)
    assert "cleanup_autoerase" in refused.out + refused.err
    assert "cleanup_autoerase='NO'" in config(lab).read_text()


def test_a_rollback_that_could_erase_data_is_refused_as_well(lab: Lab, vtsconf: Vtsconf) -> None:
    live = config(lab)
    live.write_text(live.read_text().replace("cleanup_autoerase='NO'", "cleanup_autoerase='YES'"))
    vtsconf("apply", "-y", "-l", "vts1")
    assert "cleanup_autoerase='NO'" in live.read_text()

    refused = vtsconf("rollback", "-y")
    allowed = vtsconf("rollback", "-y", "--allow-erase", "cleanup_autoerase")

    assert (3, 0) == (refused.code, allowed.code)
    assert "cleanup_autoerase" in refused.err
    assert "cleanup_autoerase='YES'" in live.read_text()


def test_history_tells_who_and_how_it_ended(lab: Lab, vtsconf: Vtsconf) -> None:
    vtsconf("apply", "-y")
    vtsconf("rollback", "-y", "-l", "vts1")

    runs = vtsconf("history", "--json").json["runs"]

    assert [("apply", ""), ("rollback", runs[0]["run"])] == [(r["command"], r["reverses"]) for r in runs]
    assert {"changed"} == {h["outcome"] for h in runs[0]["hosts"]}
    assert "@" in runs[0]["by"]
    assert "ems/ems_keep_alive" in vtsconf("history", runs[0]["run"]).out


def test_the_controller_s_health_check_has_the_last_word(lab: Lab, vtsconf: Vtsconf) -> None:
    with (lab.folder / "group_vars" / "all.yaml").open("a") as file:
        file.write(
            "  health:\n    asked: {run: [sh, -c, 'echo $VTSCONF_HOST >>asked; exit 1'], on: controller}\n"
        )
    before = config(lab).read_bytes()

    run = vtsconf("apply", "-y", "-l", "vts1", "--json")

    assert (8, "reverted", before) == (run.code, run.json["hosts"][0]["outcome"], config(lab).read_bytes())
    assert "vts1\n" == (lab.folder / "asked").read_text()


def test_the_plan_document_has_the_words_others_build_on(vtsconf: Vtsconf) -> None:
    document = vtsconf("plan", "--json").json
    host = document["hosts"][0]

    assert "vtsconf/plan/1" == document["format"]
    assert {
        "host",
        "outcome",
        "reason",
        "base",
        "changes",
        "restarts",
        "pending_restarts",
        "problems",
    } <= set(host)
    assert {"address", "action", "live", "desired", "secret"} == set(host["changes"][0])
    assert host["changes"][0]["address"].startswith("vts1/")
    assert json.dumps(document)


def test_a_target_that_names_nothing_is_refused_and_one_host_is_one_host(vtsconf: Vtsconf) -> None:
    wrong = vtsconf("plan", "--target", "ems/keep_alve")
    one = vtsconf("plan", "--target", "vts1/ems/keep_alive", "--json")

    assert (64, "") == (wrong.code, wrong.out)
    assert "did you mean `ems/keep_alive`?" in wrong.err
    assert [("vts1", ["vts1/ems/ems_keep_alive"])] == [
        (host["host"], [change["address"] for change in host["changes"]]) for host in one.json["hosts"]
    ]
