"""What NetWorker's commands say. Their exit codes are general knowledge: the texts are the judge [S-savetime, S-recover]. Pure."""

from __future__ import annotations

from vtsconf.bma.contract import Verdict
from vtsconf.bma.judging import EVERY, Code, Message, Proof, Tables, exits
from vtsconf.bma.networker.catalogue import ROW

_GENERAL = "general knowledge"

TABLES = Tables(
    codes=(
        Code(exits=exits("0"), verdict=Verdict.SUCCESS, reason="done", source=_GENERAL, sure="general"),
        Code(
            exits=exits("1, 255"),
            verdict=Verdict.PERMANENT,
            reason="it failed",
            source=_GENERAL,
            sure="general",
        ),
    ),
    messages=(
        Message(
            pattern=r"changed during save",
            exits=EVERY,
            actions=("archive",),
            verdict=Verdict.PARTIAL,
            reason="the tape changed while it was read",
            source=_GENERAL,
            sure="general",
        ),
        Message(
            pattern=r"cannot contact|RPC error",
            verdict=Verdict.TRANSIENT,
            reason="the NetWorker server could not be reached",
            source=_GENERAL,
            sure="general",
        ),
        Message(
            pattern=r"^\| nsrinfo: .*(?:[Pp]ermission|[Aa]dministrator|authorized)",
            actions=("locate",),
            verdict=Verdict.PERMANENT,
            reason="nsrinfo may not read the file index: put this server's user on NetWorker's Administrator list, "
            "or set vts.bma.networker.witness to save_set",
            source="sol-nsrinfo for the list; its words are general knowledge",
            sure="general",
        ),
        Message(
            pattern=r"[Ww]aiting for .{0,80}writable volume",
            verdict=Verdict.TRANSIENT,
            reason="no volume of the pool can be written",
            source=_GENERAL,
            sure="general",
        ),
        Message(
            pattern=r"^[^ |\n]*mminfo: no matches found",
            exits=exits("1, 255"),
            actions=("locate",),
            is_answer=True,
            verdict=Verdict.SUCCESS,
            reason="the catalogue has answered, and holds no such copy",
            source=_GENERAL,
            sure="general",
        ),
    ),
    proofs=(
        Proof(
            action="archive",
            pattern=r"^(?:save|nsrarchive): (?>.* (?P<count>\d+) +file\(s\)).*\n(?:.*\n){0,3}?completed savetime=\d{10}\b",
            source="S-savetime",
        ),
        Proof(
            action="restore",
            pattern=r"^Received (?P<count>\d+) file\(s\) from NSR server",
            source="S-recover",
        ),
        Proof(
            action="locate",
            pattern=rf"^(?:{ROW})\r?\n",
            source=_GENERAL,
            sure="general",
        ),
    ),
)
