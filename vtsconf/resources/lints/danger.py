"""Words that can destroy tapes: in commands, and in the text of files that something on the server may run.

What is found here is a reason to ask. That nothing is found is no proof: a program can do anything. Patterns
look no further than 500 characters, so that no text can make them slow.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

# VTS's own verbs [8.2 Config p.89], the BMAs' ways to drop the file they saved (bma-facts, section 1, rule 4), and
# the switches of Scan/Cleanup.
_VERBS = re.compile(
    r"VTSPolicy[\"']?\s+[\"']?(?:Erase|Delete)\b"
    r"|\bdeletefiles\b"
    r"|\bdsmc\b[^\n]{0,500}?\s-del\w*"
    r"|\bbparchive\b"
    r"|\bnsrarchive\b[^\n]{0,500}?\s-\w*G"
    r"|\bcleanup_(?:autoerase|enable)\b",
    re.IGNORECASE,
)
_DESTROYERS = "rm|rmdir|unlink|shred|truncate|dd|wipefs|mkfs|mke2fs|blkdiscard|mv|cp|tee|rsync|tar|ln|sed"
# Without a shell, these can only read; whatever their other words are.
_READERS = frozenset(
    ("test", "[", "ls", "stat", "df", "du", "cat", "head", "tail", "grep", "wc", "cmp", "cksum", "sha256sum")
)
# A vault by name or by a pattern that it fits, anything by a pattern at the root, or the root itself.
_VAULT = r"\bV(?:AULT\w*|[A-Z]*[*?\[])[^\s\"';&|]*|(?<![^\s\"'=])/+(?:[A-Z]*[*?\[][^\s\"']*|(?=[\s\"']|$))"

_FIND_ACTIONS = "-delete|-exec|-ok|-fprint|-fls|xargs"

_PATTERNS = (
    _VERBS,
    re.compile(rf"(?<![\w.-])(?:{_DESTROYERS})(?:\.\w+)?[ \t][^\n;&|]{{0,500}}?(?:{_VAULT})", re.MULTILINE),
    re.compile(rf"\bfind[ \t][^\n]{{0,500}}?(?:{_VAULT})[^\n]{{0,500}}?(?:{_FIND_ACTIONS})", re.MULTILINE),
    re.compile(rf">[ \t]*[\"']?/*(?:{_VAULT})", re.MULTILINE),
)


def in_text(text: str) -> str:
    """The first piece of a file's text that could destroy a tape if it were run or obeyed; "" for none."""
    found = next((match for pattern in _PATTERNS if (match := pattern.search(text))), None)
    return " ".join(found[0].split())[:80] if found else ""


def in_words(words: Sequence[str], config_file: str | None = None) -> str:
    """The reason why a command could destroy a tape; "" when none is seen."""
    line = " ".join(words)
    if _only_reads(words, line):
        return ""
    if found := in_text(line):
        return f"it says `{found}`"
    if touched := re.search(_VAULT, line):
        return f"it works on `{touched[0][:60] or '/'}`"
    if config_file and config_file in line:
        return "it works on the configuration file, where it could switch automatic erasing on"
    return ""


def _only_reads(words: Sequence[str], line: str) -> bool:
    """A program that, without a shell, cannot change a file."""
    program = posixpath.basename(words[0]) if words else ""
    return program in _READERS or (program == "find" and not re.search(_FIND_ACTIONS, line))
