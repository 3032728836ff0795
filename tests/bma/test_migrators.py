"""Laws that every backup application that moves tapes keeps, and the exact command lines of the built-in ones."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bma.movers import MOVERS, OPTIONS
from vtsconf import bma
from vtsconf.bma.contract import Command, Located, Output, Verdict, fresh
from vtsconf.bma.judging import exits
from vtsconf.bma.words import harmless
from vtsconf.core.errors import Refused

TOKEN = "vtsconf-0123456789abcdefabcd"
PATH = "/VAULT01/POOL1/TAPE001"
ACTIONS = ("archive", "restore", "locate")
# What a BMA has no field for: a backup version of TSM, and what `recover` takes.
UNMARKED = {("tsm", "selective"): ACTIONS, ("networker", "save"): ("restore",)}
TYPES = {"tsm": ("archive", "selective"), "networker": ("save", "archive")}


def commands(name, paths, options):
    values, mover = MOVERS[name]
    for action in ACTIONS:
        yield action, getattr(mover, action)(values, paths, TOKEN, OPTIONS.get(name, {}) | options)


def variants(name):
    for kind in TYPES.get(name, ("",)):
        yield (
            {"type": kind} | ({"pool": "P"} if (name, kind) == ("networker", "archive") else {})
            if kind
            else {}
        )


def deletes(command: Command) -> bool:
    """By what the facts say (§1 rule 4), and not by the code that is tested."""
    first = command.argv[0].rpartition("/")[2]
    return (
        first in ("bparchive", "rm", "mv", "unlink", "shred")
        or any(re.match(r"-+(del|remove-)", word, re.IGNORECASE) for word in command.argv)
        or any(re.search(r"\s-del", word, re.IGNORECASE) for word in command.argv)
        or (first == "nsrarchive" and any(re.match(r"-\w*G", word) for word in command.argv))
    )


@pytest.mark.parametrize("name", MOVERS)
def test_every_copy_is_marked_and_nothing_deletes(name):
    for options in variants(name):
        for action, command in commands(name, [PATH], options):
            unmarked = action in UNMARKED.get((name, options.get("type", "")), ())

            assert not deletes(command), command
            assert unmarked or any(TOKEN in word for word in command.argv), command
            assert command.timeout > 0
            assert command.stdin == ""


@pytest.mark.parametrize("name", MOVERS)
def test_only_a_copy_that_can_be_asked_for_by_its_mark_has_one(name):
    for options in variants(name):
        made = dict(commands(name, [PATH], options))
        is_marked = all(any(TOKEN in word for word in made[action].argv) for action in ("archive", "locate"))

        assert is_marked is MOVERS[name][1].has_mark(options)


def test_a_copy_that_was_there_before_is_not_fresh():
    """The tape that a copy is on may change, and its time of expiry: it is the same copy all the same."""
    old = Located(path=PATH, size=10, when="2016-04-01 02:17:31", media="A")
    moved = replace(old, media="B", expires="2033-01-01", stored=12)
    new = replace(old, when="2026-04-01 02:17:31")

    assert (new,) == fresh([moved, new], [old])
    assert () == fresh([moved], [old])
    assert (moved,) == fresh([moved], [])


HOSTILE = [
    "-deletefiles", "X -deletefiles", "-del", "-G", "x\n-deletefiles", "--delete", "$(id)", "`id`", ";id", "{dir}",
    "", " ", "x=y -deletefiles", "-DELetefiles=yes", "yes", True, None, ["-deletefiles"], {"a": 1}, 7, "a'b", 'a"b',
]  # fmt: skip
WORDS = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30), st.integers())
NAMES = st.one_of(
    st.sampled_from(
        [
            "type",
            "management_class",
            "optfile",
            "server",
            "policy",
            "since",
            "pool",
            "group",
            "retention",
            "mode",
        ]
    ),
    st.text(max_size=12),
)


@pytest.mark.parametrize("name", MOVERS)
@settings(max_examples=150, deadline=None)
@given(options=st.dictionaries(NAMES, WORDS, max_size=3))
def test_no_option_makes_a_bma_delete_the_tape(name, options):
    """It is refused, or it is on the command line as one harmless word."""
    values, mover = MOVERS[name]
    for action in ACTIONS:
        try:
            command = getattr(mover, action)(values, [PATH], TOKEN, options)
        except Refused:
            continue
        assert not deletes(command), command
        assert all(word == word.strip() or word == PATH for word in command.argv)
        assert all(c.isprintable() for word in command.argv for c in word)
        if action == "archive":
            assert [] == list(mover.check_options(options))


ODD = st.text(st.characters(exclude_characters="/"), min_size=1, max_size=40).filter(
    lambda s: s not in (".", "..")
)


@pytest.mark.parametrize("name", MOVERS)
@settings(max_examples=150, deadline=None)
@given(tapes=st.lists(ODD, min_size=1, max_size=3, unique=True))
def test_hostile_names_are_carried_as_they_are_or_refused(name, tapes):
    paths = [f"/VAULT01/POOL1/{tape}" for tape in tapes]
    values, mover = MOVERS[name]
    for action in ACTIONS:
        try:
            command = getattr(mover, action)(values, paths, TOKEN, OPTIONS.get(name, {}))
        except Refused:
            continue
        listed = command.files.get("list", "").split("\n")
        given_as = [*command.argv, *listed, *(line[1:-1] for line in listed if line[:1] == '"')]

        assert not deletes(command)
        assert all(
            "{dir}" not in word
            or word in ("-filelist={dir}/list", "{dir}/list", "{dir}", "{dir}/asking.sh", *paths)
            for word in command.argv
        )
        if action == "archive":
            assert set(paths) <= set(given_as)
            assert len(listed) in (1, len(paths) + 1)


def test_names_with_blanks_quotes_and_dashes_are_carried():
    for name in MOVERS:
        for tape in ("a b", "a'b", "-rf", "ä", "x\udcff", "a;b", "$(id)"):
            path = f"/VAULT01/POOL1/{tape}"
            for action, command in commands(name, [path], {}):
                assert action == "locate" or path in command.argv, (name, command)


@pytest.mark.parametrize("tape", ["a\nb", "a\tb", "a\x1bb", "a\x85b", "a\u2028b", "a{dir}b", "a\0b"])
def test_names_that_would_be_another_entry_are_refused_with_a_sentence(tape):
    for name in MOVERS:
        with pytest.raises(Refused, match="cannot be handed to the backup application"):
            list(commands(name, [f"/VAULT01/POOL1/{tape}"], {}))


@pytest.mark.parametrize(
    ("name", "tape"), [("tsm", "A*"), ("tsm", "A?"), ("netbackup", "A[1]"), ("netbackup", "A\\B")]
)
def test_a_pattern_would_touch_other_tapes(name, tape):
    with pytest.raises(Refused, match="pattern"):
        list(commands(name, [f"/VAULT01/POOL1/{tape}"], {}))


@pytest.mark.parametrize(
    "argv",
    [
        ["dsmc", "archive", "-deletefiles", PATH],
        ["dsmc", "archive", "-DEL", PATH],
        ["dsmc", "archive", "-deletef=yes", PATH],
        ["/x/bparchive", PATH],
        ["/usr/sbin/nsrarchive", "-i", "-G", PATH],
        ["nsrarchive", "-iG", PATH],
        ["rsync", "--remove-source-files", PATH],
        ["tar", "--remove-files", PATH],
        ["rsync", "--delete-after", PATH],
        ["mv", PATH, "/x"],
    ],
)
def test_the_last_check_before_a_command_leaves_the_room(argv):
    with pytest.raises(Refused, match="would let the backup application delete the tape"):
        harmless(Command(argv=tuple(argv)))


def test_a_tape_may_be_called_like_a_program():
    assert harmless(Command(argv=("dsmc", "archive", "/VAULT01/POOL1/rm")))


@pytest.mark.parametrize("name", [name for name in MOVERS if name != "shelf"])
def test_every_command_passes_the_last_check(name, monkeypatch):
    """Were an option's pattern too wide one day, this is what stops it."""
    values, mover = MOVERS[name]
    module = import_module(mover.archive.__module__)
    monkeypatch.setattr(module, "fit_options", lambda _bma, _known, options: dict(options))
    monkeypatch.setattr(module, "wrong_options", lambda _bma, _known, _options: [])
    options = {"policy": "-deletefiles", "pool": "-deletefiles"}
    if name == "tsm":
        values = values.model_copy(update={"dsmc": "/x/bparchive"})
    with pytest.raises(Refused, match="delete the tape"):
        mover.archive(values, [PATH], TOKEN, options)


