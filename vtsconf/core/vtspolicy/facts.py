"""What the manuals say about VTSPolicy, as rows: verbs, keywords, and the releases whose pages are known.

Sources are manual and printed page: "6.03.41 Ops p.83". `sure` is "documented" where that page says so, "inferred"
where it is our reading of it (a sample only, an analogy), "unknown" where no page that we know says anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Sure = Literal["documented", "inferred", "unknown"]

KEYWORD = "VTSPolicy"
TYPES = ("archive", "selective")  # "archive is the usual one" [8.2 Config p.77]
WORDS = "6.02 Inst p.51"  # quoting, blanks, `=` and `/`
CASE = "8.2 Config p.77"  # all of it is case-sensitive
UNIQUE = "8.2 SIG p.21"  # a tape's name is unique over all vaults and pools

EVENT_TEXT = 177  # bytes of a text that the server's event log keeps [8.3 Config p.173]

Release = tuple[int, ...]
LATER: Release = (6, 4, 4)  # from here on the first word is the backup type [6.04.04 Ops p.89]
NEWEST_EARLIER: Release = (6, 3, 41)  # the last release whose page shows the earlier form [6.03.41 Ops p.83]


class Form(StrEnum):
    """How what follows the verb is made up."""

    TYPED = "typed"  # TSM 'archive /VAULTxx/pool/cartridge keyword=value': 6.04.04 and 8.x
    PLAIN = "plain"  # TSM "/VAULTxx/pool/cartridge keyword=value": 6.02 and 6.03.41
    NAMES = "names"  # Erase - TAPE TAPE s=host
    OPEN = "open"  # a verb of which little more than the name is known


SHOWN = {
    Form.TYPED: "6.04.04 and 8.x",
    Form.PLAIN: "6.02 and 6.03.41",
    Form.NAMES: "6.02 to 8.2",
    Form.OPEN: "6.02",
}


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One verb. `first` and `last`: the releases whose manuals list it; `missing`: the first whose list leaves it out.

    `bma` is the name under `vts.bma` of the application that it starts, "" where there is none of ours.
    """

    name: str
    what: str
    source: str
    form: Form = Form.PLAIN
    bma: str = ""
    first: str = "6.02"
    last: str | None = None
    missing: str | None = None
    sure: Sure = "documented"


_OF_602 = {"last": "6.02", "missing": "6.03.41"}
VERBS = {
    verb.name: verb
    for verb in (
        Verb(name="TSM", what="IBM Tivoli Storage Manager", source="8.2 Config p.77", bma="tsm"),
        Verb(
            name="NBU", what="Veritas NetBackup", source="6.03.41 Ops p.83", bma="netbackup", last="6.03.41"
        ),
        Verb(name="LEG", what="Legato NetWorker", source="6.03.41 Ops p.83", bma="networker", last="6.03.41"),
        Verb(name="BEX", what="Syncsort Backup Express", source="6.03.41 Ops p.83", last="6.03.41"),
        Verb(name="HPD", what="HP Data Protector", source="6.02 Inst p.51", **_OF_602),  # type: ignore[arg-type]
        Verb(name="ARC", what="CA BrightStor ARCserve", source="6.02 Inst p.51", **_OF_602),  # type: ignore[arg-type]
        Verb(
            name="IDR",
            what="synchronises two VTS systems (Instant DR or AutoCopy)",
            source="6.02 Inst p.51; 6.04.05 SIG p.23",
            form=Form.OPEN,
            last="6.04.05",
        ),
        Verb(name="Erase", what="erases tapes", source="8.2 Config p.89", form=Form.NAMES, last="8.2"),
        Verb(name="Delete", what="deletes tapes", source="8.2 Config p.89", form=Form.NAMES, last="8.2"),
        Verb(
            name="FTX",
            what="stands in the sample line of one manual and in no list of verbs; nobody says what it does",
            source="6.02 Inst p.50",
            form=Form.OPEN,
            last="6.02",
            sure="unknown",
        ),
    )
}


