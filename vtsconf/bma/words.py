"""What may stand on a command line of a backup application: paths, options of a policy; and what may never. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vtsconf.bma.contract import Command
from vtsconf.core.errors import Refused
from vtsconf.core.fields import found
from vtsconf.core.printable import printable
from vtsconf.core.problem import suggestion

WORD = r"[A-Za-z0-9_.][A-Za-z0-9_.+-]{0,253}"  # never begins like an option, needs no quotes anywhere
PATH = r"/[A-Za-z0-9_.+/-]{1,1000}"
_MARK = r"[A-Za-z0-9][A-Za-z0-9-]{0,100}"
DIRECTORY = "{dir}"  # stands for the run's own directory, see contract.Command

# What lets a BMA delete the source after it has saved it: a file that is gone is no erased tape (facts §1 rule 4).
# Each option in every abbreviation: dsmc -deletefiles; tar and rsync, which a site's own commands may use.
_DELETES = re.compile(r"-+(?:del[a-z]*(?:-[a-z-]*)?|remove-(?:source-)?files)(?:[=\s].*)?", re.IGNORECASE)
_PROGRAMS = ("bparchive", "rm", "rmdir", "unlink", "shred", "truncate", "mv")


@dataclass(frozen=True, kw_only=True)
class Option:
    """One of a policy's `options`. `values`: the only ones; else the text must match `pattern` whole."""

    name: str
    meaning: str
    source: str
    values: tuple[str, ...] = ()
    pattern: str = WORD
    example: str = ""
    required: bool = False

    def wrong(self, value: Any) -> str:
        """What is wrong with a value; "" when nothing is."""
        if isinstance(value, bool) or not isinstance(value, str | int):
            return f"`{self.name}` is {found(value)}, and a text is wanted"
        if self.values and value not in self.values:
            said = suggestion(str(value), self.values) or f"write {' or '.join(self.values)}"
            return f"`{self.name}` cannot be {printable(str(value), 60)!r}: {said}"
        if not self.values and not re.fullmatch(self.pattern, str(value)):
            example = f"; write for example {self.example}" if self.example else ""
            return f"`{self.name}` cannot be {printable(str(value), 60)!r}{example}"
        return ""


def wrong_options(bma: str, known: Sequence[Option], options: Mapping[str, Any]) -> list[str]:
    """Sentences: what is wrong with the options of a policy."""
    by_name = {option.name: option for option in known}
    said = []
    for name, value in options.items():
        if name in by_name:
            said.append(by_name[name].wrong(value))
        else:
            hint = suggestion(name, by_name) or f"it has {', '.join(by_name) or 'none'}"
            said.append(f"`{printable(name, 60)}` is no option of {bma}: {hint}")
    said += [
        f"`{option.name}` is missing: {option.meaning}"
        for option in known
        if option.required and option.name not in options
    ]
    return [sentence for sentence in said if sentence]


def fit_options(bma: str, known: Sequence[Option], options: Mapping[str, Any]) -> dict[str, str]:
    """The options as texts. Raises Refused: nothing that was not checked gets onto a command line."""
    if said := wrong_options(bma, known, options):
        raise Refused(f"the policy's options for {bma} are not in order: {'; '.join(said)}")
    return {name: str(value) for name, value in options.items()}


def fit_paths(paths: Sequence[str], *, patterns: str = "", why: str = "") -> None:
    """Raises Refused for a path that a command line or a list would not carry as it is.

    `patterns`: characters that this BMA would take for a pattern, and so touch other tapes as well; `why` says so.
    """
    if not paths:
        raise Refused("there is no tape to hand to the backup application")
    for path in paths:
        if said := _unfit(path, patterns, why):
            raise Refused(
                f"the tape {printable(path, 200)!r} cannot be handed to the backup application: {said}",
                remedy="rename the tape, or move it by hand",
            )


def _unfit(path: str, patterns: str, why: str) -> str:
    if not path.startswith("/"):
        return "its path does not begin with `/`"
    if bad := next((c for c in path if unicodedata.category(c) in ("Cc", "Zl", "Zp")), ""):
        return f"its name holds {bad!r}, and in a list that is another entry"
    if DIRECTORY in path:
        return f"its name holds {DIRECTORY}, which stands for something else here"
    if bad := next((c for c in path if c in patterns), ""):
        return f"its name holds {bad!r}: {why}"
    return ""


def fit_token(token: str) -> str:
    """Raises Refused: a token is letters, digits and `-`, so that it needs no quotes anywhere."""
    if not re.fullmatch(_MARK, token):
        raise Refused(
            f"{printable(token, 60)!r} is no mark by which this copy could be asked for: VTS, or somebody else, has made it",
            remedy="VTS brings it back when a host mounts the tape; or use the backup application's own command",
        )
    return token


def deletes(words: Iterable[str]) -> str:
    """The first word by which a BMA would delete what it has saved; "" when there is none."""
    words = list(words)
    archives = words[0].rpartition("/")[2] == "nsrarchive"
    for word in words:
        if _DELETES.fullmatch(word) or (archives and re.fullmatch(r"-[A-Za-z]*G.*", word)):
            return word
    return removes(words[:1])


def removes(words: Iterable[str]) -> str:
    """The first word that is a program which takes files away; a tape may be called so as well."""
    return next((word for word in words if word.rpartition("/")[2] in _PROGRAMS), "")


def harmless(command: Command) -> Command:
    """The command itself. Raises Refused when it would let the BMA delete the source, wherever that came from."""
    if word := deletes(command.argv):
        raise Refused(
            f"`{printable(word, 60)}` would let the backup application delete the tape",
            remedy="take it out: VTS empties a tape itself, and a file that is gone is no erased tape",
        )
    return command
