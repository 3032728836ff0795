"""Moving tapes with bconsole: a script on the server that asks, follows and reports; here are its words. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from vtsconf.bma.bacula import meaning
from vtsconf.bma.bacula.client import Console, Migration, Settings
from vtsconf.bma.bacula.console import NAME as SCRIPT_NAME
from vtsconf.bma.bacula.console import SCRIPT
from vtsconf.bma.bacula.lstat import size
from vtsconf.bma.bacula.report import Record, Report
from vtsconf.bma.contract import Command, Judgement, Located, Output, Verdict
from vtsconf.bma.words import DIRECTORY, fit_paths, fit_token
from vtsconf.core.errors import Refused
from vtsconf.core.fields import found
from vtsconf.core.problem import suggestion

_OPTION = "verify"
_SLACK = 600  # seconds by which the script's own clock ends before the runner's
_ROW = 6  # PathId FilenameId FileId JobId LStat Name


def check_options(options: Mapping[str, Any]) -> Sequence[str]:
    """The one option is `verify`: read the copy back from the tape before it counts."""
    said = [
        f"`{name}` is no option of bacula: {suggestion(name, [_OPTION]) or 'it has verify'}"
        for name in options
        if name != _OPTION
    ]
    if not isinstance(options.get(_OPTION, False), bool):
        said.append(f"`verify` is {found(options[_OPTION])}: write true or false")
    return said


def has_mark(options: Mapping[str, Any]) -> bool:
    """The job's comment."""
    del options
    return True


def outlives() -> bool:
    """The job is cancelled at the Director."""
    return False


def archive(settings: Settings, paths: Sequence[str], token: str, options: Mapping[str, Any]) -> Command:
    """One job for all paths, then the verification if that is wanted. Raises Refused."""
    _fit(paths, options)
    wants_verify = bool(options.get(_OPTION))
    migration, _ = _both(settings)
    if wants_verify and not migration.verify_job:
        raise Refused(
            "the policy wants its copies verified, and no job that does it is known",
            remedy="set vts.bma.bacula.migration.verify_job",
        )
    files = {"paths": "".join(f"{path}\n" for path in paths)}
    jobs = 2 if wants_verify else 1
    return _command(settings, "archive", token, files, wanted=len(paths), verify=wants_verify, jobs=jobs)


def restore(
    settings: Settings, paths: Sequence[str], token: str, options: Mapping[str, Any], when: str = ""
) -> Command:
    """Of the newest good copy with this token, to where it was. Raises Refused.

    One path: of several `file=` the Director heeds the first only (Bacula 9.6.7).
    """
    del when  # the comment picks the job
    _fit(paths, options)
    if len(paths) != 1:
        raise Refused("Bacula's console restores one path a command", remedy="restore the tapes one by one")
    files = {"selection": f"file={_quoted(paths[0])}\n"}
    return _command(settings, "restore", token, files, wanted=1)


def locate(settings: Settings, paths: Sequence[str], token: str, options: Mapping[str, Any]) -> Command:
    """The copies with this token, the files of them in the folders of these paths, and their tapes."""
    _fit(paths, options)
    files = {"folders": "".join(f"path={_quoted(folder)}\n" for folder in _folders(paths))}
    return _command(settings, "locate", token, files, wanted=len(paths))


def cancel(settings: Settings, token: str, output: Output) -> Command | None:
    """`cancel` for every job with this token that runs; the token finds also those that nobody followed."""
    del output
    return _command(settings, "cancel", token, {})


def judge(settings: Settings, action: str, output: Output, paths: Sequence[str]) -> Judgement:
    """All of: JobStatus, JobErrors, JobFiles and the client must be as they should. See `meaning`."""
    migration, _ = _both(settings)
    asked = meaning.Asked(action=action, client=_client(settings), wanted=len(paths), own=migration.rows())
    return meaning.judge(asked, output)


