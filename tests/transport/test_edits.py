"""Other people's edits while a change is made: found until the last rename, kept and told afterwards."""

from __future__ import annotations

import os

import pytest

from tests.transport.box import Box, command, put, wait_until
from vtsconf.transport.server import Applied

OLD, NEW, HAND = b"old\n", b"new\n", b"by hand\n"
TARGETS = ("a.conf", "b.conf", "c.conf")  # changed, created, removed
HOWS = {
    "in place": "printf 'by hand\\n' >'{0}'",
    "by rename": "printf 'by hand\\n' >'{0}.mine'; mv '{0}.mine' '{0}'",
    "removed": "rm -f '{0}'",
    "directory": "rm -f '{0}'; mkdir '{0}'; echo kept >'{0}/kept'",
    "symlink": "rm -f '{0}'; printf 'by hand\\n' >'{0}.mine'; ln -s '{0}.mine' '{0}'",
    "dangling": "rm -f '{0}'; ln -s nowhere '{0}'",
    "same bytes by symlink": "cp -p '{0}' '{0}.mine' 2>/dev/null; ln -sf '{0}.mine' '{0}'",
}


@pytest.fixture
def server(box: Box) -> Box:
    for name in ("a.conf", "c.conf", "z.conf"):
        box.file(name).write_bytes(OLD)
        box.file(name).chmod(0o604)
    box.hurry()
    return box


def steps(box: Box, **more: object):
    return [
        put(box.file("a.conf"), OLD, NEW),
        put(box.file("b.conf"), None, NEW),
        put(box.file("c.conf"), OLD, None),
        put(box.file("z.conf"), OLD, NEW, **more),
    ]


def by_hand(box: Box, target: str, how: str) -> str:
    return HOWS[how].format(box.file(target))


def after_edit(box: Box, script: str) -> dict[str, tuple[str, bytes]]:
    """The tree that the same edit gives when nobody else is there; then as before."""
    keep = {p: p.read_bytes() for p in (box.root / "etc").iterdir()}
    os.system(script)
    tree = box.tree()
    os.system(f"rm -rf '{box.root}/etc'/*")
    for path, data in keep.items():
        path.write_bytes(data)
        path.chmod(0o604)
    return tree


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("target", TARGETS)
def test_an_edit_after_the_comparison(server, target, how):
    """Made by the validator: after the digests were compared, before anything is saved."""
    script = by_hand(server, target, how)
    wanted = after_edit(server, script)
    before = server.tree()
    applied = server.apply(steps(server, validate=("sh", "-c", f"{script}; true", "{}")))

    assert applied.outcome == "stale" if wanted != before else applied.outcome == "armed"
    if wanted != before:
        assert server.tree() == wanted
        assert server.is_free()


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("target", TARGETS)
def test_an_edit_just_before_the_rename(server, target, how):
    """Made by a stand-in for mv and ln, at the first swap: as late as can be. The edit stands, all else goes back."""
    script = by_hand(server, target, how)
    before = server.tree()
    wanted = after_edit(server, script)
    edit_at(server, script, 'case "$*" in */etc/*) [ -f "$P0/note" ] ;; *) false ;; esac')
    applied = server.apply(steps(server))

    assert applied.outcome == ("reverted" if wanted != before else "armed")
    if wanted != before:
        # A file that was removed while it was replaced is put back: its old bytes are what the plan knew.
        assert server.tree() == (before if (how, target) == ("removed", "a.conf") else wanted)
        assert server.is_free()
        assert leftovers(server) == []


def edit_at(box: Box, script: str, condition: str) -> None:
    """The edit is made once, when mv or ln is called while a change is armed."""
    flag = box.root / "edited"
    for tool in ("mv", "ln"):
        box.stand_in(
            tool,
            f"#!/bin/sh\nfor P0 in {box.state}/pending/*; do :; done\n"
            f'if [ ! -e {flag} ] && {condition}; then >{flag}; PATH=/usr/bin; umask 022; {script}; fi\nexec /usr/bin/{tool} "$@"\n',
        )


def leftovers(box: Box) -> list[str]:
    return [p.name for p in box.root.glob("etc/**/*") if "vtsconf" in p.name]