@pytest.mark.parametrize("path", ["TAPE", "-deletefiles", ""])
def test_only_whole_paths(path):
    for name in MOVERS:
        with pytest.raises(Refused):
            list(commands(name, [path], {}))


def test_two_tapes_to_retrieve_stand_in_a_list():
    """A second path on dsmc's command line would be the destination."""
    for _, command in commands("tsm", [PATH, "/VAULT01/POOL1/a b"], {}):
        assert "/VAULT01/POOL1/a b" not in command.argv
    made = dict(commands("tsm", [PATH, "/VAULT01/POOL1/a b"], {}))

    assert '"/VAULT01/POOL1/TAPE001"\n"/VAULT01/POOL1/a b"\n' == made["restore"].files["list"]
    assert "-filelist={dir}/list" == made["restore"].argv[-1]


DSM = "/opt/tivoli/tsm/client/ba/bin"
NBU = "/usr/openv/netbackup"
LINES = [
    ("tsm", "archive", {"management_class": "MC7Y"}, f"{DSM}/dsmc archive -optfile={DSM}/dsm.opt -archmc=MC7Y -description={TOKEN} {PATH}"),
    ("tsm", "archive", {"type": "selective"}, f"{DSM}/dsmc selective -optfile={DSM}/dsm.opt {PATH}"),
    ("tsm", "restore", {}, f"{DSM}/dsmc retrieve -optfile={DSM}/dsm.opt -replace=all -tapeprompt=no -description={TOKEN} {PATH}"),
    ("tsm", "restore", {"type": "selective", "server": "TSM2"}, f"{DSM}/dsmc restore -optfile={DSM}/dsm.opt -servername=TSM2 -replace=all -tapeprompt=no {PATH}"),
    ("tsm", "locate", {}, f"{DSM}/dsmc query archive -optfile={DSM}/dsm.opt -filesonly -detail -dateformat=3 -timeformat=1 -numberformat=1 -scrollprompt=no -description={TOKEN} {PATH}"),
    ("netbackup", "archive", {"schedule": "USER"}, f"{NBU}/bin/bpbackup -p VTS -s USER -t 0 -k {TOKEN} -w 0 -L {NBU}/logs/user_ops/{TOKEN}-archive.log -en {PATH}"),
    ("netbackup", "restore", {}, f"{NBU}/bin/bprestore -t 0 -C vts1 -D vts1 -k {TOKEN} -w 0 -L {NBU}/logs/user_ops/{TOKEN}-restore.log -en -print_jobid {PATH}"),
    ("netbackup", "locate", {"since": "01/01/2020"}, f"{NBU}/bin/bplist -C vts1 -t 0 -k VTS -keyword {TOKEN} -s 01/01/2020 -l -b {PATH}"),
    ("networker", "archive", {"retention": "7years"}, f"/usr/sbin/save -i -q -s nsr1 -c vts1 -y 7years -N {TOKEN} {PATH}"),
    ("networker", "archive", {"type": "archive", "pool": "P"}, f"/usr/sbin/nsrarchive -i -q -s nsr1 -b P -T {TOKEN} {PATH}"),
    ("networker", "restore", {}, f"/usr/sbin/recover -s nsr1 -c vts1 -a -f -q {PATH}"),
    ("networker", "restore", {"type": "archive", "pool": "P"}, f"/usr/sbin/nsrretrieve -s nsr1 -A {TOKEN} -f -q"),
    ("networker", "locate", {}, f"sh {{dir}}/asking.sh {{dir}} /usr/sbin/mminfo /usr/sbin/nsrinfo nsr1 client=vts1,name={TOKEN} ssid,savetime(22),nfiles,totalsize,volume,pool vts1 {PATH}"),
    ("networker", "locate", {"type": "archive", "pool": "P"}, f"/usr/sbin/mminfo -s nsr1 -a -q client=vts1,annotation={TOKEN} -r ssid,savetime(22),nfiles,totalsize,volume,pool"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "action", "options", "line"), LINES)
