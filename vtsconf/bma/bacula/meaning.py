"""What the end of a run means: rows with their sources, read in one order. Pure.

"tried": run by hand, or in our tests, with Bacula 9.6.7. `JobStatus: T` alone is never enough there: a job that found nothing
ends with T as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vtsconf.bma.bacula.report import FINAL, Mark, Record, Report
from vtsconf.bma.contract import Judgement, Output, Verdict
from vtsconf.bma.judging import EVERY, TIMED_OUT, Message, Row, shortened
from vtsconf.core.printable import printable

_RUN = "Bacula 9.6.7"
_OURS = "vtsconf"


def _text(pattern: str, verdict: Verdict, reason: str, **more: object) -> Message:
    about = {"source": _RUN, "sure": "tried", "exits": EVERY, **more}
    return Message(pattern=pattern, verdict=verdict, reason=reason, **about)  # type: ignore[arg-type]


_PERMANENT, _TRANSIENT = Verdict.PERMANENT, Verdict.TRANSIENT

# The one text that makes of a cancelled job one that is tried again: whatever else its log says, somebody has ended it.
_DUPLICATE = _text(r"Duplicate job not allowed", _TRANSIENT, "a job of this name is running already")

# The first that fits counts: what a person must look at goes before what may pass by itself.
MESSAGES = (
    _text(r"Cannot open FileSet input file", _PERMANENT, "the file daemon cannot read the list of the job"),
    _text(
        r"File size of restored file ",  # only said where it is `not correct`
        _PERMANENT,
        "the tape does not give back the whole file: what stands there now is a part of it",
    ),
    _text(r"Volume data error", _PERMANENT, "the tape cannot be read: its data are damaged"),
    _text(r"Bad autochanger", _PERMANENT, "the library cannot load the tape"),
    _text(r"No authorization for", _PERMANENT, "the console may not use that: see its ACLs"),
    _text(
        r"Could not stat|Could not open|Could not access",
        _PERMANENT,
        "a tape could not be read by the file daemon",
    ),
    _text(
        r"No database record found for|No files selected to be restored",
        _PERMANENT,
        "the catalogue does not have this tape in this job",
    ),
    _text(r"is an invalid command", _PERMANENT, "the console may not use that command: see its CommandACL"),
    _text(
        r"[Aa]uthorization (?:problem|error)|Bad password|Incorrect password|password mismatch",
        _PERMANENT,
        "the Director does not accept the console: its name or password is wrong",
    ),
    _text(r"Config error|Cannot open config file", _PERMANENT, "bconsole cannot read its configuration"),
    _text(
        r"not found$|Permission denied$",
        _PERMANENT,
        "bconsole cannot be run",
        source="POSIX sh",
        sure="documented",
    ),
    _DUPLICATE,
    _text(
        r"Unable to connect to",
        _TRANSIENT,
        "the Director could not reach the file daemon or the storage daemon",
    ),
    _text(
        r"Network error|Comm error with|connection to SD for this Job was lost",
        _TRANSIENT,
        "the daemons lost each other",
    ),
)


@dataclass(frozen=True, kw_only=True)
class _Status(Row):
    """What a final JobStatus means where no text says more."""

    status: str


def _status(status: str, verdict: Verdict, reason: str, source: str = _RUN, sure: str = "tried") -> _Status:
    return _Status(status=status, verdict=verdict, reason=reason, source=source, sure=sure)  # type: ignore[arg-type]


_BAREOS = ("bareos-cat", "documented")
STATUSES = (
    _status("T", Verdict.SUCCESS, "done"),
    _status("W", Verdict.PARTIAL, "done with warnings", *_BAREOS),
    _status("e", Verdict.PARTIAL, "done with errors", *_BAREOS),
    _status("E", _PERMANENT, "ended with errors"),
    _status("f", _PERMANENT, "failed"),
    _status("A", _PERMANENT, "was cancelled, and not by us: somebody has ended it"),
    _status("D", _PERMANENT, "the tape differs from the catalogue", *_BAREOS),
    _status("I", Verdict.PARTIAL, "is incomplete", *_BAREOS),
)


# How our script ends when there is no job to judge.
_ENDS = {
    "busy": (_TRANSIENT, "no turn"),
    "no": (_PERMANENT, "the folder of the list is not there, or may not be written"),
    "unasked": (_TRANSIENT, "the Director does not answer"),
    "unheard": (_TRANSIENT, "the Director was lost before it had heard of the job"),
    "unverified": (_TRANSIENT, "the verification could not be started"),
    "refused": (_PERMANENT, "the Director did not start the job"),
    "none": (_PERMANENT, "the catalogue has no good copy under this mark"),
    "unknown": (Verdict.UNKNOWN, "the Director was lost, and may have started the job all the same"),
    "unfinished": (Verdict.UNKNOWN, "the Director was lost while the job ran, or does not end it"),
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was asked for. `client`: as the Director calls it; `own`: the site's rows; `wanted`: number of paths."""

    action: str
    client: str
    wanted: int
    own: Sequence[Message] = ()

    def message(self, text: str, status: str = "") -> Judgement | None:
        """The first row that fits a text, of a job that ended with `status`."""
        for row in (*self.own, *((_DUPLICATE,) if status == "A" else MESSAGES)):
            if row.is_for(self.action) and (match := re.search(row.pattern, text, re.MULTILINE)):
                begin = text.rfind("\n", 0, match.start()) + 1
                end = text.find("\n", match.end())
                return _judgement(row, printable(text[begin : end if end >= 0 else None]))
        return None


