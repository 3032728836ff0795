"""What counts as an answer of a catalogue: for every adapter the same table. What is no good answer shows no copy."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.bma.movers import MOVERS
from tests.bma.test_bacula import END, FOLDER, RECORD, TOKEN
from tests.bma.test_bacula import settings as bacula_settings
from vtsconf.bma import bacula
from vtsconf.bma.contract import Output, Verdict

PATH = "/VAULT01/POOL1/TAPE001"
ADAPTERS = {**MOVERS, "bacula": (bacula_settings(), bacula)}


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the catalogue of one adapter says, as (exit, text). `good` shows one copy."""

    good: tuple[int, str]
    none: tuple[int, str]
    away: tuple[int, str]
    german: tuple[int, str]


_TSM = "       72,191  B  2016-04-01 02:17:31    {path} Never {token}  RetInit:STARTED  ObjHeld:NO\n"
_NBU = "-rw-r----- root      root             72191 {when} {path}\n"
_NSR = "= asked\n      412345 {when}     1        {size} LTO001 Default\n= index {when}\n| {path}\n| 1 objects found\n= end\n"
SAID = {
    "tsm": Said(
        good=(0, _TSM.format(path=PATH, token=TOKEN)),
        none=(8, "ANS1092W No files matching search criteria were found\n"),
        away=(12, "ANS1017E Session rejected: TCP/IP connection failure.\n"),
        german=(0, _TSM.replace("72,191", "72.191").format(path=PATH, token=TOKEN)),
    ),
    "netbackup": Said(
        good=(0, _NBU.format(when="Apr 01 2016 02:17:31", path=PATH)),
        none=(227, "EXIT STATUS 227: no entity was found\n"),
        away=(58, "EXIT STATUS 58: can't connect to client\n"),
        german=(0, _NBU.format(when="Okt 01 2016 02:17:31", path=PATH)),
    ),
    "networker": Said(
        good=(0, _NSR.format(when="09/09/2025 10:01:52 AM", size="24948", path=PATH)),
        none=(1, "mminfo: no matches found for the query\n"),
        away=(1, "mminfo: RPC error: cannot contact the nsrd service on nsr1\n"),
        german=(0, _NSR.format(when="09.09.2025 10:01:52", size="24.948", path=PATH)),
    ),
    "bacula": Said(
        good=(0, RECORD + FOLDER + END),
        none=(0, "= end locate\n"),
        away=(3, "= unanswered 1\n| Unable to connect to Director\n= end unasked\n"),
        german=(0, (RECORD + FOLDER + END).replace("= end locate", "= Ende locate")),
    ),
    "shelf": Said(
        good=(0, f"72191 {PATH}\n"),
        none=(1, "find: '/backup/tapes/vtsconf-1': No such file or directory\n"),
        away=(1, "find: '/backup/tapes': Stale file handle\n"),
        german=(0, f"72.191 {PATH}\n"),
    ),
}
ANSWERED, UNANSWERED = Verdict.SUCCESS, Verdict.UNKNOWN


def heard(name, exit_code, text, *, is_cut=False):
    """The verdict, and how many copies are shown."""
    settings, mover = ADAPTERS[name]
    output = Output(exit=exit_code, text=text, is_cut=is_cut)
    judged = mover.judge(settings, "locate", output, [PATH])
    return judged.verdict, len(mover.located(settings, output, [PATH], TOKEN))


def test_every_adapter_is_in_the_table():
    assert set(SAID) == set(ADAPTERS)


@pytest.mark.parametrize("name", SAID)
class TestAnswers:
    def test_a_copy(self, name):
        assert (ANSWERED, 1) == heard(name, *SAID[name].good)

    def test_none(self, name):
        assert (ANSWERED, 0) == heard(name, *SAID[name].none)

    def test_nobody_is_there(self, name):
        verdict, copies = heard(name, *SAID[name].away)

        assert (verdict is ANSWERED, copies) == (False, 0)
        assert verdict is Verdict.TRANSIENT or name == "shelf"  # its file says nothing of this text

    def test_a_row_and_then_nobody_is_there(self, name):
        said = SAID[name]
        verdict, copies = heard(name, said.away[0], said.good[1] + said.away[1])

        assert (verdict is ANSWERED, copies) == (False, 0)

    @pytest.mark.parametrize("code", [None, 1, 4, 12, 99, 124, 126, 127, 137, 143, 255])
    def test_a_row_and_a_bad_end(self, name, code):
        verdict, copies = heard(name, code, SAID[name].good[1])

        assert (verdict is ANSWERED, copies) == (False, 0)

    def test_a_row_and_its_middle_is_missing(self, name):
        assert (UNANSWERED, 0) == heard(name, *SAID[name].good, is_cut=True)

    def test_none_and_its_middle_is_missing(self, name):
        assert (UNANSWERED, 0) == heard(name, *SAID[name].none, is_cut=True)

    @pytest.mark.parametrize("code", [None, 124, 137])
    def test_none_and_then_it_was_ended(self, name, code):
        verdict, copies = heard(name, code, SAID[name].none[1])

        assert (verdict is ANSWERED, copies) == (False, 0)

    def test_another_locale(self, name):
        assert (UNANSWERED, 0) == heard(name, *SAID[name].german)

    def test_nothing_at_all(self, name):
        assert (UNANSWERED, 0) == heard(name, 0, "")

    def test_none_and_a_row_all_the_same(self, name):
        """Bacula has no text for `none`: what it shows is what there is."""
        code, text = SAID[name].none
        expected = (ANSWERED, 1) if name == "bacula" else (UNANSWERED, 0)

        assert expected == heard(name, code, SAID[name].good[1] + text)


def test_a_connection_that_broke_while_it_answered_is_no_answer_of_none():
    """ANS1092W means none with exit 8 only [endit]."""
    text = "ANS1092W No files matching search criteria were found\nANS1017E Session rejected\n"

    assert (Verdict.TRANSIENT, 0) == heard("tsm", 12, text)


def test_the_words_for_none_in_the_name_of_a_volume_are_none():
    assert (Verdict.PERMANENT, 0) == heard(
        "networker", 1, "nsrmmdbd: mminfo: no matches found volume broken\n"
    )
