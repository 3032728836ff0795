"""`vtsconf policy parse` and `vtsconf policy render`: what they print, and their exit codes."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Vtsconf

LINE = "VTSPolicy TSM 'archive /VAULT01/PROD/X00001 s=vts1.bank.example'"


def given_on_stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_line_word_by_word(vtsconf: Vtsconf) -> None:
    ended = vtsconf("policy", "parse", LINE)
    rows = [line.split()[:2] for line in ended.out.splitlines() if re.match(r" +\d+ ", line)]

    assert 0 == ended.code
    assert [
        ["1", "VTSPolicy"],
        ["11", "TSM"],
        ["16", "archive"],
        ["24", "/VAULT01/PROD/X00001"],
        ["45", "s=vts1.bank.example"],
    ] == rows
    assert "form: 6.04.04 and 8.x" in ended.out
    assert "the executor would do: + migrate" in ended.out
    assert "[8.2 Config p.77]" in ended.out
    assert not ended.err


def test_a_line_that_cannot_be_understood(vtsconf: Vtsconf) -> None:
    ended = vtsconf("policy", "parse", "VTSPolicy tsm 'archive /VAULT01/P'")

    assert 3 == ended.code
    assert "! cannot be understood" in ended.out
    assert "1:11 error: `tsm` is no verb of VTSPolicy [case]" in ended.err
    assert "to do: did you mean `TSM`?" in ended.err


def test_what_will_not_be_done_says_why(vtsconf: Vtsconf) -> None:
    ended = vtsconf("policy", "parse", "VTSPolicy Delete - X00001")

    assert 0 == ended.code
    assert "the executor would do: = nothing\n    " in ended.out
    assert "we never delete a tape" in ended.out


def test_the_release_decides_between_the_forms(vtsconf: Vtsconf) -> None:
    earlier = 'VTSPolicy TSM "/VAULT01/P s=vts1 st=y"'

    assert 0 == vtsconf("policy", "parse", earlier).code
    assert 0 == vtsconf("policy", "parse", "--release", "6.03.41", earlier).code
    assert 3 == vtsconf("policy", "parse", "--release", "8.3", earlier).code
    assert 64 == vtsconf("policy", "parse", "--release", "new", earlier).code


def test_many_lines_on_stdin_as_a_document(vtsconf: Vtsconf, monkeypatch: pytest.MonkeyPatch) -> None:
    given_on_stdin(monkeypatch, LINE.encode() + b"\r\n\n  \nVTSPolicy Erase - \xff\n")
    ended = vtsconf("policy", "parse", "-", "--json")
    first, second = ended.json["lines"]

    assert (3, "") == (ended.code, ended.err)
    assert "vtsconf/policy-line/1" == ended.json["format"]
    assert {"lines": 2, "understood": 1, "wrong": 1} == ended.json["summary"]
    assert (True, 1, "stdin") == (first["understood"], first["line"], first["file"])
    assert ("TSM", "typed", "archive") == (first["verb"], first["form"], first["type"])
    assert {
        "vault": "VAULT01",
        "pool": "PROD",
        "cartridge": "X00001",
        "path": "/VAULT01/PROD/X00001",
    } == first["tapes"]
    assert [{"name": "s", "value": "vts1.bank.example", "meaning": "source", "sure": "documented"}] == first[
        "keywords"
    ]
    assert ("migrate", "tsm", {"type": "archive"}) == tuple(
        first["wish"][key] for key in ("action", "bma", "options")
    )
    assert (False, 4) == (second["understood"], second["line"])
    assert [("character", 4, 19)] == [(one["code"], one["line"], one["column"]) for one in second["problems"]]


def test_a_file_of_lines(vtsconf: Vtsconf, tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("VTSPolicy Erase - A\nvtspolicy\n")
    ended = vtsconf("policy", "parse", "--file", file)

    assert 3 == ended.code
    assert f"{file}\n      2:1 error" in ended.err


def test_of_very_many_problems_the_first_are_shown_and_the_others_counted(
    vtsconf: Vtsconf, tmp_path: Path
) -> None:
    (tmp_path / "lines").write_text("x\n" * 1500)
    ended = vtsconf("policy", "parse", "--file", str(tmp_path / "lines"))

    assert 3 == ended.code
    assert ended.err.endswith("and 500 more problems: the first 1000 are shown\n")
    assert 1500 == ended.out.count("cannot be understood")


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["for people", "as a document"])
def test_many_lines_take_no_more_memory_than_few(tmp_path: Path, as_json: tuple[str, ...]) -> None:
    peaks = []
    for count in (1500, 30_000):
        (tmp_path / "lines").write_text("x\n" * count)
        words = ("policy", "parse", "--file", str(tmp_path / "lines"), *as_json)
        done = subprocess.run([sys.executable, "-c", PEAK, *words], capture_output=True, check=True)
        peaks.append(int(done.stderr.split()[-1]))
        assert not as_json or count == json.loads(done.stdout)["summary"]["wrong"]

    assert peaks[1] < peaks[0] * 1.2


PEAK = """
import resource, sys
from vtsconf.cli.main import main
try:
    main()
