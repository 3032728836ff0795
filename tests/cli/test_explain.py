from __future__ import annotations

import json

import pytest

from vtsconf.cli.main import run
from vtsconf.core.outcome import Exit


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "inventory.yaml").write_text("berlin: {hosts: {vts1: , vts2: }, vars: {site: berlin}}\n")
    (tmp_path / "group_vars" / "all.yaml").write_text(
        "vts:\n  release: '{{ version }}'\n  ems: {keep_alive: 300, hosts: {DEV2: {vaults: [VAULT01]}}}\nversion: '8.3'\n"
    )
    (tmp_path / "host_vars" / "vts1.yaml").write_text(
        "vts: {ems: {keep_alive: 30, hosts: {DEV2: {vaults: [VAULT02]}}}}\n"
    )
    return tmp_path


def explained(capsys, *arguments):
    code = run(["explain", *arguments])
    told = capsys.readouterr()
    assert code == Exit.DONE, told.err
    return told.out


def test_every_value_with_its_place_and_what_it_overrode(root, capsys):
    assert explained(capsys, "vts1") == (
        'vts/release = "8.3"\n'
        '    from group_vars/all.yaml:2:12, written "{{ version }}"\n'
        "vts/ems/keep_alive = 30\n"
        "    from host_vars/vts1.yaml:1:25\n"
        "    over group_vars/all.yaml:3:21: 300\n"
        'vts/ems/hosts/DEV2/vaults = ["VAULT02"]\n'
        "    from host_vars/vts1.yaml:1:52\n"
        '    over group_vars/all.yaml:3:49: ["VAULT01"]\n'
    )


@pytest.mark.parametrize(
    ("address", "first"),
    [
        ("ems/keep_alive", "vts/ems/keep_alive = 30"),
        ("vts/ems/keep_alive", "vts/ems/keep_alive = 30"),
        ("ems/ems_keep_alive", "vts/ems/keep_alive = 30"),
        ("vts1/ems/ems_keep_alive", "vts/ems/keep_alive = 30"),
        ("ems/hosts", 'vts/ems/hosts/DEV2/vaults = ["VAULT02"]'),
        ("ems/hosts/DEV2/vaults/0", 'vts/ems/hosts/DEV2/vaults/0 = "VAULT02"'),
        ("/site", 'site = "berlin"'),
    ],
)
def test_an_address_narrows_it(root, capsys, address, first):
    assert explained(capsys, "vts1", address).splitlines()[0] == first


def test_extra_variables_are_a_place_too(root, capsys):
    told = explained(capsys, "vts1", "/site", "-e", "site=paris")

    assert told == 'site = "paris"\n    from -e:1:1\n    over inventory.yaml:1:48: "berlin"\n'


def test_the_document_for_machines(root, capsys):
    document = json.loads(explained(capsys, "vts1", "ems/keep_alive", "--json"))

    assert document == {
        "format": "vtsconf/explanation/1",
        "host": "vts1",
        "values": [
            {
                "address": "vts/ems/keep_alive",
                "value": 30,
                "written": 30,
                "from": "host_vars/vts1.yaml:1:25",
                "overrode": [{"value": 300, "from": "group_vars/all.yaml:3:21"}],
            }
        ],
    }


@pytest.mark.parametrize(
    ("arguments", "what"),
    [(["vts9"], "did you mean `vts2`?"), (["vts1", "ems/keepalive"], "did you mean `ems/keep_alive`?"), (["vts1", "x"], "has no value at `x`"), (["berlin"], "there is no host `berlin`")],
)  # fmt: skip
def test_what_is_not_there_is_told_with_what_is(root, capsys, arguments, what):
    assert run(["explain", *arguments]) == Exit.USAGE
    assert what in capsys.readouterr().err


def test_a_value_that_cannot_be_rendered_is_shown_as_it_is_written(root, capsys):
    (root / "host_vars" / "vts1.yaml").write_text("vts: {release: '{{ nope }}'}\n")
    code = run(["explain", "vts1", "release"])
    told = capsys.readouterr()

    assert told.out.startswith('vts/release = ?\n    from host_vars/vts1.yaml:1:16, written "{{ nope }}"\n')
    assert "'nope' is undefined" in told.err
    assert code == Exit.DONE
