"""What is understood of `ansible_ssh_common_args`: a jump host, known_hosts, another ssh_config. The rest is said."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

_FORWARD = re.compile(r"ssh\s+(?:-\S+\s+)*?-W\s+[\"']?\[?%h\]?:%p[\"']?\s+(?:-q\s+)?(?P<host>[^\s-]\S*)\s*")
_HARMLESS = {"-C", "-q", "-T", "-x", "-4", "-6", "-v", "-vv", "-vvv"}
_TUNING = {"controlmaster", "controlpersist", "controlpath", "compression", "loglevel", "batchmode"}


@dataclass(frozen=True, kw_only=True)
class SshArgs:
    """`unread` holds the words that change something and are not understood."""

    proxy_jump: str = ""
    known_hosts: str = ""
    config: str | None = None
    trusting: bool = False  # StrictHostKeyChecking was to be switched off
    unread: tuple[str, ...] = ()


def ssh_args(text: str) -> SshArgs:
    """Read the arguments. Raises ValueError where quotes do not match."""
    jump, known, config, trusting = "", "", None, False
    unread: list[str] = []
    for option, value in _options(shlex.split(text)):
        match option:
            case "-J" | "proxyjump":
                jump = value
            case "proxycommand" if forward := _FORWARD.fullmatch(value.strip()):
                jump = forward["host"]
            case "userknownhostsfile" if value != "/dev/null":
                known = value
            case "stricthostkeychecking" | "userknownhostsfile":
                trusting = trusting or value.casefold() not in {"yes", "ask"}
            case "-F":
                config = value
            case _ if option in _HARMLESS or option in _TUNING:
                pass
            case _:
                unread.append(f"{option} {value}".strip())
    return SshArgs(proxy_jump=jump, known_hosts=known, config=config, trusting=trusting, unread=tuple(unread))


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """Pairs: `-J host`, `-Jhost`, `-o Name=value` (as its name in lower case), or a lone word."""
    rest = iter(words)
    for word in rest:
        option, value = word[:2], word[2:]
        if option in {"-J", "-F", "-o", "-p", "-i", "-l"}:
            value = value or next(rest, "")
        else:
            option, value = word, ""
        if option == "-o":
            name, _, value = value.replace("=", " ", 1).partition(" ")
            option, value = name.casefold(), value.strip()
        yield option, value
