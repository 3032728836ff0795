"""Jobs that somebody asks for by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from shlex import quote

from vtsconf.core.emsrules import Decision
from vtsconf.core.errors import Refused
from vtsconf.core.migrate.job import Job
from vtsconf.core.migrate.record import Proof
from vtsconf.core.migrate.tape import Tape
from vtsconf.core.vtspolicy.wish import Wish, is_for
from vtsconf.engine.migrate.book import Book
from vtsconf.engine.migrate.yard import Place, Yard
from vtsconf.resources.desired import is_cluster
from vtsconf.transport.server import Server


def restore_jobs(
    yard: Yard, book: Book, host: str, paths: Sequence[str], token: str, *, nonce: str
) -> list[Job]:
    """A restore of each; `nonce` makes it another job than an earlier restore of the same tape. Raises Refused."""
    seen = yard.with_server(host, lambda server, place: server.look((), place.state_dir, paths)).files
    return [_restore(book, host, path, seen.get(path), token, nonce=nonce) for path in paths]


def _restore(book: Book, host: str, path: str, tape: Tape | None, token: str, *, nonce: str) -> Job:
    if tape is None:
        raise Refused(
            f"{host} has no tape {path}",
            remedy=f"name it by its whole path: `vtsconf migrate plan --explain {quote(path.rpartition('/')[2])}` shows its path",
        )
    if tape.size:
        raise Refused(f"{path} is not erased: it has {tape.size} bytes", remedy="there is nothing to restore")
    proofs = [proof for proof, _ in book.proofs(host, [path]) if token in {"", proof.token}]
    if not proofs:
        raise Refused(
            f"no copy of {path} is on record", remedy="restore it with the backup application itself"
        )
    return Job(
        host=host,
        cartridge=path,
        action="restore",
        bytes=0,
        mtime=tape.mtime,
        inode=tape.inode,
        bma=proofs[-1].bma,
        token=proofs[-1].token,
        copy=proofs[-1].size,
        priority=0,
        nonce=nonce,
    )


def jobs_of(
    decision: Decision,
    place: Place,
    server: Server,
    book: Book,
    *,
    nonce: str,
    allowed: Collection[str] = (),
) -> Iterator[Job]:
    """What an event asks for, on the tapes as they are now. `allowed`: the names of `--allow-erase`.

    Raises Refused with the reason why nothing, or not all of it, can be done.
    """
    wish = decision.wish
    if decision.action not in {"migrate", "restore", "erase"} or wish is None:
        return
    if decision.line and not wish.host and is_cluster(place.vts):
        raise Refused(
            "it does not say with s= which server of the cluster is to act, and every one of them would",
            remedy="a VTSPolicy line in a cluster names it [8.2 Config p.77]",
        )
    if not is_for(wish, (place.host, place.target.address)):
        raise Refused(f"it is meant for {wish.host}")
    if decision.action == "erase" and f"rules/{decision.rule}" not in {*allowed, *place.vts.allow_erase}:
        raise Refused(
            f"rules/{decision.rule} may not erase: neither vts.allow_erase nor --allow-erase names it"
        )
    refusals = []  # of one tape; the others are not left for it
    meant = _meant(wish, place, server)
    if decision.action == "migrate" and not wish.cartridge:
        meant = _with_data(meant, wish, place)
    for tape in meant:
        try:
            if decision.action == "restore":
                yield _restore(book, place.host, tape.path, tape, "", nonce=nonce)
            else:
                yield _job(decision, wish, place, tape, book, nonce=nonce)
        except Refused as error:
            refusals.append(str(error))
    if refusals:
        more = f"; and {len(refusals) - 3} more" if len(refusals) > 3 else ""
        raise Refused("; ".join(refusals[:3]) + more)


def _meant(wish: Wish, place: Place, server: Server) -> list[Tape]:
    """The tapes that are meant, of all that the server has. Raises Refused for none."""
    names = set(wish.names) | ({wish.cartridge} if wish.cartridge else set())
    if wish.vault and wish.pool and wish.cartridge:
        found = _at(f"{place.root}/{wish.vault}/{wish.pool}/{wish.cartridge}", place, server)
    elif names:
        found = _named(names, wish, place, server)
    else:
        found = _listed(_roots([wish.vault] if wish.vault else place.vts.vaults, place), server)
        found = [tape for tape in found if wish.pool in {"", tape.pool}]
    if not found:
        raise Refused(f"{place.host} has no such tape: {', '.join(sorted(names)) or wish.pool}")
    return found


def _at(path: str, place: Place, server: Server) -> list[Tape]:
    """One tape by its whole path: no vault is listed for it."""
    tape = server.look((), place.state_dir, (path,)).files.get(path)
    return [tape] if tape else []


def _named(names: Collection[str], wish: Wish, place: Place, server: Server) -> list[Tape]:
    """By bare names, each of which must be the only one on the whole server, whatever vault is asked for: VTS's own
    commands take the bare name, and names are unique over all vaults and pools [8.2 SIG p.21]. Raises Refused where
    one is not.
    """
    found = [tape for tape in _everywhere(wish, place, server) if tape.cartridge in names]
    count = Counter(tape.cartridge for tape in found)
    if twice := sorted(name for name, number in count.items() if number > 1):
        raise Refused(
            f"{place.host} has {', '.join(twice)} in more than one pool: which one is meant is not known",
            remedy="names are unique over all pools on a VTS: delete or rename one",
        )
    vaults = [wish.vault] if wish.vault else [vault.lstrip("/") for vault in place.vts.vaults]
    return [tape for tape in found if (not vaults or tape.vault in vaults) and wish.pool in {"", tape.pool}]


def _everywhere(wish: Wish, place: Place, server: Server) -> list[Tape]:
    """The tapes of all vaults, not only of those in the documents; of a lab, which has no vaults at the root, of those."""
    named = dict.fromkeys(name.lstrip("/") for name in (*place.vts.vaults, wish.vault) if name)
    if place.root:
        return _listed(_roots(named, place), server) if named else []
    unusual = [name for name in named if not fnmatchcase(name, "VAULT??")]  # such are not looked for unasked
    found = _listed((), server) + (_listed(_roots(unusual, place), server) if unusual else [])
    return list({tape.path: tape for tape in found}.values())


def _roots(vaults: Iterable[str], place: Place) -> list[str]:
    return [f"{place.root}/{name.lstrip('/')}" for name in vaults]


def _listed(vaults: Sequence[str], server: Server) -> list[Tape]:
    found: list[Tape] = []
    server.tapes(vaults, found.append)
    return found


def _with_data(tapes: Sequence[Tape], wish: Wish, place: Place) -> list[Tape]:
    """Of a pool, the tapes that a migration is about. Raises Refused for none."""
    found = [tape for tape in tapes if not tape.is_erased]
    if not found:
        raise Refused(
            f"no tape of {wish.vault}/{wish.pool} on {place.host} has data: there is nothing to migrate"
        )
    return found


def _job(decision: Decision, wish: Wish, place: Place, tape: Tape, book: Book, *, nonce: str) -> Job:
    """`policy` lends what the event leaves open: the BMA, options, attempts. Raises Refused."""
    if tape.is_erased:
        raise Refused(f"{tape.path} is erased: there is nothing to {decision.action}")
    policy = place.vts.policies.get(decision.policy)
    bma = "" if decision.action == "erase" else wish.bma or (policy.bma if policy else None) or ""
    if decision.action == "erase":
        proof: Proof | None = book.newest(place.host, [tape.path]).get(tape.path)
        if proof is None or not proof.is_complete or not proof.is_of(tape):
            raise Refused(f"{tape.path} is not, as it is now, proven on tape: it is not erased")
        bma = proof.bma
    if not bma:
        raise Refused(f"neither the event nor rule {decision.rule} says which backup application")
    options = {**(policy.bma_options if policy else {}), **wish.options}
    return Job(
        host=place.host,
        cartridge=tape.path,
        action="erase" if decision.action == "erase" else "migrate",
        bytes=tape.size,
        mtime=tape.mtime,
        inode=tape.inode,
        bma=bma,
        policy=decision.policy,
        rule=decision.rule,
        options=options,
        submit=policy.submit if policy else "run",
        checksum=policy is not None and policy.checksum and decision.action == "migrate",
        priority=policy.priority if policy else 10,
        attempts=policy.retry.attempts if policy else 5,
        backoff=policy.retry.backoff if policy else 30,
        nonce="" if decision.action == "migrate" else nonce,
    )
