"""Jobs that somebody asks for by name."""

from __future__ import annotations

from collections.abc import Sequence

from vtsconf.core.errors import Refused
from vtsconf.core.migrate.job import Job
from vtsconf.engine.migrate.book import Book
from vtsconf.engine.migrate.yard import Yard


def restore_jobs(
    yard: Yard, book: Book, host: str, paths: Sequence[str], token: str, *, nonce: str
) -> list[Job]:
    """A restore of each; `nonce` makes it another job than an earlier restore of the same tape. Raises Refused."""
    seen = yard.with_server(host, lambda server, place: server.look((), place.state_dir, paths)).files
    made = []
    for path in paths:
        tape = seen.get(path)
        if tape is None:
            raise Refused(
                f"{host} has no tape {path}", remedy="name it by its whole path, /VAULT01/POOL1/TAPE001"
            )
        if tape.size:
            raise Refused(
                f"{path} is not erased: it has {tape.size} bytes", remedy="there is nothing to restore"
            )
        proofs = [proof for proof, _ in book.proofs(host, [path]) if token in {"", proof.token}]
        if not proofs:
            raise Refused(
                f"no copy of {path} is on record", remedy="restore it with the backup application itself"
            )
        made.append(
            Job(
                host=host,
                cartridge=path,
                action="restore",
                bytes=0,
                mtime=tape.mtime,
                inode=tape.inode,
                bma=proofs[-1].bma,
                token=proofs[-1].token,
                priority=0,
                nonce=nonce,
            )
        )
    return made
