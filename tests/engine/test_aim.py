"""What --target names: every spelling, and nothing silently."""

from __future__ import annotations

from pathlib import Path

import pytest

from vtsconf.core.content import Content
from vtsconf.core.errors import Usage
from vtsconf.core.outcome import PlanOutcome
from vtsconf.core.plan import HostPlan
from vtsconf.core.probe import DebtSeen, FileKind, FileSeen, Reading
from vtsconf.core.resource import Keys
from vtsconf.engine.aim import addresses_of, aimed, noted
from vtsconf.engine.collect import Wish, compare
from vtsconf.engine.prepare import Preparation, prepare
from vtsconf.engine.project import Project

GROUP = """
vts:
  config_file: /etc/vts.conf
  ems: {keep_alive: 300, hosts: {DEV2: {vaults: [VAULT01]}}}
  parameters: {meta_control_panel: false}
  services: {ems: {restart: [/sbin/restart, ems]}}
  commands: {locale: {check: ["true"], run: ["true"]}}
"""
OWN = {
    "vts1": "vts: {files: {/etc/motd: {content: x}}}",
    "vts2": "vts: {bma: {tsm: {servers: {TSM1: {tcpserveraddress: tsm1}}}}}",
}


@pytest.fixture
def preparation(tmp_path: Path) -> Preparation:
    (tmp_path / "inventory.yaml").write_text("all: {hosts: {vts1: {}, vts2: {}}}\n")
    for name, text in {"group_vars/all": GROUP, **{f"host_vars/{h}": t for h, t in OWN.items()}}.items():
        path = tmp_path / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    project = Project.load(tmp_path)
    return prepare(project, project.hosts())


EMS = ["ems/ems_hostnames", "ems/ems_keep_alive", "ems/ems_vaults_DEV2"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("ems/ems_keep_alive",), {"vts1": EMS[1:2], "vts2": EMS[1:2]}),
        (("ems/keep_alive",), {"vts1": EMS[1:2], "vts2": EMS[1:2]}),
        (("vts/ems/keep_alive",), {"vts1": EMS[1:2], "vts2": EMS[1:2]}),
        (("vts1/ems/keep_alive",), {"vts1": EMS[1:2]}),
        (("ems/hosts",), {"vts1": [EMS[0], EMS[2]], "vts2": [EMS[0], EMS[2]]}),
        (("ems/",), {"vts1": EMS, "vts2": EMS}),
        (("files",), {"vts1": ["files//etc/motd"]}),
        (("files//etc/motd", "vts2/ems"), {"vts1": ["files//etc/motd"], "vts2": EMS}),
        (
            ("parameters",),
            {"vts1": ["parameters/meta_control_panel"], "vts2": ["parameters/meta_control_panel"]},
        ),
        (("commands/locale",), {"vts1": ["commands/locale"], "vts2": ["commands/locale"]}),
        (("vts1",), {"vts1": ["commands/locale", *EMS, "files//etc/motd", "parameters/meta_control_panel"]}),
    ],
)
def test_every_spelling_names_its_addresses_and_only_its_hosts(
    preparation: Preparation, words: tuple[str, ...], expected: dict[str, list[str]]
) -> None:
    left = aimed(preparation, words)

    assert expected == {ready.name: sorted(addresses_of(ready, words)) for ready in left.ready}


def test_a_backup_clients_files_are_named_as_written_and_as_planned(preparation: Preparation) -> None:
    vts2 = preparation.ready[1]

    assert addresses_of(vts2, ["bma/tsm"]) == addresses_of(vts2, ["tsm"]) != frozenset()


@pytest.mark.parametrize(
    ("word", "remedy"),
    [
        ("nonsense", "there is: bma, commands, ems, files, parameters, tsm"),
        ("em", "did you mean `ems`?"),
        ("ems/keep_alve", "did you mean `ems/keep_alive`?"),
        ("vts9/ems", "did you mean `vts"),
        ("", "there is: "),
        ("/", "there is: "),
        ("vts1/", None),
        ("vts2/files", "did you mean `vts1/files`?"),
    ],
)
def test_a_word_that_names_nothing_is_refused(
    preparation: Preparation, word: str, remedy: str | None
) -> None:
    if remedy is None:
        assert len(aimed(preparation, [word]).ready) == 1
        return
    with pytest.raises(Usage, match="names nothing that is managed on the selected hosts") as caught:
        aimed(preparation, ["ems", word])

    assert caught.value.remedy.startswith(remedy)


def test_a_word_for_a_host_whose_documents_are_wrong_leaves_that_host_in(preparation: Preparation) -> None:
    wrong = HostPlan(host="vts3", outcome=PlanOutcome.INVALID)
    some = Preparation(ready=preparation.ready, invalid=(wrong,))

    assert ((), (wrong,)) == (aimed(some, ["vts3/ems"]).ready, aimed(some, ["vts3/ems"]).invalid)
    assert () == aimed(some, ["vts1/ems"]).invalid
    assert (wrong,) == aimed(some, ["hsm"]).invalid
    for word in ("vts1/nonsense", ""):
        with pytest.raises(Usage):
            aimed(some, [word])


def test_an_old_debt_is_shown_and_not_paid_where_it_is_not_aimed_at(preparation: Preparation) -> None:
    ready = preparation.ready[0]
    file = FileSeen(kind=FileKind.FILE, data=b"meta_control_panel='YES'\n", mode="0644")
    motd = FileSeen(kind=FileKind.FILE, data=Content.plain(b"x").redacted(), mode="0644")
    debt = DebtSeen(service="ems", run="r1", since=1)
    reading = Reading(
        files={"/etc/vts.conf": file, "/etc/motd": motd},
        queries={},
        debts=(debt,),
    )
    resources = [r for r in ready.resources if r.kind in ("files", "parameters")]

    some = compare(ready, resources, reading, Keys(), Wish(addresses=("parameters",)))
    everything = compare(ready, resources, reading, Keys(), Wish())

    assert (["parameters/meta_control_panel"], (), (debt,)) == (
        [c.address for c in some.changes],
        some.restarts,
        some.pending_restarts,
    )
    assert ("ems",) == everything.restarts
    assert {"vts1"} == {problem.host for problem in everything.problems}


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("ems_keep_alive", None),
        ("commands/locale", None),
        ("files//etc/motd", None),  # on one of the hosts only
        ("no-bma", None),
        ("ems_keep_alve", "did you mean `ems_keep_alive`?"),
        ("\x1b[2Jnonsense", "leave it out"),
    ],
)
def test_an_allowance_for_nothing_is_told_at_every_host(
    preparation: Preparation, name: str, remedy: str | None
) -> None:
    told = noted(preparation, [name])

    assert [remedy] * 2 * (remedy is not None) == [
        p.remedy for ready in told.ready for p in ready.problems if p.code == "erase-allowed"
    ]
    assert "\x1b" not in "".join(p.what for ready in told.ready for p in ready.problems)
