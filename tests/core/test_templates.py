from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtsconf.core.content import Content
from vtsconf.core.problem import Place
from vtsconf.core.secret import SecretRef
from vtsconf.core.templates import MANAGED, TemplateError, is_template, render, render_value

HERE = Place("group_vars/all.yaml", 3, 9)
REF = "secret://env/PASSWORD"


def value(text, **names):
    return render_value(text, names, HERE)


def complaint(text, **names):
    with pytest.raises(TemplateError) as raised:
        value(text, **names)
    assert raised.value.problem.place == HERE
    return raised.value.problem.what


@pytest.mark.parametrize("one", [3, 1.5, True, None, "22", [1, {"a": None}], {"k": [1]}, ""])
def test_a_value_that_is_one_expression_keeps_its_kind(one):
    result = value("{{ x }}", x=one)

    assert result == one
    assert type(result) is type(one)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ x }}0", "30"),
        (" {{ x }}", " 3"),
        ("a{{ none }}b", "ab"),
        ("{{ x }}{{ x }}", "33"),
        ("{% if x > 2 %}big{% endif %}", "big"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{# nothing #}", ""),
        ("{{ d.items }}", "a key, not the method"),
        ("{{ d['items'] | upper }}", "A KEY, NOT THE METHOD"),
        ("{{ 'a-b'.replace('-', '_').upper() }}", "A_B"),
        ("{{ ','.join(['a', 'b']) }}", "a,b"),
        ("{{ '7'.zfill(3) }}", "007"),
        ("{{ '%s-%02d' % ('vts', 3) }}", "vts-03"),
        ("{{ '%02d' | format(3) }}", "03"),
        ("{{ ['b', 'a'] | sort | join('+') }}", "a+b"),
        ("{{ l | map('upper') | list }}", ["A", "B"]),
        ("{{ l | map('upper') }}", ["A", "B"]),
        ("{{ l | map(attribute='x') | list }}", None),
        ("{{ rows | map(attribute='n') | sum }}", 3),
        ("{{ rows | selectattr('n', 'gt', 1) | list }}", [{"n": 2}]),
        ("{{ range(3) }}", [0, 1, 2]),
        ("{{ d.keys() }}", ["items"]),
        ("{{ nothing | default('there') }}", "there"),
        ("{{ nothing is defined }}", False),
        ("{{ {'a': [1, 'ü']} | tojson }}", '{"a": [1, "ü"]}'),
        ("{{ 'it is' | quote }}", "'it is'"),
        ("{{ 'a\nb' | indent(2) }}", "a\n  b"),
        ("{{ 'a' ~ x ~ none }}", "a3"),
        ("{{ 2 ** 10 }}", 1024),
        ("{{ [1] + [2] }}", [1, 2]),
        ("{{ 7 % 4 }}", 3),
    ],
)
def test_what_templates_can_do(text, expected):
    names = {"x": 3, "d": {"items": "a key, not the method"}, "l": ["a", "b"], "rows": [{"n": 1}, {"n": 2}]}
    if expected is None:
        with pytest.raises(TemplateError):
            value(text, **names)
        return

    assert value(text, **names) == expected


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{{ sitte }}", "'sitte' is undefined"),
        ("{{ d.nope }}", "has no attribute 'nope'"),
        ("{{ sitte.a.b }}", "'sitte' is undefined"),
        ("{{ sitte.__class__ }}", "'sitte' is undefined"),
        ("{{ x", "cannot be read"),
        ("{{ x | nofilter }}", "No filter named 'nofilter'"),
        ("{% for i in [1] recursive %}{% endfor %}", "recursive loops are not offered"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ x.__class__ }}", "may not do that"),
        ("{{ 'a'.format }}", "may not do that"),
        ("{{ '{0.__class__}'.format(1) }}", "may not do that"),
        ("{{ d.update({}) }}", "may not do that"),
        ("{{ l.append(1) }}", "may not do that"),
        ("{{ l['append'](1) }}", "may not do that"),
        ("{{ (1).to_bytes(3, 'big') }}", "may not do that"),
        ("{{ range.__init__ }}", "may not do that"),
        ("{% set f = namespace %}{{ f.__init__.__globals__ }}", "may not do that"),
        ("{{ range }}", "no plain data"),
        ("a{{ range }}", "no plain data"),
        ("{{ namespace(a=1) }}", "no plain data"),
        ("{% include 'x' %}", "fails"),
        ("{% import 'x' as y %}", "fails"),
    ],
)
def test_what_they_cannot(text, what):
    assert what in complaint(text, x=3, site="berlin", d={"a": 1}, l=[1])


