"""What dsmc's exit codes and messages mean, each row with its source. Keys of sources: the project's notes on BMAs.

"general" is general knowledge of the product that no source was found for; `vts.bma.tsm.codes` and `messages` go before.
"""

from __future__ import annotations

from vtsconf.bma.contract import Verdict
from vtsconf.bma.judging import EVERY, NUMBER, Code, Message, Proof, Tables, exits
from vtsconf.bma.tsm.catalogue import ROW

_CODES = (
    Code(exits=exits("0"), verdict=Verdict.SUCCESS, reason="all done", source="ibm-rc"),
    Code(
        exits=exits("4"),
        verdict=Verdict.PARTIAL,
        reason="files were left out: excluded, in use, or changed while they were read",
        source="ibm-rc",
    ),
    Code(exits=exits("8"), verdict=Verdict.SUCCESS, reason="done with a warning", source="ibm-rc"),
    Code(exits=exits("12"), verdict=Verdict.PERMANENT, reason="at least one error", source="ibm-rc"),
)

# `Prompt` first: whatever else was said, nobody answered.
_MESSAGES = (
    Message(
        pattern=r"^--- User Action is Required ---.*\n(?:.*\n){0,8}?.*Action \[[^\]\n]{1,40}\] *:.*|"
        r"^--- User Action is Required ---.*|^ *(?:Select an appropriate action|Action \[[^\]\n]{1,40}\] *:).*",
        exits=EVERY,
        verdict=Verdict.PERMANENT,
        reason="dsmc asks a question, and nobody is there to answer it",
        source="endit, S-prompt",
    ),
    Message(
        pattern=rf"^Total number of objects deleted:\s+(?!0\s*$){NUMBER}\s*$",
        exits=EVERY,
        actions=("archive",),
        verdict=Verdict.PERMANENT,
        reason="dsmc says that it has deleted what it archived: an option of the server or of dsm.opt does that",
        source="tsm-unix-guide",
    ),
    Message(
        pattern=rf"^Total number of objects grew:\s+(?!0\s*$){NUMBER}\s*$",
        exits=EVERY,
        actions=("archive",),
        verdict=Verdict.PARTIAL,
        reason="the tape grew while it was read",
        source="S-sample",
    ),
    Message(
        pattern=r"^ANS1092W\b",
        exits=exits("8"),
        actions=("locate",),
        is_answer=True,
        verdict=Verdict.SUCCESS,
        reason="the catalogue has answered, and holds no such copy",
        source="endit",
    ),
    Message(
        pattern=r"^ANS1092W\b",
        actions=("archive", "restore"),
        verdict=Verdict.PERMANENT,
        reason="there is no such copy in the catalogue",
        source="endit",
    ),
    Message(
        pattern=r"^ANS1(?:311E|329S)\b",
        verdict=Verdict.PERMANENT,
        reason="the TSM server has no room left: somebody has to make some",
        source="S-ans",
    ),
    Message(
        pattern=r"^ANS1017E\b",
        verdict=Verdict.TRANSIENT,
        reason="the TSM server could not be reached",
        source="S-ans",
    ),
    Message(
        pattern=r"^ANS1351E\b",
        verdict=Verdict.TRANSIENT,
        reason="all sessions of the TSM server are in use",
        source="general knowledge",
        sure="general",
    ),
    Message(
        pattern=r"^ANS1107E\b",
        verdict=Verdict.PERMANENT,
        reason="dsmc does not know an option",
        source="S-ans",
    ),
    Message(
        pattern=r"^ANS1217E\b",
        verdict=Verdict.PERMANENT,
        reason="dsm.sys does not know the server's name",
        source="S-ans",
    ),
    Message(
        pattern=r"^ANS1063E\b",
        verdict=Verdict.PERMANENT,
        reason="the path is no file system that dsmc knows",
        source="cinder",
    ),
    Message(
        pattern=r"^ANS(?:0361\w?|1025E|1353E)\b",
        verdict=Verdict.PERMANENT,
        reason="the TSM server does not accept this node or its password",
        source="general knowledge",
        sure="general",
    ),
    Message(
        pattern=r"^ANS1115W\b",
        verdict=Verdict.PERMANENT,
        reason="a rule of the include-exclude list leaves the tape out; `dsmc query inclexcl` shows them",
        source="general knowledge",
        sure="general",
    ),
    Message(
        pattern=r"^ANS4037E\b",
        exits=EVERY,
        verdict=Verdict.TRANSIENT,
        reason="the tape changed while it was read, and dsmc left it out",
        source="general knowledge",
        sure="general",
    ),
)

_SUM = r"^Total number of objects {0}:\s+(?P<count>{1})\s*$"

TABLES = Tables(
    codes=_CODES,
    messages=_MESSAGES,
    proofs=(
        Proof(
            action="archive",
            pattern=_SUM.format(r"(?:archived|backed up)", NUMBER),
            source="S-sample for `backed up`; for `archived` general knowledge",
            sure="general",
        ),
        Proof(
            action="restore",
            pattern=_SUM.format(r"(?:retrieved|restored)", NUMBER),
            source="cinder for `restored`; for `retrieved` general knowledge",
            sure="general",
        ),
        Proof(action="locate", pattern=rf"^(?:{ROW})\r?\n", source="endit"),
    ),
)
