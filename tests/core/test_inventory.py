from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtsconf.core.document import read_document, read_json
from vtsconf.core.fleet import assemble
from vtsconf.core.inventory import read_inventory, read_listing
from vtsconf.core.tree import plain


def inventory(text):
    tree, problems = read_document(text, "inventory.yaml")
    found, wrong = read_inventory(tree, "inventory.yaml")
    assert problems + wrong == []
    return found


def listing(text):
    tree, problems = read_json(text, "inventory.json")
    found, wrong = read_listing(tree, "inventory.json")
    assert problems + wrong == []
    return found


def problems_of(text):
    tree, problems = read_document(text, "inventory.yaml")
    return problems + read_inventory(tree, "inventory.yaml")[1]


def variables(found, name="vts1", group_vars=None, host_vars=None):
    def maps(texts):
        return {key: read_document(text, f"{key}.yaml")[0] for key, text in (texts or {}).items()}

    [host] = assemble(found, [name], group_vars=maps(group_vars), host_vars=maps(host_vars))
    assert host.problems == ()
    return host.variables


USUAL = """\
all:
  vars: {ansible_user: root}
  children:
    berlin:
      vars: {site: berlin}
      children:
        prod: {hosts: {"vts[1:2]": , vts3: {ansible_host: 127.0.0.3}}}
    test:
      hosts: {vts4: }
  hosts:
    spare:
prod:
  vars: {stage: production}
"""


def test_the_usual_inventory():
    found = inventory(USUAL)

    assert list(found.hosts) == ["vts1", "vts2", "vts3", "vts4", "spare"]
    assert {name: host.groups for name, host in found.hosts.items()} == {
        "vts1": ("all", "berlin", "prod"),
        "vts2": ("all", "berlin", "prod"),
        "vts3": ("all", "berlin", "prod"),
        "vts4": ("all", "test"),
        "spare": ("all", "ungrouped"),
    }
    assert found.members("berlin") == ("vts1", "vts2", "vts3")
    assert found.listing()["all"] == list(found.hosts)
    assert variables(found, "vts3") | {"groups": ...} == {
        "ansible_user": "root",
        "site": "berlin",
        "stage": "production",
        "ansible_host": "127.0.0.3",
        "inventory_hostname": "vts3",
        "inventory_hostname_short": "vts3",
        "group_names": ["berlin", "prod"],
        "groups": ...,
    }


def test_variables_of_groups_go_by_depth_whatever_their_names():
    found = inventory("z: {children: {a: {vars: {x: child}, hosts: {vts1: }}}, vars: {x: parent}}\n")

    assert variables(found)["x"] == "child"


def test_siblings_go_by_name():
    found = inventory("b: {vars: {x: b}, hosts: {vts1: }}\na: {vars: {x: a}, hosts: {vts1: }}\n")

    assert variables(found)["x"] == "b"


def test_a_higher_priority_goes_later_among_siblings():
    text = (
        "b: {vars: {x: b}, hosts: {vts1: }}\na: {vars: {x: a, ansible_group_priority: 10}, hosts: {vts1: }}\n"
    )

    assert variables(inventory(text))["x"] == "a"


def test_the_host_wins_over_its_groups_and_files_over_the_inventory():
    found = inventory("g: {vars: {a: 1, b: 1, c: 1, d: 1}, hosts: {vts1: {c: 3, d: 3}}}\n")

    merged = variables(found, group_vars={"all": "a: 0\nb: 0", "g": "b: 2"}, host_vars={"vts1": "d: 4"})

    assert {key: merged[key] for key in "abcd"} == {"a": 1, "b": 2, "c": 3, "d": 4}


def test_maps_merge_key_by_key_and_lists_are_replaced():
    found = inventory("g: {vars: {m: {x: 1, l: [1, 2]}}, hosts: {vts1: {m: {y: 2, l: [3]}}}}\n")

    assert variables(found)["m"] == {"x": 1, "y": 2, "l": [3]}


def test_a_group_may_have_several_parents_and_is_as_deep_as_the_deepest():
    found = inventory(
        "a: {children: {c: {hosts: {vts1: }}}, vars: {x: a}}\n"
        "b: {children: {d: {children: {c: }}}, vars: {x: b}}\n"
        "d: {vars: {x: d}}\nc: {vars: {y: c}}\n"
    )

    assert found.groups["c"].depth == 3
    assert found.hosts["vts1"].groups == ("all", "a", "b", "d", "c")
    assert variables(found)["x"] == "d"