except SystemExit:
    pass
sys.stdout.flush()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


@pytest.mark.parametrize("words", [(), ("--file", "/nonexistent/lines"), ("--file", "/dev/zero")])
def test_nothing_to_read(vtsconf: Vtsconf, words: tuple[str, ...]) -> None:
    ended = vtsconf("policy", "parse", *words)

    assert 64 == ended.code
    assert "to do:" in ended.err


# --- render ---------------------------------------------------------------------------------------------------------

VARS = """\
vts:
  release: "8.3"
  vaults: [VAULT01]
  policies:
    nightly: {action: migrate, bma: tsm, select: {pools: [PROD]}, options: {type: archive, optfile: /etc/dsm.opt}}
    picky: {action: migrate, bma: tsm, select: {pools: ["PROD*"]}, options: {type: archive}}
    scratch: {action: erase, select: {cartridges: [X00001], migrated: "yes"}}
    odd: {action: migrate, bma: tsm, select: {pools: ["A~B"]}, options: {type: archive}}
    netbackup: {action: migrate, bma: netbackup, select: {pools: [PROD]}}
"""


CLUSTER = '{"vts": {"ems": {"intersystem_hosts": ["vts9"]}}}'


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory.yaml").write_text("all: {hosts: {vts1.bank: , vts2.bank: }}\n")
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yaml").write_text(VARS)
    return tmp_path


def test_the_lines_of_a_policy(fleet: Path, vtsconf: Vtsconf) -> None:
    ended = vtsconf("policy", "render", "nightly")

    assert (0, "") == (ended.code, ended.err)
    assert [
        "VTSPolicy TSM 'archive /VAULT01/PROD s=vts1.bank o=/etc/dsm.opt'",
        "VTSPolicy TSM 'archive /VAULT01/PROD s=vts2.bank o=/etc/dsm.opt'",
    ] == ended.out.splitlines()


