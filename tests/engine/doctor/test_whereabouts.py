"""The search for the configuration file: candidates, bounded, never a verdict."""

from __future__ import annotations

import subprocess

import pytest

from vtsconf.core.probe import QuerySeen, Reading
from vtsconf.engine.doctor.whereabouts import Candidate, search, whereabouts_of

LINES = "ems_enable='YES'\nems_hostnames='A'\n"


@pytest.fixture
def tape(tmp_path):
    folder = tmp_path / "tape"
    (folder / "conf").mkdir(parents=True)
    (folder / "conf" / "vts.conf").write_text("# x\n" + LINES)
    (folder / "conf" / "old copy.bak").write_text("  ems_enable='NO'\n")
    (folder / "notes").write_text("ems_enable is on; # ems_enable='YES'\n")
    (folder / "link").symlink_to(folder / "conf" / "vts.conf")
    (folder / "big").write_text(LINES + "x" * 3_000_000)
    return folder


def look(*roots, config_file=None):
    query = search(config_file, [str(root) for root in roots])
    done = subprocess.run(query.argv, capture_output=True, check=False)
    seen = QuerySeen(exit=done.returncode, stdout=done.stdout)
    return whereabouts_of(Reading(queries={query.name: seen}), [str(root) for root in roots])


def test_files_with_such_lines_the_fullest_first(tape):
    found = look(tape)

    assert (
        Candidate(path=f"{tape}/conf/vts.conf", lines=2),
        Candidate(path=f"{tape}/conf/old copy.bak", lines=1),
    ) == found.candidates
    assert "candidates below" in found.sentence


def test_a_folder_that_is_a_link_is_looked_into(tape, tmp_path):
    (tmp_path / "here").symlink_to(tape)

    assert 2 == len(look(tmp_path / "here").candidates)


def test_nothing_is_searched_for_when_it_is_where_the_documents_say(tape):
    assert () == look(tape, config_file=str(tape / "notes")).candidates


def test_an_absent_folder_is_named(tmp_path):
    found = look(tmp_path / "none")

    assert (str(tmp_path / "none"),) == found.absent
    assert "no such folder" in found.sentence


def test_too_many_are_cut(tmp_path):
    for number in range(40):
        (tmp_path / f"f{number}").write_text(LINES)
    found = look(tmp_path)

    assert (20, False) == (len(found.candidates), found.complete)
    assert "cut short" in found.sentence


def test_too_deep_is_not_looked_at(tmp_path):
    deep = tmp_path.joinpath(*"abcdefgh")
    deep.mkdir(parents=True)
    (deep / "f").write_text(LINES)

    assert () == look(tmp_path).candidates


@pytest.mark.parametrize(
    "text", [b"", b"rel:5\n", b"/x:many\n", b"/y\xff:3\n", b"absent\n", b"/z:99999999999999\n"]
)
def test_strange_answers_are_no_error(text):
    seen = QuerySeen(exit=None, stdout=text)
    found = whereabouts_of(Reading(queries={search(None, []).name: seen}), [])

    assert not found.complete
    assert len(found.candidates) <= 1