def judge(asked: Asked, output: Output) -> Judgement:
    """What became of a run of our script."""
    report = Report.of(shortened(output.text))
    end = report.last("end")
    if output.exit is None or output.exit == TIMED_OUT or end is None or report.marks[-1] is not end:
        return _ours(
            Verdict.UNKNOWN, "it did not come to its end; the catalogue knows what became of it", report
        )
    if end.words[1:2] != (asked.action,):
        return _stopped(asked, end, report)
    if asked.action == "locate":
        return _answered(output, report)
    return _followed(asked, report)


def _stopped(asked: Asked, end: Mark, report: Report) -> Judgement:
    verdict, reason = _ENDS.get(end.words[1] if end.rest else "", (Verdict.UNKNOWN, "it ended strangely"))
    if verdict is not Verdict.UNKNOWN and (found := asked.message(report.said)):
        return found
    return _ours(verdict, f"{reason} ({end.rest})", report)


def _answered(output: Output, report: Report) -> Judgement:
    if output.is_cut:
        return _ours(Verdict.UNKNOWN, "the middle of the catalogue's answer is missing", report)
    if output.exit != 0:  # the script ends so when it has told all
        return _ours(Verdict.UNKNOWN, f"it ended with {output.exit}, after the catalogue's answer", report)
    shown = "; ".join(record.line for record in report.records) or "it has no copy under this mark"
    return Judgement(
        verdict=Verdict.SUCCESS, reason="the catalogue has answered", proof=shown, source=_RUN, sure="tried"
    )


def _followed(asked: Asked, report: Report) -> Judgement:
    """Every job that was followed must be good: the archive or restore itself, then the verification."""
    jobs = [mark for mark in report.marks if mark.name in {"run", "found", "verify"}]
    judged = [_job(asked, report, mark) for mark in jobs if mark.name != "verify"]
    if not judged or (jobs[-1].name == "verify"):
        return _ours(Verdict.UNKNOWN, "a job that was to run is not to be seen", report)
    bad = next((number for number, j in enumerate(judged) if j.verdict is not Verdict.SUCCESS), 0)
    if bad:
        return replace(judged[bad], reason=f"the verification: {judged[bad].reason}")
    return judged[0]


def _job(asked: Asked, report: Report, mark: Mark) -> Judgement:
    number = int(mark.rest) if mark.rest.isdecimal() else -1
    record = next((one for one in report.records if one.id == number), None)
    if record is None or record.text("jobstatus") not in FINAL:
        return _ours(Verdict.UNKNOWN, f"the end of job {number} is not known", report)
    if record.text("jobstatus") != "T" and (cancelled := _cancelled(report, number)):
        return _said(cancelled, record)
    if asked.client != record.text("clientname"):
        return _said(_row(_PERMANENT, f"the job ran on another client than {asked.client}"), record)
    log = _log(report, number)
    if doubt := _doubt(record, asked.wanted, log):
        return asked.message(log, record.text("jobstatus")) or _said(doubt, record)
    return _said(_row(Verdict.SUCCESS, f"job {number}: {asked.wanted} of {asked.wanted}, no errors"), record)


def _doubt(record: Record, wanted: int, log: str) -> Row | None:
    """What is not as it should be; None when all of it is."""
    status = next(row for row in STATUSES if row.status == record.text("jobstatus"))
    files, errors = record.number("jobfiles"), record.number("joberrors")
    if status.verdict is not Verdict.SUCCESS:
        # Found with 9.6.7: a Director that was restarted marks its running jobs so, and says nothing of it.
        if status.status == "f" and errors == 0 and not re.search(r"\b[Ee]rror: ", log):
            return _row(_TRANSIENT, "no error is told: so a Director that was restarted leaves its jobs")
        return status
    if errors != 0:
        return _row(Verdict.PARTIAL, f"the job has {errors} errors, whatever its status says")
    if files != wanted:
        return _row(Verdict.PARTIAL, f"{files} files were done, {wanted} asked")
    return None


def _cancelled(report: Report, number: int) -> Row | None:
    mark = next((m for m in report.all("cancelled") if m.words[1:2] == (str(number),)), None)
    if mark is None:
        return None
    why = " ".join(mark.words[2:])
    needs_tape = why.endswith("for a tape")
    remedy = "give the library appendable tapes" if needs_tape else "see why it takes so long"
    return Row(
        verdict=_PERMANENT if needs_tape else _TRANSIENT,
        reason=f"we cancelled it: {why}; {remedy}",
        source=_OURS,
        sure="tried",
    )


def _log(report: Report, number: int) -> str:
    marks = (m for m in report.marks if m.name in {"log", "cancelled"} and m.words[1:2] == (str(number),))
    return "\n".join(line for mark in marks for line in mark.lines)


def _row(verdict: Verdict, reason: str) -> Row:
    return Row(verdict=verdict, reason=reason, source=_RUN, sure="tried")


def _said(row: Row, record: Record) -> Judgement:
    return _judgement(row, printable(record.line))


def _judgement(row: Row, proof: str) -> Judgement:
    return Judgement(verdict=row.verdict, reason=row.reason, proof=proof, source=row.source, sure=row.sure)


def _ours(verdict: Verdict, reason: str, report: Report) -> Judgement:
    said = report.said.strip().rpartition("\n")[2]
    return Judgement(
        verdict=verdict, reason=printable(reason), proof=printable(said), source=_OURS, sure="tried"
    )
