"""Names of vaults, pools and cartridges, as somebody else wrote them: taken apart, or refused with a reason."""

from __future__ import annotations

import re

from vtsconf.core.vtspolicy.line import Tapes

PATHS = "8.2 Config p.77"  # /VAULTxx/pool/cartridge, and /VAULTxx/pool for the whole pool
_VAULT = re.compile(r"VAULT[A-Za-z0-9_]{1,30}")


def is_vault(name: str) -> bool:
    """`VAULT01`, without a slash. The manuals print VAULTxx; more than two characters are let through."""
    return _VAULT.fullmatch(name) is not None


def fault(name: str) -> str:
    """Why this cannot be the name of a pool or a cartridge; "" when it can."""
    if not name:
        return "it is empty"
    if name in {".", ".."} or "/" in name:
        return "it would lead to another directory"
    if len(name.encode("utf-8", "surrogatepass")) > 255:
        return "it is longer than a file's name can be"
    bad = next((char for char in name if not char.isprintable()), None)
    return "" if bad is None else f"it holds the character {bad!a}"


def tapes_of(path: str) -> Tapes | str:
    """`/VAULT01/POOL` or `/VAULT01/POOL/TAPE` taken apart; a sentence where it is neither."""
    root, *parts = path.split("/")
    if root or len(parts) not in {2, 3} or not parts[-1]:
        return "it is neither /VAULTxx/pool nor /VAULTxx/pool/cartridge"
    vault, pool, *cartridge = parts
    if not is_vault(vault):
        return f"`{vault[:60]}` is no vault: they are called VAULT and two characters more"
    for name in (pool, *cartridge):
        if reason := fault(name):
            return f"`{name[:60]}` is no name of a tape or pool: {reason}"
    return Tapes(vault=vault, pool=pool, cartridge=cartridge[0] if cartridge else None)