def test_a_misspelt_name_is_suggested():
    with pytest.raises(TemplateError) as raised:
        value("{{ sitte }}", site="berlin")

    assert raised.value.problem.remedy == "did you mean `site`?"


BOMBS = [
    "{{ 'a' * 10**9 }}",
    "{{ 10**9 * 'a' }}",
    "{{ [0] * 10**9 }}",
    "{{ range(10**9) | list }}",
    "{% for i in range(10**30) %}{% endfor %}",
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "{% for i in range(9999) %}" + "x" * 9999 + "{% endfor %}",
    "{% for i in range(400000) %}{{ big }}{% endfor %}",
    "{{ 9 ** (9 ** 9) }}",
    "{{ (2 ** 4000) * (2 ** 4000) }}",
    "{% set n = namespace(a=2) %}{% for i in range(99) %}{% set n.a = n.a * n.a %}{% endfor %}{{ n.a }}",
    "{% set n = namespace(a='ab') %}{% for i in range(99) %}{% set n.a = n.a ~ n.a %}{% endfor %}",
    "{% set n = namespace(a='ab') %}{% for i in range(99) %}{% set n.a = n.a + n.a %}{% endfor %}",
    "{% set n = namespace(a=[1]) %}{% for i in range(99) %}{% set n.a = n.a + n.a %}{% endfor %}",
    "{% set n = namespace(a=[1]) %}{% for i in range(99) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a }}",
    "{% set n = namespace(a=[1]) %}{% for i in range(99) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a | string }}",
    "{% set n = namespace(a=[1]) %}{% for i in range(99) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a | tojson }}",
    "{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}",
    "{% macro f(n) %}{% if n < 40 %}{{ f(n + 1) }}{{ f(n + 1) }}{% endif %}{% endmacro %}{{ f(1) }}",
    "{% macro f() %}" + "x" * 9999 + "{% endmacro %}{% for i in range(9999) %}{% set y = f() %}{% endfor %}",
    "{{ '%999999999d' % 1 }}",
    "{{ '%*d' % (999999999, 1) }}",
    "{{ '%999999999d' | format(1) }}",
    "{{ '%.999999999f' | format(1) }}",
    "{{ 'a'.zfill(10**9) }}",
    "{{ 'a' | indent(10**9, true) }}",
    "{{ big | replace('a', big) }}",
    "{{ big.replace('', big) }}",
    "{{ big.replace('a', big) }}",
    "{{ range(400000) | join(big) }}",
    "{{ ','.join([big] * 400000) }}",
    "{{ ([big] * 400000) | string }}",
    "{{ ([big] * 400000) | tojson }}",
    "{{ [[0] * 400] * 40000 }}",
    "{{ (range(400000) | list) | tojson(10**9) }}",
    "{% for i in range(99999) %}{% set x = range(99999) | list | sort %}{% endfor %}",
    "{% for i in range(99999) %}{% set x = range(99999) | map('string') | list %}{% endfor %}",
    "{% set x %}{% for i in range(99999) %}{{ big }}{% endfor %}{% endset %}",
    "{% filter upper %}{% for i in range(99999) %}{{ big }}{% endfor %}{% endfilter %}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "-" * 50000 + "1 }}",
    "{% if 1 %}" * 500 + "{% endif %}" * 500,
    "{{ x }}" * 200_000,
]


@pytest.mark.parametrize("text", BOMBS, ids=[bomb[:60] for bomb in BOMBS])
def test_a_template_cannot_run_or_grow_without_end(text):
    start = time.process_time()
    complaint(text, big="a" * 100_000, x=1)

    assert time.process_time() - start < 5


def test_a_template_of_usual_size_is_far_from_its_budget():
    text = "{% for i in range(10000) %}line {{ i }} of a rather long include list\n{% endfor %}"

    assert render(text, "list.j2", {}).count("\n") == 10_000


