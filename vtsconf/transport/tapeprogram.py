"""Builds the sh program that lists the tapes of a server."""

from __future__ import annotations

from collections.abc import Sequence

from vtsconf.core.errors import Refused
from vtsconf.transport.jobprogram import words
from vtsconf.transport.program import Program, _program


def tapes_program(vaults: Sequence[str], mark: str) -> Program:
    """`vaults` are whole paths; none: all `/VAULT??`. Raises Refused for what is no path."""
    for vault in vaults:
        if not vault.startswith("/") or vault.endswith("/"):
            raise Refused(f"{vault!r} is not the path of a vault")
    return _program([f"N={mark}", "S=/nowhere", words("vt_tapes", *vaults)], "tapes.sh")
