"""`vtsconf drift`: what a person, a script, Jenkins and Prometheus get from it, and with which exit code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.cli.conftest import Project
from tests.core.drift.test_reports import parsed, samples
from tests.e2e.conftest import Vtsconf
from vtsconf.cli.drift import CLASSES
from vtsconf.cli.drifting import show_drift
from vtsconf.core.drift.finding import Class, Finding, FleetDrift, Hint, HostDrift, Rule
from vtsconf.core.drift.prometheus import prometheus
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import HostPlan, Plan
from vtsconf.engine.lab.lab import Host

DOCUMENT = """\
vts:
  config_file: "{root}/usr/local/tape/lab/vts.conf"
  state_dir: "{root}/var/lib/vtsconf"
  services: {ems: {restart: ["true"]}}
  ems: {keep_alive: %s}
"""


def document(keep_alive: int = 300) -> str:
    return DOCUMENT % keep_alive


@pytest.fixture
def folder(project: Project, vtsconf: Vtsconf, vts1: Host) -> Path:
    """A project whose document was applied to the first server of the lab, by a run that had something to do."""
    at = project(document())
    text = vts1.tree.configuration.read_text()
    vts1.tree.configuration.write_text(re.sub("ems_keep_alive='.*'", "ems_keep_alive='0'", text))
    applied = vtsconf("apply", "-i", at, "-y")
    assert applied.code == 0, applied.out
    return at


def edit(host: Host, old: str, new: str) -> None:
    text = host.tree.configuration.read_text()
    assert old in text
    host.tree.configuration.write_text(text.replace(old, new))


@pytest.fixture
def edited(folder: Path, vts1: Host) -> Path:
    """… and then edited by hand."""
    edit(vts1, "ems_keep_alive='300'", "ems_keep_alive='61'")
    return folder


def test_quiet_when_nothing_differs_and_told_when_asked(folder: Path, vtsconf: Vtsconf) -> None:
    quiet, verbose = vtsconf("drift", "-i", folder), vtsconf("drift", "-i", folder, "-v")

    assert (0, "", "") == (quiet.code, quiet.out, quiet.err)
    assert 0 == verbose.code
    assert "= vts1  the same\n" in verbose.out
    assert "it stood so already when run " in verbose.out


def test_a_hand_edit_has_its_class_its_reason_and_hints_that_say_what_they_are(
    edited: Path, vtsconf: Vtsconf
) -> None:
    ended = vtsconf("drift", "-i", edited)

    assert 2 == ended.code
    assert "~ vts1  1 finding\n" in ended.out
    assert "  ~ ems/ems_keep_alive  '61' → '300'\n      edited: run " in ended.out
    assert " left '300' there\n" in ended.out
    assert "  ? hints: what stood near in time; it proves nothing\n" in ended.out
    assert "no difference that counts (-v shows them)" in ended.out
    assert "Drift: 1 host (1 different); 1 edited, " in ended.out
    assert "vtsconf itself was last at work here" in ended.out
    assert "vtsconf itself" not in vtsconf("drift", "-i", edited, "--no-hints").out


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        ((), 2),
        (("--ignore", "unmanaged"), 2),
        (("--ignore", "edited"), 0),
        (("--ignore", "edited", "--strict"), 2),
        (("--ignore", "edited", "--ignore", "unmanaged", "--ignore", "cosmetic", "--strict"), 0),
    ],
)
def test_classes_can_be_left_out_of_the_exit_code_and_of_every_report(
    edited: Path, vtsconf: Vtsconf, tmp_path: Path, flags: tuple[str, ...], code: int
) -> None:
    xml, prom = tmp_path / "x.xml", tmp_path / "x.prom"
    ended = vtsconf("drift", "-i", edited, "--json", *flags, "--junit", xml, "--prometheus", prom)
    left_out = {word for word in flags if not word.startswith("--")}
    found = {finding["class"] for host in ended.json["hosts"] for finding in host["findings"]}
    types = {e.attrib["type"] for e in parsed(xml.read_text()).iter("failure")}
    series = {dict(labels).get("class") for _, labels in samples(prom.read_text())}

    assert (code, code) == (ended.code, ended.json["summary"]["exit"])
    assert sorted(left_out) == ended.json["ignored"]
    assert set() == left_out & (found | types | series)
    assert bool(types) == (code == 2)


def test_the_document_is_the_plans_with_more(edited: Path, vtsconf: Vtsconf) -> None:
    plan = vtsconf("plan", "-i", edited, "--json").json
    drift = vtsconf("drift", "-i", edited, "--json").json
    (planned,), (found,) = plan["hosts"], drift["hosts"]
    (finding,) = (f for f in found["findings"] if f["counts"])

    assert ("vtsconf/drift/1", "changes", "differs", 2) == (
        drift["format"],
        found["outcome"],
        found["verdict"],
        found["exit"],
    )
    assert set(plan) <= set(drift)
    assert planned == {key: found[key] for key in planned}
    assert plan["summary"] == {key: drift["summary"][key] for key in plan["summary"]}
    assert ("edited", "vts1/ems/ems_keep_alive", "61", "300") == tuple(
        finding[key] for key in ("class", "address", "live", "desired")
    )
    assert {"mtime", "run"} <= {hint["kind"] for hint in found["hints"]}
    assert all(set(hint) == {"kind", "at", "by", "text", "path"} for hint in found["hints"])


def test_the_reports_are_written_whoever_is_away(project: Project, vtsconf: Vtsconf, tmp_path: Path) -> None:
    xml, prom = tmp_path / "x.xml", tmp_path / "x.prom"
    away = project(document(), ansible_port=1)
    ended = vtsconf("drift", "-i", away, "--junit", xml, "--prometheus", prom)
    found = samples(prom.read_text())

    assert 4 == ended.code
    assert "! vts1  not compared, unreachable: " in ended.out
    assert ["unreachable"] == [e.attrib["type"] for e in parsed(xml.read_text()).iter("error")]
    assert (0, 1, 4) == (
        found["vtsconf_drift_compared", (("host", "vts1"),)],
        found["vtsconf_drift_hosts", (("outcome", "unreachable"),)],
        found["vtsconf_drift_exit_code", ()],
    )


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_report_that_cannot_be_written_is_exit_1_and_the_findings_are_told_all_the_same(
    edited: Path, vtsconf: Vtsconf, tmp_path: Path, words: tuple[str, ...]
) -> None:
    taken, good = tmp_path / "taken", tmp_path / "x.prom"
    taken.mkdir()
    ended = vtsconf("drift", "-i", edited, *words, "--junit", taken, "--prometheus", good)

    assert 1 == ended.code
    assert f"the report cannot be written to {taken}: " in ended.err
    assert "ems/ems_keep_alive" in ended.out
    assert not words or "vtsconf/drift/1" == ended.json["format"]
    assert good.exists()


def test_a_folder_that_is_not_there_is_told_before_a_server_is_asked(
    project: Project, vtsconf: Vtsconf, tmp_path: Path
) -> None:
    path = tmp_path / "none" / "x.prom"
    ended = vtsconf("drift", "-i", project(document(), ansible_port=1), "--prometheus", path)

    assert 1 == ended.code
    assert f"the report cannot be written to {path}: there is no such folder" in ended.err


def test_a_secret_is_in_no_report(
    project: Project, vtsconf: Vtsconf, vts1: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_WORD", "hush-hush")
    at = project(document() + "  hsm: {hsm_lab_word: 'secret://env/LAB_WORD'}\n")
    assert 0 == vtsconf("apply", "-i", at, "-y").code
    edit(vts1, "hsm_lab_word='hush-hush'", "hsm_lab_word='by-hand'\nhsm_lab_password='found-it'")
    xml, prom = tmp_path / "x.xml", tmp_path / "x.prom"
    people = vtsconf("drift", "-i", at, "-v", "--junit", xml, "--prometheus", prom)
    machines = vtsconf("drift", "-i", at, "--json")
    told = people.out + people.err + machines.out + machines.err + xml.read_text() + prom.read_text()

    assert (2, 2) == (people.code, machines.code)
    assert "  ~ hsm/hsm_lab_word  keyed:" in people.out
    assert [] == [word for word in ("hush-hush", "by-hand", "found-it") if word in told]


def test_a_site_says_how_its_event_reads(
    project: Project, vtsconf: Vtsconf, vts1: Host, folder: Path
) -> None:
    at = project(document() + "  drift: {edit_events: ['^Parameters taken over']}\n")
    edit(vts1, "ems_keep_alive='300'", "ems_keep_alive='61'")
    now = subprocess.run(
        ["date", "+%Y-%m-%d %H:%M:%S"], capture_output=True, text=True, check=True
    ).stdout.strip()
    with vts1.tree.event_log.open("a") as log:
        log.write(f"{now}|INFO|240009|LAB-1|10.1.1.7|vts1|admin||Parameters taken over\n")
        log.write(f"{now}|INFO|240009|LAB-1|10.1.1.7|vts1|admin||Configuration edited\n")
    (host,) = vtsconf("drift", "-i", at, "--json").json["hosts"]

    assert [("admin", "event 240009 by admin from 10.1.1.7: Parameters taken over")] == [
        (hint["by"], hint["text"]) for hint in host["hints"] if hint["kind"] == "event"
    ]


def test_an_expression_that_is_none_is_a_problem_with_its_place(project: Project, vtsconf: Vtsconf) -> None:
    ended = vtsconf("validate", "-i", project("vts: {drift: {edit_events: ['(']}}\n"))

    assert 3 == ended.code
    assert "is not a regular expression" in ended.err + ended.out


def test_the_classes_of_the_help_are_the_classes(vtsconf: Vtsconf) -> None:
    assert tuple(cls.value for cls in Class) == CLASSES
    assert 64 == vtsconf("drift", "--ignore", "bogus").code


# ---- a fleet on a screen


def host(name: str, *findings: Finding, outcome: str = "in_sync", hints: tuple[Hint, ...] = ()) -> HostDrift:
    plan = HostPlan(
        host=name, outcome=PlanOutcome(outcome), reason="no route" if outcome == "unreachable" else ""
    )
    return HostDrift(plan=plan, findings=findings, hints=hints)


EDITED = Finding(cls=Class.EDITED, address="ems/ems_x", reason="run r1 left '2' there", live="1", desired="2")
HINT = Hint(kind="login", text="bill was \x1b[31mlogged in", at=0)


def shown(capsys: pytest.CaptureFixture[str], *hosts: HostDrift, verbose: int = 0) -> str:
    plan = Plan(made=1, by="ops", hosts=tuple(h.plan for h in hosts))
    show_drift(FleetDrift(plan=plan, hosts=hosts, rule=Rule()), verbose=verbose)
    return capsys.readouterr().out


def test_many_hosts_with_the_same_findings_share_one_entry(capsys: pytest.CaptureFixture[str]) -> None:
    fleet = [host(f"vts{n}", EDITED, hints=(HINT,)) for n in range(1000)]
    quiet = [host(f"ok{n}") for n in range(500)]
    out = shown(capsys, *fleet, *quiet, host("lost", outcome="unreachable"))

    assert [
        "~ vts0, vts1, vts2, vts3, vts4 and 995 more hosts  1 finding",
        "  ~ ems/ems_x  '1' → '2'",
        "      edited: run r1 left '2' there",
        "  ? hints: what stood near in time; it proves nothing",
    ] == out.splitlines()[:4]
    assert "      … hints on 997 more hosts (-v shows them)" == out.splitlines()[7]
    assert [
        "= ok0, ok1, ok2, ok3, ok4 and 495 more hosts  the same",
        "! lost  not compared, unreachable: no route",
        "Drift: 1501 hosts (500 the same, 1000 different, 1 unreachable); 1000 edited.",
    ] == out.splitlines()[8:]
    assert "\x1b" not in out


def test_verbose_names_every_host(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, *(host(f"vts{n}", EDITED, hints=(HINT,)) for n in range(9)), verbose=1)

    assert "~ vts0, vts1, vts2, vts3, vts4, vts5, vts6, vts7, vts8  1 finding" == out.splitlines()[0]
    assert 9 == out.count("bill was ")


# ---- the example


ALERTS = Path(__file__).parents[2] / "examples" / "cron" / "alerts.yaml"


def test_the_examples_alerts_speak_of_metrics_that_there_are() -> None:
    fleet = FleetDrift(plan=Plan(made=1, by="ops", hosts=()), hosts=(host("vts1", EDITED),))
    names = {name for name, _ in samples(prometheus(fleet))}
    (group,) = YAML(typ="safe").load(ALERTS)["groups"]
    used = [set(re.findall(r"vtsconf_\w+", rule["expr"])) for rule in group["rules"]]

    assert all(used)
    assert set() == set().union(*used) - names


def test_nothing_of_drift_is_loaded_for_a_plan(project: Project) -> None:
    code = (
        "import sys; from vtsconf.cli.main import run; run(['plan', '-i', sys.argv[1]]);"
        "print([m for m in sys.modules if 'drift' in m or m.startswith('xml')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(project(document()))], capture_output=True, text=True, check=True
    )

    assert "[]" == done.stdout.splitlines()[-1]
