"""Commands, judgements and catalogue answers of Bacula's adapter; the real one is in tests/real/test_bacula.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from vtsconf.bma import bacula
from vtsconf.bma.bacula.lstat import size
from vtsconf.bma.contract import Output, Verdict
from vtsconf.core.errors import Refused

CASES = Path(__file__).parent.parent / "cases/bacula/runs"
PATH = "/VAULT01/POOL1/TAPE001"
TOKEN = "vtsconf-1"
LSTAT = "P4A Jg6L IGk B A A A LcbP BAA Bbo BrBriu BrBriu BrBriu A A C"  # 3,000,015 bytes; real


def settings(**migration):
    return bacula.Settings.model_validate(
        {
            "name": "vts-fd",
            "working_directory": "/w",
            "pid_directory": "/p",
            "directors": {"d": {"password": "secret://env/X"}},
            "console": {"program": "/usr/sbin/bconsole", "config": "/etc/bacula/vtsconf.conf"},
            "migration": {
                "jobs": {"vts-migrate-1": "/lists/1", "vts-migrate-2": "/lists/2"},
                "restore_job": "vts-restore",
                **migration,
            },
        }
    )


@pytest.mark.parametrize("path", sorted(CASES.glob("*.yaml")), ids=lambda p: p.stem)
def test_judgement(path):
    case = YAML(typ="safe", pure=True).load(path.read_text())
    output = Output(exit=case.get("exit", 0), text=case["text"], is_cut=case.get("is_cut", False))

    judged = bacula.judge(settings(), case.get("action", "archive"), output, [PATH] * case.get("wanted", 1))

    assert (case["verdict"], True) == (judged.verdict, case.get("reason", "") in judged.reason), judged
    assert judged.source
    assert judged.sure in {"documented", "tried", "general", "site"}


@given(st.text(st.sampled_from("= |\nendarchivrunfolgst 7TJobStaus:"), max_size=300))
def test_no_noise_is_a_success(text):
    judged = bacula.judge(settings(), "archive", Output(exit=0, text=text), [PATH])

    assert Verdict.SUCCESS is not judged.verdict


def test_a_cut_in_the_middle_of_a_good_run_is_never_a_success():
    text = YAML(typ="safe", pure=True).load((CASES / "good.yaml").read_text())["text"]
    outputs = [Output(exit=0, text=text[:end]) for end in range(len(text) - 1)]

    verdicts = {bacula.judge(settings(), "archive", output, [PATH]).verdict for output in outputs}

    assert Verdict.SUCCESS not in verdicts


def test_the_sites_own_words_go_first():
    own = {"lost": {"match": "something new", "verdict": "transient", "reason": "the site knows it"}}
    case = YAML(typ="safe", pure=True).load((CASES / "failed-with-unknown-words.yaml").read_text())

    judged = bacula.judge(settings(messages=own), "archive", Output(exit=0, text=case["text"]), [PATH])

    assert (Verdict.TRANSIENT, "the site knows it", "site") == (judged.verdict, judged.reason, judged.sure)


@pytest.mark.parametrize(
    ("lstat", "expected"),
    [
        (LSTAT, 3_000_015),
        (LSTAT.replace("LcbP", "BMS0A"), 20_000_000),
        (LSTAT.replace("LcbP", "A"), 0),
        (LSTAT.replace("LcbP", "H//////////"), 2**63 - 1),
        (LSTAT.replace("LcbP", "Lc-P"), None),
        (LSTAT.replace("LcbP", "A" * 12), None),
        (LSTAT.rsplit(" ", 1)[0], None),
        ("", None),
    ],
)
def test_sizes_in_the_catalogue(lstat, expected):
    assert expected == size(lstat)


RECORD = f"""= log 7
= record 7
| JobId: 7
| Type: B
| ClientName: vts-fd
| JobStatus: T
| EndTime: 2026-11-25 10:30:09
| Comment: {TOKEN}
"""
FOLDER = f"= folder 7 0\n| 1\t1\t1\t7\t{LSTAT}\tTAPE001\n| 1\t2\t2\t7\t{LSTAT}\tTAPE002\n"
END = "= media 7 VT0008\n= media 7 VT0009\n= end locate\n"


def located(text, *, exit_code=0, is_cut=False):
    output = Output(exit=exit_code, text=text, is_cut=is_cut)
    return bacula.located(settings(), output, [PATH], TOKEN)


def test_a_copy_in_the_catalogue():
    (found,) = located(RECORD + FOLDER + END)

    assert (PATH, 3_000_015, TOKEN) == (found.path, found.size, found.token)
    assert ("2026-11-25 10:30:09", "VT0008, VT0009") == (found.when, found.media)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (f"Comment: {TOKEN}", "Comment: vtsconf-2"),
        ("Type: B", "Type: R"),
        ("ClientName: vts-fd", "ClientName: other-fd"),
        ("JobStatus: T", "JobStatus: f"),
        ("\tTAPE001", "\tTAPE0011"),
        ("\t7\t", "\t8\t"),
        ("= folder 7 0", "= folder 7 1"),
        ("= end locate", "= end unasked"),
    ],
)
def test_what_is_not_ours_shows_nothing(was, becomes):
    text = RECORD + FOLDER + END
    assert was in text

    assert [] == list(located(text.replace(was, becomes)))


def test_an_answer_that_is_not_whole_shows_nothing():
    text = RECORD + FOLDER + END

    assert [] == [*located(text, is_cut=True), *located(text, exit_code=3), *located(RECORD + FOLDER)]
    assert [None] == [one.size for one in located(text.replace("LcbP", "?"))]


def test_no_value_gets_into_the_text_of_the_script():
    paths = ["/VAULT01/$(touch x)/`id`", "/VAULT01/POOL1/'; rm -rf ."]
    made = [
        bacula.archive(settings(), paths, TOKEN, {}),
        bacula.restore(settings(), paths[:1], "vtsconf-2", {}),
        bacula.locate(settings(), paths, TOKEN, {}),
        bacula.cancel(settings(), TOKEN, Output(exit=None, text="")),
    ]

    assert 1 == len({command.files["bacula.sh"] for command in made})
    assert all("touch x" not in " ".join(command.argv) for command in made)
    assert "".join(f"{path}\n" for path in paths) == made[0].files["paths"]


def test_the_words_of_a_restore_are_quoted_for_the_console():
    command = bacula.restore(settings(), ["/V/P/back\\slash \"quo'te"], TOKEN, {})

    assert 'file="/V/P/back\\\\slash \\"quo\'te"\n' == command.files["selection"]


@pytest.mark.parametrize(
    "name", ["a\nb", "a\rb", "a\tb", "a\x00b", "a\x7fb", "a\x85b", "a\u2028b", "a ", "{dir}"]
)
def test_names_that_would_be_a_second_command_or_another_path_are_refused(name):
    for build in (bacula.archive, bacula.restore, bacula.locate):
        with pytest.raises(Refused):
            build(settings(), [f"/VAULT01/POOL1/{name}"], TOKEN, {})


@pytest.mark.parametrize("path", ["", "TAPE001", "/VAULT01/../etc/passwd", "//VAULT01/P/T", "/VAULT01/P/T/"])
def test_paths_that_are_not_plain_are_refused(path):
    with pytest.raises(Refused):
        bacula.archive(settings(), [path], TOKEN, {})


@pytest.mark.parametrize("token", ["", "a b", 'a" level=Incremental', "a\nquit"])
def test_tokens_need_no_quotes(token):
    with pytest.raises(Refused):
        bacula.archive(settings(), [PATH], token, {})


def test_nothing_to_archive_and_two_to_restore_are_refused():
    with pytest.raises(Refused):
        bacula.archive(settings(), [], TOKEN, {})
    with pytest.raises(Refused, match="one path"):
        bacula.restore(settings(), [PATH, PATH + "2"], TOKEN, {})


def test_a_client_without_migration_moves_nothing():
    plain = settings().model_copy(update={"migration": None})

    with pytest.raises(Refused, match="not known"):
        bacula.archive(plain, [PATH], TOKEN, {})


def test_verification_needs_a_job_that_does_it():
    with pytest.raises(Refused, match="no job that does it"):
        bacula.archive(settings(), [PATH], TOKEN, {"verify": True})

    command = bacula.archive(settings(verify_job="vts-verify"), [PATH], TOKEN, {"verify": True})

    assert "vts-verify" == command.env["VERIFY_JOB"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, []),
        ({"verify": True}, []),
        ({"verify": "yes"}, ["`verify` is the text 'yes': write true or false"]),
        ({"veryfy": True}, ["`veryfy` is no option of bacula: did you mean `verify`?"]),
        ({"level": "Full"}, ["`level` is no option of bacula: it has verify"]),
    ],
)
def test_options(options, expected):
    assert expected == list(bacula.check_options(options))


def test_our_clock_ends_before_the_runners():
    command = bacula.archive(settings(timeout="1h"), [PATH], TOKEN, {})

    assert int(command.env["LIMIT"]) + int(command.env["GIVE_UP"]) < command.timeout