def test_the_command_lines_of_the_facts(name, action, options, line):
    assert line.split() == list(dict(commands(name, [PATH], options))[action].argv)


AS_OF = [
    ("tsm", {"type": "selective"}, "2026-04-01 02:17:31", ["-dateformat=3", "-timeformat=1", "-pitdate=2026-04-01", "-pittime=02:17:31"]),
    ("tsm", {}, "2026-04-01 02:17:31", []),
    ("networker", {}, "09/09/2025 10:01:52 AM", ["-t", "09/09/2025 10:01:52 AM"]),
    ("networker", {"type": "archive", "pool": "P"}, "09/09/2025 10:01:52 AM", []),
    ("netbackup", {}, "Apr 01 2016 02:17:31", []),
    ("shelf", {}, "x", []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "when", "words"), AS_OF)
def test_a_copy_without_a_mark_is_asked_for_by_its_time(name, options, when, words):
    values, mover = MOVERS[name]
    options = OPTIONS.get(name, {}) | options
    plain = mover.restore(values, [PATH], TOKEN, options).argv
    dated = mover.restore(values, [PATH], TOKEN, options, when=when).argv

    assert words == [word for word in dated if word not in plain]


@pytest.mark.parametrize(
    ("name", "options", "when"),
    [
        ("tsm", {"type": "selective"}, "01.04.2016 02:17:31"),
        ("tsm", {"type": "selective"}, "2026-04-01 02:17:31 -deletefiles"),
        ("networker", {}, "-deletefiles"),
        ("networker", {}, "09/09/25\n10:00:00"),
    ],
)
def test_a_time_that_is_none_brings_nothing_back(name, options, when):
    values, mover = MOVERS[name]
    with pytest.raises(Refused, match="which copy is meant is not known"):
        mover.restore(values, [PATH], TOKEN, options, when=when)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("tsm", {"managment_class": "A"}, "did you mean `management_class`?"),
        ("tsm", {"type": "archiv"}, "did you mean `archive`?"),
        ("tsm", {"type": "incremental"}, "archive or selective"),
        ("tsm", {"type": "selective", "management_class": "A"}, "type: archive"),
        ("tsm", {"management_class": "-deletefiles"}, "cannot be"),
        ("tsm", {"optfile": "/a b"}, "cannot be"),
        ("tsm", {"deletefiles": "yes"}, "no option of tsm"),
        ("netbackup", {"policy": "a b"}, "write for example VTS_TAPES"),
        ("networker", {"type": "archive"}, "`pool` is missing"),
        ("networker", {"type": "archive", "pool": "P", "group": "G"}, "`type: save` only"),
        ("networker", {"when": "1"}, "no option of networker"),
        ("shelf", {"mode": "777"}, "600 or 640"),
    ],
)
def test_options_that_are_not_in_order(name, options, said):
    (sentence,) = MOVERS[name][1].check_options(options)

    assert said in sentence


