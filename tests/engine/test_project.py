from __future__ import annotations

import json
import os
import subprocess

import pytest

from vtsconf.core.errors import Usage
from vtsconf.core.problem import Level, Place, errors
from vtsconf.engine.project import Project

INVENTORY = """\
all:
  children:
    prod: {hosts: {"vts[1:2]": }}
    test: {hosts: {vts3: }}
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    return tmp_path


def write(root, path, text):
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    return target


def values(name="vts1", **load):
    project = Project.load(**load)
    assert errors(project.problems) == []
    [host] = project.hosts(name)
    return host.variables


def told(**load):
    return [(p.level.value, p.what, str(p.place)) for p in Project.load(**load).problems]


def test_variables_are_read_from_files_and_folders(root):
    write(root, "group_vars/all.yaml", "a: all\nb: all\nc: all\nd: all\n")
    write(root, "group_vars/prod/10-first.yml", "b: first\nc: first\n")
    write(root, "group_vars/prod/20-second.yaml", "c: second\n")
    write(root, "group_vars/prod/below/30.json", '{"e": "below"}')
    write(root, "host_vars/vts1", "d: host\n")

    found = values()

    assert {key: found[key] for key in "abcde"} == {
        "a": "all",
        "b": "first",
        "c": "second",
        "d": "host",
        "e": "below",
    }


def test_backups_and_hidden_files_are_no_variables(root):
    for name in ("all.yaml~", ".all.yaml.swp", "README.md", ".hidden.yaml", "all.yaml.orig"):
        write(root, f"group_vars/{name}", ": not [ yaml")

    assert told() == []


def test_places_are_those_of_the_files(root):
    write(root, "group_vars/prod.yaml", "vts:\n  release: '8.3'\n")
    [host] = Project.load().hosts("vts1")

    assert host.locate(("vts", "release")) == Place("group_vars/prod.yaml", 2, 12)


def test_a_file_that_belongs_to_nobody_is_a_warning_with_a_suggestion(root):
    write(root, "group_vars/pord.yaml", "a: 1\n")
    write(root, "host_vars/prod.yaml", "a: 1\n")
    problems = Project.load().problems

    assert [(p.level, str(p.place), p.remedy) for p in problems] == [
        (Level.WARNING, "group_vars/pord.yaml:1:1", "did you mean `prod`?"),
        (Level.WARNING, "host_vars/prod.yaml:1:1", "`prod` is a group: move it to group_vars"),
    ]


def test_variables_in_two_places_are_an_error(root):
    write(root, "group_vars/prod.yaml", "a: 1\n")
    write(root, "group_vars/prod/x.yaml", "a: 2\n")

    assert [what for _, what, _ in told()] == ["the variables of `prod` stand in two places"]


def odd_file(root, kind):
    path = root / "group_vars" / "all.yaml"
    path.parent.mkdir(exist_ok=True)
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "loop":
            path.symlink_to(path)
        case "dangling":
            path.symlink_to("nowhere.yaml")
        case "device":
            path.symlink_to("/dev/zero")
        case "50 MB":
            with path.open("wb") as file:
                file.truncate(50_000_000)
        case "binary":
            path.write_bytes(bytes(range(256)) * 40)
        case "folder loop":
            (path.parent / "all").mkdir()
            (path.parent / "all" / "again").symlink_to(path.parent / "all")
        case "folder":
            path.mkdir()
            (path / "x").write_text("- a list\n")


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("pipe", "it is a pipe"),
        ("loop", "too many levels of symbolic links"),
        ("dangling", "no such file or directory"),
        ("device", "it is a device"),
        ("50 MB", "reading it would take minutes"),
        ("binary", ""),
        ("folder loop", "a link leads back"),
        ("folder", ""),
    ],
)
def test_a_file_of_variables_that_is_none(root, kind, why):
    odd_file(root, kind)
    problems = errors(Project.load().problems)

    assert len(problems) == 1
    assert why in problems[0].why
    assert problems[0].place.file.startswith("group_vars/all")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(root):
    write(root, "group_vars/all.yaml", "a: 1").chmod(0)

    assert [what for _, what, _ in told()] == ["`group_vars/all.yaml` cannot be read"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["a=1"], {"a": "1"}),
        (["a=b=c", "a="], {"a": ""}),
        (['{"a": [1, true]}'], {"a": [1, True]}),
        (["a=1", "@extra.yaml"], {"a": 2, "b": 3}),
    ],
)
def test_extra_variables_win_over_everything(root, words, expected):
    write(root, "host_vars/vts1.yaml", "a: host\n")
    write(root, "extra.yaml", "a: 2\nb: 3\n")
    found = values(extra=words)

    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize("word", ["a", "=1", "a-b=1", "1=2", ""])
def test_an_extra_variable_that_is_none(root, word):
    with pytest.raises(Usage, match="KEY=VALUE"):
        Project.load(extra=[word])


def test_an_extra_file_that_is_not_there(root):
    assert [what for _, what, _ in told(extra=["@nowhere.yaml"])] == ["`nowhere.yaml` cannot be read"]


def test_there_must_be_an_inventory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for named in (None, "nowhere.yaml", "."):
        with pytest.raises(Usage, match="there is no inventory"):
            Project.load(named)


def test_an_inventory_may_be_named_by_its_folder(root, monkeypatch):
    monkeypatch.chdir("/")

    assert list(Project.load(root).inventory.hosts) == ["vts1", "vts2", "vts3"]


LISTING = {"_meta": {"hostvars": {"vts9": {"x": 1}}}, "all": {"children": ["g"]}, "g": {"hosts": ["vts9"]}}


def test_the_json_of_ansible_inventory(root):
    write(root, "inventory.json", json.dumps(LISTING))

    assert values("vts9", inventory="inventory.json")["x"] == 1


def program(root, text, mode=0o755):
    path = write(root, "dynamic", text)
    path.chmod(mode)
    return path


def test_a_program_that_prints_it(root):
    program(root, f"#!/bin/sh\n[ \"$1\" = --list ] && cat <<'EOF'\n{json.dumps(LISTING)}\nEOF\n")

    assert values("vts9", inventory="dynamic")["x"] == 1


@pytest.mark.parametrize(
    ("text", "what", "why"),
    [
        ("#!/bin/sh\necho sorry >&2; exit 3\n", "the inventory program `dynamic` failed", "exit code 3: sorry"),
        ("#!/bin/sh\necho '[vts]'\n", "not JSON", ""),
        ("#!/bin/sh\n", "not JSON", ""),
        ("#!/nowhere/python\n", "the inventory program `dynamic` failed", "no such file"),
        ("#!/bin/sh\nhead -c 9000000 /dev/zero\n", "the inventory program `dynamic` failed", "printed more than"),
    ],
)  # fmt: skip
def test_a_program_that_fails(root, text, what, why):
    program(root, text)
    [problem] = errors(Project.load("dynamic").problems)

    assert what in problem.what
    assert why in problem.why


def test_a_program_that_is_not_executable_is_not_run(root):
    program(root, "#!/bin/sh\ntouch ran\n", mode=0o644)

    assert [p.why for p in errors(Project.load("dynamic").problems)] == ["permission denied"]
    assert not (root / "ran").exists()


def test_an_executable_document_is_a_document(root):
    (root / "inventory.yaml").chmod(0o755)

    assert list(Project.load().inventory.hosts) == ["vts1", "vts2", "vts3"]


def test_a_sites_template_goes_before_a_built_in_one(root):
    write(root, "templates/tsm/dsm.sys.j2", "ours")
    project = Project.load()

    assert project.template("tsm/dsm.sys.j2") == "ours"
    assert "managed" in project.template("tsm/dsm.opt.j2")
    assert project.template("nowhere.j2") is None


@pytest.mark.parametrize(
    "name", ["../inventory.yaml", "/etc/hostname", "../../etc/hostname", "", ".", "a\0b"]
)
def test_there_is_no_template_outside_its_folder(root, name):
    (root / "templates").mkdir()

    assert Project.load().template(name) is None


def test_a_template_that_is_a_link_to_elsewhere_is_none(root):
    (root / "templates").mkdir()
    (root / "templates" / "x.j2").symlink_to("/etc/hostname")

    assert Project.load().template("x.j2") is None


def test_a_sites_own_tables_are_read(root):
    write(root, "parameters/hsm.yaml", "family: [\n")
    problems = errors(Project.load().problems)

    assert [p.place.file for p in problems] == ["parameters/hsm.yaml"]


def git(root, *words):
    identity = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, env={**os.environ, **identity})


def test_the_revision_of_a_checkout(root):
    assert Project.load().revision() is None
    git(root, "init", "-q")
    assert Project.load().revision() is None
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    clean = Project.load().revision()
    write(root, "host_vars/vts1.yaml", "a: 1\n")
    dirty = Project.load().revision()

    assert len(clean.commit) == 40
    assert (clean.dirty, dirty.dirty) == (False, True)
    assert str(dirty) == f"{clean.commit[:12]}+dirty"


def test_asking_for_the_revision_runs_nothing_of_the_checkout(root):
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    hook = program(root, f"#!/bin/sh\ntouch {root}/ran\n")
    git(root, "config", "core.fsmonitor", str(hook))

    assert Project.load().revision() is not None
    assert not (root / "ran").exists()
