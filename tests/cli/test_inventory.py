from __future__ import annotations

import json

import pytest

from vtsconf.cli.main import run
from vtsconf.core.outcome import Exit


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory.yaml").write_text(
        "all: {hosts: {spare: }}\nberlin: {children: {prod: {hosts: {'vts[1:2]': }}}}\ntest: {hosts: {vts2: , vts10: }}\n"
    )
    return tmp_path


def listed(capsys, *arguments):
    code = run(["inventory", *arguments])
    told = capsys.readouterr()
    assert code == Exit.DONE, told.err
    return told.out


def test_hosts_with_their_groups(root, capsys):
    assert listed(capsys) == "spare  ungrouped\nvts1   berlin, prod\nvts2   berlin, test, prod\nvts10  test\n"


def test_what_a_limit_selects(root, capsys):
    assert listed(capsys, "-l", "berlin:!test") == "vts1  berlin, prod\n"


def test_groups_as_a_tree(root, capsys):
    assert listed(capsys, "--graph", "-l", "!vts10") == (
        "@all\n  @berlin\n    @prod\n      vts1\n      vts2\n  @test\n    vts2\n  @ungrouped\n    spare\n"
    )


def test_the_document_for_machines(root, capsys):
    document = json.loads(listed(capsys, "--json", "-l", "vts1"))

    assert document["format"] == "vtsconf/inventory/1"
    assert document["hosts"] == [{"host": "vts1", "groups": ["all", "berlin", "prod"]}]
    assert {"group": "berlin", "children": ["prod"], "hosts": []} in document["groups"]


def test_a_broken_inventory_is_listed_as_far_as_it_goes(root, capsys):
    (root / "inventory.yaml").write_text("all: {hosts: {vts1: , vts2: 5}}\n")
    code = run(["inventory"])
    told = capsys.readouterr()

    assert told.out == "vts1  ungrouped\nvts2  ungrouped\n"
    assert "must be a map" in told.err
    assert code == Exit.INVALID


def test_groups_nested_by_name_without_end_are_shown(root, capsys):
    chain = "".join(f"g{n}: {{children: {{g{n + 1}: }}}}\n" for n in range(1500))
    (root / "inventory.yaml").write_text(chain + "g1500: {hosts: {vts1: }}\n")

    assert listed(capsys, "--graph").endswith("vts1\n")
