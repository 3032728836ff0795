"""Every tape of a server, listed over a real sh; and an answer that is strange, cut, or hostile."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transport.box import Box
from tests.transport.test_shells import SHELLS, Without, needs_namespace
from vtsconf.core.errors import Refused, Unreachable
from vtsconf.core.migrate.tape import Tape
from vtsconf.transport.local import LocalSession
from vtsconf.transport.server import Exit
from vtsconf.transport.tapes import MOST_PROBLEMS, TapeReader, TapesSeen

OLD_FIND = '#!/bin/sh\ncase "$*" in *-printf*) echo "find: unrecognized: -printf" >&2; exit 1 ;; esac\nexec /usr/bin/find "$@"\n'
RHEL_5_FIND = (
    '#!/bin/sh\ncase "$*" in "/ -maxdepth 0 "*) echo 1795601884; exit ;; esac\nexec /usr/bin/find "$@"\n'
)


@pytest.fixture
def vault(box: Box) -> Path:
    vault = box.root / "VAULT01"
    for pool in ("POOL1", "POOL2"):
        (vault / pool).mkdir(parents=True)
    return vault


def listed(
    box: Box, *vaults: Path | str, session: LocalSession | None = None
) -> tuple[list[Tape], TapesSeen]:
    tapes: list[Tape] = []
    seen = box.server(session).tapes([str(vault) for vault in vaults], tapes.append)
    return sorted(tapes, key=lambda tape: tape.path), seen


def tape_of(path: Path, owner: str) -> Tape:
    """What Python itself sees there."""
    status = path.lstat()
    return Tape(
        path=str(path), size=status.st_size, mtime=status.st_mtime_ns, inode=status.st_ino, owner=owner,
        allocated=status.st_blocks * 512,
    )  # fmt: skip


def sparse(path: Path, size: int) -> Path:
    with path.open("wb") as tape:
        tape.truncate(size)
    return path


@pytest.fixture(params=["find", "a find without -printf", "a find without fractions"])
def find(box: Box, request: pytest.FixtureRequest) -> str:
    texts = {"a find without -printf": OLD_FIND, "a find without fractions": RHEL_5_FIND}
    if request.param in texts:
        box.stand_in("find", texts[request.param])
    return request.param


def test_a_tape_is_told_as_it_is(box, vault, find):
    full = vault / "POOL1/T00001"
    full.write_bytes(b"x" * 5000)
    os.utime(full, ns=(0, 1_234_567_890_123_456_789))
    empty = sparse(vault / "POOL2/T00002", 0)
    thin = sparse(vault / "POOL2/T00003", 10**12)
    tapes, seen = listed(box, vault)

    assert [
        tape_of(path, "root" if os.geteuid() == 0 else path.owner()) for path in (full, empty, thin)
    ] == tapes
    assert (3, ()) == (seen.count, seen.problems)
    assert [False, True, False] == [tape.is_erased for tape in tapes]
    assert thin.stat().st_size > tapes[2].allocated == 0
    assert seen.clock > 1_700_000_000


NAMES = [
    b"a b", b" ", b"a\nb", b"\n", b"-rf", b"--help", b"a'b\"c", b"a|b|c", b"f2 1 2.3 4 5 6 FAKE", b"\xff\xfe\x80",
    b"%s%n", b"$(touch x)", b"*", b"x" * 255, "ü€".encode(), b"a\\nb", b"\x1b[31m", b"rec", b"\nmark0 code 0\n\nmark0 bye\n",
]  # fmt: skip


def test_no_name_is_taken_for_something_else(box, vault, find):
    for name in NAMES:
        Path(os.fsdecode(os.fsencode(vault / "POOL1") + b"/" + name)).touch()
    tapes, seen = listed(box, vault)

    assert sorted(os.fsencode(vault / "POOL1") + b"/" + name for name in NAMES) == sorted(
        os.fsencode(tape.path) for tape in tapes
    )
    assert (len(NAMES), ()) == (seen.count, seen.problems)


@settings(max_examples=25, deadline=None)
@given(
    st.sets(
        st.binary(min_size=1, max_size=40).filter(lambda n: not {0, 47} & set(n) and n[:1] != b"."),
        max_size=8,
    )
)
@pytest.mark.parametrize("tool", ["find", "stat"])
def test_any_name_comes_back(tmp_path_factory, tool, names):
    vault = tmp_path_factory.mktemp("v")
    (vault / "POOL").mkdir()
    for name in names:
        Path(os.fsdecode(os.fsencode(vault / "POOL") + b"/" + name)).touch()
    folder = tmp_path_factory.mktemp("box")
    with pytest.MonkeyPatch.context() as patch:
        box = Box(folder / "box", set_environment=patch.setenv)
        if tool == "stat":
            box.stand_in("find", OLD_FIND)
        tapes, _ = listed(box, vault)

    assert names - {n for n in names if b".vtsconf-" in n} == {
        os.fsencode(tape.path).rpartition(b"POOL/")[2] for tape in tapes
    }


def test_what_is_no_tape_is_told_apart(box, vault, find):
    sparse(vault / "POOL1/T00001", 1)
    sparse(vault / "stray", 1)
    sparse(vault / "POOL1/.vtsconf.1.new", 1)
    sparse(vault / "POOL1/T2.vtsconf-2026", 1)
    (vault / "POOL1/folder").mkdir()
    sparse(vault / "POOL1/folder/deeper", 1)
    (vault / "POOL1/link").symlink_to(vault / "POOL1/T00001")
    (vault / "POOL3").symlink_to(vault / "POOL1")
    os.mkfifo(vault / "POOL2/pipe")
    with socket.socket(socket.AF_UNIX) as unix:
        here = Path.cwd()
        os.chdir(vault / "POOL2")  # the name of a socket may have 100 bytes
        unix.bind("socket")
        os.chdir(here)
    for quiet in ("lost+found", ".snapshot"):
        (vault / quiet).mkdir()
        sparse(vault / quiet / "T00009", 1)
    tapes, seen = listed(box, vault)
    told = dict(problem.removeprefix(f"{vault}/").split(": ", 1) for problem in seen.problems)

    assert ["POOL1/T00001"] == [tape.path.removeprefix(f"{vault}/") for tape in tapes]
    assert {
        "stray": "a file in the vault itself, where only pools belong",
        "POOL1/.vtsconf.1.new": "a temporary or hidden file, not taken for a tape",
        "POOL1/T2.vtsconf-2026": "a temporary or hidden file, not taken for a tape",
        "POOL1/folder": "a directory, not a tape",
        "POOL1/link": "a symbolic link, not a tape",
        "POOL3": "a symbolic link where a pool should be; not followed, for a tape has one name",
        "POOL2/pipe": "a pipe, not a tape",
        "POOL2/socket": "a socket, not a tape",
        ".snapshot": "a hidden directory, not looked into",
    } == told


def test_a_vault_that_is_a_link_is_told_and_not_followed(box, vault):
    sparse(vault / "POOL1/T00001", 1)
    (box.root / "VAULT02").symlink_to(vault)
    tapes, seen = listed(box, vault, box.root / "VAULT02")

    assert [f"{vault}/POOL1/T00001"] == [tape.path for tape in tapes]
    assert (
        f"{box.root}/VAULT02: a symbolic link to {vault}; not followed, for a tape has one name",
    ) == seen.problems


def test_vaults_that_are_not_there_are_told(box, vault):
    sparse(box.root / "VAULT03", 1)
    _, seen = listed(box, vault, box.root / "VAULT02", box.root / "VAULT03")

    assert [f"{box.root}/VAULT02: not there", f"{box.root}/VAULT03: not a directory"] == list(seen.problems)
    assert listed(box, box.root / "VAULT02")[1].count == 0


class AsNobody(LocalSession):
    """A session of a user who may not read everything."""

    def execute(self, command, stdin, on_stdout):
        quoted = command.replace("'", "'\\''")
        return super().execute(
            f"exec setpriv --reuid 65534 --clear-groups sh -c '{quoted}'", stdin, on_stdout
        )


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_what_may_not_be_read_is_told(box, vault, find, tmp_path_factory):
    for folder in [vault, *vault.parents]:
        if str(folder) != "/":
            folder.chmod(folder.stat().st_mode | 0o055)
    sparse(vault / "POOL2/T00001", 1)
    (vault / "POOL1").chmod(0o700)
    tapes, seen = listed(box, vault, session=AsNobody())
    closed = box.root / "VAULT02"
    closed.mkdir(0o700)

    assert ["T00001"] == [tape.cartridge for tape in tapes]
    assert [f"'{vault}/POOL1': Permission denied"] == list(seen.problems)
    assert [f"{closed}: may not be read by this user"] == list(
        listed(box, closed, session=AsNobody())[1].problems
    )


def test_tapes_that_vanish_meanwhile_are_no_error(box, vault):
    """What `find` says when a directory has an entry that is gone when it looks."""
    sparse(vault / "POOL1/T00001", 1)
    box.stand_in(
        "find",
        f'#!/bin/sh\n/usr/bin/find "$@"; code=$?\ncase $* in *mindepth*) echo "find: ‘{vault}/POOL1/T2’: No such file" >&2; exit 1 ;; esac\n'
        "exit $code\n",
    )
    tapes, seen = listed(box, vault)

    assert (1, 1) == (len(tapes), seen.count)
    assert ["No such file"] == [problem.rpartition(": ")[2] for problem in seen.problems]


@pytest.mark.parametrize("how", ["exit 2", "kill -KILL $$", "exit 127", "echo error >&2; exit 137"])
def test_a_find_that_dies_is_an_error_and_never_a_short_list(box, vault, how):
    sparse(vault / "POOL1/T00001", 1)
    box.stand_in("find", f'#!/bin/sh\ncase $* in *mindepth*) printf "f2 1 1.0 1 0 0 /V/P/T\\0"; {how} ;; esac\nexec /usr/bin/find "$@"\n')  # fmt: skip
    with pytest.raises(Unreachable, match="the list of tapes ended early, after 1"):
        listed(box, vault)


class Kept(LocalSession):
    """Keeps what the server said."""

    def __init__(self) -> None:
        self.data = b""

    def execute(self, command, stdin, on_stdout):
        def take(data: bytes) -> None:
            self.data += data
            on_stdout(data)

        return super().execute(command, stdin, take)


def test_an_answer_that_is_cut_anywhere_is_an_error(box, vault):
    for number in range(3):
        sparse(vault / f"POOL1/T0000{number}", 1)
    whole = Kept()
    listed(box, vault, session=whole)
    mark = whole.data.split(b" users")[0].rpartition(b"\n")[2].decode()
    for after in range(len(whole.data) - 1):
        reader = TapeReader(mark, lambda _: None)
        reader.feed(whole.data[:after])

        with pytest.raises(Unreachable, match="ended early"):
            reader.end(Exit(code=0))


@pytest.mark.parametrize("shell", SHELLS)
def test_other_shells(box, vault, shell, find):
    box.speak(*SHELLS[shell])
    sparse(vault / "POOL1/T00001", 7)
    tapes, seen = listed(box, vault, box.root / "VAULT02")

    assert [("T00001", 7)] == [(tape.cartridge, tape.size) for tape in tapes]
    assert 1 == len(seen.problems)


def test_busyboxs_own_tools(box, vault):
    for tool in ("find", "stat", "readlink", "date"):
        box.stand_in(tool, f'#!/bin/sh\nexec busybox {tool} "$@"\n')
    box.speak("busybox", "sh")
    made = sparse(vault / "POOL1/T 1\n2", 7)
    tapes, _ = listed(box, vault)

    assert [(str(made), 7, made.stat().st_mtime_ns)] == [(t.path, t.size, t.mtime) for t in tapes]


@needs_namespace
def test_without_find_it_is_an_error(box, vault):
    with pytest.raises(Unreachable, match="ended early"):
        listed(box, vault, session=Without("find"))


@pytest.mark.parametrize("vault", ["VAULT01", "/VAULT01/", "", "/V\n", "/V\0", "-name"])
def test_what_is_no_vault_is_refused(box, vault):
    with pytest.raises(Refused):
        listed(box, vault)


# ---- the reader alone

MARK = "m0123456789"
AFTER = f"\n{MARK} code 0\n\n{MARK} clock\n17\n\n{MARK} bye\n".encode()
BEFORE = f"banner\n{MARK} users\n0 root\n7 dup\n7 other\n\n{MARK} tapes nul\n".encode()


def read(data: bytes, size: int = 10**9) -> tuple[list[Tape], TapesSeen]:
    tapes: list[Tape] = []
    reader = TapeReader(MARK, tapes.append)
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])
    return tapes, reader.end(Exit(code=0))


def record(number: int, user: int = 0) -> bytes:
    return b"f2 %d 1795601884.9114938590 %d %d 8 /VAULT01/P/T%d\0" % (number, number, user, number)


@pytest.mark.parametrize("size", [*range(1, 24), 100, 10**6])
def test_pieces_of_any_size(size):
    tapes, seen = read(BEFORE + b"".join(map(record, range(20))) + AFTER, size)

    assert [tape.size for tape in tapes] == list(range(20))
    assert (20, 17) == (seen.count, seen.clock)


def test_owners_are_named_where_the_server_knows_them():
    tapes, _ = read(BEFORE + record(1) + record(2, 7) + record(3, 99) + AFTER)

    assert ["root", "dup", "99"] == [tape.owner for tape in tapes]


def test_an_old_time_of_a_tape():
    tapes, _ = read(BEFORE + b"f2 1 0.0000000000 1 0 0 /V/P/T\0" + AFTER)

    assert [0] == [tape.mtime for tape in tapes]


@pytest.mark.parametrize(
    "said", [b"f2 1\0", b"f2 x 1.0 1 0 0 /V/P/T\0", b"\0", b"f2 1 1.0 1 0 0 /V/P/T" + b"x" * 70_000]
)
def test_a_record_that_makes_no_sense_is_an_error(said):
    with pytest.raises(Unreachable, match="makes no sense"):
        read(BEFORE + said + AFTER)


def test_many_problems_are_counted_and_not_kept():
    strays = b"".join(b"f1 1 1.0 1 0 0 /V/%d\0" % n for n in range(MOST_PROBLEMS + 7))
    _, seen = read(BEFORE + strays + AFTER)

    assert (MOST_PROBLEMS, 7) == (len(seen.problems), seen.untold)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", BEFORE, BEFORE + record(1)]), st.integers(1, 50))
def test_whatever_a_server_sends_is_a_list_or_an_error(noise, before, size):
    try:
        tapes, seen = read(before + noise + AFTER, size)
    except Unreachable:
        return

    assert len(tapes) == seen.count