@pytest.mark.parametrize("how", ["in place", "by rename"])
@pytest.mark.parametrize("target", ["a.conf", "b.conf"])
def test_an_edit_after_the_swap_is_kept_when_the_change_goes_back(server, target, how):
    run = server.run_name()
    before = server.tree()
    assert server.apply(steps(server), run=run).outcome == "armed"
    os.system(by_hand(server, target, how))

    assert server.revert(run).outcome == "reverted"
    assert server.tree() == before
    assert server.edited(run) == [HAND]
    assert "was changed by someone else; kept as" in server.journal()


@pytest.mark.parametrize("how", ["in place", "by rename"])
def test_an_edit_after_the_swap_stays_when_the_change_is_kept(server, how):
    run = server.run_name()
    server.apply(steps(server), run=run)
    os.system(by_hand(server, "a.conf", how))

    assert server.confirm(run).outcome == "confirmed"
    assert server.file().read_bytes() == HAND


def test_a_writer_that_has_the_old_file_open_loses_nothing(server):
    run = server.run_name()
    with server.file().open("ab", buffering=0) as late:
        server.apply(steps(server), run=run)
        late.write(b"late\n")
        assert server.confirm(run).outcome == "confirmed"

    assert server.edited(run) == [OLD + b"late\n"]
    assert server.file().read_bytes() == NEW


def test_an_edit_between_two_swaps_is_not_run_over(server):
    """A command's check runs before the swaps, its run after; the edit comes from a stand-in in between."""
    script = by_hand(server, "z.conf", "in place")
    edit_at(server, script, 'case "$*" in *b.conf*) : ;; *) false ;; esac')
    applied = server.apply(steps(server))

    assert applied.outcome == "reverted"
    assert "z.conf was edited by someone else meanwhile" in applied.reason
    assert server.file("z.conf").read_bytes() == HAND
    assert server.file("a.conf").read_bytes() == OLD
    assert server.is_free()


def test_an_edit_of_a_file_that_the_swap_had_not_come_to_stays(server):
    """a.conf is swapped, b.conf cannot be; z.conf was edited meanwhile and never touched."""
    script = f"{by_hand(server, 'z.conf', 'in place')}; {by_hand(server, 'b.conf', 'in place')}"
    edit_at(server, script, 'case "$*" in *b.conf*) : ;; *) false ;; esac')
    applied = server.apply(steps(server))

    assert applied.outcome == "reverted"
    assert "b.conf was made by someone else meanwhile" in applied.reason
    assert {name: server.file(name).read_bytes() for name in ("a.conf", "b.conf", "c.conf", "z.conf")} == {
        "a.conf": OLD, "b.conf": HAND, "c.conf": OLD, "z.conf": HAND,
    }  # fmt: skip
    assert leftovers(server) == []


def test_an_edit_that_a_command_of_the_plan_makes_is_seen_by_the_controller(server):
    """Between the swap and the end: the server shows what is there, the controller compares."""
    path = server.file("a.conf")
    applied: Applied = server.apply(
        [*steps(server), command("c", ["false"], ["sh", "-c", f"echo x >>{path}"], ["true"])]
    )

    assert applied.outcome == "armed"
    assert applied.reading.files[str(path)].data == NEW + b"x\n"


def test_hard_links_come_back(server):
    other = server.root / "other-name"
    os.link(server.file(), other)
    run = server.run_name()
    server.apply(steps(server), run=run)
    assert other.read_bytes() == OLD
    server.revert(run)

    assert server.file().samefile(other)


def test_a_full_disk_keeps_an_edit_next_to_its_path(server):
    """The copy into the backup fails: then the edit itself is put aside, by a rename."""
    run = server.run_name()
    server.apply(steps(server), run=run)
    server.file().write_bytes(HAND)
    server.stand_in("cp", "#!/bin/sh\nexit 1\n")

    assert server.revert(run).outcome == "reverted"
    assert server.file().read_bytes() == OLD
    assert server.file("a.conf.vtsconf-edited").read_bytes() == HAND
    wait_until(lambda: "kept as" in server.journal())