def test_a_host_in_two_groups_has_the_variables_of_both_places():
    found = inventory("a: {hosts: {vts1: {x: 1, z: 1}}}\nb: {hosts: {vts1: {y: 2, z: 2}}}\n")

    assert {key: variables(found)[key] for key in "xyz"} == {"x": 1, "y": 2, "z": 2}


def test_a_port_may_stand_behind_the_name():
    found = inventory("all: {hosts: {'vts1:2222': , 'v[1:2]:22': {ansible_port: 23}}}\n")

    assert list(found.hosts) == ["vts1", "v1", "v2"]
    assert variables(found)["ansible_port"] == 2222
    assert variables(found, "v2")["ansible_port"] == 23


def test_groups_may_be_nested_by_name_as_deep_as_anyone_likes():
    chain = "".join(f"g{n}: {{children: {{g{n + 1}: }}}}\n" for n in range(3000))

    found = inventory(chain + "g3000: {hosts: {vts1: }}\n")

    assert len(found.hosts["vts1"].groups) == 3002


def test_every_cycle_is_told_and_the_rest_is_still_read():
    problems = problems_of(
        "a: {children: {b: {children: {a: }}}}\nc: {children: {c: }}\nd: {hosts: {vts1: }}\n"
    )

    assert sorted(p.what.split(":")[1].strip() for p in problems) == ["a → b → a", "c → c"]


def test_all_problems_are_told_at_once():
    problems = problems_of("all:\n  hosts: [a]\n  host: 3\n  children: 7\nb: 5\n")

    assert [(p.place.line, p.place.column) for p in problems] == [(2, 10), (3, 3), (4, 13), (5, 4)]


def test_a_misspelt_key_is_suggested():
    [problem] = problems_of("all: {host: {vts1: }}\n")

    assert problem.remedy == "did you mean `hosts`?"


LISTING = """{
  "_meta": {"hostvars": {
    "vts1": {"ansible_host": "127.0.0.1", "vts": {"release": "8.3"}},
    "alone": {}
  }},
  "all": {"children": ["ungrouped", "prod"]},
  "prod": {"hosts": ["vts1", "vts2"], "vars": {"stage": "production"}},
  "old": ["vts2"],
  "ungrouped": {"hosts": ["alone"]}
}"""


def test_what_ansible_inventory_prints():
    found = listing(LISTING)

    assert {name: host.groups for name, host in found.hosts.items()} == {
        "vts1": ("all", "prod"),
        "vts2": ("all", "old", "prod"),
        "alone": ("all", "ungrouped"),
    }
    assert variables(found)["vts"] == {"release": "8.3"}
    assert variables(found)["stage"] == "production"


@pytest.mark.parametrize("text", ["{{ x }}", "{% endraw %}{{ 1 }}", "a\n\"{# \\ '😀é }}", "plain"])
def test_a_value_that_ansible_calls_unsafe_is_no_template(text):
    found = listing(json.dumps({"_meta": {"hostvars": {"vts1": {"motto": {"__ansible_unsafe": text}}}}}))

    assert variables(found)["motto"] == text


names = st.sampled_from(["a", "b", "c", "d", "all", "vts[1:2]", "x:22", "", "-o", "ungrouped"])
bodies = st.recursive(
    st.none() | st.integers() | st.just("text") | st.lists(names, max_size=2),
    lambda below: st.dictionaries(st.sampled_from(["hosts", "children", "vars", "host"]) | names, below, max_size=3),
    max_leaves=15,
)  # fmt: skip


@given(bodies)
@settings(max_examples=300, deadline=None)
def test_whatever_the_shape_it_is_an_inventory_or_a_problem(body):
    tree, _ = read_json(json.dumps(body), "f")
    for read in (read_inventory, read_listing):
        found, problems = read(tree, "f")

        assert all(p.place.file == "f" for p in problems)
        for host in found.hosts.values():
            assert host.groups[0] == "all"
            assert set(host.groups) <= set(found.groups)
            assert plain(host.variables) is not None


@pytest.mark.parametrize("name", ["a b", "a/b", "..", "-x", "a;b", "a\nb", "é" * 300, "a$b", "~a\x1b"])
def test_names_that_could_hurt_a_path_or_a_command_are_refused(name):
    tree, wrong = read_json(json.dumps({"all": {"hosts": {name: None}}}), "f")
    found, problems = read_inventory(tree, "f")

    assert wrong + problems
    assert not found.hosts