def test_what_is_rendered_is_understood(
    fleet: Path, vtsconf: Vtsconf, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_on_stdin(monkeypatch, vtsconf("policy", "render", "nightly").out.encode())
    ended = vtsconf("policy", "parse", "-", "--release", "8.3", "--json")

    assert 0 == ended.code
    assert ["vts1.bank", "vts2.bank"] == [line["wish"]["host"] for line in ended.json["lines"]]


def test_the_macro_of_one_server(fleet: Path, vtsconf: Vtsconf) -> None:
    ended = vtsconf("policy", "render", "nightly", "-l", "vts2.bank", "--tacl")

    assert 0 == ended.code
    assert ended.out.startswith("?TACL MACRO\n")
    assert 1 == ended.out.count(
        "#SET evt_text VTSPolicy TSM 'archive /VAULT01/PROD s=vts2.bank o=/etc/dsm.opt'\n"
    )
    assert ended.out.endswith("#APPENDV req_prompt evt_buf\n")


def test_a_policy_that_no_line_can_say(fleet: Path, vtsconf: Vtsconf) -> None:
    ended = vtsconf("policy", "render", "picky")

    assert (3, "") == (ended.code, ended.out)
    assert "group_vars/all.yaml\n     6:12 error: the policy picky selects pools by `PROD*`" in ended.err


def test_what_tacl_would_read_as_its_own(fleet: Path, vtsconf: Vtsconf) -> None:
    assert 0 == vtsconf("policy", "render", "odd").code
    ended = vtsconf("policy", "render", "odd", "--tacl")

    assert (3, "") == (ended.code, ended.out)
    assert "[tacl-character]" in ended.err


def test_an_erase_must_be_allowed_by_name(fleet: Path, vtsconf: Vtsconf) -> None:
    refused = vtsconf("policy", "render", "scratch")
    allowed = vtsconf("policy", "render", "scratch", "--allow-erase", "scratch", "-l", "vts1.bank")

    assert (3, "") == (refused.code, refused.out)
    assert "proven on tape or not" in refused.err
    assert (0, "VTSPolicy Erase - X00001 s=vts1.bank\n") == (allowed.code, allowed.out)


def test_another_release(fleet: Path, vtsconf: Vtsconf) -> None:
    unsure = vtsconf("policy", "render", "netbackup", "-l", "vts1.bank")
    sure = vtsconf("policy", "render", "netbackup", "-l", "vts1.bank", "--release", "6.03.41")

    assert 0 == unsure.code
    assert "is not sure to be understood" in unsure.err
    assert ('VTSPolicy NBU "/VAULT01/PROD s=vts1.bank"\n', "") == (sure.out, sure.err)


def test_a_cluster_needs_one_server_only(fleet: Path, vtsconf: Vtsconf) -> None:
    both = vtsconf("policy", "render", "nightly", "-e", CLUSTER)
    one = vtsconf("policy", "render", "nightly", "-l", "vts1.bank", "-e", CLUSTER)

    assert "written for 2 servers of a cluster: vts1.bank, vts2.bank" in both.err
    assert "of a cluster" not in one.err


def test_the_document(fleet: Path, vtsconf: Vtsconf) -> None:
    ended = vtsconf("policy", "render", "nightly", "-l", "vts1.bank", "--tacl", "--json")
    document = ended.json
    macro = document.pop("macro")

    assert {
        "format": "vtsconf/policy-lines/1",
        "policy": "nightly",
        "hosts": [
            {
                "host": "vts1.bank",
                "release": "8.3",
                "lines": ["VTSPolicy TSM 'archive /VAULT01/PROD s=vts1.bank o=/etc/dsm.opt'"],
            }
        ],
        "problems": [],
    } == document
    assert macro.startswith("?TACL MACRO\n")


def test_a_policy_that_no_server_has(fleet: Path, vtsconf: Vtsconf) -> None:
    ended = vtsconf("policy", "render", "nightyl", "--json")

    assert 64 == ended.code
    assert "did you mean `nightly`?" == ended.json["remedy"]


def test_documents_that_are_wrong(fleet: Path, vtsconf: Vtsconf) -> None:
    (fleet / "group_vars" / "all.yaml").write_text("vts: {policies: {nightly: {action: explode}}}\n")
    ended = vtsconf("policy", "render", "nightly")

    assert (3, "") == (ended.code, ended.out)
    assert "group_vars/all.yaml" in ended.err


def test_the_help_has_examples(vtsconf: Vtsconf) -> None:
    for words in (("policy", "parse"), ("policy", "render")):
        told = vtsconf(*words, "--help").out

        assert "Examples:" in told
        assert f"`vtsconf policy {words[1]} " in told
