from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vtsconf.core.problem import Place
from vtsconf.core.tree import Leaf, Map, Seq, at, leaves, merge, merge_all, place_of, plain, planted

HERE, THERE = Place("here.yaml", 3, 5), Place("there.yaml", 7, 1)

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
keys = st.sampled_from(["a", "b", "c"])
data = st.recursive(
    scalars,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(keys, below, max_size=3),
    max_leaves=8,
)
maps = st.dictionaries(keys, data, max_size=3)


def tree(value, place=HERE):
    return planted(value, place)


@given(data)
def test_plain_data_comes_back_as_it_went_in(value):
    assert plain(tree(value)) == value


# A key is either always a map or never one, as a schema would have it. (Where a layer puts something else in a map's
# place and the next one a map again, what the first map held is gone, or not, depending on the order: `merge_all`
# lays the layers on from below, so there it is gone.)
steady = st.recursive(
    st.fixed_dictionaries({}, optional={"a": scalars, "b": st.lists(scalars, max_size=2)}),
    lambda below: st.fixed_dictionaries({}, optional={"a": scalars, "m": below, "n": below}),
    max_leaves=6,
)


@given(steady, steady, steady)
def test_it_does_not_matter_which_layers_are_laid_first(a, b, c):
    one = merge(merge(tree(a), tree(b)), tree(c))
    other = merge(tree(a), merge(tree(b), tree(c)))

    assert plain(one) == plain(other)


def test_what_was_replaced_does_not_come_back():
    layers = [tree({"a": {"x": 1}}), tree({"a": None}), tree({"a": {"y": 2}})]

    assert plain(merge_all(layers, HERE)) == {"a": {"y": 2}}


@given(maps, maps)
def test_the_upper_layer_wins_key_by_key(under, over):
    merged = plain(merge(tree(under), tree(over)))

    for key in under.keys() | over.keys():
        if key in over and not (isinstance(over[key], dict) and isinstance(under.get(key), dict)):
            assert merged[key] == over[key]
        elif key not in over:
            assert merged[key] == under[key]


@given(st.lists(maps, max_size=4))
def test_merging_all_is_merging_one_after_another(layers):
    merged = tree({})
    for layer in layers:
        merged = merge(merged, tree(layer))

    assert plain(merge_all([tree(layer) for layer in layers], HERE)) == plain(merged)


def test_a_list_is_replaced_as_a_whole():
    merged = merge(tree({"a": [1, 2, 3]}), tree({"a": [4]}))

    assert plain(merged) == {"a": [4]}


def test_a_value_remembers_what_it_overrode_nearest_first():
    layers = [tree({"a": 1}, Place("all")), tree({"a": 2}, Place("group")), tree({"a": 3}, Place("host"))]

    top = at(merge_all(layers, HERE), ["a"])

    assert top.value == 3
    assert [(old.value, old.place.file) for old in top.overrides] == [(2, "group"), (1, "all")]


def test_a_place_is_the_values_or_the_keys():
    node = Map({"a": Leaf(1, Place("f", 2, 4))}, {"a": Place("f", 2, 1)}, Place("f"))

    assert place_of(node, ["a"]) == Place("f", 2, 4)
    assert place_of(node, ["a"], key=True) == Place("f", 2, 1)


def test_the_place_of_what_is_absent_is_its_nearest_parents():
    node = Map({"a": Seq((Leaf(1, THERE),), HERE)}, {"a": HERE}, Place("f"))

    assert place_of(node, ["a", 0, "x", "y"]) == THERE
    assert place_of(node, ["a", 5]) == HERE
    assert place_of(node, ["nothing"]) == Place("f")


def test_leaves_are_told_in_the_order_they_were_written():
    paths = [path for path, _ in leaves(tree({"b": {"x": 1}, "a": [1, {}], "c": []}))]

    assert paths == [("b", "x"), ("a", 0), ("a", 1), ("c",)]
