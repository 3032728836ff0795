"""Moving tapes with NetWorker: save and recover, or nsrarchive and nsrretrieve. Pure.

Sources: sol-save, sol-recover, sol-nsrarchive, sol-nsrretrieve (the commands), rear (`-y`, mminfo by client and name). That
`-i` leaves `.nsr` files out, and the columns of mminfo, is general knowledge.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from vtsconf.bma.contract import Command, Judgement, Located, Output, Verdict
from vtsconf.bma.judging import judge as judged
from vtsconf.bma.networker import asking, catalogue
from vtsconf.bma.networker.client import Settings
from vtsconf.bma.networker.codes import TABLES
from vtsconf.bma.words import DIRECTORY, Option, fit_options, fit_paths, fit_token, harmless, wrong_options
from vtsconf.core.errors import Refused
from vtsconf.core.printable import printable

_NAME = r"(?=.{1,64}$)[A-Za-z0-9_.][A-Za-z0-9_.+-]*(?: [A-Za-z0-9_.][A-Za-z0-9_.+-]*)*"  # no word of it is an option
OPTIONS = (
    Option(
        name="type",
        meaning="save: into the client's file index, the token is the save set's name (-N). archive: nsrarchive, the token "
        "is its annotation (-T); needs a pool of type Archive and an archive user",
        source="sol-save, sol-nsrarchive",
        values=("save", "archive"),
    ),
    Option(
        name="pool",
        meaning="the pool (-b); needed for `type: archive`",
        source="sol-save",
        pattern=_NAME,
        example="VTSArchive",
    ),
    Option(
        name="group",
        meaning="the group that the save set belongs to (-g)",
        source="sol-save",
        pattern=_NAME,
        example="VTS",
    ),
    Option(
        name="retention",
        meaning="how long the copy is kept (-y), in NetWorker's words",
        source="rear",
        pattern=r"[A-Za-z0-9][A-Za-z0-9 /:]{0,40}",
        example="7 years",
    ),
)
_WHEN = r"\d\d/\d\d/\d\d(?:\d\d)? \d\d?:\d\d:\d\d(?: [AP]M)?"  # a save time, as the catalogue's rows have it


def check_options(options: Mapping[str, Any]) -> Sequence[str]:
    said = wrong_options("networker", OPTIONS, options)
    if options.get("type") == "archive":
        said += [
            f"`{name}` goes with `type: save` only" for name in ("group", "retention") if name in options
        ]
        said += ["`pool` is missing: archives need a pool of type Archive"] if "pool" not in options else []
    return said


def has_mark(options: Mapping[str, Any]) -> bool:
    """The save set's name, or the archive's annotation."""
    del options
    return True


def outlives() -> bool:
    """The client itself reads and sends the tape."""
    return False


def archive(settings: Settings, paths: Sequence[str], token: str, options: Mapping[str, Any]) -> Command:
    """`save` or `nsrarchive`, with -i: a `.nsr` file on the way could leave the tape out. Raises Refused."""
    fit_paths(paths)
    chosen = fit_options("networker", OPTIONS, options)
    if said := check_options(options):
        raise Refused(f"the policy's options for networker are not in order: {'; '.join(said)}")
    pool = ["-b", chosen["pool"]] if "pool" in chosen else []
    if _is_archive(chosen):
        words = ["-i", "-q", *_server(settings), *pool, "-T", fit_token(token)]
        return _command(settings, "nsrarchive", [*words, *paths], "archive")
    words = ["-i", "-q", *_server(settings), *_client(settings), *pool]
    words += ["-g", chosen["group"]] if "group" in chosen else []
    words += ["-y", chosen["retention"]] if "retention" in chosen else []
    words += ["-N", fit_token(token)]
    if len(paths) == 1:
        return _command(settings, "save", [*words, *paths], "archive")
    files = {"list": "".join(f"{path}\n" for path in paths)}
    return _command(settings, "save", [*words, "-I", f"{DIRECTORY}/list"], "archive", files)


def restore(
    settings: Settings, paths: Sequence[str], token: str, options: Mapping[str, Any], when: str = ""
) -> Command:
    """`recover` to the original place as of the save time, or `nsrretrieve` of the one archive with this annotation.

    Without a save time the newest copy comes back, which may be another than the proven one [sol-recover].
    """
    fit_paths(paths)
    chosen = fit_options("networker", OPTIONS, options)
    if _is_archive(chosen):
        words = [*_server(settings), "-A", fit_token(token), "-f", "-q"]
        return _command(settings, "nsrretrieve", words, "restore")
    if when and not re.fullmatch(_WHEN, when):
        raise Refused(f"{printable(when, 60)!r} is no save time: which copy is meant is not known")
    as_of = ["-t", when] if when else []
    words = [*_server(settings), *_client(settings), "-a", "-f", "-q", *as_of, *paths]
    return _command(settings, "recover", words, "restore")


def locate(settings: Settings, paths: Sequence[str], token: str, options: Mapping[str, Any]) -> Command:
    """`mminfo` by the token; without one by the save set's name, which is the path where nobody gave another [sol-save].

    Then `nsrinfo` for the path, in the same run. Archives are not in the file index by their names [sol-nsrretrieve].
    """
    fit_paths(paths, patterns="" if token else ",\"' ", why="it cannot stand in a query of mminfo")
    chosen = fit_options("networker", OPTIONS, options)
    field = "annotation" if _is_archive(chosen) else "name"
    client = [f"client={settings.client}"] if settings.client else []
    named = f"{field}={fit_token(token)}" if token else f"name={paths[0]}"
    query = ",".join([*client, named])
    if settings.witness == "index" and not _is_archive(chosen):
        return _asked(settings, query, paths)
    return _command(
        settings, "mminfo", [*_server(settings), "-a", "-q", query, "-r", catalogue.REPORT], "locate"
    )


def _asked(settings: Settings, query: str, paths: Sequence[str]) -> Command:
    programs = [f"{settings.directory}/{name}" for name in ("mminfo", "nsrinfo")]
    words = [*programs, settings.servers[0], query, catalogue.REPORT, settings.client or "", *paths]
    argv = ("sh", f"{DIRECTORY}/{asking.NAME}", DIRECTORY, *words)
    return harmless(
        Command(argv=argv, files={asking.NAME: asking.SCRIPT}, timeout=settings.timeout("locate"))
    )


def cancel(settings: Settings, token: str, output: Output) -> Command | None:
    """There is none on a client: its process group is ended."""
    del settings, token, output
    return None


def judge(settings: Settings, action: str, output: Output, paths: Sequence[str]) -> Judgement:
    return judged(TABLES.under(settings.tables()), action, output, paths)


def located(settings: Settings, output: Output, paths: Sequence[str], token: str) -> Sequence[Located]:
    """Each copy is one, so a tape that was saved twice is there twice."""
    if judge(settings, "locate", output, paths).verdict is not Verdict.SUCCESS:
        return ()
    needs_name = settings.witness == "index"
    return tuple(catalogue.copies(output.text, paths, token, needs_name=needs_name))


def _is_archive(options: Mapping[str, str]) -> bool:
    return options.get("type") == "archive"


def _server(settings: Settings) -> list[str]:
    return ["-s", settings.servers[0]]


def _client(settings: Settings) -> list[str]:
    return ["-c", settings.client] if settings.client else []


def _command(
    settings: Settings,
    program: str,
    words: Sequence[str],
    action: Any,
    files: Mapping[str, str] | None = None,
) -> Command:
    argv = (f"{settings.directory}/{program}", *words)
    return harmless(Command(argv=argv, files=files or {}, timeout=settings.timeout(action)))