def verb_of(bma: str) -> Verb | None:
    """The verb that starts a backup application of `vts.bma`; one of a site's own may be called like a verb, `bex`."""
    return next(
        (
            one
            for one in VERBS.values()
            if one.form is Form.PLAIN and bma and bma in {one.bma, one.name.lower()}
        ),
        None,
    )


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A keyword of one form. `meaning` is its long name, the same for all forms."""

    names: tuple[str, ...]
    meaning: str
    says: str
    source: str
    sure: Sure = "documented"


_OPTFILE = "the option file of TSM, as an absolute path on the server"
TYPED = (
    Fact(
        names=("source", "s"),
        meaning="source",
        says="the fully qualified name of the VTS system with the pool; in a cluster the one that runs the command",
        source="8.2 Config p.77; 6.04.04 Ops p.89",
    ),
    Fact(
        names=("optfile", "o"), meaning="optfile", says=_OPTFILE, source="8.2 Config p.77; 6.04.04 Ops p.89"
    ),
)
PLAIN = (
    Fact(
        names=("source", "s"),
        meaning="source",
        says="the short or fully qualified name of the VTS system with the pool",
        source="6.03.41 Ops p.83",
    ),
    Fact(
        names=("destination", "d"),
        meaning="destination",
        says="the name of a VTS system that receives a copy",
        source="6.03.41 Ops p.83",
    ),
    Fact(
        names=("sourceTSM", "st"),
        meaning="sourceTSM",
        says="a TSM backup at the source",
        source="6.03.41 Ops p.83",
    ),
    Fact(
        names=("destinationTSM",),
        meaning="destinationTSM",
        says="a TSM backup at the destination",
        source="6.03.41 Ops p.83",
    ),
    Fact(
        names=("dt",),
        meaning="destinationTSM",
        says="a TSM backup at the destination: the short form, by analogy with st",
        source="6.03.41 Ops p.83",
        sure="inferred",
    ),
    Fact(names=("o",), meaning="optfile", says=_OPTFILE, source="6.02 Inst p.50 (sample)", sure="inferred"),
    Fact(
        names=("r",),
        meaning="retention",
        says="the retention: a number, a comma, the letter of a unit",
        source="6.02 Inst p.50 (sample)",
        sure="inferred",
    ),
)
NAMES = (
    Fact(
        names=("s",),
        meaning="source",
        says="the VTS system that acts, by analogy with the other forms",
        source="8.2 Config p.89; 6.04.04 Ops p.44",
        sure="inferred",
    ),
)
OPTFILE = ("optfile", "o")  # "the option file of TSM": that BMA has it as well
RETENTION = ("retention", "r")
# Words of a policy's options by which its lines say more than the BMA's command does: a BMA knows none of them.
LINE_WORDS = ("source", "s", "o", *RETENTION)
KEYWORDS = {Form.TYPED: TYPED, Form.PLAIN: PLAIN, Form.NAMES: NAMES, Form.OPEN: PLAIN}


def fact(form: Form, name: str) -> Fact | None:
    """What is known of a keyword in this form; None: nothing."""
    return next((one for one in KEYWORDS[form] if name in one.names), None)


def names(form: Form) -> list[str]:
    """The keywords that are known in this form."""
    return [name for one in KEYWORDS[form] for name in one.names]


def release_of(text: str | None) -> Release | None:
    """`8.3` or `6.04.04` as numbers that compare, `6.02.00` like `6.02`; None for nothing, and for what is none."""
    if text is None or not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3}){1,3}", text, re.ASCII):
        return None
    numbers = [int(part) for part in text.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def may_be_cut(text: str) -> bool:
    """Whether the server's event log may have kept a part only: it is as long as a text can be there."""
    return len(text.encode("utf-8", "surrogatepass")) >= EVENT_TEXT


def doubt(verb: Verb, release: str | None) -> str:
    """Why it is not sure that a release knows the verb; "" where its manual lists it, and without a release."""
    number = release_of(release)
    if number is None or verb.sure == "unknown":
        return "" if verb.sure != "unknown" else verb.what
    missing, last = release_of(verb.missing), release_of(verb.last)
    if missing and number >= missing:
        return f"the list of verbs in {verb.missing} leaves `{verb.name}` out"
    if last and number > last:
        return f"no manual that we know shows `{KEYWORD} {verb.name}` for release {release}"
    return ""


def is_gone(verb: Verb, release: str | None) -> bool:
    """A manual of this release, or an earlier one, lists the verbs without this one."""
    number, missing = release_of(release), release_of(verb.missing)
    return bool(number and missing and number >= missing)
