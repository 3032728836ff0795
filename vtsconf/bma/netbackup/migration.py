"""Moving tapes with user-directed backups of NetBackup. Pure.

Sources: ibm-nz-b, ibm-nz-r (the commands), bplist-cn (`-k` is the policy there, `-keyword` the keyword). That `-w 0` waits
without limit, and where progress logs may be, is general knowledge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vtsconf.bma.contract import Command, Judgement, Located, Output, Verdict
from vtsconf.bma.judging import judge as judged
from vtsconf.bma.netbackup import catalogue
from vtsconf.bma.netbackup.client import Settings
from vtsconf.bma.netbackup.codes import TABLES
from vtsconf.bma.words import DIRECTORY, Option, fit_options, fit_paths, fit_token, harmless, wrong_options
from vtsconf.core.errors import Refused

_NAME = r"[A-Za-z0-9_.+][A-Za-z0-9_.+-]{0,127}"
OPTIONS = (
    Option(
        name="policy",
        meaning="the NetBackup policy with this client and a schedule for user backups (-p); needed to migrate",
        source="ibm-nz-b",
        pattern=_NAME,
        example="VTS_TAPES",
    ),
    Option(
        name="schedule",
        meaning="its schedule (-s); without it NetBackup takes one that fits",
        source="bma-facts 4",
        pattern=_NAME,
        example="USER",
    ),
    Option(
        name="client",
        meaning="the client whose copies are listed and restored (-C, -D); without it the settings' `client_name`",
        source="bma-facts 4",
        pattern=_NAME,
        example="vts1",
    ),
    Option(
        name="since",
        meaning="list no copies older than this date (bplist -s), mm/dd/yyyy",
        source="bma-facts 4",
        pattern=r"\d\d/\d\d/\d{4}",
        example="01/01/2020",
    ),
)
# In a file list [nb-exclsyn] and, as far as is known, where files are listed and restored.
_PATTERNS = "*?[]{}\\"
_WHY = "NetBackup would take it for a pattern, and touch other tapes as well"


def check_options(options: Mapping[str, Any]) -> Sequence[str]:
    return wrong_options("netbackup", OPTIONS, options)


def has_mark(options: Mapping[str, Any]) -> bool:
    """The keyword."""
    del options
    return True


def outlives() -> bool:
    """The job is the master server's; a client can only wait for it [G]."""
    return True


def archive(settings: Settings, paths: Sequence[str], token: str, options: Mapping[str, Any]) -> Command:
    """`bpbackup`, which waits for the job's end. Raises Refused for paths and options that are not fit."""
    chosen = _fit(paths, options)
    if "policy" not in chosen:
        raise Refused(
            "no NetBackup policy is named", remedy="write `options: {policy: NAME}` into the migration policy"
        )
    schedule = ["-s", chosen["schedule"]] if "schedule" in chosen else []
    words = ["-p", chosen["policy"], *schedule, "-t", "0", "-k", fit_token(token), "-w", "0"]
    return _command(settings, "bpbackup", [*words, *_log(settings, token, "archive")], paths, "archive")


def restore(
    settings: Settings, paths: Sequence[str], token: str, options: Mapping[str, Any], when: str = ""
) -> Command:
    """`bprestore` to the original place: it overwrites unless it is told -K [S-nbu]."""
    del when  # the keyword picks the copy
    client = _client(settings, _fit(paths, options))
    whose = ["-C", client, "-D", client] if client else []
    words = ["-t", "0", *whose, "-k", fit_token(token), "-w", "0", *_log(settings, token, "restore")]
    return _command(settings, "bprestore", [*words, "-print_jobid"], paths, "restore")


def locate(settings: Settings, paths: Sequence[str], token: str, options: Mapping[str, Any]) -> Command:
    """`bplist`; 227 says that there is no such copy."""
    chosen = _fit(paths, options)
    client = _client(settings, chosen)
    words = ["-C", client] if client else []
    words += ["-t", "0"]
    words += ["-k", chosen["policy"]] if "policy" in chosen else []
    words += ["-keyword", fit_token(token)] if token else []
    words += ["-s", chosen["since"]] if "since" in chosen else []
    argv = (f"{settings.directory}/bin/bplist", *words, "-l", "-b", *paths)
    return harmless(Command(argv=argv, timeout=settings.timeout("locate")))


def cancel(settings: Settings, token: str, output: Output) -> Command | None:
    """There is none on a client: jobs are ended on the master server."""
    del settings, token, output
    return None


def judge(settings: Settings, action: str, output: Output, paths: Sequence[str]) -> Judgement:
    return judged(TABLES.under(settings.tables()), action, output, paths)


def located(settings: Settings, output: Output, paths: Sequence[str], token: str) -> Sequence[Located]:
    """Each copy is one, so a tape that was saved twice is there twice."""
    if judge(settings, "locate", output, paths).verdict is not Verdict.SUCCESS:
        return ()
    return tuple(catalogue.copies(output.text, paths, token))


def _fit(paths: Sequence[str], options: Mapping[str, Any]) -> dict[str, str]:
    fit_paths(paths, patterns=_PATTERNS, why=_WHY)
    return fit_options("netbackup", OPTIONS, options)


def _client(settings: Settings, options: Mapping[str, str]) -> str:
    client = options.get("client") or settings.client_name or ""
    if client.startswith("-") or DIRECTORY in client:
        raise Refused(f"`{client[:60]}` is not the name of a client")
    return client


def _log(settings: Settings, token: str, action: str) -> list[str]:
    """The progress log, in English."""
    folder = settings.log_directory or f"{settings.directory}/logs/user_ops"
    return ["-L", f"{folder}/{token}-{action}.log", "-en"]


def _command(
    settings: Settings, program: str, words: Sequence[str], paths: Sequence[str], action: Any
) -> Command:
    """One path stands on the command line, several in a list."""
    targets, files = tuple(paths), {}
    if len(paths) > 1:
        fit_paths(
            paths, patterns=" ", why="how a blank is written in a list is not known; move this tape by itself"
        )
        targets = ("-f", f"{DIRECTORY}/list")
        files = {"list": "".join(f"{path}\n" for path in paths)}
    argv = (f"{settings.directory}/bin/{program}", *words, *targets)
    return harmless(Command(argv=argv, files=files, timeout=settings.timeout(action)))
