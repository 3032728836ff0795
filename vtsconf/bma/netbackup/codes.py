"""What NetBackup's exit status means: one table for commands and jobs [S-nbcodes: the guide of 5.1]. Pure."""

from __future__ import annotations

from vtsconf.bma.contract import Verdict
from vtsconf.bma.judging import Code, Message, Proof, Tables, exits
from vtsconf.bma.netbackup.catalogue import ROW

_TABLE = "S-nbcodes"
_ANSWERED = Code(
    exits=exits("190, 227"),
    actions=("locate",),
    is_answer=True,
    verdict=Verdict.SUCCESS,
    reason="the catalogue has answered, and holds no such copy",
    source=_TABLE,
)


def _codes(numbers: str, verdict: Verdict, reason: str) -> Code:
    return Code(exits=exits(numbers), verdict=verdict, reason=reason, source=_TABLE)


_CODES = (
    _ANSWERED,
    _codes("0", Verdict.SUCCESS, "all done"),
    _codes("1", Verdict.PARTIAL, "only a part was saved"),
    _codes(
        "3", Verdict.PARTIAL, "saved, and the files could not be deleted: nothing was to be deleted at all"
    ),
    _codes("175", Verdict.PARTIAL, "not all files were restored"),
    _codes("185", Verdict.PARTIAL, "tar did not find all files"),
    _codes("2, 6, 7", Verdict.PERMANENT, "nothing was saved"),
    _codes("5", Verdict.PERMANENT, "the restore failed"),
    _codes("71, 142", Verdict.PERMANENT, "the file does not exist"),
    _codes("190, 227", Verdict.PERMANENT, "there is no such copy in the catalogue"),
    _codes("21-26", Verdict.TRANSIENT, "a socket failed"),
    _codes("40-44, 47", Verdict.TRANSIENT, "the network failed, or the host cannot be reached"),
    _codes("52", Verdict.TRANSIENT, "the tape was not mounted in time"),
    _codes("54, 57, 58, 64, 86", Verdict.TRANSIENT, "the connection of client and server failed"),
    _codes("97", Verdict.TRANSIENT, "the tape is in use"),
    _codes("134", Verdict.TRANSIENT, "the server is busy"),
    _codes("196, 199", Verdict.TRANSIENT, "the schedule's window does not allow it now"),
    _codes("201-205", Verdict.TRANSIENT, "the master server was not reached"),
    _codes("213, 219", Verdict.TRANSIENT, "no storage unit is free"),
    _codes("13, 14", Verdict.PERMANENT, "a file could not be read or written: somebody has to look"),
    _codes("84, 85", Verdict.PERMANENT, "a tape could not be written or read: somebody has to look"),
    _codes(
        "93, 96, 98, 155, 164, 169",
        Verdict.PERMANENT,
        "the library has no tape or no room for it: somebody has to look",
    ),
    _codes("150", Verdict.PERMANENT, "an administrator has ended it"),
    _codes("157", Verdict.PERMANENT, "the job is suspended: somebody has to resume or end it"),
    _codes("20, 144", Verdict.PERMANENT, "the command line is not understood"),
    _codes("37, 46, 59", Verdict.PERMANENT, "this server is not allowed to ask"),
    _codes("48", Verdict.PERMANENT, "the host is not known"),
    _codes("69, 104-106, 112, 141", Verdict.PERMANENT, "the list of files is not in order"),
    _codes("116-118, 131, 132, 135, 160", Verdict.PERMANENT, "this client or user is not accepted"),
    _codes("189", Verdict.PERMANENT, "the server may not write to this client"),
    _codes(
        "197, 198, 230, 236, 237, 239-243, 245",
        Verdict.PERMANENT,
        "the policy, its schedule or the client is not as the command says",
    ),
)

TABLES = Tables(
    codes=_CODES,
    messages=(
        Message(
            pattern=r"^EXIT STATUS (?:2(?:5[6-9]|[6-9]\d)|[3-9]\d\d|\d{4,})\b.*",
            verdict=Verdict.UNKNOWN,
            reason="a status above 255, of which the exit code holds a rest only",
            source="general knowledge",
            sure="general",
        ),
        Message(
            pattern=r"^EXIT STATUS [1-9]\d*\b.*",
            exits=exits("0"),
            verdict=Verdict.UNKNOWN,
            reason="exit 0, and a text that says otherwise",
            source="bma-facts 4",
        ),
    ),
    # With -w the exit code is the job's own, and nothing else is printed that could prove it [ibm-nz-b, ibm-nz-r].
    proofs=(
        Proof(
            action="locate",
            pattern=rf"^(?:{ROW})\r?\n",
            source="bplist-cn",
        ),
    ),
)
