"""The TACL macro that puts VTSPolicy lines into EMS events [8.2 Config p.89; 6.04.04 Ops p.44; 6.03.42 Ops p.69].

What a file of TACL may hold is from the TACL Reference Manual, 429513-018.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vtsconf.core.problem import Problem

LONGEST = 239  # characters of a line; TACL cuts longer ones [TACL p.2-6]
BUFFER = 3000  # bytes of the event's buffer in the documented macro; the event's own header is in it too
NUMBER = 1234  # of the event: free to choose; this one is in the manual's sample [6.02 Inst p.50]
_SET = "#SET evt_text "
# TACL's metacharacters are [ ] { } | ~ == and & at the end of a line [TACL p.2-3, 2-5, 2-6]. What is known to be plain:
_PLAIN = re.compile(r"[A-Za-z0-9 \"'/._,:=+@%$#*-]*")

_TOP = """\
?TACL MACRO
#PUSH evt_x evt_error req_error req_read req_prompt
#PUSH action_id collector
#LOAD /LOADED evt_x/ $system.zspidef.zemstacl
#LOAD /LOADED evt_x/ $system.zspidef.zspitacl
#LOAD /LOADED evt_x/ $system.zspidef.ztactacl
#LOAD /LOADED evt_x/ $system.zspidef.ztaptacl
#DEF evt_buf STRUCT BEGIN BYTE b(1:{buffer}); END;
#SET collector $0
#SET action_id 0
#SET evt_error [#REQUESTER /WAIT/ READ [collector] req_error req_read req_prompt]
#PUSH evt_num action emphasis evt_text text_len
#SET evt_num {number}
#SET action -1
#SET emphasis -1
"""
_EVENT = """\
#SET evt_text {text}
#SET text_len
#SET evt_error [#EMSINIT evt_buf [ZEMS^VAL^EXTERNAL^SSID] [evt_num] ZEMS^TKN^TEXT [#charcount evt_text] [evt_text]]
#SET evt_error [#SSPUT evt_buf ZEMS^TKN^EMPHASIS [ZSPI^VAL^TRUE]]
#SET evt_error [#SSPUT evt_buf ZEMS^TKN^ACTION^NEEDED [ZSPI^VAL^TRUE]]
#APPENDV req_prompt evt_buf
"""


def macro(texts: Sequence[str], number: int = NUMBER) -> str:
    """A file for TACL that sends these lines, one event each. `faults` must have found nothing."""
    events = "".join(_EVENT.format(text=text) for text in texts)
    return _TOP.format(buffer=BUFFER, number=number) + events


def faults(texts: Sequence[str]) -> list[Problem]:
    """Why a line cannot stand in the macro; nothing where all can."""
    return [problem for text in texts if (problem := _fault(text))]


def _fault(text: str) -> Problem | None:
    if len(_SET + text) > LONGEST:
        return Problem(
            what=f"`{text[:60]}…` is too long for TACL: {len(_SET + text)} characters with `{_SET.strip()}`",
            why=f"TACL cuts a line at {LONGEST} characters, and the server would get half of a request",
            remedy="shorten names, or send fewer tapes in one line",
            code="tacl-length",
            source="TACL Reference Manual p.2-6",
        )
    if not _PLAIN.fullmatch(text) or "==" in text:
        return Problem(
            what=f"`{text[:80]}` has a character that TACL could read as its own",
            why="brackets, braces, bars, `~`, `&` and `==` mean something to TACL",
            remedy="send this one by hand, or rename the tape or pool",
            code="tacl-character",
            source="TACL Reference Manual p.2-3, 2-6",
        )
    return None