PIECES = st.sampled_from(
    ["{{", "}}", "{%", "%}", "{#", "#}", "x", " x ", "|", "upper", "(", ")", "[", "]", "'a'", "1", "*", "**", "~", ".", "for i in x", "endfor", "if", "endif", "set y =", "macro f()", "endmacro", "__class__", "block b", "endblock", "extends 'a'", "include x", "%", ",", "{", "}", ":", "\n", "is", "in", "-", "not"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=15).map(" ".join))
@settings(max_examples=150, deadline=None)
def test_no_pieces_of_a_template_make_a_traceback(text):
    with suppress(TemplateError):
        render(text, "t.j2", {"x": [1, "a"]}, {"a": "{{ x }}"}.get)


def test_a_file_says_that_it_is_managed():
    assert render("# {{ managed }}\n", "a.j2", {}) == f"# {MANAGED}\n"


def test_lines_that_hold_only_a_statement_leave_nothing_behind():
    text = "a\n{% for i in l %}\n  {{ i }}\n  {% endfor %}\nb\n"

    assert render(text, "a.j2", {"l": [1, 2]}) == "a\n  1\n  2\nb\n"


def test_a_secret_stands_in_a_file_as_its_reference():
    text = render("user x\npassword {{ p }}\n", "a.j2", {"p": REF})

    assert Content.from_marked(text.encode()).parts == (
        b"user x\npassword ",
        SecretRef("env", "PASSWORD"),
        b"\n",
    )


def test_a_secret_passes_through_a_variable_and_a_macro():
    line = value("pw={{ p }}", p=REF)
    text = render("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(line) }}", "a.j2", {"line": line})

    assert Content.from_marked(text.encode()).parts == (b"<pw=", SecretRef("env", "PASSWORD"), b">")


def test_a_reference_alone_stays_a_reference():
    assert value("{{ p }}", p=REF) == REF


@pytest.mark.parametrize("text", ["{{ p | upper }}", "x{{ p | upper }}", "{{ [p] }}x", "{{ p | tojson }}", "x{{ p.replace('P', 'Q') ~ '' }}{{ [p] | string }}"])  # fmt: skip
def test_a_changed_reference_is_an_error(text):
    assert "changed a secret's reference" in complaint(text, p=REF)


def test_an_error_in_a_file_is_told_with_its_line():
    with pytest.raises(TemplateError) as raised:
        render("a\n\n{{ nope }}\n", "templates/a.j2", {})

    assert raised.value.problem.place == Place("templates/a.j2", 3, 1)


@pytest.mark.parametrize("inner", ["\n{{ 1 / 0 }}", "\n{{ oops", "\n{{ nope }}"])
def test_an_error_in_an_included_file_is_told_with_its_own_line(inner):
    with pytest.raises(TemplateError) as raised:
        render("\n\n{% include 'b.j2' %}", "a.j2", {}, {"b.j2": inner}.get)

    assert raised.value.problem.place == Place("b.j2", 2, 1)


def test_files_may_extend_and_include_others_of_the_loader_only():
    texts = {"base.j2": "<{% block b %}{% endblock %}>", "part.j2": "{{ x }}"}
    child = "{% extends 'base.j2' %}{% block b %}{% include 'part.j2' %}{% endblock %}"

    assert render(child, "child.j2", {"x": 5}, texts.get) == "<5>"


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret", "a/../../b", "nowhere.j2"])
def test_there_is_nothing_outside_the_loader(name):
    asked = []

    with pytest.raises(TemplateError, match="there is no template"):
        render(f"{{% include '{name}' %}}", "a.j2", {}, asked.append)

    assert asked == ([name] if name == "nowhere.j2" else [])


@pytest.mark.parametrize(
    ("text", "expected"), [("a", False), ("{ {", False), ("{{ a", True), ("{% x", True), ("{# x", True)]
)
def test_what_is_a_template(text, expected):
    assert is_template(text) is expected


def test_jinja2_is_loaded_only_when_something_is_rendered():
    code = (
        "import sys; from vtsconf.core.templates import render, is_template;"
        "assert 'jinja2' not in sys.modules; render('a', 'a', {}); assert 'jinja2' in sys.modules"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
