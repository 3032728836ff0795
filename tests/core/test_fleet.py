from __future__ import annotations

import pytest

from vtsconf.core.document import read_document
from vtsconf.core.fleet import assemble
from vtsconf.core.inventory import read_inventory
from vtsconf.core.problem import Level, Place


def host(group_vars, name="vts1", inventory="prod: {hosts: {vts1: , vts2.bank: }}\n", extra=None):
    found, _ = read_inventory(read_document(inventory, "inventory.yaml")[0], "inventory.yaml")
    tree, problems = read_document(group_vars, "all.yaml")
    assert problems == []
    over = read_document(extra, "-e")[0] if extra else None
    [one] = assemble(found, [name], group_vars={"all": tree}, host_vars={}, extra=over)
    return one


def test_variables_are_rendered_over_one_another():
    one = host(
        "a: '{{ b }}/{{ inventory_hostname }}'\nb: '{{ c }}'\nc: 5\nvts: {x: ['{{ a }}'], n: '{{ b }}'}\n"
    )

    assert one.variables["vts"] == {"x": ["5/vts1"], "n": 5}
    assert one.problems == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ inventory_hostname }}", "vts2.bank"),
        ("{{ inventory_hostname_short }}", "vts2"),
        ("{{ group_names }}", ["prod"]),
        ("{{ groups.prod }}", ["vts1", "vts2.bank"]),
        ("{{ groups['all'] | length }}", 2),
    ],
)
def test_what_ansible_calls_magic_is_there(text, expected):
    assert host(f'vts: "{text}"\n', name="vts2.bank").variables["vts"] == expected


def test_extra_variables_win():
    one = host("vts: {a: 1, b: 1}\n", extra="{vts: {b: 2}}")

    assert one.variables["vts"] == {"a": 1, "b": 2}
    assert one.locate(("vts", "b")).file == "-e"


def test_each_wrong_part_is_told_at_its_place_and_the_rest_is_there():
    one = host("vts:\n  a: '{{ x }}'\n  b: 1\n  c: [1, '{{ y }}']\n")

    assert one.variables["vts"] == {"b": 1, "c": [1]}
    assert [(p.place, p.host) for p in one.problems] == [
        (Place("all.yaml", 2, 6), "vts1"),
        (Place("all.yaml", 4, 10), "vts1"),
    ]


@pytest.mark.parametrize(
    ("text", "circle", "line"),
    [
        ("a: '{{ b }}'\nb: '{{ a }}'\nvts: '{{ a }}'\n", "a → b → a", 2),
        ("vts: {a: '{{ vts.b }}', b: 1}\n", "vts → vts", 1),
    ],
)
def test_a_circle_is_told(text, circle, line):
    [problem] = [p for p in host(text).problems if p.level is Level.ERROR]

    assert circle in problem.what
    assert problem.place.line == line


def test_a_variable_that_only_ansible_can_render_is_worth_a_note():
    one = host("other: \"{{ lookup('env', 'HOME') }}\"\nvts: {a: 1}\n")

    assert [p.level for p in one.problems] == [Level.NOTE]
    assert "other" not in one.variables


@pytest.mark.parametrize("name", ["vts", "vts_ssh_legacy", "ansible_host"])
def test_what_we_read_ourselves_must_be_rendered(name):
    one = host(f"{name}: '{{{{ nope }}}}'\n")

    assert [p.level for p in one.problems] == [Level.ERROR]


def test_places_are_found_below_what_a_template_made():
    one = host("hosts: {A: {x: 1}}\nvts:\n  hosts: '{{ hosts }}'\n")

    assert one.variables["vts"] == {"hosts": {"A": {"x": 1}}}
    assert one.locate(("vts", "hosts", "A", "x")) == Place("all.yaml", 3, 10)


def test_what_was_never_written_has_no_place():
    assert host("vts: {}\n").locate(("other", "x")) is None
    assert host("vts: {}\n").locate(()) is None


def test_keys_are_rendered_as_well():
    one = host("root: /lab\nvts: {files: {'{{ root }}/etc/motd': {content: x}}}\n")

    assert one.variables["vts"] == {"files": {"/lab/etc/motd": {"content": "x"}}}
    assert one.problems == ()


@pytest.mark.parametrize(
    ("entries", "what", "column"),
    [
        ("{'/a': 1, '{{ root }}': 2}", "comes out as `/a`, which is there already", 16),
        ("{'{{ groups }}': 2}", "does not come out as text", 7),
        ("{'{{ nowhere }}': 2}", "'nowhere' is undefined", 7),
    ],
)
def test_a_key_that_does_not_come_out_as_one_is_told(entries, what, column):
    one = host(f"root: /a\nvts: {entries}\n")

    [problem] = [p for p in one.problems if p.level is Level.ERROR]
    assert what in problem.what
    assert problem.place == Place("all.yaml", 2, column)