@pytest.mark.parametrize("name", MOVERS)
def test_every_row_has_a_source_and_says_how_sure_it_is(name):
    _, mover = MOVERS[name]
    tables = getattr(mover, "TABLES", None) or mover.tables
    for row in tables.rows():
        assert row.source
        assert row.sure in ("documented", "tried", "general", "site")
        assert not row.source.startswith("general") or row.sure == "general", row
    for option in getattr(mover, "OPTIONS", None) or mover.options:
        assert option.source
        assert option.meaning
    assert all(0 <= code <= 255 for row in tables.codes for code in row.exits)


@pytest.mark.parametrize("name", MOVERS)
@settings(max_examples=60, deadline=None)
@given(code=st.integers(0, 255) | st.none(), text=st.text(max_size=200), action=st.sampled_from(ACTIONS))
def test_whatever_is_said_is_judged_and_can_be_shown(name, code, text, action):
    values, mover = MOVERS[name]
    judged = mover.judge(values, action, Output(exit=code, text=text), [PATH])

    assert isinstance(judged.verdict, Verdict)
    assert judged.reason
    assert judged.source
    assert judged.proof.isprintable()
    assert len(judged.proof) <= 600
    assert not mover.located(values, Output(exit=code, text=text), [PATH], TOKEN)
    if judged.verdict is Verdict.SUCCESS and action != "locate":
        assert code == 0
        assert name == "netbackup" or judged.proof  # the one that prints nothing


