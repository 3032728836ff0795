"""A backup application that a site defines itself: the example of the documentation runs, and mistakes are told with their places."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.bma.movers import DOCS, SHELF, example
from vtsconf.bma import application_of, migrator, site
from vtsconf.bma.contract import Output, Verdict
from vtsconf.core.errors import Refused
from vtsconf.core.problem import Place

TOKEN = "vtsconf-1"
GOOD = """
archive: {run: [put, "{path}", "{token}"], proof: done}
restore: {run: [get, "{token}", "{path}"], proof: done}
locate: {run: [list, "{token}"], found: '(?P<size>[0-9]+)'}
"""


def read(text, name="mine"):
    return site.read(text, f"bmas/{name}.yaml")


def run(command):
    done = subprocess.run(
        command.argv, env={"PATH": os.environ["PATH"], "LC_ALL": "C"}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    return Output(exit=done.returncode, text=done.stdout.decode(errors="surrogateescape"))


def settings(tmp_path):
    return SHELF.Settings.model_validate({"library": f"{tmp_path}/library"})


@pytest.mark.parametrize("tape", ["T00001", "a b", "-rf", "x;y", "$(id)"])
def test_the_example_keeps_finds_and_brings_back(tmp_path, tape):
    path = tmp_path / tape
    path.write_bytes(b"tape" * 1000)
    values, tapes = settings(tmp_path), [str(path)]

    before = run(SHELF.locate(values, tapes, TOKEN, {}))
    done = SHELF.judge(values, "archive", run(SHELF.archive(values, tapes, TOKEN, {})), tapes)
    asked = run(SHELF.locate(values, tapes, TOKEN, {}))
    path.write_bytes(b"")
    back = SHELF.judge(values, "restore", run(SHELF.restore(values, tapes, TOKEN, {})), tapes)

    assert (Verdict.SUCCESS, []) == (
        SHELF.judge(values, "locate", before, tapes).verdict,
        list(SHELF.located(values, before, tapes, TOKEN)),
    )
    assert (Verdict.SUCCESS, Verdict.SUCCESS) == (done.verdict, back.verdict)
    assert [(str(path), 4000, TOKEN)] == [
        (c.path, c.size, c.token) for c in SHELF.located(values, asked, tapes, TOKEN)
    ]
    assert b"tape" * 1000 == path.read_bytes()


def test_the_example_when_it_fails(tmp_path):
    values, tapes = settings(tmp_path), [str(tmp_path / "absent")]
    output = run(SHELF.archive(values, tapes, TOKEN, {}))
    full = Output(exit=1, text="install: error writing 'x': No space left on device\n")

    assert Verdict.PERMANENT is SHELF.judge(values, "archive", output, tapes).verdict
    assert Verdict.TRANSIENT is SHELF.judge(values, "archive", full, tapes).verdict
    assert Verdict.UNKNOWN is SHELF.judge(values, "archive", Output(exit=0, text=""), tapes).verdict


def test_its_settings_know_whose_they_are():
    values = SHELF.Settings.model_validate({})

    assert SHELF is application_of("shelf", values) is migrator("shelf", values)
    assert ["version", "reachable"] == [fact.name for fact in SHELF.facts(values)]


MISTAKES = [
    ("archive: {run: [put, '{path}'], proof: x}", "`archive` holds no {token}"),
    ("archive: {run: [put, '{token}'], proof: x}", "does not say which tape"),
    ("archive: {run: [put, '{pat}', '{token}'], proof: x}", "did you mean `path`"),
    ("archive: {run: [put, '{path}', '{token}']}", "is required"),
    ("archive: {run: [put, '{path}', '{token}'], proof: true}", "or false where it prints none"),
    ("archive: {run: [put, '{path}', '{token}'], proof: '('}", "is not a regular expression"),
    ("archive: {run: [put, '{path}', '{token}'], proof: '(a+)+b'}", "can take very long"),
    ("archive: {run: 'put {path} {token}', proof: x}", "write a list of words"),
    (
        "archive: {run: [dsmc, archive, -deletefiles, '{path}', '{token}'], proof: x}",
        "would let the command delete",
    ),
    ("archive: {run: [sudo, rm, '{path}', '{token}'], proof: x}", "would let the command delete"),
    (
        "archive: {run: [rsync, --remove-source-files, '{path}', '{token}'], proof: x}",
        "would let the command delete",
    ),
    ("archive: {run: [nsrarchive, -iG, '{path}', '{token}'], proof: x}", "would let the command delete"),
    ("archive: {run: [sh, -c, 'cp {path} /x/{token}'], proof: x}", "would read"),
    ("archive: {run: [su, x, -c, 'cp {path} /x/{token}'], proof: x}", "would read"),
    ("archive: {run: [ssh, host, cp, '{path}', '{token}'], proof: x}", "would read"),
    ("archive: {run: [put, '{path}', '{token}'], proof: x, exits: {999: success}}", "is no exit code"),
    ("archive: {run: [put, '{path}', '{token}'], proof: x, exits: {1: succes}}", "did you mean `success`"),
    ("archive: {run: [put, 'x{paths}', '{token}'], proof: x}", "not a word of its own"),
    ("archive: {run: [put, '{path}', '{token}', '{job}'], proof: x}", "stands for nothing"),
    ("cancel: {run: [stop, '{job}'], job: x}", "has no group `job`"),
    ("locat: {}", "did you mean `locate`"),
    ("options: {Bad: {}}", "small letters"),
    ("options: {a: {values: [x], default: y}}", "none of its values"),
    ("list_line: nothing", "holds no {path}"),
    ("settings: {drives: {}}", "every backup application has"),
]


@pytest.mark.parametrize(("line", "said"), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_mistakes_are_told_with_their_places(line, said):
    key = line.partition(":")[0]
    text = "\n".join(
        [*(kept for kept in GOOD.strip().split("\n") if not kept.startswith(f"{key}:")), line, ""]
    )
    application, problems = read(text)

    assert application is None
    assert said in " ".join(f"{p.what} {p.why} {p.remedy}" for p in problems)
    assert {"bmas/mine.yaml"} == {p.place.file for p in problems if p.place}


@pytest.mark.parametrize(
    ("text", "name"),
    [("", "mine"), ("[]", "mine"), (GOOD, "tsm"), (GOOD, "Mine"), ("a: [", "mine"), ("a: 1\na: 2", "mine")],
)
def test_no_application_at_all(text, name):
    application, problems = read(text, name)

    assert application is None
    assert problems
    assert all(p.place == Place(p.place.file, p.place.line, p.place.column) for p in problems)


def made(line, options=()):
    text = "\n".join([*GOOD.strip().split("\n")[1:], line, *options, ""])
    application, problems = read(text)
    assert problems == []
    return application, application.Settings.model_validate({})


def test_words_are_never_options_by_what_is_filled_in():
    application, values = made(
        "archive: {run: [put, '{option.kind}', '--as={option.kind}', '{path}', '{token}'], proof: x}",
        ["options: {kind: {pattern: '.*'}}"],
    )
    with pytest.raises(Refused, match="would be read as an option"):
        application.archive(values, ["/V/P/T"], TOKEN, {"kind": "-x"})

    assert ("put", "a b", "--as=a b", "/V/P/T", TOKEN) == application.archive(
        values, ["/V/P/T"], TOKEN, {"kind": "a b"}
    ).argv


def test_one_tape_several_tapes_and_a_list():
    one, values = made("archive: {run: [put, '{path}', '{token}'], proof: x}")
    many, _ = made("archive: {run: [put, '{paths}', '{token}'], proof: x}")
    listed, _ = made(
        "archive: {run: [put, --from, '{list}', '{token}'], proof: x}", ["list_line: '<{path}>'"]
    )
    tapes = ["/V/P/A", "/V/P/b c"]

    with pytest.raises(Refused, match="one tape at a time"):
        one.archive(values, tapes, TOKEN, {})
    assert ("put", *tapes, TOKEN) == many.archive(values, tapes, TOKEN, {}).argv
    assert "</V/P/A>\n</V/P/b c>\n" == listed.archive(values, tapes, TOKEN, {}).files["list"]
    assert "{dir}/list" in listed.archive(values, tapes, TOKEN, {}).argv


def test_braces_that_are_no_placeholders_are_text_and_shells_get_words():
    application, values = made(
        "archive: {run: [sh, -c, 'awk ''{ print }'' \"$1\" >\"$2\"', sh, '{path}', '{dir}/{token}'], proof: x, stdin: 'go {path}'}"
    )
    command = application.archive(values, ["/V/P/T"], TOKEN, {})

    assert ("sh", "-c", 'awk \'{ print }\' "$1" >"$2"', "sh", "/V/P/T", f"{{dir}}/{TOKEN}") == command.argv
    assert "go /V/P/T" == command.stdin


def test_cancelled_by_its_own_command_once_it_has_said_what_it_is_called():
    application, values = made(
        "archive: {run: [put, '{path}', '{token}'], proof: x}",
        ["cancel: {run: [stop, '{job}'], job: '^job (?P<job>[^ ]+) started'}"],
    )

    assert ("stop", "17") == application.cancel(
        values, TOKEN, Output(exit=None, text="job 17 started\n")
    ).argv
    assert application.cancel(values, TOKEN, Output(exit=None, text="job -rf started\n")) is None
    assert application.cancel(values, TOKEN, Output(exit=None, text="")) is None


def test_a_catalogue_that_names_another_tape_or_mark_shows_nothing():
    application, values = made("archive: {run: [put, '{path}', '{token}'], proof: x}")
    other, _ = read(
        GOOD.replace("found: '(?P<size>[0-9]+)'", r"found: '(?P<size>[0-9.]+) (?P<token>\S+) (?P<path>/.*)'")
    )
    answer = Output(
        exit=0,
        text=f"5 {TOKEN} /V/P/T\n5 vtsconf-2 /V/P/T\n5 {TOKEN} /V/P/U\n1.234 {TOKEN} /V/P/T\n5 {TOKEN} /V/P/T",
    )

    assert [5] == [
        c.size for c in application.located(values, Output(exit=0, text="5\n7"), ["/V/P/T"], TOKEN)
    ]
    assert [5, None] == [c.size for c in other.located(values, answer, ["/V/P/T"], TOKEN)]


def test_a_project_with_one(tmp_path):
    """Read beside the inventory, checked by validate, its options checked in the policies."""
    from vtsconf.engine.prepare import judge
    from vtsconf.engine.project import Project

    folder = tmp_path / "bmas"
    folder.mkdir()
    text = DOCS.read_text().partition("```yaml\n# bmas/shelf.yaml")[2].partition("```")[0]
    (folder / "shelf.yaml").write_text(text)
    (folder / "broken.yaml").write_text("archive: {}\n")
    (tmp_path / "inventory.yaml").write_text("all: {hosts: {vts1: {}}}\n")
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars/vts1.yaml").write_text(
        "vts:\n  bma:\n    shelf: {library: /backup}\n  policies:\n    nightly: {action: migrate, bma: shelf, options: {mod: '600'}}\n"
    )
    project = Project.load(tmp_path / "inventory.yaml")
    (host,) = project.hosts()
    said = [f"{p.what} {p.remedy}" for p in (*project.problems, *judge(host, project)) if p.level == "error"]

    assert any("broken" in str(p.place) for p in project.problems)
    assert [s for s in said if "policies" in s] == [
        "vts.policies.nightly.options: `mod` is no option of shelf: did you mean `mode`? "
    ]
    assert not any("vts.bma.shelf" in s for s in said)


def test_the_example_of_the_documentation_is_the_one_that_is_tried():
    assert example().written == SHELF.written
    assert Path(DOCS).name == "bmas.md"
