"""How many tapes of each server have a copy on record, counted by the database: for whoever asks no server."""

from __future__ import annotations

from collections.abc import Collection

from vtsconf.engine.store.database import database

_PATIENCE = 5.0  # seconds that a lost connection is tried again for


def recorded(store: str, hosts: Collection[str]) -> dict[str, int]:
    """By host, 0 for none. Nothing is asked where no host is named."""
    if not hosts:
        return {}
    db = database(store, _PATIENCE)
    try:
        rows = db.read(
            f"select host, count(distinct path) from proofs where {db.among('host')} group by host",  # noqa: S608
            (db.listed(sorted(hosts)),),
        )
    finally:
        db.close()
    return dict.fromkeys(hosts, 0) | {str(host): int(count) for host, count in rows}