def located(settings: Settings, output: Output, paths: Sequence[str], token: str) -> Sequence[Located]:
    """Each copy is one, the newest last. Names that are not UTF-8 need a text decoded with surrogateescape."""
    if judge(settings, "locate", output, paths).verdict is not Verdict.SUCCESS:
        return ()
    report = Report.of(output.text)
    copies = [record for record in report.records if _is_copy(settings, record, token)]
    return tuple(one for record in copies for one in _files(report, record, paths, token))


def _is_copy(settings: Settings, record: Record, token: str) -> bool:
    wanted = {"comment": token, "type": "B", "jobstatus": "T", "clientname": _client(settings)}
    return all(record.text(name) == value for name, value in wanted.items())


def _files(report: Report, record: Record, paths: Sequence[str], token: str) -> list[Located]:
    number = str(record.id)
    folders = _folders(paths)
    media = ", ".join(m.words[2] for m in report.all("media") if m.words[1] == number and len(m.words) > 2)
    rows = (
        (folder, line.split("\t"))
        for mark in report.all("folder")
        for position, folder in enumerate(folders)
        if mark.words[1:] == (number, str(position))
        for line in mark.lines
    )
    return [
        Located(
            path=folder + row[5], size=size(row[4]), token=token, when=record.text("endtime"), media=media
        )
        for folder, row in rows
        if len(row) == _ROW and row[3] == number and folder + row[5] in paths
    ]


def _both(settings: Settings) -> tuple[Migration, Console]:
    if settings.migration is None or settings.console is None:
        raise Refused(
            "how tapes are moved with Bacula is not known",
            remedy="set vts.bma.bacula.migration: {jobs: …, restore_job: …} and vts.bma.bacula.console",
        )
    return settings.migration, settings.console


def _client(settings: Settings) -> str:
    migration, _ = _both(settings)
    return migration.client or settings.name


def _fit(paths: Sequence[str], options: Mapping[str, Any]) -> None:
    fit_paths(paths)
    for path in paths:
        if posixpath.normpath(path) != path or path.startswith("//"):
            raise Refused(f"the path {path!r:.200} is not in its simplest form")
        if path != path.rstrip():
            raise Refused(
                f"the name {path!r:.200} ends with a blank, which the file daemon takes off its list",
                remedy="rename the tape",
            )
    if said := check_options(options):
        raise Refused(f"the policy's options for bacula are not in order: {'; '.join(said)}")


def _folders(paths: Sequence[str]) -> list[str]:
    """Each with a `/` at its end, as the catalogue keeps them; always in the same order."""
    return sorted({f"{posixpath.dirname(path).rstrip('/')}/" for path in paths})


def _quoted(text: str) -> str:
    """As a word of the console; tried with blanks, both quotes, backslashes and bytes that are no UTF-8."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _command(
    settings: Settings,
    action: str,
    token: str,
    files: Mapping[str, str],
    *,
    wanted: int = 0,
    verify: bool = False,
    jobs: int = 1,
) -> Command:
    migration, console = _both(settings)
    words = [word for job in migration.jobs.items() for word in job]
    argv = ("sh", f"{DIRECTORY}/{SCRIPT_NAME}", action, DIRECTORY, fit_token(token), *words)
    moves = action in {"archive", "restore"}
    limit = jobs * (migration.timeout + migration.give_up) + _SLACK if moves else _SLACK
    return Command(
        argv=argv,
        files={SCRIPT_NAME: SCRIPT, **files},
        env=_environment(migration, console, _client(settings))
        | {"WANTED": str(wanted), "VERIFY_JOB": (migration.verify_job or "") if verify else ""},
        timeout=limit,
    )


def _environment(migration: Migration, console: Console, client: str) -> dict[str, str]:
    return {
        "BCONSOLE": console.program,
        "BCONSOLE_CONFIG": console.config,
        "CLIENT": client,
        "RESTORE_JOB": migration.restore_job,
        "VERIFY_NAME": migration.verify_job or "",
        "ANSWER_WITHIN": str(migration.answer_within),
        "GIVE_UP": str(migration.give_up),
        "TAPE_WAIT": str(migration.wait_for_tape),
        "LIMIT": str(migration.timeout),
        "HISTORY": str(migration.history),
    }
