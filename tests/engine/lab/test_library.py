"""The stand-ins of backup clients keep real copies, and each of their faults gets the verdict that it should."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.engine.lab.client import TSM, Client
from vtsconf.bma.contract import Verdict
from vtsconf.engine.lab.faults import BMA

S, PARTIAL, TRANSIENT, PERMANENT, UNKNOWN = (
    Verdict.SUCCESS,
    Verdict.PARTIAL,
    Verdict.TRANSIENT,
    Verdict.PERMANENT,
    Verdict.UNKNOWN,
)
NAMES = ("tsm", "netbackup", "networker")
DATA = b"d" + os.urandom(2999)


@pytest.fixture(params=NAMES)
def client(request, tmp_path):
    return Client(tmp_path / "a lab", request.param)


def sized(copies):
    """What the catalogue says of sizes: exact, or for NetWorker at least what the copy takes."""
    return [(c.path, c.size if c.size is not None else "at least", c.token) for c in copies]


def expected(client, path, size, token="vtsconf-1"):
    return (path, "at least" if client.name == "networker" else size, token)


KINDS = [("tsm", {}), ("tsm", {"type": "selective"}), ("netbackup", {}), ("networker", {})]
KINDS += [("networker", {"type": "archive", "pool": "VTS Archive"})]


@pytest.mark.parametrize(("name", "options"), KINDS)
@pytest.mark.parametrize("tape", ["T00001", "a tape (1) 'x'", "-rf", "ä", "x\udcff"])
def test_archived_found_and_restored_over_its_stub(tmp_path, name, options, tape):
    client = Client(tmp_path / "a lab", name)
    path = client.tape(tape, DATA)

    done, _ = client.do("archive", [path], **options)
    (copy,) = client.copies([path], **options)
    client.tape(tape, b"")
    back, _ = client.do("restore", [path], **options)

    assert (S, S) == (done.verdict, back.verdict)
    assert (path, len(DATA) if name != "networker" else None) == (copy.path, copy.size)
    assert copy.stored is None or copy.stored >= len(DATA)
    assert Path(path).read_bytes() == DATA


@pytest.mark.parametrize("name", NAMES)
def test_several_at_once(tmp_path, name):
    client = Client(tmp_path, name)
    paths = [client.tape(f"T0000{n}", DATA[: 100 * n]) for n in (1, 2, 3)]

    done, _ = client.do("archive", paths)
    copies = client.copies(paths)
    for n in (1, 2, 3):
        client.tape(f"T0000{n}", b"")
    back, _ = client.do("restore", paths)

    assert (S, S) == (done.verdict, back.verdict)
    assert paths == [copy.path for copy in copies]
    assert [100, 200, 300] == [Path(path).stat().st_size for path in paths]


def test_the_same_tape_twice_is_two_copies(client):
    path = client.tape("T00001", DATA)
    client.do("archive", [path])
    client.do("archive", [path])

    assert [expected(client, path, len(DATA))] * 2 == sized(client.copies([path]))


def test_the_token_picks_the_copy(tmp_path):
    for name, options in (("tsm", {}), ("netbackup", {}), ("networker", {"type": "archive", "pool": "A"})):
        client = Client(tmp_path / name, name)
        path = client.tape("T00001", b"first")
        client.do("archive", [path], "vtsconf-1", **options)
        client.tape("T00001", b"second and longer")
        client.do("archive", [path], "vtsconf-2", **options)
        client.do("restore", [path], "vtsconf-1", **options)

        assert b"first" == Path(path).read_bytes()


def test_networker_brings_back_the_newest_unless_told_when(tmp_path):
    client = Client(tmp_path, "networker")
    path = client.tape("T00001", DATA)
    client.do("archive", [path])
    (copy,) = client.copies([path])
    client.tape("T00001", b"")
    folder = next((tmp_path / "library/networker/vts1").iterdir())
    (folder / "when").write_text("2026-01-02 03:04:05\n")  # an older one than what follows
    (copy,) = client.copies([path])
    client.do("archive", [path], "nightly")  # the stub
    client.do("restore", [path])
    newest = Path(path).read_bytes()
    client.do("restore", [path], when=copy.when)

    assert b"" == newest
    assert DATA == Path(path).read_bytes()


def test_what_is_not_there_is_an_answer_of_the_catalogue_and_no_restore(client):
    path = client.tape("T00001", DATA)
    asked, _ = client.do("locate", [path])
    back, _ = client.do("restore", [path])

    assert S is asked.verdict
    assert [] == client.copies([path])
    assert PERMANENT is back.verdict
    assert DATA == Path(path).read_bytes()


# fault, action, then verdicts of tsm, netbackup, networker; "-": that client cannot do it.
FAULTS = [
    ("exit 4", "archive", PARTIAL, UNKNOWN, UNKNOWN),
    ("exit 8", "archive", S, UNKNOWN, UNKNOWN),
    ("exit 12", "archive", PERMANENT, UNKNOWN, UNKNOWN),
    ("exit 1", "archive", UNKNOWN, PARTIAL, PERMANENT),
    ("exit 134", "archive", UNKNOWN, TRANSIENT, UNKNOWN),
    ("exit 77", "restore", UNKNOWN, UNKNOWN, UNKNOWN),
    ("partial", "archive", PARTIAL, PARTIAL, PARTIAL),
    ("partial", "restore", PARTIAL, PARTIAL, PERMANENT),
    ("prompt", "archive", PERMANENT, UNKNOWN, UNKNOWN),
    ("prompt", "restore", PERMANENT, UNKNOWN, UNKNOWN),
    ("hang", "archive", UNKNOWN, UNKNOWN, UNKNOWN),
    ("silent", "archive", UNKNOWN, S, UNKNOWN),
    ("silent", "restore", UNKNOWN, S, UNKNOWN),
    ("silent", "locate", UNKNOWN, UNKNOWN, UNKNOWN),
    ("flood", "archive", S, S, S),
    ("german", "archive", UNKNOWN, S, UNKNOWN),
    ("german", "locate", UNKNOWN, UNKNOWN, UNKNOWN),
    ("changes", "archive", TRANSIENT, PARTIAL, PARTIAL),
    ("changes-silently", "archive", S, S, S),
    ("rewrites", "archive", S, S, S),
    ("full", "archive", PERMANENT, PERMANENT, TRANSIENT),
    ("no-server", "archive", TRANSIENT, TRANSIENT, TRANSIENT),
    ("no-server", "locate", TRANSIENT, TRANSIENT, TRANSIENT),
    ("lies", "archive", S, S, S),
    ("short", "archive", S, S, S),
    ("rounds", "locate", S, S, S),
    ("cut", "locate", UNKNOWN, UNKNOWN, UNKNOWN),
    ("dies", "archive", UNKNOWN, UNKNOWN, UNKNOWN),
    ("slow 0", "archive", S, S, S),
]
ENDLESS = {"hang": NAMES, "prompt": NAMES, "full": ("networker",)}


def test_every_fault_is_tried():
    assert set(BMA) == {words.split()[0] for words, *_ in FAULTS}


@pytest.mark.parametrize(("words", "action", *NAMES), FAULTS, ids=[f"{f[0]}-{f[1]}" for f in FAULTS])
def test_each_fault_gets_its_verdict(client, words, action, tsm, netbackup, networker):
    wanted = {"tsm": tsm, "netbackup": netbackup, "networker": networker}[client.name]
    path = client.tape("T00001", DATA)
    if action != "archive":
        client.do("archive", [path])
    client.break_(*words.split(), action)
    seconds = 1.5 if client.name in ENDLESS.get(words.split()[0], ()) else 60

    judged, output = client.do(action, [path], seconds=seconds)

    assert wanted is judged.verdict, (judged, output.text[-500:])
    assert judged.source
    assert judged.reason


def test_what_the_client_asked_is_told(tmp_path):
    client = Client(tmp_path, "tsm")
    path = client.tape("T00001", DATA)
    client.break_("prompt")

    judged, _ = client.do("archive", [path], seconds=1)

    assert "Action [1,2,3,4,A]" in judged.proof
    assert "exists" in judged.proof


@pytest.mark.parametrize("how", ["lies", "short", "cut", "german", "rounds", "silent"])
def test_the_second_witness_does_not_confirm(client, how):
    """Whatever the first has said: the catalogue shows nothing, or another size, or none."""
    path = client.tape("T00001", DATA)
    client.break_(how, *(["locate"] if how not in ("lies", "short", "silent") else []))
    client.do("archive", [path])

    copies = client.copies([path])

    assert not any(copy.size == len(DATA) for copy in copies)
    assert not any(copy.stored == len(DATA) for copy in copies)


def test_a_tape_that_changed_unseen_is_seen_in_the_file(client):
    path = client.tape("T00001", DATA)
    client.break_("changes-silently")
    client.do("archive", [path])

    assert len(DATA) + 1 == Path(path).stat().st_size
    assert [expected(client, path, len(DATA))] == sized(client.copies([path]))


def test_a_tape_that_was_rewritten_is_seen_in_its_bytes_alone(client):
    path = client.tape("T00001", DATA)
    before = Path(path).stat()
    client.break_("rewrites")
    client.do("archive", [path])
    after = Path(path).stat()

    assert (before.st_size, before.st_mtime_ns, before.st_ino) == (
        after.st_size,
        after.st_mtime_ns,
        after.st_ino,
    )
    assert b"x" + DATA[1:] == Path(path).read_bytes()
    assert [expected(client, path, len(DATA))] == sized(client.copies([path]))


def test_killed_when_the_copy_is_safe_leaves_one_copy(client):
    path = client.tape("T00001", DATA)
    client.break_("dies", once=True)
    client.do("archive", [path])

    assert [expected(client, path, len(DATA))] == sized(client.copies([path]))


def test_a_restore_that_fails_leaves_half_a_file(client):
    """Promise 10 is about this: whoever called must put the stub back."""
    path = client.tape("T00001", DATA)
    client.do("archive", [path])
    client.tape("T00001", b"")
    client.break_("partial", "restore")
    client.do("restore", [path])

    assert len(DATA) // 2 == Path(path).stat().st_size


def test_a_fault_for_one_action_and_once(client):
    path = client.tape("T00001", DATA)
    client.break_("no-server", "locate", once=True)

    assert S is client.do("archive", [path])[0].verdict
    assert TRANSIENT is client.do("locate", [path])[0].verdict
    assert S is client.do("locate", [path])[0].verdict


def test_the_log_says_who_worked_on_which_tape(client):
    path = client.tape("T00001", DATA)
    client.do("archive", [path])
    client.do("restore", [path])
    log = client.log()

    assert [["begin", client.name, "archive"], ["end", client.name, "archive"]] == [
        line[:3] for line in log[:2]
    ]
    assert [["begin", client.name, "restore"], ["end", client.name, "restore"]] == [
        line[:3] for line in log[2:]
    ]
    assert log[0][3] == log[1][3]


def test_an_excluded_tape_is_left_out(tmp_path):
    client = Client(tmp_path, "tsm")
    path = client.tape("T00001", DATA)
    folder = client.root / TSM
    (folder / "rules").write_text(f"exclude {client.root}/VAULT01/.../*\n")
    with (folder / "dsm.sys").open("a") as file:
        file.write(f"  inclexcl {folder}/rules\n")

    judged, output = client.do("archive", [path])

    assert (PERMANENT, 4) == (judged.verdict, output.exit)
    assert "inclexcl" in judged.reason


def test_the_stand_ins_delete_when_they_are_told_to(tmp_path):
    """As the real ones do: so that a test that forgets our guard loses a tape."""
    client = Client(tmp_path, "tsm")
    path = client.tape("T00001", DATA)
    command = client.bma.archive(client.settings, [path], "vtsconf-1", {})
    argv = (*command.argv[:2], "-deletefiles", *command.argv[2:])
    output = client.run(type(command)(argv=argv, env=command.env))
    judged = client.bma.judge(client.settings, "archive", output, [path])

    assert not Path(path).exists()
    assert PERMANENT is judged.verdict
    assert "deleted" in judged.reason