@pytest.mark.parametrize("name", MOVERS)
def test_megabytes_are_read_once(name):
    values, mover = MOVERS[name]
    texts = (
        "Rebuilding the list of what was said before, and on it goes\n" * 50_000,
        "x" * 3_000_000,
        "--- User Action is Required ---\n" * 100_000,
        "save: " + "1 file(s)\n" * 300_000,
        "       72,191  B  2016-04-01 02:17:31    /V" + " Never" * 500_000,
    )
    for text in texts:
        began = time.process_time()
        for action in ACTIONS:
            mover.judge(values, action, Output(exit=0, text=text), [PATH])
        mover.located(values, Output(exit=0, text=text), [PATH], TOKEN)

        assert time.process_time() - began < 60  # a pattern that goes back and forth takes hours


def test_a_sites_rows_go_first_and_a_success_must_still_be_proven():
    written = {
        "servers": {"TSM1": {"tcpserveraddress": "a"}},
        "codes": {"4, 99": {"verdict": "success", "reason": "ours"}, "12": {"verdict": "transient"}},
        "messages": {"door": {"match": "^ANS1311E", "verdict": "transient", "actions": ["archive"]}},
        "proofs": {"archive": "^shelved (?P<count>[0-9]+)"},
        "timeouts": {"archive": "12h"},
    }
    values = bma.ALL["tsm"].Settings.model_validate(written)
    mover = bma.migrator("tsm", values)

    def verdict(code, text, action="archive"):
        return mover.judge(values, action, Output(exit=code, text=text), [PATH]).verdict

    assert Verdict.UNKNOWN is verdict(4, "")
    assert Verdict.SUCCESS is verdict(99, "shelved 1\n")
    assert Verdict.TRANSIENT is verdict(12, "x")
    assert Verdict.TRANSIENT is verdict(12, "ANS1311E full\n")
    assert Verdict.PERMANENT is verdict(12, "ANS1311E full\n", "restore")
    assert 12 * 3600 == mover.archive(values, [PATH], TOKEN, {}).timeout
    assert 600 == mover.locate(values, [PATH], TOKEN, {}).timeout


def test_ranges_of_codes():
    assert {0, 21, 22, 23, 40} == exits("0, 21-23, 40")


def test_any_mark_can_be_asked_for():
    """For copies that VTS itself has had made."""
    for name in ("tsm", "netbackup", "networker"):
        values, mover = MOVERS[name]
        command = mover.locate(values, [PATH], "", OPTIONS.get(name, {}))

        assert any(PATH in word for word in command.argv)
        assert not any("-description" in word or "-keyword" in word for word in command.argv)
