"""Moving tapes with dsmc: archive and retrieve, or backup versions with selective and restore. Pure.

Sources: ibm-archive, ibm-archmc, ibm-retrieve, ibm-replace, ibm-retr-ex, ibm-pitdate (storage-protect 8.1.17, `reference-pitdate`); the quotes of a `-filelist` are general knowledge.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any

from vtsconf.bma.contract import Command, Judgement, Located, Output, Verdict
from vtsconf.bma.judging import judge as judged
from vtsconf.bma.tsm import catalogue
from vtsconf.bma.tsm.client import Settings
from vtsconf.bma.tsm.codes import TABLES
from vtsconf.bma.words import (
    DIRECTORY,
    PATH,
    Option,
    fit_options,
    fit_paths,
    fit_token,
    harmless,
    wrong_options,
)
from vtsconf.core.errors import Refused
from vtsconf.core.printable import printable

OPTIONS = (
    Option(
        name="type",
        meaning="archive: a copy of its own, kept by the archive copy group. selective: a backup version, which expires "
        "when newer ones come or the file is gone, and carries no token",
        source="ibm-archive",
        values=("archive", "selective"),
    ),
    Option(
        name="management_class",
        meaning="how long the copy is kept (-archmc); without it an include rule or the default class decides",
        source="ibm-archmc",
        pattern=r"[A-Za-z0-9_.][A-Za-z0-9_.+-]{0,29}",
        example="MC7Y",
    ),
    Option(
        name="optfile",
        meaning="another dsm.opt than that of the settings (-optfile)",
        source="ibm-optover",
        pattern=PATH,
        example="/opt/tivoli/tsm/client/ba/bin/dsm-tapes.opt",
    ),
    Option(
        name="server",
        meaning="a stanza of dsm.sys (-servername)",
        source="general knowledge",
        pattern=r"[A-Za-z0-9_.][A-Za-z0-9_.+-]{0,63}",
        example="TSM1",
    ),
)
_PATTERNS = "*?"
_WHY = "dsmc would take it for a pattern, and touch other tapes as well"


def check_options(options: Mapping[str, Any]) -> Sequence[str]:
    said = wrong_options("tsm", OPTIONS, options)
    if options.get("type") == "selective" and "management_class" in options:
        said.append(
            "`management_class` goes with `type: archive` only: a backup version has that of its include rule"
        )
    return said


def has_mark(options: Mapping[str, Any]) -> bool:
    """Archives have it in their description; backup versions have no such field [ibm-archive]."""
    return options.get("type") != "selective"


def outlives() -> bool:
    """The client itself reads and sends the tape."""
    return False


def archive(settings: Settings, paths: Sequence[str], token: str, options: Mapping[str, Any]) -> Command:
    """`dsmc archive` or `dsmc selective`. Raises Refused for paths and options that are not fit."""
    chosen = _fit(paths, options)
    if _is_selective(chosen):
        words = ["selective", *_common(settings, chosen)]
    else:
        words = ["archive", *_common(settings, chosen), *_class(chosen), _description(token)]
    return _command(settings, words, paths, settings.timeout("archive"))


def restore(
    settings: Settings, paths: Sequence[str], token: str, options: Mapping[str, Any], when: str = ""
) -> Command:
    """`dsmc retrieve` of the copy with this token, or `dsmc restore` of the version of that time, to the original place.

    Without a time the newest version comes back [ibm-pitdate].

    A second path on the command line would be the destination, hence the list.
    """
    chosen = _fit(paths, options)
    flags = ("-replace=all", "-tapeprompt=no")
    if _is_selective(chosen):
        words = ["restore", *_common(settings, chosen), *flags, *_as_of(when)]
    else:
        words = ["retrieve", *_common(settings, chosen), *flags, _description(token)]
    return _command(settings, words, paths, settings.timeout("restore"))


def locate(settings: Settings, paths: Sequence[str], token: str, options: Mapping[str, Any]) -> Command:
    """`dsmc query archive` (or `query backup`) in formats that do not depend on the language."""
    chosen = _fit(paths, options)
    formats = (
        "-filesonly",
        "-detail",
        "-dateformat=3",
        "-timeformat=1",
        "-numberformat=1",
        "-scrollprompt=no",
    )
    if _is_selective(chosen):
        words = ["query", "backup", *_common(settings, chosen), *formats]
    else:
        marked = [_description(token)] if token else []
        words = ["query", "archive", *_common(settings, chosen), *formats, *marked]
    argv = (settings.dsmc, *words, *_asked(paths))
    return harmless(Command(argv=argv, env=_env(settings), timeout=settings.timeout("locate")))


def cancel(settings: Settings, token: str, output: Output) -> Command | None:
    """There is none: IBM's advice for a dsmc that is to end is SIGKILL [endit]."""
    del settings, token, output
    return None


def judge(settings: Settings, action: str, output: Output, paths: Sequence[str]) -> Judgement:
    return judged(TABLES.under(settings.tables()), action, output, paths)


def located(settings: Settings, output: Output, paths: Sequence[str], token: str) -> Sequence[Located]:
    """Each copy is one, so a tape that was archived twice is there twice."""
    if judge(settings, "locate", output, paths).verdict is not Verdict.SUCCESS:
        return ()
    return tuple(catalogue.copies(output.text, paths, token))


def _fit(paths: Sequence[str], options: Mapping[str, Any]) -> dict[str, str]:
    fit_paths(paths, patterns=_PATTERNS, why=_WHY)
    chosen = fit_options("tsm", OPTIONS, options)
    if said := check_options(options):
        raise Refused(f"the policy's options for tsm are not in order: {'; '.join(said)}")
    return chosen


def _as_of(when: str) -> list[str]:
    """The formats go before the date that is written in them [ibm-pitdate]."""
    if not when:
        return []
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)", when)
    if match is None:
        raise Refused(f"{printable(when, 60)!r} is no time of a version: which copy is meant is not known")
    return ["-dateformat=3", "-timeformat=1", f"-pitdate={match[1]}", f"-pittime={match[2]}"]


def _is_selective(options: Mapping[str, str]) -> bool:
    return options.get("type") == "selective"


def _common(settings: Settings, options: Mapping[str, str]) -> list[str]:
    server = [f"-servername={options['server']}"] if "server" in options else []
    return [f"-optfile={options.get('optfile', settings.dsm_opt)}", *server]


def _class(options: Mapping[str, str]) -> list[str]:
    return [f"-archmc={options['management_class']}"] if "management_class" in options else []


def _description(token: str) -> str:
    return f"-description={fit_token(token)}"


def _env(settings: Settings) -> dict[str, str]:
    return {"DSM_DIR": posixpath.dirname(settings.dsm_sys)}


def _command(settings: Settings, words: Sequence[str], paths: Sequence[str], timeout: int) -> Command:
    """One path stands on the command line, several in a list of quoted lines."""
    argv, files = (settings.dsmc, *words, *paths), {}
    if len(paths) > 1:
        fit_paths(paths, patterns='"', why="a line of a list stands in quotes; move this tape by itself")
        argv = (settings.dsmc, *words, f"-filelist={DIRECTORY}/list")
        files = {"list": "".join(f'"{path}"\n' for path in paths)}
    return harmless(Command(argv=argv, files=files, env=_env(settings), timeout=timeout))


def _asked(paths: Sequence[str]) -> tuple[str, ...]:
    """The path itself; of several their folder, because a query takes one file specification."""
    if len(paths) == 1:
        return (paths[0],)
    folder = posixpath.commonpath([posixpath.dirname(path) for path in paths])
    return ("-subdir=yes", f"{folder.rstrip('/')}/*")
