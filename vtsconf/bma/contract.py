"""What a backup application does with tapes: the commands as data, and one judge of what they said. Pure.

The rules, each of which some BMA breaks if it is left out, are in the facts about BMAs: exit 0 is never enough; partial
is failure; never an option that lets the BMA delete the source; never wait on a prompt; a token per operation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class Verdict(StrEnum):
    """UNKNOWN is treated as neither: a person or the catalogue decides."""

    SUCCESS = "success"
    PARTIAL = "partial"  # a failure: a tape may have been left out
    TRANSIENT = "transient"  # to be tried again
    PERMANENT = "permanent"  # not to be tried again by itself
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Command:
    """What the server is to run, from its own directory of this run, with LC_ALL=C and stdin from `stdin` or nothing.

    The word `{dir}` inside a word of `argv`, and in `stdin`, stands for that directory; `files` are written there before
    (name → text). `timeout`: seconds, then the whole process group is ended.
    """

    argv: tuple[str, ...]
    stdin: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: int = 86400


@dataclass(frozen=True, kw_only=True)
class Output:
    """How a command ended. `exit` None: killed, or nobody knows. `text` is stdout and stderr, bounded, hostile."""

    exit: int | None
    text: str
    is_cut: bool = False  # the middle of the text is missing


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """`proof` is the line that decided; `source` says where the reading comes from, `sure` how sure it is."""

    verdict: Verdict
    reason: str
    proof: str = ""
    source: str = ""
    sure: str = "documented"  # documented | tried | general | site


@dataclass(frozen=True, kw_only=True)
class Located:
    """One copy in the catalogue. `size` None: the BMA does not say it exactly. `expires` "": never, or not said.

    `stored`: bytes of the copy where only that is known, what the BMA writes around the data included. `is_named`: the
    catalogue itself has shown the path, not only the mark. `doubt`: why this copy is no witness; "" where it is.
    """

    path: str
    size: int | None = None
    token: str = ""
    when: str = ""
    media: str = ""
    expires: str = ""
    stored: int | None = None
    is_named: bool = True
    doubt: str = ""

    @property
    def identity(self) -> tuple[str, int | None, str, str]:
        """What stays the same of a copy from one answer to the next. Not the tape: servers move copies between their pools."""
        return self.path, self.size, self.when, self.token

    def unlike(self, wanted: int) -> str:
        """Why it may not be a copy of a tape of so many bytes; "" where it is.

        NetWorker's catalogue has sizes of save sets only, one tape each: never less than the tape unless compressed.
        """
        if self.doubt:
            return self.doubt
        if self.size is not None:
            return "" if self.size == wanted else f"the catalogue has {self.size} bytes, the tape {wanted}"
        if self.stored is None:
            return "the catalogue has the tape, and does not say its exact size"
        short = f"the catalogue's copy has {self.stored} bytes, the tape {wanted}"
        return "" if self.stored >= wanted else short


def fresh(shown: Sequence[Located], before: Sequence[Located]) -> tuple[Located, ...]:
    """The copies that an earlier answer did not show: where there is no mark, only these can be ours.

    Of copies that look the same, as many as there were before are old.
    """
    known, new = Counter(copy.identity for copy in before), []
    for copy in shown:
        known[copy.identity] -= 1
        if known[copy.identity] < 0:
            new.append(copy)
    return tuple(new)


class Migrator(Protocol):
    """What a module of this room offers besides `Application`, when it can move tapes. `paths` are whole paths.

    `settings` are those under `vts.bma.NAME`; `options` those of the policy; `token` is `Job.mark`.
    """

    def check_options(self, options: Mapping[str, Any]) -> Sequence[str]:
        """Sentences: what is wrong with a policy's options."""
        ...

    def has_mark(self, options: Mapping[str, Any]) -> bool:
        """Whether `located` can tell our copy from any other of the same tape. If not, only a `fresh` copy is ours."""
        ...

    def outlives(self) -> bool:
        """Whether what was begun may go on elsewhere when its client here was ended, and `cancel` does not end it."""
        ...

    def archive(
        self, settings: Any, paths: Sequence[str], token: str, options: Mapping[str, Any]
    ) -> Command: ...

    def restore(
        self, settings: Any, paths: Sequence[str], token: str, options: Mapping[str, Any], when: str = ""
    ) -> Command:
        """Overwrites the empty stub without asking. `when`: of the copy, as `Located` has it, where a mark is not enough."""
        ...

    def locate(self, settings: Any, paths: Sequence[str], token: str, options: Mapping[str, Any]) -> Command:
        """Asks the catalogue; moves no data. A `token` of "": whatever mark the copies have."""
        ...

    def cancel(self, settings: Any, token: str, output: Output) -> Command | None:
        """The BMA's own way to end a run of which this much output is known; None: its process group is ended."""
        ...

    def judge(self, settings: Any, action: str, output: Output, paths: Sequence[str]) -> Judgement:
        """`action`: archive, restore or locate. A good `locate` has answered; what it holds `located` says."""
        ...

    def located(self, settings: Any, output: Output, paths: Sequence[str], token: str) -> Sequence[Located]:
        """What the answer of `locate` shows; a cut or strange answer shows nothing."""
        ...
